"""The cache: what followed similar states, and nothing that comes later."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.scores.cache import ContinuousCache

VOCAB = 5


def text(length: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return some states, and the token that follows each."""
    draw = torch.Generator().manual_seed(seed)
    states = torch.randn(length, 3, generator=draw)
    return states, torch.randint(VOCAB, (length,), generator=draw)


def plain(
    states: list[list[float]], labels: list[int], size: int, theta: float, t: int
) -> list[float]:
    """The formula of the docstring for one place, term by term."""
    kept = range(max(0, t - size), t)
    if not kept:
        return [1 / VOCAB] * VOCAB
    weights = [
        math.exp(theta * sum(a * b for a, b in zip(states[t], states[i], strict=True)))
        for i in kept
    ]
    return [
        sum(w for w, i in zip(weights, kept, strict=True) if labels[i] == token) / sum(weights)
        for token in range(VOCAB)
    ]


@given(
    st.integers(1, 25),
    st.integers(1, 30),
    st.sampled_from([0.1, 1.0, 4.0]),
    st.lists(st.integers(1, 9), min_size=1, max_size=30),
)
def test_it_is_the_formula_wherever_the_text_is_cut(
    length: int, size: int, theta: float, cuts: list[int]
) -> None:
    states, labels = text(length)
    cache, found, at = ContinuousCache(size, theta, VOCAB), [], 0
    for cut in [*cuts, length]:
        if at < length:
            found.append(cache.read(states[at : at + cut], labels[at : at + cut]))
        at += cut
    log_probs = torch.cat([part.log_probs for part in found]).tolist()
    greatest = torch.cat([part.greatest for part in found]).tolist()
    for t in range(length):
        probs = plain(states.tolist(), labels.tolist(), size, theta, t)
        assert math.exp(log_probs[t]) == pytest.approx(probs[labels[t]], abs=1e-6)
        assert greatest[t] == pytest.approx(max(probs), abs=1e-6)
        assert sum(probs) == pytest.approx(1)


def test_what_never_followed_is_ruled_out() -> None:
    cache = ContinuousCache(10, 1.0, VOCAB)
    found = cache.read(torch.zeros(4, 3), torch.tensor([1, 1, 2, 1]))
    expected = [math.log(1 / VOCAB), 0.0, -math.inf, math.log(2 / 3)]
    np.testing.assert_allclose(found.log_probs, expected, atol=1e-12)


def test_no_token_is_known_before_it_is_read() -> None:
    states, labels = text(12)
    other = labels.clone()
    other[7:] = (other[7:] + 1) % VOCAB
    one, two = (ContinuousCache(9, 1.0, VOCAB).read(states, each) for each in (labels, other))
    assert torch.equal(one.greatest[:8], two.greatest[:8])
    assert torch.equal(one.log_probs[:7], two.log_probs[:7])
    assert not torch.equal(one.greatest[8:], two.greatest[8:])
