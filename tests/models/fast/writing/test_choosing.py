"""The choice of a token, compiled, against the decoders that it stands for."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.decoding.decoders import DecodingConfig, draw, greedy
from rnn_magics.models.fast.writing.choosing import Rule, choose

LOGITS = st.lists(
    st.one_of(
        st.sampled_from([0.0, 1.0, -math.inf]),  # equals, and what is impossible
        st.floats(-30, 30, width=32),
    ),
    min_size=1,
    max_size=40,
).filter(lambda values: max(values) > -math.inf)


def chosen(logits: Tensor, uniforms: Tensor, **options: Any) -> tuple[list[int], list[float]]:
    """Return the compiled choice of each row."""
    size = logits.shape[1]
    rule = Rule(
        options.get("greedy", False),
        options.get("temperature", 0.8),
        options.get("top_k") or size,
        options.get("top_p") or math.inf,
        options.get("no_unk", False),
    )
    shares, order = torch.empty(2, size).double().numpy(), torch.empty(size).long().numpy()
    rows = zip(logits.numpy(), uniforms.tolist(), strict=True)
    results = [choose(row, rule, uniform, 0, shares, order) for row, uniform in rows]
    tokens, log_probs = zip(*results, strict=True)
    return [*tokens], [*log_probs]


@given(
    LOGITS,
    st.floats(0.01, 100),
    st.none() | st.integers(1, 45),
    st.none() | st.floats(0.001, 1),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20),
)
@example([0.0, 0.0], 1.0, None, 0.5, [0.1, 0.9])  # the first of the two reaches p exactly
@example([0.0, 0.0, 0.0, 0.0], 1.0, 2, 0.5, [0.1, 0.9])
def test_a_draw_is_that_of_the_decoder(
    values: list[float],
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    numbers: list[float],
) -> None:
    logits = torch.tensor([values] * len(numbers))
    u = torch.tensor(numbers, dtype=torch.float64)
    options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    tokens, log_probs = chosen(logits, u, **options)
    # A number that falls on the border of two tokens to the last bits may go to either.
    config = DecodingConfig(**options)
    nearby = [draw(logits, config, (u + e).clamp(0, 1 - 2**-53)) for e in (-1e-12, 0, 1e-12)]
    expected = torch.stack(nearby)  # (3, num_rows)
    assert (expected == torch.tensor(tokens)).any(dim=0).all()
    exact = logits.double().log_softmax(-1).gather(-1, torch.tensor(tokens)[:, None])[:, 0]
    assert log_probs == pytest.approx(exact.tolist(), abs=1e-9)


@given(LOGITS)
def test_the_greedy_choice_is_that_of_the_decoder(values: list[float]) -> None:
    logits, u = torch.tensor([values]), torch.zeros(1, dtype=torch.float64)
    tokens, _ = chosen(logits, u, greedy=True)
    assert tokens == greedy(logits, DecodingConfig(), u).tolist()


@pytest.mark.parametrize("cut", [{}, {"top_k": 2}, {"top_p": 0.5}, {"top_k": 2, "top_p": 0.5}])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_what_is_no_number_gives_some_token_without_probability(
    cut: dict[str, Any], bad: float, place: int
) -> None:
    logits, u = torch.zeros(1, 5), torch.full((1,), 0.3, dtype=torch.float64)
    logits[0, place] = bad
    for options in (cut, {"greedy": True}):
        (token,), (log_prob,) = chosen(logits, u, **options)
        assert 0 <= token < 5
        assert math.isnan(log_prob)
    (token,) = draw(logits, DecodingConfig(**cut), u).tolist()
    assert 0 <= token < 5
