"""All states at once: the values of the cell stepped, and its gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.models.cells import CELLS, InputGatedCell
from rnn_magics.models.engines import run_scratch
from rnn_magics.models.parallel_scan import run_parallel

GATED = [name for name, cell in CELLS.items() if issubclass(cell, InputGatedCell)]
INPUTS, SIZE = 6, 5


def drawn(name: str, dtype: torch.dtype = torch.float64) -> InputGatedCell:
    cell = CELLS[name](INPUTS, SIZE).to(dtype)
    assert isinstance(cell, InputGatedCell)
    with torch.no_grad():
        for seed, parameter in enumerate(cell.parameters()):
            parameter.normal_(generator=torch.Generator().manual_seed(seed))
    return cell


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(GATED),
    steps=st.integers(1, 40),
    batch=st.integers(1, 4),
    share=st.none() | st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_values_and_gradients_equal_those_of_the_steps(
    name: str, steps: int, batch: int, share: float | None, seed: int
) -> None:
    cell, draw = drawn(name), torch.Generator().manual_seed(seed)
    inputs = torch.randn(steps, batch, INPUTS, generator=draw, dtype=torch.float64)
    inputs.requires_grad_()
    first = torch.randn(batch, SIZE, generator=draw, dtype=torch.float64).requires_grad_()
    resets = None if share is None else torch.rand(steps, batch, generator=draw) < share
    results: list[list[Tensor]] = []
    for run in (run_parallel, run_scratch):
        outputs, (last,) = run(cell, inputs, (first,), resets)
        loss = outputs.cos().sum() + last.sin().sum()
        wanted = [inputs, first, *cell.parameters()]
        grads = torch.autograd.grad(loss, wanted, materialize_grads=True, allow_unused=True)
        results.append([outputs, last, *grads])
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("has_resets", [False, True])
def test_gradients_are_those_found_numerically(name: str, *, has_resets: bool) -> None:
    cell = drawn(name)
    resets = torch.tensor([[0, 0], [1, 0], [0, 0], [0, 1], [0, 0]]).bool() if has_resets else None
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(5, 2, INPUTS, generator=draw, dtype=torch.float64).requires_grad_()
    first = torch.randn(2, SIZE, generator=draw, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda *given: run_parallel(cell, given[0], (given[1],), resets)[0], (inputs, first)
    )


@pytest.mark.parametrize("name", GATED)
def test_a_long_sequence_is_as_exact_as_a_short_one(name: str) -> None:
    """A scan over sums of logarithms would have lost four digits of seven here."""
    cell = drawn(name, torch.float32)
    inputs = torch.randn(4096, 2, INPUTS, generator=torch.Generator().manual_seed(0))
    exact, _ = run_scratch(cell.double(), inputs.double(), (torch.zeros(2, SIZE).double(),))
    found, _ = run_parallel(cell.float(), inputs, (torch.zeros(2, SIZE),))
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", GATED)
def test_in_16_bits_errors_do_not_grow_with_the_sequence(name: str, dtype: torch.dtype) -> None:
    cell = drawn(name, dtype)
    inputs = torch.randn(600, 2, INPUTS, generator=torch.Generator().manual_seed(0)).to(dtype)
    first = torch.zeros(2, SIZE)
    found, (last,) = run_parallel(cell, inputs, (first.to(dtype),))
    assert found.dtype == last.dtype == dtype
    exact, _ = run_scratch(cell.float(), inputs.float(), (first,))
    assert (found.float() - exact).abs().max() < 0.1


@pytest.mark.parametrize("name", GATED)
def test_a_state_below_zero_goes_on(name: str) -> None:
    cell = drawn(name)
    inputs, first = torch.zeros(3, 1, dtype=torch.long), torch.full((1, SIZE), -2.0).double()
    (found, _), (wanted, _) = (run(cell, inputs, (first,)) for run in (run_parallel, run_scratch))
    torch.testing.assert_close(found, wanted)
    assert (found[0] < 0).any()
