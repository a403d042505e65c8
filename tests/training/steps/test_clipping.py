"""Clipping: g <- min(1, theta / ||g||) g."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from rnn_magics.training.steps.clipping import clip_gradients, count_clipped, gradient_norm


def with_gradients(*gradients: list[float]) -> list[nn.Parameter]:
    parameters = []
    for values in gradients:
        parameter = nn.Parameter(torch.zeros(len(values)))
        parameter.grad = torch.tensor(values)
        parameters.append(parameter)
    return parameters


def gradients_of(parameters: list[nn.Parameter]) -> Tensor:
    return torch.cat([p.grad for p in parameters if p.grad is not None])


def test_the_norm_is_that_of_all_gradients_as_one_vector() -> None:
    assert gradient_norm(with_gradients([3.0, 0.0], [4.0, 12.0])).item() == 13.0


@pytest.mark.parametrize(
    ("theta", "clipped"), [(1.0, [0.6, 0.8]), (2.5, [1.5, 2.0]), (5.0, [3, 4]), (100.0, [3, 4])]
)
def test_a_long_gradient_is_shortened_and_a_short_one_kept(
    theta: float, clipped: list[float]
) -> None:
    parameters = with_gradients([3.0], [4.0])
    clip_gradients(parameters, gradient_norm(parameters), theta)
    torch.testing.assert_close(gradients_of(parameters), torch.tensor(clipped, dtype=torch.float))


@given(
    st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=5), min_size=1),
    st.floats(1e-3, 1e3),
)
def test_clipping_scales_by_exactly_the_factor_of_the_formula(
    values: list[list[float]], theta: float
) -> None:
    parameters = with_gradients(*values)
    before = gradients_of(parameters).clone().double()
    norm = math.sqrt(before.square().sum())
    clip_gradients(parameters, gradient_norm(parameters), theta)
    factor = min(1, theta / norm) if norm else 1
    after = gradients_of(parameters).double()
    torch.testing.assert_close(after, factor * before, rtol=1e-5, atol=1e-30)


def test_a_gradient_within_the_bound_keeps_every_bit() -> None:
    parameters = with_gradients([0.1, -0.2], [0.3])
    before = gradients_of(parameters).clone()
    clip_gradients(parameters, gradient_norm(parameters), 1.0)
    assert torch.equal(gradients_of(parameters), before)


def test_a_zero_gradient_stays_zero() -> None:
    parameters = with_gradients([0.0, 0.0])
    clip_gradients(parameters, gradient_norm(parameters), 1.0)
    assert not gradients_of(parameters).any()


def test_parameters_without_a_gradient_are_left_out() -> None:
    parameters = [*with_gradients([3.0, 4.0]), nn.Parameter(torch.ones(2))]
    assert gradient_norm(parameters).item() == 5.0
    clip_gradients(parameters, gradient_norm(parameters), 1.0)
    assert parameters[1].grad is None


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_the_norm_of_a_non_finite_gradient_is_not_finite(bad: float) -> None:
    assert not gradient_norm(with_gradients([1.0], [bad])).isfinite()


@pytest.mark.parametrize(
    ("bounds", "clipped"),
    [
        ([(0, 1.0)], 2),
        ([(0, None)], 0),
        ([(0, 1.0), (102, None)], 1),
        ([(0, None), (102, 3.0), (103, 0.1)], 2),
        ([(100, 0.1), (100, 1.0)], 2),
        ([(0, 1.0), (500, 0.1)], 2),
    ],
)
def test_each_step_is_judged_by_its_own_bound(
    bounds: list[tuple[int, float | None]], clipped: int
) -> None:
    assert count_clipped(torch.tensor([0.5, 2.0, 4.0, 0.5]), 100, bounds) == clipped
