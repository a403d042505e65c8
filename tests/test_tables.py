"""Tables of plain text: aligned, and inside of the width of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics import tables
from rnn_magics.tables import aligned, columns_of, wrapped

RUNS = [
    ("run", "model", "state", "epochs", "train ppl", "held-out ppl", "note"),
    ("gru-1", "gru, 256 hidden units, 2 layers", "epochs", "10/10", "5.123", "6.234", ""),
    (
        "lstm-2",
        "lstm, 256 hidden units, 1 layer",
        "interrupted",
        "3/10",
        "5.123",
        "6.234",
        "best after epoch 2, and the held-out perplexity has risen since",
    ),
]
CELL = st.text(st.sampled_from("ab 中é1."), max_size=40).map(str.strip)


def test_without_a_terminal_nothing_is_wrapped() -> None:
    assert len(aligned(RUNS).splitlines()) == len(RUNS)


@pytest.mark.parametrize("width", [100, 80, 60, 40, 24])
def test_a_table_fits_and_says_everything(width: int) -> None:
    shown = aligned(RUNS, width)
    assert max(map(len, shown.splitlines())) <= width
    words = {word for line in RUNS for cell in line for word in cell.split()}
    if width >= 60:
        assert words <= set(shown.split())
    for number in ("5.123", "6.234", "10/10"):
        assert number in shown.split()


@pytest.mark.parametrize("width", [100, 80])
def test_the_columns_stay_columns(width: int) -> None:
    head, *lines = aligned(RUNS, width).splitlines()
    for name in ("model", "state", "note"):
        at = head.index(name)
        assert {line[at - 1 : at] for line in lines} <= {" ", ""}


def test_what_is_still_too_wide_becomes_several_tables() -> None:
    numbers = [[f"column-{i}" for i in range(9)], ["row", *("123456.789" for _ in range(8))]]
    parts = aligned(numbers, 40).split("\n\n")
    assert len(parts) > 1
    assert all(part.startswith("column-0") for part in parts)
    assert "".join(parts).count("123456.789") == 8


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=5), st.integers(24, 90))
def test_no_line_is_wider_and_no_character_is_lost(
    lines: list[tuple[str, str, str]], width: int
) -> None:
    shown = aligned(lines, width)
    assert max(map(columns_of, shown.splitlines()), default=0) <= width
    if "\n\n" not in shown:
        typed = "".join("".join(line) for line in lines).replace(" ", "")
        assert sorted(shown.replace(" ", "").replace("\n", "")) == sorted(typed)


def test_wide_characters_are_aligned_by_their_columns() -> None:
    first, second = aligned([("中文", "a"), ("abcd", "b")]).splitlines()
    assert (first, second) == ("中文  a", "abcd  b")


def test_a_long_line_is_broken_between_words() -> None:
    line = "held-out perplexity 20.738: has not learnt more than counting pairs"
    assert wrapped(line, 80) == line
    broken = wrapped(line, 30).splitlines()
    assert max(map(len, broken)) <= 30
    assert " ".join(part.strip() for part in broken) == line


def test_an_indented_line_stays_indented() -> None:
    first, *rest = wrapped("         text that goes on and on and on", 26, " " * 9).splitlines()
    assert first == "         text that goes on"
    assert rest == ["         and on and on"]


class Closed:
    def isatty(self) -> bool:
        msg = "I/O operation on closed file"
        raise ValueError(msg)


@pytest.mark.parametrize("stdout", [None, Closed()])
def test_an_odd_stdout_has_no_width(stdout: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.sys, "stdout", stdout)
    assert tables.terminal_width() is None
