"""The catalogue has every text that people read, each in Chinese, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message

from hatch_build import CATALOGUE, OF_PAGES
from tools.catalogue import (
    Text,
    arguments,
    called,
    chinese,
    literal,
    of_python,
    of_typescript,
    read,
    texts,
    updated,
)

ROOT = Path(__file__).parents[1]
MESSAGES = [message for message in read(ROOT / CATALOGUE) if message.id]
# What a translation keeps: a field of TypeScript, a name of Python or of a magic, an option.
KEPT = re.compile(r"%\d|`[^`]*`|%%?[a-z_]+|(?<![\w-])--[a-z][a-z-]*")


def english(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else [*message.id]


def is_on_pages(message: Message) -> bool:
    return any(place.startswith(OF_PAGES) for place, _ in message.locations)


def fields(text: str) -> set[str]:
    return {f"{name}{spec}" for _, name, spec, _ in Formatter().parse(text) if name is not None}


def test_the_catalogue_is_what_the_sources_hold() -> None:
    kept = {(str(message.id), message.context) for message in MESSAGES}
    found = {(str(message.id), message.context) for message in updated() if message.id}
    assert kept - found == set(), "obsolete; type: make catalogue"
    assert found - kept == set(), "new; type: make catalogue"


def test_every_text_has_a_chinese_one() -> None:
    lacking = [message.id for message in MESSAGES if not chinese(message)]
    assert lacking == []


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: english(message)[0])
def test_a_translation_keeps_what_is_filled_in(message: Message) -> None:
    said = chinese(message)
    if said:
        (*_, many) = english(message)
        assert sorted(KEPT.findall(said)) == sorted(KEPT.findall(many))
        if not is_on_pages(message):
            assert fields(said) == fields(many)


def test_no_text_has_two_forms_of_many() -> None:
    forms = {(text.text, text.plural) for text in texts() if not text.context}
    twice = [text for text, number in Counter(text for text, _ in forms).items() if number > 1]
    assert twice == []


def test_texts_are_found_where_they_stand() -> None:
    source = """
raise Bad(say("first {a}" " half", a=say("inner")))
x = say_number(n, "one", "{number} many", of=marked('constant'))
depth: int = option(1, "help of an option", label="A label")
not_one = hear("nothing", say(variable), f"{x}")
"""
    assert {*of_python(source)} == {
        ("first {a} half", ""),
        ("inner", ""),
        ("one", "{number} many"),
        ("constant", ""),
        ("help of an option", ""),
        ("A label", ""),
    }
    script = "say('it\\'s', say('in')); trans.__(\n  \"two\"); x = { words: 'three' }; essay('no')"
    assert [*of_typescript(script)] == ["it's", "in", "two", "three"]


def test_what_a_page_reads_has_the_texts_of_pages() -> None:
    path = (ROOT / CATALOGUE).with_suffix(".json")
    held = {key for key in json.loads(path.read_text(encoding="utf-8")) if key}
    assert held == {_key(text) for text in texts() if text.file.startswith(OF_PAGES)}


# Two words of English in a literal: something that people read, if it is none of the following.
WORDS = re.compile(r"[A-Za-z]{2,}[,;:.]? +\(?[A-Za-z]+")
CODE = re.compile(r"<\w+[^<>]*>|^[\w-]+: ?[^ ]|\\[a-z]+|\0")  # HTML, CSS, TeX, a mark in a word
SCRIPTS = (
    "again.py",
    "parts.py",
    "pieces.py",
    "script.py",
    "text.py",
    "tokens.py",
)  # of handout/: what they write is Python
NOT_FOR_PEOPLE = {
    "rnn_magics/__init__.py": {  # it imports nothing before a name is asked for
        "module {} has no attribute {}",
        "rnn_magics.{} is called rnn_magics.{} now",
    },
    "rnn_magics/batching.py": {"The given NumPy array is not writable"},  # a warning of torch
    "rnn_magics/cluster/messages.py": {"Worker exit type:"},  # in errors of Ray
    "rnn_magics/errors.py": {  # in errors of torch
        "can't allocate memory",
        "not enough memory",
        "out of memory",
        "storage size calc",
    },
    "rnn_magics/handout/page.py": {  # of the file itself
        "<!doctype html>",
        (
            "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}';"
            " img-src data:; base-uri 'none'; form-action 'none'"
        ),
    },
    "rnn_magics/inspection/doctor.py": {"second time"},  # in an error of torch
    "rnn_magics/inspection/fitting.py": {"dict[str, Any]"},
    "rnn_magics/notebook/magics/rnn.py": {"%rnn attach"},  # a line to type
    "rnn_magics/notebook/line/parser.py": {  # in errors of argparse
        "ignored explicit argument",
        "the following arguments are required: ",
    },
    "rnn_magics/text/formats/json_list.py": {  # words of json, which stand in brackets
        "Extra data",
        "Unterminated string",
    },
    "rnn_magics/notebook/live/dashboard.py": {"baselines shown"},  # the name of a thread
    "rnn_magics/notebook/live/drive.py": {"baselines shown"},
    "rnn_magics/notebook/live/progress.py": {  # keys; they are marked where they are listed
        "train ppl",
        "held-out ppl",
        "train bits",
        "held-out bits",
        "grad norm / max",
    },
    "rnn_magics/notebook/page/search.py": {"a search failed"},  # in a log
    "rnn_magics/notebook/widgets/base.py": {"export default {}"},
    "rnn_magics/plotting/curves.py": {"outside lower center", "upper center"},
    "rnn_magics/plotting/heatmaps.py": {"upper right"},
    "rnn_magics/plotting/labels.py": {"axes fraction"},
    "rnn_magics/plotting/series/fan.py": {"outside lower center"},
    "rnn_magics/plotting/zipf.py": {"center right"},
    "rnn_magics/plotting/style.py": {  # names of colour maps, of a place and of fonts
        "upper right",
        "rnn diverging",
        "rnn sequential",
        "Noto Sans CJK SC",
        "Noto Sans SC",
        "Source Han Sans SC",
        "WenQuanYi Zen Hei",
        "WenQuanYi Micro Hei",
        "PingFang SC",
        "Hiragino Sans GB",
        "Microsoft YaHei",
        "Arial Unicode MS",
        "Last Resort",
        "DejaVu Sans",
        "DejaVu Sans Mono",
    },
    "rnn_magics/reports/texts.py": {"--data NAME"},
    "rnn_magics/text/counts.py": {"YI SYLLABLE "},  # names of Unicode
    "rnn_magics/text/formats/gutenberg.py": {  # what stands in its books
        r"\*\*\* ?START OF (THE|THIS) PROJECT GUTENBERG|\*END\*? ?THE SMALL PRINT",
        r"\*\*\* ?END OF (THE|THIS) PROJECT GUTENBERG|End of (the )?Project Gutenberg",
    },
    "rnn_magics/text/reading/advice.py": {"--encoding utf-8", "HANGUL LETTER"},
    "rnn_magics/text/reading/download.py": {"rnn download"},  # the name of a thread
    "rnn_magics/text/series/values.py": {"no number"},  # a kind of element, compared
    "rnn_magics/training/recipes/recipes.py": {  # lines of magics
        "%corpus time_machine --d2l --max-tokens 10000 --valid 0",
        "%corpus tiny_shakespeare",
        "%sample seq --batch-size 32 --num-steps 35",
        "%sample seq --num-steps 64",
        "%vocab --token char",
    },
}


def unwrapped(source: str) -> Iterator[str]:
    """Yield the literals of two words or more that are neither translated nor documentation."""
    tree = ast.parse(source)
    known: set[ast.expr] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            known.add(node.value)  # a docstring
        elif isinstance(node, ast.Call):
            known.update(arguments(node))
        elif isinstance(node, ast.JoinedStr):
            known.update(node.values)
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(literal(each) or "{}" for each in node.values)
        elif isinstance(node, ast.Constant) and node not in known:
            text = literal(node)
        if WORDS.search(text) and not CODE.search(text):
            yield text


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((ROOT / "rnn_magics").rglob("*.py"))
        if path.parent.name != "handout" or path.name not in SCRIPTS
    ],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_every_text_passes_through_say(path: Path) -> None:
    found = {*unwrapped(path.read_text(encoding="utf-8"))}
    assert found == NOT_FOR_PEOPLE.get(path.relative_to(ROOT).as_posix(), set())


def test_the_rule_sees_a_text_that_does_not() -> None:
    source = '''
"""A docstring is for programmers."""
msg = f"run {name!r} has ended"
say("this is translated", name="but not this")
raise Bad("no run" " here")
style = "display:grid; gap: 1px" + "<div class='a b'>" + r"\\frac one two"
'''
    assert {*unwrapped(source)} == {"run {} has ended", "but not this", "no run here"}


# What is counted, behind its number.
COUNTED = re.compile(
    r"\{\w+(?::[,gd])?\} (?:(?!and |or |of |a |the |in )[a-z{}-]+ ){0,2}?(?:tokens|characters|texts"
    r"|lines|rows|steps|units|layers|epochs|documents|words|values|levels|examples|minibatches"
    r"|seeds|checks|records|files|bytes|elements|types|places|sentences|states|groups|spans|runs"
    r"|pieces|changes|sources|numbers|weights|parameters|tensors|answers|times|seconds|clusters"
    r"|indices|models|cells|beginnings|paths)\b"
)
# Of a limit, which is more than one.
LIMIT = re.compile(r"more than|at least|at most|too many|fewer than|too large|longer than")
NEVER_ONE = {  # a vocabulary has <unk> beside a token, a split that is scored more than one, ...
    "{announced:,} bytes",
    "{cells} cells",
    "{deaths} times",
    "{first:,} {kind} tokens",
    "{header:,} bytes",
    "{kind} are pieces",
    "{kind} tokens",
    "{least:,} tokens",
    "{lines} lines",
    "{longest} tokens",
    "{most} n-gram models",
    "{num_characters:,} characters",
    "{num_parameters:,} parameters",
    "{num_steps} tokens",
    "{num_tokens:,} held-out tokens",
    "{num_tokens:,} tokens",
    "{num_tokens} tokens",
    "{num_train_tokens:,} tokens",
    "{number:,} characters",
    "{number:,} numbers",
    "{number:,} places",
    "{number:,} such elements",
    "{number:,} texts",
    "{number:,} tokens",
    "{number:,} {bins} levels",
    "{number:,} {kind} tokens",
    "{number} checks",
    "{number} documents",
    "{number} for {number} tokens",
    "{number} levels",
    "{number} tensors",
    "{number} tokens",
    "{option} is for files",
    "{option} is for texts",
    "{option} says how levels",
    "{parameters:,} parameters",
    "{path} has no files",
    "{read} tokens",
    "{searched:,} tokens",
    "{second:,} {other} tokens",
    "{seconds} seconds",
    "{seeds} seeds",
    "{size:,} bytes",
    "{size:,} numbers",
    "{size:,} tokens",
    "{size:,} {kind} tokens",
    "{size} indices",
    "{size} tokens",
    "{size} {token} tokens",
    "{steps} steps",
    "{step} changes",
    "{times} times",
    "{tokens:,} held-out tokens",
    "{tokens:,} tokens",
    "{tokens:,} training tokens",
    "{token} tokens",
    "{total:,} characters",
    "{units} units",
    "{vocab_size} tokens",
    "{weights:,} weights",
    "{whole} epochs",
    "{window} tokens",
    "{written:,} tokens",
}


def counted(source: str) -> Iterator[str]:
    """Yield what is counted in texts that have one form for every number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and called(node) in ("say", "marked") and node.args:
            text = literal(node.args[0])
            yield from (match[0] for match in COUNTED.finditer(text) if not LIMIT.search(text))


def test_a_number_that_may_be_one_has_the_noun_for_one() -> None:
    paths = (ROOT / "rnn_magics").rglob("*.py")
    found = {text for path in paths for text in counted(path.read_text(encoding="utf-8"))}
    assert found == NEVER_ONE
    assert [*counted('say("{n:,} reserved tokens take too much")')] == ["{n:,} reserved tokens"]
    assert [*counted('say_number(n, "{number} token", "{number} tokens")')] == []


def _key(text: Text) -> str:
    return f"{text.context}\x04{text.text}" if text.context else text.text
