"""Words: what is quoted arrives as it was typed, and nothing is ever evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.errors import ConfigError, RNNMagicsError
from rnn_magics.notebook.extension import load_magic
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.line.words import Word, Words, read_line, split_line

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


@given(st.lists(st.text() | st.sampled_from([*AWKWARD, "none", "a,b"]), min_size=1, max_size=5))
def test_each_element_of_a_list_is_a_word_as_it_is(given_: list[str]) -> None:
    parser = MagicParser("corpus", load_magic("corpus").options)
    options = parser.parse(split_line("first $files --lower", {"files": given_}))
    assert options.source == ("first", *given_)
    with pytest.raises(ConfigError, match="variable 'files' is a list, but --name takes one"):
        parser.parse(split_line("--name $files", {"files": given_}))


def test_a_list_of_a_derived_class_is_read_as_a_list() -> None:
    class Endless(list[str]):
        def __iter__(self) -> Iterator[str]:
            while True:
                yield "again"

    assert [word.text for word in split_line("$files", {"files": Endless(["a", "b"])})] == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("word", AWKWARD)
def test_the_value_of_a_variable_arrives_as_it_is(word: str) -> None:
    options = GENERATE.parse(split_line("$x --stop {x} --run=$x", {"x": word}))
    assert (options.prefix, options.decoding.stop, options.run) == (word, word, word)


@given(st.text(st.characters(exclude_characters="\"'$#;–—“”‘’")))
@example("a\\ b\tc { a.b} --x={0} 日本\u3000語")
def test_bare_words_end_at_white_space(line: str) -> None:
    line = line.replace("{", "{ ")  # no word holds {name}
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
    ["{1+1}", "{{a}}", "$$a", "$5", "{0}", "{}", "$", "$(a)", "`a`", "!a", "x{{a}}$$a"],
)
def test_what_is_no_name_means_itself(word: str) -> None:
    assert split_line(word, {"a": Bomb(), "b": Bomb()}) == [Word(word)]


@pytest.mark.parametrize(
    "word", ["{a.b}", "{a[0]}", "{a()}", "{a!r}", "{a:>3}", "${a}", "x{a.b}y", "--x={a+1}"]
)
def test_nothing_is_evaluated_and_that_is_said(word: str) -> None:
    with pytest.raises(
        ConfigError, match="is not a plain name, and magic lines evaluate no expressions"
    ):
        split_line(word, {"a": Bomb(), "b": Bomb()})


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("gru-{h}.safetensors", "gru-6.safetensors"),
        ("$d/run1", "/tmp/run1"),
        ("{d}/{h}", "/tmp/6"),
        ("$p.txt", "a b.txt"),
        ("x$h", "x6"),
    ],
)
def test_a_name_inside_a_word_is_looked_up(word: str, value: str) -> None:
    variables = {"h": 6, "d": PurePosixPath("/tmp"), "p": "a b"}
    assert split_line(word, variables) == [Word(value, quoted=True)]
    assert split_line(f"--x={word}", variables) == [Word("--x"), Word(value, quoted=True)]


@pytest.mark.parametrize("word", ["gru-{h}.safetensors", "$d/run1", "x$h"])
def test_a_name_inside_a_word_that_is_none_is_said(word: str) -> None:
    with pytest.raises(ConfigError, match=rf"no variable '[hd]' \(quote {re.escape(word)} to take"):
        split_line(word, {})
    with pytest.raises(ConfigError, match="is None, which cannot be part of"):
        split_line(word, {"h": None, "d": None})


def test_none_is_no_text_but_leaves_an_option_out() -> None:
    assert GENERATE.parse(split_line("the --top-k $k", {"k": None})).decoding.top_k is None
    for line in ("$p", "the --length $p"):
        with pytest.raises(ConfigError, match="variable 'p' is None, but "):
            GENERATE.parse(split_line(line, {"p": None}))
    (word,) = split_line("'none'", {})
    assert word == Word("none", quoted=True)


COMMENTS = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))


@given(st.sampled_from(["", "a", "'#' b", '"a # b" --x 1', "--x=$v c#d"]), COMMENTS)
def test_a_comment_is_left_out(line: str, comment: str) -> None:
    expected = split_line(line, {"v": 1})
    assert split_line(f"{line} # {comment}", {"v": 1}) == expected
    assert split_line(f"{line} #{comment}", {"v": 1}) == expected


@given(st.sampled_from(["a", "'x;' b", "--x 1", "--x=$v"]))
def test_a_semicolon_at_the_end_silences(line: str) -> None:
    expected = split_line(line, {"v": 1})
    for ending in (";", " ;", ";;", "; # why"):
        assert read_line(f"{line}{ending}", {"v": 1}) == Words(expected, silent=True)
    assert not read_line(line, {"v": 1}).silent
    assert read_line("'a;'", {}) == Words([Word("a;", quoted=True)])


@pytest.mark.parametrize("line", ["–cell gru", "--cell “gru”", "a ’b’", "—x"])
def test_marks_that_come_from_a_page_are_named(line: str) -> None:
    with pytest.raises(ConfigError, match=r"at column \d+ is typographic; type "):
        split_line(line, {})
    assert split_line(f'"{line}"', {}) == [Word(line, quoted=True)]


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
        ("$nothing", "no variable 'nothing' (quote $nothing to take it literally)"),
        (
            "--clip={clap}",
            "no variable 'clap' (quote {clap} to take it literally); did you mean 'clip'",
        ),
        ("$names", "variable 'names' is an empty list, which names nothing"),
        (
            "$nested",
            "element 1 of 'nested' is a list; an option takes text, a number or a path, and",
        ),
        (
            "x$names",
            "variable 'names' is a list; an option takes text, a number or a path, and a list",
        ),
        ("$kinds", "variable 'kinds' is a dict; an option takes text, a number or a path"),
    ],
)
def test_what_cannot_be_read_is_said(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split_line(line, {"clip": 1, "names": [], "nested": ["a", ["b"]], "kinds": {}})
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
