"""The compiled input-gated cells as torch sees them, against the cells as they are written."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from rnn_magics.models.cells import CELLS, Cell
from rnn_magics.models.engines import run_compiled, run_scratch
from rnn_magics.models.fast.functions import Scan
from rnn_magics.models.fast.gated.functions import MINGRU, MINLSTM

GATED = {"mingru": MINGRU, "minlstm": MINLSTM}
VOCAB = 11
# (batch, num_hiddens, num_steps): below, at and past the sizes of tiles, panels and row blocks.
SHAPES = [(1, 1, 1), (1, 5, 3), (3, 7, 4), (5, 64, 8), (17, 33, 2), (33, 100, 3), (4, 272, 2)]


def random(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def drawn(name: str, size: int, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> Cell:
    cell = CELLS[name](VOCAB, size).to(dtype)
    with torch.no_grad():
        for seed, parameter in enumerate(cell.parameters()):
            parameter.copy_(scale * random(seed, *parameter.shape, dtype=dtype))
    return cell


@pytest.mark.usefixtures("numbers_of_threads")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize(("batch", "size", "steps"), SHAPES)
@pytest.mark.parametrize("name", GATED)
def test_values_and_gradients_equal_those_of_the_cell(
    name: str, batch: int, size: int, steps: int, dtype: torch.dtype
) -> None:
    cell = drawn(name, size, dtype)
    tokens = torch.randint(VOCAB, (steps, batch), generator=torch.Generator().manual_seed(5))
    first = random(7, batch, size, dtype=dtype).requires_grad_()
    resets = torch.rand(steps, batch, generator=torch.Generator().manual_seed(6)) < 0.2
    weights = [random(8 + i, *shape, dtype=dtype) for i, shape in enumerate([(steps,), (1,)])]
    vectors = F.one_hot(tokens, VOCAB).to(dtype).requires_grad_()

    def results(run: Any, inputs: Tensor, flags: Tensor | None) -> list[Tensor]:
        outputs, (last,) = run(cell, inputs, (first,), flags)
        loss = (outputs * weights[0][:, None, None]).sum() + (last * weights[1]).sum()
        wanted = [*cell.parameters(), first, *([inputs] if inputs.is_floating_point() else [])]
        return [outputs, last, *torch.autograd.grad(loss, wanted)]

    tolerance = 1e-5 if dtype == torch.float32 else 1e-11
    for inputs in (tokens, vectors):
        for flags in (None, resets):
            ours, theirs = (results(run, inputs, flags) for run in (run_compiled, run_scratch))
            for mine, other in zip(ours, theirs, strict=True):
                scale = 1 + other.abs().max().item()
                torch.testing.assert_close(mine / scale, other / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_gradients_are_those_found_numerically(name: str, num_steps: int) -> None:
    batch, size = 3, 4
    rows = CELLS[name].num_gates * size
    resets = torch.tensor([[False, True, False]]).expand(num_steps, batch)
    shapes = [(num_steps, batch, 5), (rows, 5), (rows,), (batch, size)]
    given = [random(i, *s, dtype=torch.float64).requires_grad_() for i, s in enumerate(shapes)]
    tokens = torch.tensor([[0, 4, 2]]).expand(num_steps, batch)
    for flags in (None, resets):
        assert torch.autograd.gradcheck(
            lambda *tensors, flags=flags: Scan.apply(GATED[name], flags, *tensors), given
        )
        assert torch.autograd.gradcheck(
            lambda *tensors, flags=flags: Scan.apply(GATED[name], flags, tokens, *tensors),
            given[1:],
        )


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("embedded", [False, True], ids=["tokens", "vectors"])
def test_the_number_of_threads_does_not_change_a_bit(name: str, *, embedded: bool) -> None:
    cell = drawn(name, 40, scale=0.2)
    tokens = torch.randint(VOCAB, (9, 37), generator=torch.Generator().manual_seed(1))
    vectors = random(2, 9, 37, VOCAB).requires_grad_()
    inputs, wanted = (vectors, [vectors]) if embedded else (tokens, [])
    found = []
    for number in (1, 2, 3, 5):
        torch.set_num_threads(number)
        outputs, (last,) = run_compiled(cell, inputs, (torch.zeros(37, 40),))
        loss = outputs.pow(2).sum() + last.sum()
        grads = torch.autograd.grad(loss, [*cell.parameters(), *wanted])
        found.append([outputs, last, *grads])
    torch.set_num_threads(1)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("name", GATED)
def test_a_second_pass_through_the_same_graph_gives_the_same_gradients(name: str) -> None:
    cell = drawn(name, 40)
    tokens = torch.randint(VOCAB, (7, 5), generator=torch.Generator().manual_seed(1))
    first = random(3, 5, 40).requires_grad_()
    outputs, (last,) = run_compiled(cell, tokens, (first,))
    loss = outputs.pow(2).sum() + last.sum()
    wanted = [*cell.parameters(), first]
    found = [torch.autograd.grad(loss, wanted, retain_graph=True) for _ in range(3)]
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("name", GATED)
def test_large_arguments_saturate_as_in_the_cell(name: str, dtype: torch.dtype) -> None:
    cell = drawn(name, 8, dtype, scale=20.0)
    tokens, first = torch.arange(6).view(6, 1), torch.zeros(1, 8, dtype=dtype)
    results = []
    for run in (run_compiled, run_scratch):
        outputs, _ = run(cell, tokens, (first,))
        results.append([outputs, *torch.autograd.grad(outputs.sum(), list(cell.parameters()))])
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
def test_two_gates_that_are_shut_give_a_finite_state(dtype: torch.dtype) -> None:
    cell = drawn("minlstm", 8, dtype)
    with torch.no_grad():
        cell.bias_ih.fill_(-2000)
    outputs, _ = run_compiled(cell, torch.zeros(30, 1).long(), (torch.ones(1, 8, dtype=dtype),))
    assert outputs.isfinite().all()


@pytest.mark.parametrize("name", GATED)
def test_what_is_not_finite_stays_so(name: str) -> None:
    cell = drawn(name, 8)
    with torch.no_grad():
        cell.bias_ih[0] = float("nan")
    outputs, _ = run_compiled(cell, torch.zeros(30, 2, dtype=torch.long), (torch.zeros(2, 8),))
    assert outputs[..., 0].isnan().all()
    assert torch.autograd.grad(outputs.sum(), cell.weight_ih)[0].isnan().any()


@pytest.mark.parametrize("name", GATED)
def test_indices_and_sizes_are_checked(name: str) -> None:
    cell, state = drawn(name, 8), (torch.zeros(2, 8),)
    for wrong in (VOCAB, -1):
        with pytest.raises(IndexError, match=f"token index {wrong} is outside the vocabulary"):
            run_compiled(cell, torch.full((3, 2), wrong), state)
    for inputs, first in (
        (torch.zeros(3, 5, dtype=torch.long), state),
        (torch.zeros(3, 2, dtype=torch.long), (torch.zeros(2, 9),)),
        (torch.zeros(3, 2, VOCAB + 1), state),
    ):
        with pytest.raises(ValueError, match="shapes do not fit"):
            run_compiled(cell, inputs, first)
