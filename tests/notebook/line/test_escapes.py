r"""Escapes: ``\n`` in text that a line asks to read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import ConfigError
from rnn_magics.notebook.line.escapes import unescaped


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", ""),
        ("plain $ {x} % é 中", "plain $ {x} % é 中"),
        (r"a\nb", "a\nb"),
        (r"\t\n", "\t\n"),
        (r"\\n", r"\n"),
        (r"\\\n", "\\\n"),
        (r"\u4e2d\u00e9", "中é"),
        (r"\u0041b", "Ab"),
    ],
)
def test_what_is_read(typed: str, meant: str) -> None:
    assert unescaped(typed, "TEXT") == meant


@pytest.mark.parametrize("bad", [r"\x", r"\r", r"\U0001f600", r"\u12", r"\u12g4", r"\ "])
@pytest.mark.parametrize("before", ["", r"a\n", r"\\"])
@pytest.mark.parametrize("after", ["", "z"])
def test_another_one_is_told_in_one_line(bad: str, before: str, after: str) -> None:
    with pytest.raises(ConfigError) as told:
        unescaped(before + bad + after, "--stop")
    assert str(told.value) == f"--stop has {bad[:2]}; --escapes reads \\n, \\t, \\\\ and \\uXXXX"


def test_a_backslash_at_the_end_is_told() -> None:
    with pytest.raises(ConfigError, match=r"TEXT has \\; --escapes reads"):
        unescaped("a\\", "TEXT")


@pytest.mark.parametrize("half", [r"\ud83d", r"\ude00", r"\ud83d\ude00", r"\uDFFF"])
def test_half_a_character_is_told(half: str) -> None:
    said = r"which is half a character; type the character itself; --escapes reads"
    with pytest.raises(ConfigError, match=said):
        unescaped(half, "TEXT")


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_can_be_typed(text: str) -> None:
    marks = {"\n": r"\n", "\t": r"\t", "\\": r"\\"}
    assert unescaped("".join(marks.get(c, c) for c in text), "TEXT") == text
    short = [c for c in text if ord(c) < 1 << 16]
    assert unescaped("".join(f"\\u{ord(c):04x}" for c in short), "TEXT") == "".join(short)


def assert_is_one_line(text: str) -> None:
    assert text.isprintable()


@given(st.text("\\ntu0123aF"))
def test_any_typing_is_read_or_told_in_one_line(typed: str) -> None:
    try:
        meant = unescaped(typed, "TEXT")
    except ConfigError as error:
        assert_is_one_line(str(error))
    else:
        assert len(meant) <= len(typed)
        assert not any("\ud800" <= c < "\ue000" for c in meant)
