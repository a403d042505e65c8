from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_magics.errors import BatchError
from rnn_magics.scores.series import (
    LAGS,
    MOST_ORIGINS,
    Linear,
    Mean,
    Persistence,
    origins,
    series_errors,
)
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.series.levels import LevelsConfig, Series
from rnn_magics.text.series.read import read_series

GENERATOR = np.random.default_rng(0)
X = np.sin(np.arange(3000) / 7) + 0.3 * GENERATOR.standard_normal(3000)
CORPUS = read_series(X, LevelsConfig(levels=15), name="x")
CUT = 2700


def rmse(errors: list[float]) -> float:
    return math.sqrt(sum(e * e for e in errors) / len(errors))


def plain_ahead(weights: list[float], bias: float, place: int, k: int) -> float:
    """Predict k steps after a place, one step after the other."""
    known = X[: place + 1].tolist()
    for _ in range(k):
        known.append(
            bias + sum(w * v for w, v in zip(weights, known[-len(weights) :], strict=True))
        )
    return known[-1]


def test_errors_are_those_of_the_plain_definition() -> None:
    found = series_errors(CORPUS)
    assert found is not None
    places, steps = origins(len(X), CUT)
    assert (found.steps, found.num_origins) == (steps, len(places)) == ((1, 4, 16, 64), 128)
    rows = np.array([X[t - LAGS : t] for t in range(LAGS, CUT)])
    solved = np.linalg.lstsq(np.c_[rows, np.ones(len(rows))], X[LAGS:CUT], rcond=None)[0].tolist()
    rules = {
        "mean": ([0.0], X[:CUT].mean()),
        "persistence": ([1.0], 0.0),
        "linear, 4 values": (solved[:-1], solved[-1]),
    }
    assert [row.name for row in found.rows] == [*rules]
    for name, (weights, bias) in rules.items():
        for k in steps:
            errors = [plain_ahead(weights, bias, t, k) - X[t + k] for t in places]
            assert found[name].errors[k] == pytest.approx(rmse(errors))


def test_the_perplexity_is_that_of_a_normal_distribution_over_the_levels() -> None:
    found = series_errors(CORPUS)
    assert found is not None
    assert isinstance(CORPUS.behind, Series)
    edges = [-math.inf, *CORPUS.behind.levels.edges[1:-1], math.inf]
    deviation = rmse(np.diff(X[:CUT]).tolist())
    nats = 0.0
    for t in range(CUT + 1, len(X)):
        level = CORPUS.data[t]
        assert isinstance(level, int)
        below, above = (
            (1 + math.erf((edges[level + i] - X[t - 1]) / deviation / math.sqrt(2))) / 2
            for i in (0, 1)
        )
        nats -= math.log(above - below)
    assert found["persistence"].perplexity == pytest.approx(math.exp(nats / (len(X) - CUT - 1)))


def test_a_linear_model_finds_the_weights_of_an_autoregressive_series() -> None:
    x = np.zeros(5000)
    for t in range(2, 5000):
        x[t] = 0.5 + 1.2 * x[t - 1] - 0.6 * x[t - 2] + 0.1 * GENERATOR.standard_normal()
    model = Linear(x[100:], 2)
    assert model.weights == pytest.approx([-0.6, 1.2], abs=0.05)
    assert model.bias == pytest.approx(0.5, abs=0.1)
    assert model.deviation == pytest.approx(0.1, abs=0.01)
    assert model(np.array([[1.0, 2.0]])) == pytest.approx(model.bias + model.weights @ [1.0, 2.0])


def test_rules_are_fitted_on_the_training_part_alone() -> None:
    changed = X.copy()
    changed[CUT:] *= 5
    models = [[Mean(x), Persistence(x), Linear(x, 4)] for x in (X[:CUT], changed[:CUT])]
    found = [series_errors(read_series(x, LevelsConfig(levels=15))) for x in (X, changed)]
    assert found[0] is not None
    assert found[1] is not None
    constant = models[0][0](np.zeros((1, 1)))[0]
    places, _ = origins(len(X), CUT)
    errors = (constant - changed[places + 1]).tolist()
    assert found[1]["mean"].errors[1] == pytest.approx(rmse(errors))
    assert found[0]["mean"].errors[1] < found[1]["mean"].errors[1]


@pytest.mark.parametrize(
    ("num", "cut", "steps", "count"),
    [
        (3000, 2700, (1, 4, 16, 64), MOST_ORIGINS),
        (1100, 1000, (1, 4, 16), 85),
        (1004, 1000, (1,), 4),
        (1002, 1000, (1,), 2),
        (1001, 1000, (), 2),
    ],
)
def test_from_each_place_every_step_ends_in_the_held_out_part(
    num: int, cut: int, steps: tuple[int, ...], count: int
) -> None:
    places, found = origins(num, cut)
    assert (found, len(places)) == (steps, count)
    assert places[0] == cut - 1  # so the first step is the first held-out value
    assert places[-1] + max(steps, default=0) == num - 1
    assert len({*places.tolist()}) == count


def test_where_nothing_can_be_told_there_are_no_errors() -> None:
    assert series_errors(Corpus.from_tokens(range(2000))) is None
    assert series_errors(read_series(X, LevelsConfig(levels=5), CorpusConfig(valid=0.0))) is None
    short = CorpusConfig(valid=0.5, max_tokens=16)
    assert series_errors(read_series(X, LevelsConfig(levels=5), short)) is None
    with pytest.raises(BatchError, match="a linear model of the last 40 needs at least 81: lower"):
        series_errors(
            read_series(X[:100], LevelsConfig(levels=5), CorpusConfig(valid=0.5)), lags=40
        )


def test_a_series_without_noise_is_predicted_without_error() -> None:
    found = series_errors(read_series(np.sin(np.arange(3000) / 7), LevelsConfig(levels=9)))
    assert found is not None
    assert max(found["linear, 4 values"].errors.values()) < 1e-6
    assert found["linear, 4 values"].perplexity == pytest.approx(1)
    assert found.verdict.startswith("smallest error 64 steps ahead: linear, 4 values")


def test_an_unstable_model_has_a_large_error_and_no_warning() -> None:
    x = np.concatenate((1.5 ** np.arange(0, 60, 0.1), 1e10 * np.ones(400)))
    found = series_errors(read_series(x, LevelsConfig(levels=4), CorpusConfig(valid=0.4)))
    assert found is not None
    assert found["linear, 4 values"].errors[64] > found["persistence"].errors[64]
