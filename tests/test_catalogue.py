"""The catalogue has every text that people read, each in Chinese, and nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message

from hatch_build import CATALOGUE, OF_PAGES
from tools.catalogue import Text, of_python, of_typescript, read, texts, updated

ROOT = Path(__file__).parents[1]
# Where every text has been translated; the other rooms follow.
ROOMS = (
    *("labextension/", "examples/"),
    *(f"rnn_magics/{file.name}" for file in sorted((ROOT / "rnn_magics").glob("*.py"))),
    *(f"rnn_magics/{room}/" for room in ("decoding", "handout", "models", "scores", "storage")),
    *(f"rnn_magics/{room}/" for room in ("text", "training")),
)
MESSAGES = [message for message in read(ROOT / CATALOGUE) if message.id]
# What a translation keeps: a field of TypeScript, a name of Python or of a magic, an option.
KEPT = re.compile(r"%\d|`[^`]*`|%%?[a-z_]+|(?<![\w-])--?[a-z][a-z-]*")


def english(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else [*message.id]


def chinese(message: Message) -> str:
    return message.string if isinstance(message.string, str) else message.string[0]


def is_of(rooms: tuple[str, ...], message: Message) -> bool:
    return any(place.startswith(rooms) for place, _ in message.locations)


def fields(text: str) -> set[str]:
    return {f"{name}{spec}" for _, name, spec, _ in Formatter().parse(text) if name is not None}


def test_the_catalogue_is_what_the_sources_hold() -> None:
    kept = {(str(message.id), message.context) for message in MESSAGES}
    found = {(str(message.id), message.context) for message in updated() if message.id}
    assert kept - found == set(), "obsolete; type: make catalogue"
    assert found - kept == set(), "new; type: make catalogue"


def test_every_text_has_a_chinese_one() -> None:
    lacking = [
        message.id for message in MESSAGES if is_of(ROOMS, message) and not any(message.string)
    ]
    assert lacking == []


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: english(message)[0])
def test_a_translation_keeps_what_is_filled_in(message: Message) -> None:
    said = chinese(message)
    if said:
        (*_, many) = english(message)
        assert sorted(KEPT.findall(said)) == sorted(KEPT.findall(many))
        if not is_of(("labextension/", "examples/"), message):
            assert fields(said) == fields(many)


def test_no_text_has_two_forms_of_many() -> None:
    forms = {(text.text, text.plural) for text in texts() if not text.context}
    twice = [text for text, number in Counter(text for text, _ in forms).items() if number > 1]
    assert twice == []


def test_texts_are_found_where_they_stand() -> None:
    source = """
raise Bad(say("first {a}" " half", a=say("inner")))
x = say_number(n, "one", "{number} many", of=marked('constant'))
depth: int = option(1, "help of an option", least=1)
not_one = hear("nothing", say(variable), f"{x}")
"""
    assert {*of_python(source)} == {
        ("first {a} half", ""),
        ("inner", ""),
        ("one", "{number} many"),
        ("constant", ""),
        ("help of an option", ""),
    }
    script = "say('it\\'s', say('in')); trans.__(\n  \"two\"); x = { words: 'three' }; essay('no')"
    assert [*of_typescript(script)] == ["it's", "in", "two", "three"]


def test_what_a_page_reads_has_the_texts_of_pages() -> None:
    path = (ROOT / CATALOGUE).with_suffix(".json")
    held = {key for key in json.loads(path.read_text(encoding="utf-8")) if key}
    assert held == {_key(text) for text in texts() if text.file.startswith(OF_PAGES)}


def _key(text: Text) -> str:
    return f"{text.context}\x04{text.text}" if text.context else text.text
