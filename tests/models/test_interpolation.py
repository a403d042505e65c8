"""The mixture of two models, with weights from the past alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import ModelError
from rnn_magics.models.interpolation import interpolate
from rnn_magics.models.ngram import fit_ngram

LOGS = st.lists(st.tuples(st.floats(-900, 0), st.floats(-900, 0)), min_size=1, max_size=40)


def plain(first: list[float], second: list[float]) -> tuple[list[float], float]:
    """The formula of the docstring, sum by sum, in logarithms."""
    logs: list[float] = []
    shares: list[float] = []
    for t in range(1, len(first) + 1):
        weight = (50 + sum(shares)) / (100 + t - 1)
        parts = math.log(1 - weight) + first[t - 1], math.log(weight) + second[t - 1]
        logs.append(float(np.logaddexp(*parts)))
        shares.append(math.exp(parts[1] - logs[-1]))
    return logs, (50 + sum(shares)) / (100 + len(first))


@given(LOGS)
def test_it_is_the_formula(pairs: list[tuple[float, float]]) -> None:
    first, second = map(list, zip(*pairs, strict=True))
    found = interpolate(np.array(first), np.array(second))
    logs, weight = plain(first, second)
    np.testing.assert_allclose(found.log_probs, logs, rtol=1e-9, atol=1e-12)
    assert found.weight == pytest.approx(weight, rel=1e-9)
    assert found.nats == pytest.approx(-np.mean(logs), rel=1e-9, abs=1e-12)


@given(LOGS)
def test_it_is_never_much_worse_than_the_better_of_the_two(
    pairs: list[tuple[float, float]],
) -> None:
    first, second = np.array(pairs).T
    found = interpolate(first, second)
    # The weights of the beginning, a hundred tokens strong, give either model at least this much.
    least = math.log(50 / (100 + len(pairs)))
    assert (found.log_probs >= np.maximum(first, second) + least - 1e-9).all()


def test_a_mixture_is_a_distribution_over_the_next_token() -> None:
    ids = np.array([0, 1, 2, 0, 1, 0, 2, 1, 0, 0, 1, 2])
    models = [fit_ngram(ids, 3, order) for order in (1, 3)]
    total = 0.0
    for token in range(3):  # whatever comes next, the weight before it is the same
        text = np.array([0, 1, 2, 0, token])
        mixed = interpolate(*(model.log_probs(text) for model in models))
        total += math.exp(mixed.log_probs[-1])
    assert total == pytest.approx(1, abs=1e-12)


def test_two_models_that_know_different_halves_are_better_together() -> None:
    good, bad = math.log(0.9), math.log(0.01)
    first = np.array([good, bad] * 500)
    found = interpolate(first, first[::-1])
    assert -np.log((0.9 + 0.01) / 2) == pytest.approx(found.nats, abs=0.01)
    assert found.nats < 0.4 * -first.mean()
    assert found.weight == pytest.approx(0.5, abs=0.02)


def test_the_weight_goes_to_the_model_that_is_right() -> None:
    right, wrong = np.full(2000, math.log(0.9)), np.full(2000, math.log(0.1))
    assert interpolate(wrong, right).weight > 0.9
    assert interpolate(right, wrong).weight < 0.1


@pytest.mark.parametrize(
    ("first", "second"),
    [(np.zeros(3), np.zeros(4)), (np.zeros(0), np.zeros(0)), (np.zeros((2, 2)), np.zeros((2, 2)))],
)
def test_only_the_same_tokens_are_mixed(first: np.ndarray, second: np.ndarray) -> None:
    with pytest.raises(ModelError, match="token by token"):
        interpolate(first, second)
