"""Curves in characters, for who sees no pictures."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from rnn_magics.plotting import to_characters


def figure(*curves: tuple[list[float], list[float], str], scale: str = "linear") -> Figure:
    made = Figure()
    axes = made.subplots()
    for x, y, label in curves:
        axes.plot(x, y, label=label)
    axes.set(title="Perplexity", xscale=scale, yscale=scale)
    return made


def rows(drawn: str) -> list[str]:
    """Return the inside of a chart, line by line."""
    lines = [line.partition(" | ")[2] for line in drawn.splitlines() if " | " in line]
    return lines[:-1]  # the last has the numbers of the axis


def test_curves_fall_and_rise_as_their_numbers_do() -> None:
    drawn = to_characters(figure(([1, 2, 3], [30, 20, 10], "a"), ([1, 2, 3], [10, 15, 20], "b")))
    heights = {}
    for mark in "+x":
        places = [
            (line.index(mark), height) for height, line in enumerate(rows(drawn)) if mark in line
        ]
        heights[mark] = [height for _, height in sorted(places)]
    assert heights["+"] == sorted(heights["+"])  # from the top down
    assert heights["x"] == sorted(heights["x"], reverse=True)
    assert "Perplexity" in drawn
    assert drawn.endswith("+ a   x b")
    assert max(map(len, drawn.splitlines())) <= 80


def test_a_level_goes_from_end_to_end() -> None:
    made = figure(([1, 2], [1, 3], "curve"))
    made.axes[0].axhline(2, label="clip 2")
    (level,) = [line for line in rows(to_characters(made)) if line.count("x") > 40]
    assert set(level) <= {"x", "+"}


def test_what_has_no_curve_or_no_name_is_left_out() -> None:
    assert to_characters(Figure()) == ""
    assert to_characters(figure(([1], [float("nan")], "a"))) == ""
    assert to_characters(figure(([1, 2], [1, 2], "_hidden"))) == ""
    assert to_characters(figure(([1], [5], "one point is no curve"))) == ""


def test_a_logarithmic_axis_has_no_place_for_zero() -> None:
    drawn = to_characters(figure(([0, 1, 10, 100], [1, 0, 1000, 1000], "a"), scale="log"))
    assert sum("+" in line for line in rows(drawn)) == 1
    assert " 10 " in drawn.splitlines()[-2]  # where the axis begins


NUMBERS = st.one_of(st.floats(-1e12, 1e12), st.sampled_from([np.nan, np.inf, -np.inf]))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20), st.sampled_from(["linear", "log"]))
def test_any_curve_is_drawn_within_its_width(points: list[tuple[float, float]], scale: str) -> None:
    x, y = [list(values) for values in zip(*points, (1.0, 1.0), strict=True)]
    drawn = to_characters(figure((x, y, "a"), scale=scale))
    assert all(len(line.rstrip()) <= 100 for line in drawn.splitlines())
    assert len(drawn.splitlines()) <= 20
