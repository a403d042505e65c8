"""Decoders: how the next token is chosen."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.decoding.decoders import DecodingConfig, draw, greedy
from rnn_magics.errors import ConfigError
from rnn_magics.options import SEED

PROBABILITIES = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05])
DRAWS = 20_000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uniform(num_rows: int, seed: int = 0) -> Tensor:
    return torch.rand(num_rows, dtype=torch.float64, generator=generator(seed))


def shares(**options: Any) -> Tensor:
    """Return how often each of the five tokens is drawn."""
    logits = PROBABILITIES.log().expand(DRAWS, -1)
    config = DecodingConfig(**{"temperature": 1.0, **options})
    return torch.bincount(draw(logits, config, uniform(DRAWS)), minlength=5) / DRAWS


def normalised(values: Tensor) -> Tensor:
    return values / values.sum()


def test_greedy_takes_the_most_probable_token_of_every_row() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [5.0, -1.0, 4.9]])
    assert greedy(logits, DecodingConfig(), uniform(2)).tolist() == [1, 0]


def test_tokens_are_drawn_as_often_as_they_are_probable() -> None:
    torch.testing.assert_close(shares(), PROBABILITIES, rtol=0, atol=0.015)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_temperature_sharpens_or_flattens(temperature: float) -> None:
    expected = normalised(PROBABILITIES ** (1 / temperature))
    torch.testing.assert_close(shares(temperature=temperature), expected, rtol=0, atol=0.015)


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-40])
def test_next_to_zero_temperature_is_greedy(temperature: float) -> None:
    logits = torch.randn(200, 7, generator=generator(1)) * 10
    config = DecodingConfig(temperature=temperature)
    assert torch.equal(draw(logits, config, uniform(200)), logits.argmax(dim=-1))


@pytest.mark.parametrize("k", [1, 2, 3, 5, 99])
def test_only_the_k_most_probable_tokens_are_drawn(k: int) -> None:
    expected = normalised(PROBABILITIES * (torch.arange(5) < k))
    found = shares(top_k=k)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.015)
    assert not found[k:].any()


@pytest.mark.parametrize(
    ("p", "kept"), [(0.01, 1), (0.4 - 1e-4, 1), (0.45, 2), (0.7 + 1e-4, 3), (0.9, 4), (1.0, 5)]
)
def test_the_nucleus_is_the_fewest_tokens_that_reach_p(p: float, kept: int) -> None:
    expected = normalised(PROBABILITIES * (torch.arange(5) < kept))
    found = shares(top_p=p)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.015)
    assert not found[kept:].any()


def test_the_nucleus_ends_with_the_token_that_reaches_p_exactly() -> None:
    logits = torch.zeros(200, 2)  # one half each
    drawn = draw(logits, DecodingConfig(top_p=0.5, temperature=1.0), uniform(200))
    assert len(drawn.unique()) == 1


def test_the_nucleus_is_taken_within_the_top_k() -> None:
    found = shares(top_k=3, top_p=0.5)  # of 0.47, 0.35, 0.18
    torch.testing.assert_close(
        found, normalised(PROBABILITIES * (torch.arange(5) < 2)), rtol=0, atol=0.015
    )


def test_the_nucleus_is_that_of_the_distribution_at_the_temperature() -> None:
    found = shares(temperature=0.25, top_p=0.7)  # the first token has 0.75 by then
    assert found.tolist() == [1.0, 0, 0, 0, 0]


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=12),
    st.integers(1, 14),
    st.integers(0, 2**32),
)
def test_no_token_outside_the_top_k_is_ever_drawn(values: list[float], k: int, seed: int) -> None:
    logits = torch.tensor([values] * 50)
    drawn = draw(logits, DecodingConfig(top_k=k, temperature=5.0), uniform(50, seed))
    assert len(drawn.unique()) <= k  # equally probable tokens do not widen the circle
    least = sorted(values, reverse=True)[:k][-1]
    assert all(values[index] >= least for index in drawn.tolist())


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=12),
    st.floats(0.01, 1),
    st.integers(0, 2**32),
)
def test_no_token_outside_the_nucleus_is_ever_drawn(
    values: list[float], p: float, seed: int
) -> None:
    logits = torch.tensor([values] * 50)
    config = DecodingConfig(top_p=p, temperature=1.0)
    probabilities = logits[0].double().softmax(dim=-1)
    for index in draw(logits, config, uniform(50, seed)).tolist():
        clearly_more = probabilities > probabilities[index] + 1e-6  # than single precision tells
        assert probabilities[clearly_more].sum().item() < p + 1e-5


def test_rows_are_drawn_on_their_own() -> None:
    logits = torch.full((3, 4), -math.inf)
    logits[0, 2] = logits[1, 0] = logits[2, 3] = 0.0
    for options in ({}, {"top_k": 2}, {"top_p": 0.5}):
        assert draw(logits, DecodingConfig(**options), uniform(3)).tolist() == [2, 0, 3]


def test_the_seed_decides_the_draws() -> None:
    logits = torch.randn(100, 9, generator=generator(1))
    first, again, other = (draw(logits, DecodingConfig(), uniform(100, s)) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"greedy": True, "temperature": 0.5},
            "greedy draws nothing, so temperature has no effect",
        ),
        ({"decoder": "greedy", "top_k": 3}, "greedy draws nothing, so top_k has no effect"),
        ({"beam": 3, "top_p": 0.9}, "beam draws nothing, so top_p has no effect"),
        ({"beam": 3, "greedy": True}, "beam and greedy exclude each other"),
        ({"temperature": -0.1}, "temperature must be at least 0"),
        ({"top_p": 1.1}, r"top_p must be in \(0, 1\]"),
        ({"top_k": 0}, "top_k must be at least 1"),
        ({"length": 0}, "length must be at least 1"),
        ({"decoder": "gredy"}, "did you mean 'greedy'"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        DecodingConfig(**options)


def test_greedy_is_short_for_the_decoder() -> None:
    assert DecodingConfig(greedy=True).decoder == "greedy"


@given(seed=st.sampled_from([0, 7, int(SEED.high) - 1]), place=st.integers(0, 999))
def test_the_texts_of_a_batch_differ_in_their_seeds_alone(seed: int, place: int) -> None:
    config = DecodingConfig(length=3, greedy=True, seed=seed)
    expected = (seed + place) % int(SEED.high)
    assert config.of_text(place) == replace(config, seed=expected)
    assert config.seed == seed
