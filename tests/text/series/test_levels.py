from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.text.series.levels import BINS, Levels, LevelsConfig

FLOATS = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(FLOATS, min_size=30, max_size=80), st.integers(2, 30), st.sampled_from([*BINS]))
def test_each_level_has_values_of_the_training_part_and_stands_for_their_mean(
    values: list[float], num_levels: int, bins: str
) -> None:
    x = np.array(values)
    assume(np.ptp(x) > 1e-9)
    levels = Levels.fit(x, num_levels, bins, "x")
    found = levels.of(x)
    assert 2 <= len(levels) <= num_levels
    assert {*found.tolist()} == {*range(len(levels))}
    assert (np.diff(levels.edges) > 0).all()
    for level, value in enumerate(levels.values):
        assert value == pytest.approx(x[found == level].mean(), rel=1e-9, abs=1e-9)
    # Plainly, from the definition: the number of inner edges that are not above the value.
    assert found.tolist() == [sum(edge <= v for edge in levels.edges[1:-1]) for v in values]


def test_uniform_levels_have_one_width_and_quantile_levels_as_many_values() -> None:
    x = np.random.default_rng(0).exponential(size=4000)
    uniform, quantile = (Levels.fit(np.sort(x)[:3900], 8, bins, "x") for bins in BINS)
    assert np.diff(uniform.edges) == pytest.approx(np.diff(uniform.edges)[0])
    assert np.bincount(quantile.of(np.sort(x)[:3900])) == pytest.approx(3900 / 8, abs=1)


def test_what_lies_outside_belongs_to_the_first_or_the_last_level() -> None:
    levels = Levels.fit(np.arange(10.0), 5, "uniform", "x")
    assert levels.of(np.array([-100.0, 0.0, 9.0, 100.0])).tolist() == [0, 0, 4, 4]


def test_a_level_without_a_value_to_train_on_goes_to_the_next() -> None:
    x = np.array([0.0, 1.0, 2.0, 10.0] * 5)
    levels = Levels.fit(x, 10, "uniform", "x")
    assert levels.edges == (0.0, 1.0, 2.0, 3.0, 10.0)
    assert levels.values == (0.0, 1.0, 2.0, 10.0)
    assert levels.of(np.array([5.0])).tolist() == [3]


def test_a_series_of_mostly_one_value_has_two_levels() -> None:
    x = np.array([0.0] * 99 + [1.0])
    levels = Levels.fit(x, 10, "quantile", "x")
    assert (levels.edges, levels.values) == ((0.0, 0.5, 1.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([3.0] * 50, "'x' is constant: every value to train on is 3, so there is nothing"),
        ([1.0] * 25 + [np.nextafter(1, 2)] * 25, "'x' is constant"),
        ([1.0, 2.0], "'x' has 2 values to train on, fewer than 20 levels; give a longer series"),
        ([1.0], "'x' has 1 value to train on"),
        ([1e308, -1e308] * 20, "'x' has values from -1e+308 to 1e+308, a range too large"),
    ],
)
def test_a_series_without_levels_is_refused(values: list[float], said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        Levels.fit(np.array(values), 20, "uniform", "x")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("levels", [1, 0, -3, 10_001])
def test_a_number_of_levels_out_of_range_is_refused(levels: int) -> None:
    with pytest.raises(ConfigError, match=r"levels must be in \[2, 10000\], not "):
        LevelsConfig(levels=levels)


def test_what_is_no_level_stands_for_nothing() -> None:
    levels = Levels.fit(np.arange(10.0), 5, "uniform", "x")
    assert levels.value(4) == 8.5
    for token in ("<unk>", "4", 5, -1, True, 1.0):
        assert np.isnan(levels.value(token))


def test_quantiles_of_levels_are_those_of_values_spread_within_them() -> None:
    levels = Levels.fit(np.arange(101.0), 10, "uniform", "x")
    spread = np.random.default_rng(0).uniform(0, 100, (4000, 2))
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    found = levels.quantiles(levels.of(spread), shares)
    assert found == pytest.approx(np.quantile(spread, shares, axis=0), abs=1)
    one = levels.quantiles(np.array([[3]]), (0.0, 0.5, 1.0))
    assert one[:, 0] == pytest.approx([30.0, 35.0, 40.0])


def test_levels_come_back_from_json() -> None:
    levels = Levels.fit(np.random.default_rng(0).normal(size=90), 7, "quantile", "x")
    assert Levels.from_dict(json.loads(json.dumps(levels.to_dict()))) == levels


@pytest.mark.parametrize(
    "change",
    [
        {"edges": [0.0, 1.0]},
        {"edges": [0.0, 2.0, 1.0]},
        {"edges": [0.0, 1.0, 1.0]},
        {"values": [0.0, float("inf")]},
        {"values": [0, 1]},
        {"edges": [0.0, 1.0], "values": [0.5]},
    ],
)
def test_what_is_no_levels_is_refused(change: dict[str, list[float]]) -> None:
    plain = {"edges": [0.0, 1.0, 2.0], "values": [0.5, 1.5], "bins": "uniform"}
    assert len(Levels.from_dict(plain)) == 2
    with pytest.raises(ValueError, match="levels"):
        Levels.from_dict({**plain, **change})
