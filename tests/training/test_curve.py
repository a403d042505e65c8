"""A curve of any length: bounded, and no spike is lost."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.training.curve import MOST_POINTS, Curve, Series

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=60)


def filled(number: int, seed: int = 0) -> tuple[Series, np.ndarray]:
    values = np.random.default_rng(seed).normal(size=number)
    series = Series()
    series.extend(values)
    return series, values


@given(st.lists(VALUES, max_size=5))
def test_a_short_series_is_kept_as_it_is(pieces: list[list[float]]) -> None:
    series = Series()
    for piece in pieces:
        series.extend(piece)
    whole = [value for piece in pieces for value in piece]
    ends, means, lows, highs = (points.tolist() for points in series.points())
    assert ends == list(range(1, len(whole) + 1))
    assert means == lows == highs == whole


@pytest.mark.parametrize("number", [MOST_POINTS - 1, MOST_POINTS, 5 * MOST_POINTS + 7, 100_003])
def test_a_long_series_is_bounded_and_true(number: int) -> None:
    series, values = filled(number)
    ends, means, lows, highs = series.points()
    assert len(series) == number == ends[-1]
    assert len(ends) <= MOST_POINTS
    start = 0
    for end, mean, low, high in zip(ends.astype(int), means, lows, highs, strict=True):
        piece = values[start:end]
        assert math.isclose(mean, piece.mean(), rel_tol=1e-9, abs_tol=1e-12)
        assert (low, high) == (piece.min(), piece.max())
        start = end


@given(st.integers(0, 20_000))
def test_a_spike_of_one_step_stays(place: int) -> None:
    values = np.zeros(20_001)
    values[place] = 1e9
    series = Series()
    series.extend(values)
    ends, _, lows, highs = series.points()
    assert highs.max() == 1e9
    assert lows.max() == 0 or ends[highs.argmax()] == place + 1
    assert ends[highs.argmax()] > place >= ends[highs.argmax()] - series.stride


@given(st.lists(st.integers(0, 3000), max_size=6))
def test_how_it_is_cut_does_not_matter(pieces: list[int]) -> None:
    values = np.random.default_rng(1).normal(size=sum(pieces))
    whole, cut = Series(), Series()
    whole.extend(values)
    for piece in np.split(values, np.cumsum(pieces)):
        cut.extend(piece)
    for a, b in zip(whole.points(), cut.points(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_copy_goes_its_own_way() -> None:
    series, _ = filled(5000)
    before = [points.copy() for points in series.points()]
    copy = series.copy()
    copy.extend([1.0] * 5000)
    for a, b in zip(before, series.points(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(copy) == 10_000


def curve() -> Curve:
    made = Curve()
    for epoch in range(3):
        made.extend(torch.rand(900) + epoch, torch.rand(900))
        made.end_epoch(2.0 * (epoch + 1))
    return made


def test_a_curve_goes_through_json_and_on() -> None:
    first = curve()
    second = Curve.from_dict(json.loads(json.dumps(first.to_dict(), allow_nan=False)))
    more = torch.rand(4000), torch.rand(4000)
    for made in (first, second):
        made.extend(*more)
    assert first.to_dict() == second.to_dict()
    assert first.epochs == second.epochs == [(900, 2.0), (1800, 4.0), (2700, 6.0)]


@pytest.mark.parametrize("stride", [0, -1, 3])
def test_what_is_no_series_is_refused(stride: int) -> None:
    with pytest.raises(ValueError, match="not a series"):
        Series.from_dict({"stride": stride, "points": [], "rest": []})
    with pytest.raises(ValueError, match="not a series"):
        Series.from_dict({"stride": 1, "points": [], "rest": [1.0]})


def test_time_runs_evenly_within_an_epoch() -> None:
    made = curve()
    assert made.seconds(np.array([0.0, 450.0, 900.0, 1350.0])).tolist() == [0, 1, 2, 3]
