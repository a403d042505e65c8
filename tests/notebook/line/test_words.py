"""Words: what is quoted arrives as it was typed, and nothing is ever evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.errors import ConfigError, RNNMagicsError
from rnn_magics.notebook.extension import load_magic
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import Word, split_line

QUOTES = st.sampled_from(["'", '"'])
AWKWARD = [
    "",
    "--length",
    "-1",
    "a=b",
    "--x=1",
    "{x}",
    "$x",
    "{1+1}",
    "\\n",
    "\\",
    "é ☃\u202e",
    "\0a",
]


def generate_parser() -> MagicParser[Any]:
    return MagicParser("generate", load_magic("generate").options)


GENERATE = generate_parser()


@given(QUOTES, st.text() | st.sampled_from(AWKWARD))
def test_quoted_text_is_one_word_as_it_was_typed(quote: str, text: str) -> None:
    text = text.replace(quote, "")
    assert split_line(f"{quote}{text}{quote}", {"x": 1}) == [Word(text, quoted=True)]


@given(QUOTES, st.text() | st.sampled_from(AWKWARD))
def test_quoted_text_reaches_the_magic_as_it_was_typed(quote: str, text: str) -> None:
    text = text.replace(quote, "")
    line = f"{quote}{text}{quote} --stop {quote}{text}{quote} --run={quote}{text}{quote}"
    options = GENERATE.parse(split_line(line, {"x": 1}))
    assert (options.prefix, options.decoding.stop, options.run) == (text, text, text)


@pytest.mark.parametrize("word", AWKWARD)
def test_the_value_of_a_variable_arrives_as_it_is(word: str) -> None:
    options = GENERATE.parse(split_line("$x --stop {x} --run=$x", {"x": word}))
    assert (options.prefix, options.decoding.stop, options.run) == (word, word, word)


@given(st.text(st.characters(exclude_characters="\"'$")))
@example("a\\ b\tc {a.b} --x={y!r} 日本\u3000語")
def test_bare_words_end_at_white_space(line: str) -> None:
    line = line.replace("{", "{ ")  # no word is exactly {name}
    assert split_line(line, {}) == [Word(word) for word in line.split()]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("$text", "a b"),
        ("{text}", "a b"),
        ("$whole", "3"),
        ("{number}", "0.5"),
        ("$numpy", "7"),
        ("$длина", "9"),
    ],
)
def test_a_bare_name_stands_for_a_variable(word: str, value: str) -> None:
    variables = {"text": "a b", "whole": 3, "number": 0.5, "numpy": np.int64(7), "длина": 9}
    assert split_line(word, variables) == [Word(value, quoted=True)]
    assert split_line(f"--x={word}", variables) == [Word("--x"), Word(value, quoted=True)]


class Bomb:
    """Anything that is done to it is noticed."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)

    def __getitem__(self, key: object) -> Any:
        raise AssertionError(key)

    def __call__(self) -> Any:
        raise AssertionError

    __str__ = __format__ = __call__


@pytest.mark.parametrize(
    "word",
    [
        "{1+1}",
        "{a.b}",
        "{a[0]}",
        "{a()}",
        "{a!r}",
        "{a:>3}",
        "{{a}}",
        "$a.b",
        "$$a",
        "${a}",
        "x$a",
        "{a}x",
        "$5",
        "{0}",
        "{}",
        "$",
        "a{b}c",
        "$(a)",
        "`a`",
        "!a",
    ],
)
def test_anything_but_a_bare_name_means_itself(word: str) -> None:
    assert split_line(word, {"a": Bomb(), "b": Bomb()}) == [Word(word)]


@pytest.mark.parametrize("word", ["'$a'", '"{a}"', "''$a", "$a''"])
def test_a_quoted_name_means_itself(word: str) -> None:
    (found,) = split_line(word, {"a": "looked up"})
    assert found.text in ("$a", "{a}")


def test_quotes_may_stand_inside_a_word() -> None:
    value = Word("""a bc"d""", quoted=True)
    assert split_line("""--x="a b"'c"d' e"f" """, {}) == [Word("--x"), value, Word("ef")]
    assert split_line("""'--x='"a b" """, {}) == [Word("--x=a b", quoted=True)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("'a", "the quote ' at column 1 is not closed"),
        ('a "b', 'the quote " at column 3 is not closed'),
        ("don't", "the quote ' at column 4 is not closed"),
        ("$nothing", "no variable 'nothing' (in quotes, $nothing means itself)"),
        (
            "--clip={clap}",
            "no variable 'clap' (in quotes, {clap} means itself); did you mean 'clip'",
        ),
        ("$names", "variable 'names' is a list; an option takes text or a number"),
    ],
)
def test_what_cannot_be_read_is_said(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split_line(line, {"clip": 1, "names": []})
    assert said in str(caught.value)


LINES = st.text() | st.lists(
    st.sampled_from([*AWKWARD, "'", '"', "$clip", "{clip}", "--", "-", "=", "the", "--num", "none"])
).map(" ".join)


@given(LINES)
def test_a_line_is_read_or_refused_with_an_error_of_ours(line: str) -> None:
    try:
        options = GENERATE.parse(split_line(line, {"clip": 1}))
    except RNNMagicsError as error:
        assert str(error)  # noqa: PT017  (either outcome will do)
    else:
        assert isinstance(options.prefix, str)
