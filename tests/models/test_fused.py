"""The fused recurrences: gradients written by hand against those that are found numerically."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rnn_magics.models.cells import CELLS, Cell
from rnn_magics.models.engines import run_fused, run_scratch
from rnn_magics.models.fused import SCANS

BATCH, HIDDENS = 3, 4


@pytest.fixture(params=CELLS)
def cell(request: pytest.FixtureRequest) -> Cell:
    cell = CELLS[request.param](5, HIDDENS).double()
    cell.reset_parameters(torch.Generator().manual_seed(0))
    return cell


def arguments(cell: Cell, num_steps: int) -> list[Tensor]:
    """Return x, weight, bias and the initial state, none of them zero."""
    generator = torch.Generator().manual_seed(1)
    rows = cell.num_gates * HIDDENS
    shapes = [(num_steps, BATCH, rows), (rows, HIDDENS), (rows,)]
    shapes += [(BATCH, HIDDENS)] * cell.num_states
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in shapes
    ]


@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_gradients_are_those_found_numerically(cell: Cell, num_steps: int) -> None:
    assert torch.autograd.gradcheck(SCANS[type(cell)], arguments(cell, num_steps))


@pytest.mark.parametrize(
    "loss",
    [
        lambda outputs, *_: outputs.sum(),
        lambda outputs, *_: outputs[1].pow(2).sum(),
        lambda _, *last: last[0].sum(),
        lambda _, *last: last[-1].pow(2).sum(),
    ],
    ids=["all outputs", "one output", "last hidden state", "last state of all"],
)
def test_a_loss_on_a_part_has_the_gradients_of_the_cell(
    cell: Cell, loss: Callable[..., Tensor]
) -> None:
    inputs = torch.tensor([[0, 1, 2], [3, 4, 0], [1, 1, 1]])
    generator = torch.Generator().manual_seed(2)
    gradients = []
    state = tuple(
        torch.randn(BATCH, HIDDENS, dtype=torch.float64, generator=generator, requires_grad=True)
        for _ in range(cell.num_states)
    )
    for run in (run_fused, run_scratch):
        outputs, last = run(cell, inputs, state)
        wanted = [*cell.parameters(), *state]
        value = loss(outputs, *last)
        gradients.append(torch.autograd.grad(value, wanted, materialize_grads=True))
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


def test_the_backward_pass_leaves_what_was_saved_as_it_was(cell: Cell) -> None:
    given = arguments(cell, 4)
    outputs, *_ = SCANS[type(cell)](*given)
    loss = outputs.pow(2).sum()
    first = torch.autograd.grad(loss, given, retain_graph=True)
    again = torch.autograd.grad(loss, given)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_arguments_are_left_as_they_were(cell: Cell) -> None:
    given = arguments(cell, 4)
    copies = [tensor.detach().clone() for tensor in given]
    outputs, *_ = SCANS[type(cell)](*given)
    outputs.sum().backward()
    assert all(torch.equal(a, b) for a, b in zip(given, copies, strict=True))


def test_writing_into_the_outputs_does_not_reach_the_last_state(cell: Cell) -> None:
    outputs, *last = SCANS[type(cell)](*arguments(cell, 2))
    before = last[0].detach().clone()
    outputs.detach().zero_()
    assert torch.equal(last[0], before)


def test_every_built_in_cell_has_a_fused_form() -> None:
    assert set(SCANS) == set(CELLS.values())
