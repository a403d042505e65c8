"""A word of 20,000 letters floods no display, and is whole in the data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.inspection.inspectors import INSPECTORS
from rnn_magics.notebook.extension import MAGICS
from rnn_magics.results import TOKEN_WIDTH, brief, listed, quoted
from rnn_magics.text.vocab import Vocab, VocabConfig
from tests.notebook.conftest import Notebook

LONG = 20_000
MOST = 40_000  # characters of all forms of all outputs of a cell, pictures left out
WORDS = [letter * LONG for letter in "abcdefgh"]
TEXT = " ".join(WORDS[3 * i % 8] + (".\n" if i % 7 == 0 else "") for i in range(150))
TRAIN = "%train_rnn --num-hiddens 4 --epochs 1 --device cpu --threads 1 --name tiny"

LINES = {
    "corpus": ["%corpus --data text --valid 0.2", "%corpus --data items --as-tokens"],
    "vocab": ["%vocab --token word", "%vocab --token word --zipf"],
    "sample": ["%sample seq --batch-size 2 --num-steps 4 --show 2"],
    "train_rnn": [TRAIN],
    "generate": [
        "%generate $first",
        "%generate $first --num 3",
        "%generate $first --novelty",
        "%generate --score $odd",
    ],
    "baseline": ["%baseline --order 1-2"],
    "evaluate_rnn": ["%evaluate_rnn"],
    "inspect_rnn": [
        "%inspect_rnn hidden $odd",
        "%inspect_rnn gates $both",
        "%inspect_rnn surprise $both",
        "%inspect_rnn gradient $both --target $second",
        "%inspect_rnn match $both --threshold 0.001",
        "%inspect_rnn units",
        "%inspect_rnn batches",
        "%inspect_rnn play $both",
        "%inspect_rnn patch $both $both --length 3",
        "%inspect_rnn ablate --tokens 20",
        "%inspect_rnn probe --feature line_position",
        "%inspect_rnn diff $both --run tiny,tiny",
    ],
    "save_rnn": ["%save_rnn tiny.safetensors"],
    "load_rnn": ["%load_rnn tiny.safetensors"],
    "rnn": ["%rnn", "%rnn doctor"],
    "exercise": ["%exercise", "%exercise 06.3 0.5", "%exercise --report"],
    "sweep": ["%sweep --num-hiddens 2,3 --epochs 1 --search grid --no-baseline", "%sweep list"],
    "rnn_lab": [],  # forms: they hold no token
}
"""Every magic, on a vocabulary of long words."""

REFUSED = [
    "%corpus $first",
    "%vocab --token $first",
    "%sample $first",
    '%generate "the" --stop $unknown',
    "%generate $first --decoder $first",
    "%inspect_rnn gradient $both --target $unknown",
    "%inspect_rnn $first",
    "%load_rnn $first",
    "%rnn code $first",
    "%rnn compare $first",
]


def size_of(form: Any) -> int:
    """Return the size of a form without its pictures, whose size is that of their pixels."""
    text = form if isinstance(form, str) else json.dumps(form)
    return len(re.sub(r"data:image/png;base64,[\w+/=]+", "", text))


@pytest.fixture
def long_words(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notebook]:
    """A notebook in which everything there is has tokens of 20,000 letters."""
    monkeypatch.chdir(tmp_path)
    names = {"text": TEXT, "items": TEXT.split(), "first": WORDS[1], "second": WORDS[4]}
    both, odd = f"{WORDS[1]} {WORDS[4]}", f"{WORDS[1]} {'z' * LONG}"
    notebook.variables.update(names, unknown="z" * LONG, both=both, odd=odd)
    return notebook


def all_of(notebook: Notebook, shown: list[dict[str, Any]], cell: str) -> int:
    """Return the size of all that a cell writes, displays and returns."""
    shown.clear()
    written = notebook.printed(cell)
    forms = [output["data"] for output in shown]
    if (result := notebook.variables["_shown_nowhere"]) is not None:
        forms.append(notebook.rich(result))
    drawn = (form for data in forms for mime, form in data.items() if not mime.startswith("image"))
    return len(written) + sum(map(size_of, drawn))


def test_every_display_is_bounded(long_words: Notebook, shown: list[dict[str, Any]]) -> None:
    assert set(LINES) == set(MAGICS)
    assert {line.split()[1] for line in LINES["inspect_rnn"]} == set(INSPECTORS)
    sizes = {}
    for line in (line for lines in LINES.values() for line in lines):
        if "--as-tokens" not in line:
            sizes[line] = all_of(long_words, shown, line)
    typed = {line: 2 * LONG for line in LINES["inspect_rnn"] if "$" in line}
    # A view keeps the text that was typed: a button of it writes a line with that text.
    flooded = {line: n for line, n in sizes.items() if n > MOST + typed.get(line, 0)}
    assert flooded == {}
    run = long_words.session.runs["tiny"]
    assert run.vocab is not None
    assert (
        sum(len(str(token)) == LONG for token in run.vocab.to_tokens([*range(len(run.vocab))])) == 8
    )


def test_given_tokens_are_bounded_too(long_words: Notebook, shown: list[dict[str, Any]]) -> None:
    for line in (LINES["corpus"][1], "%vocab", "%vocab --zipf", LINES["sample"][0]):
        assert all_of(long_words, shown, line) < MOST


@pytest.mark.parametrize("line", REFUSED)
def test_every_error_is_bounded(long_words: Notebook, line: str) -> None:
    for cell in (
        "%corpus --data text",
        "%vocab --token word",
        "%sample seq --batch-size 2 --num-steps 4",
    ):
        long_words.run(cell)
    long_words.run(TRAIN)
    assert 10 < len(long_words.refused(line)) < 2000


def test_what_is_generated_is_whole_in_the_data(long_words: Notebook) -> None:
    for cell in (
        "%corpus --data text",
        "%vocab --token word",
        "%sample seq --batch-size 2 --num-steps 4",
    ):
        long_words.run(cell)
    long_words.run(TRAIN)
    written = long_words.run("%generate $first --length 5")
    assert written.text.startswith(WORDS[1])
    assert len(written.tokens) == 5
    assert all(str(token) in written.text for token in written.tokens)
    assert len(written.shown) < 6 * (TOKEN_WIDTH + 1) + 2000


def test_one_function_makes_a_token_brief() -> None:
    assert brief("the") == "the"
    assert brief(("a", 1)) == "('a', 1)"
    assert brief("x" * LONG) == quoted("x" * LONG)[1:-1]
    assert len(brief("x" * LONG)) <= TOKEN_WIDTH
    assert [quoted(t) for t in ("it's", 'say "it\'s"\n', 3, "\u202e", "a\\\n")] == [
        '"it\'s"',
        "'say \"it\\'s\"\\n'",
        "3",
        "'\\u202e'",
        "'a\\\\\\n'",
    ]
    assert quoted("\u0645\u06cc\u200c\u062e") == "'\u0645\u06cc\u200c\u062e'"
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(list(range(23))).endswith(", 19 and 3 more")
    vocab = Vocab(["x" * LONG], VocabConfig("word"))
    assert len(repr(vocab)) < 200
