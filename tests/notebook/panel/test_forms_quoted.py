"""No text leaves a form as more than one line, and IPython reads each line as the magic it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from rnn_magics.errors import ConfigError
from rnn_magics.names import misfit
from rnn_magics.notebook.line.words import split_line
from rnn_magics.notebook.panel.forms import quoted

# What str.splitlines takes for the end of a line.
LINE_ENDS = ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
ORDER = ["\u061c", "\u200e", "\u202e", "\u2066", "\u2069"]
WORDS = json.loads(
    (Path(__file__).parents[2] / "contract" / "words.json").read_text(encoding="ascii")
)
MARKS = st.text(st.sampled_from([*"\\\"'?!%$#{}()[]; =a\u4e2d", *LINE_ENDS]), max_size=12)
# Strings of Python side by side, bare backslashes before them, or a plain word.
PYTHON = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^'\\]*'|\\+(?=["']))+|[\w.,:/+~%@^-]+""")
ANY = st.text(st.characters(exclude_categories=[]), max_size=12)


def test_the_line_ends_are_those_of_python() -> None:
    ends = [chr(code) for code in range(0x110000) if len(f"a{chr(code)}b".splitlines()) > 1]
    assert ends == sorted(LINE_ENDS)


@pytest.mark.parametrize("mark", [*LINE_ENDS, *ORDER, "\0", "\t", "\x1b", "\x7f", "\ud800"])
def test_what_ends_a_line_or_hides_is_refused(mark: str) -> None:
    for text in (mark, f"a{mark}", f"{mark}a", f"x?{mark}!touch pwned{mark}#"):
        assert misfit(text)
        with pytest.raises(ConfigError, match="cannot hold") as refused:
            quoted(text)
        assert len(str(refused.value).splitlines()) == 1
        assert str(refused.value).isprintable()


@pytest.mark.parametrize("text", ["gru-1", "a b", "中文", "👩\u200d👧", "naïve?", '"', "a\\"])
def test_names_that_people_give_are_none_of_these(text: str) -> None:
    assert misfit(text) == ""


@pytest.mark.parametrize(("text", "word"), WORDS)
def test_a_word_is_that_of_the_page(text: str, word: str | None) -> None:
    if word is None:
        with pytest.raises(ConfigError):
            quoted(text)
    else:
        assert quoted(text) == word


@given(st.lists(st.one_of(MARKS, ANY), min_size=1, max_size=3))
@example(["x?"])
@example(["a\\", "b?"])
@example(['a"?', "it's?"])
@example(["!ls", "%run x"])
@example(["\\"])
def test_any_words_are_one_line_that_ipython_takes_for_the_magic(texts: list[str]) -> None:
    try:
        words = [quoted(text) for text in texts]
    except ConfigError:
        assert any(misfit(text) for text in texts)
        return
    arguments = " ".join(["compare", *words])
    line = f"%rnn {arguments}"
    assert line.splitlines() == [line]
    assert [word.text for word in split_line(arguments, {})] == ["compare", *texts]
    read = TransformerManager().transform_cell(line)
    assert read == f"get_ipython().run_line_magic('rnn', {arguments!r})\n"


@given(st.one_of(MARKS, ANY))
@example("a\\")
@example('a\\"b?')
def test_each_piece_is_a_whole_string_of_python(text: str) -> None:
    # Since 3.12 Python's tokenizer gives up at a string that is not closed, and IPython then takes
    # a "?" that stands before it for the end of the line.
    if not misfit(text):
        assert PYTHON.fullmatch(quoted(text))
