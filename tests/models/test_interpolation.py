"""The mixture of models, with weights from the past alone."""

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


def plain(models: list[list[float]], kinds: list[int]) -> tuple[list[float], list[float]]:
    """The formula of the docstring, in logarithms; each place begins anew from the first."""
    number = len(models)
    logs: list[float] = []
    shares: list[list[float]] = []  # of each place, of each model

    def moved(weights: list[float], places: list[int]) -> list[float]:
        for n, s in enumerate(places, start=1):
            eta = (20 + n) ** -0.6
            weights = [
                (1 - eta) * weight + eta * (0.999 * share + 0.001 / number)
                for weight, share in zip(weights, shares[s], strict=True)
            ]
        return weights

    equal = [1 / number] * number
    for t, kind in enumerate(kinds):
        alike = [s for s in range(t) if kinds[s] == kind]
        before = alike[0] if alike else t  # when the kind was new
        weights = moved(moved(equal, [*range(before)]), alike)
        parts = [math.log(w) + model[t] for w, model in zip(weights, models, strict=True)]
        logs.append(float(np.logaddexp.reduce(parts)))
        shares.append([math.exp(part - logs[-1]) for part in parts])
    return logs, moved(equal, [*range(len(kinds))])


@given(LOGS)
def test_it_is_the_formula(pairs: list[tuple[float, float]]) -> None:
    first, second = map(list, zip(*pairs, strict=True))
    found = interpolate(np.array(first), np.array(second))
    logs, weights = plain([first, second], [0] * len(first))
    np.testing.assert_allclose(found.log_probs, logs, rtol=1e-9, atol=1e-12)
    assert found.weights == pytest.approx(weights, rel=1e-9)
    assert found.weight == found.weights[-1]
    assert found.nats == pytest.approx(-np.mean(logs), rel=1e-9, abs=1e-12)


@given(st.data(), st.integers(2, 4), st.integers(1, 30))
def test_each_kind_of_place_has_weights_of_its_own(
    data: st.DataObject, number: int, length: int
) -> None:
    column = st.lists(st.floats(-50, 0), min_size=length, max_size=length)
    models = [data.draw(column) for _ in range(number)]
    kinds = data.draw(st.lists(st.integers(0, 2), min_size=length, max_size=length))
    found = interpolate(*map(np.array, models), kinds=np.array(kinds))
    logs, weights = plain(models, kinds)
    np.testing.assert_allclose(found.log_probs, logs, rtol=1e-9, atol=1e-12)
    assert found.weights == pytest.approx(weights, rel=1e-9)
    assert sum(found.weights) == pytest.approx(1)


def test_places_where_another_model_is_better_are_told_apart() -> None:
    good, bad = math.log(0.9), math.log(0.01)
    first = np.array([good, bad] * 2000)
    found = interpolate(first, first[::-1], kinds=np.arange(4000) % 2)
    assert found.nats < 0.2 < interpolate(first, first[::-1]).nats


def test_a_model_may_rule_a_token_out() -> None:
    first, second = np.array([-1.0, -np.inf, -1.0]), np.array([-np.inf, -1.0, -1.0])
    found = interpolate(first, second)
    assert found.log_probs[0] == pytest.approx(math.log(0.5) - 1)
    assert np.isfinite(found.log_probs).all()


@given(LOGS)
def test_it_is_never_much_worse_than_the_better_of_the_two(
    pairs: list[tuple[float, float]],
) -> None:
    first, second = np.array(pairs).T
    found = interpolate(first, second)
    # However often it was wrong, a model keeps at least this weight.
    least = math.log(0.0005)
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
    assert -np.log((0.9 + 0.01) / 2) == pytest.approx(found.nats, abs=0.02)
    assert found.nats < 0.4 * -first.mean()
    assert found.weight == pytest.approx(0.5, abs=0.05)


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


def test_one_model_is_no_mixture() -> None:
    with pytest.raises(ModelError, match="two or more of them"):
        interpolate(np.zeros(3))
