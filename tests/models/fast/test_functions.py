"""The compiled recurrences as torch sees them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from rnn_magics.models.cells import CELLS, Cell
from rnn_magics.models.engines import linear_compiled, run_compiled, run_scratch
from rnn_magics.models.fast.functions import GRU, LSTM, RNN, Scan
from rnn_magics.models.fast.linear import Linear

SCANS: dict[str, Callable[..., Any]] = {
    name: partial(Scan.apply, recurrence, None)
    for name, recurrence in {"rnn": RNN, "gru": GRU, "lstm": LSTM}.items()
}
LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
VOCAB = 11
# (batch, num_hiddens, num_steps): below, at and past the sizes of tiles, panels and row blocks.
SHAPES = [(1, 1, 1), (1, 5, 3), (3, 7, 4), (5, 64, 8), (17, 33, 2), (33, 100, 3), (4, 272, 2)]
SHAPES += [(17, 160, 2), (32, 128, 3)]  # and those of tiles, where there are any


def drawn(seed: int, *shape: int, dtype: torch.dtype) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype)


@pytest.mark.usefixtures("numbers_of_threads")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize(("batch", "size", "steps"), SHAPES)
@pytest.mark.parametrize("name", SCANS)
def test_values_and_gradients_equal_those_of_torch(
    name: str, batch: int, size: int, steps: int, dtype: torch.dtype
) -> None:
    layer = LAYERS[name](VOCAB, size).to(dtype)
    with torch.no_grad():
        for seed, parameter in enumerate(layer.parameters()):
            parameter.copy_(0.3 * drawn(seed, *parameter.shape, dtype=dtype))
    w_ih, w_hh, b_ih, b_hh = layer.parameters()
    num_states = 2 if name == "lstm" else 1
    state = [drawn(7 + i, batch, size, dtype=dtype).requires_grad_() for i in range(num_states)]
    tokens = torch.randint(VOCAB, (steps, batch), generator=torch.Generator().manual_seed(5))
    wanted = [w_ih, w_hh, b_ih, b_hh, *state]
    weights = [drawn(9 + i, steps if i == 0 else 1, batch, size, dtype=dtype) for i in range(3)]

    def results(outputs: Tensor, *last: Tensor) -> list[Tensor]:
        loss = (outputs * weights[0]).sum()
        loss = loss + sum((a * b[0]).sum() for a, b in zip(last, weights[1:], strict=False))
        return [outputs, *last, *torch.autograd.grad(loss, wanted)]

    one_hot = F.one_hot(tokens, VOCAB).to(dtype)
    begin = tuple(part[None] for part in state)
    outputs, last = layer(one_hot, begin if num_states > 1 else begin[0])
    theirs = results(outputs, *(part[0] for part in (last if num_states > 1 else (last,))))
    tolerance = 1e-5 if dtype == torch.float32 else 1e-11
    for inputs in (tokens, one_hot):
        ours = results(*SCANS[name](inputs, w_ih, b_ih, w_hh, b_hh, *state))
        for mine, other in zip(ours, theirs, strict=True):
            scale = 1 + other.abs().max().item()
            torch.testing.assert_close(mine / scale, other / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_gradients_are_those_found_numerically(name: str, num_steps: int) -> None:
    cell, batch, size = CELLS[name], 3, 4
    rows = cell.num_gates * size
    shapes = [(num_steps, batch, 5), (rows, 5), (rows,), (rows, size), (rows,)]
    shapes += [(batch, size)] * cell.num_states
    given = [drawn(i, *s, dtype=torch.float64).requires_grad_() for i, s in enumerate(shapes)]
    assert torch.autograd.gradcheck(SCANS[name], given)
    tokens = torch.tensor([[0, 4, 2]]).expand(num_steps, batch)

    def scan(*others: Tensor) -> Any:
        return SCANS[name](tokens, *others)

    assert torch.autograd.gradcheck(scan, given[1:])


@pytest.mark.parametrize("name", SCANS)
def test_a_second_pass_through_the_same_graph_gives_the_same_gradients(name: str) -> None:
    cell = CELLS[name](VOCAB, 40)
    cell.reset_parameters(torch.Generator().manual_seed(0))
    tokens = torch.randint(VOCAB, (7, 5), generator=torch.Generator().manual_seed(1))
    state = tuple(
        drawn(i, 5, 40, dtype=torch.float32).requires_grad_() for i in range(cell.num_states)
    )
    outputs, last = run_compiled(cell, tokens, state)
    loss = outputs.pow(2).sum() + sum(part.sum() for part in last)
    wanted = [*cell.parameters(), *state]
    found = [torch.autograd.grad(loss, wanted, retain_graph=True) for _ in range(3)]
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("size", [40, 160])
@pytest.mark.parametrize("name", SCANS)
def test_the_number_of_threads_does_not_change_a_bit(name: str, size: int) -> None:
    cell = CELLS[name](VOCAB, size)
    cell.reset_parameters(torch.Generator().manual_seed(0))
    tokens = torch.randint(VOCAB, (9, 37), generator=torch.Generator().manual_seed(1))
    found = []
    for number in (1, 2, 3, 5):
        torch.set_num_threads(number)
        state = tuple(torch.zeros(37, size) for _ in range(cell.num_states))
        outputs, last = run_compiled(cell, tokens, state)
        loss = outputs.pow(2).sum() + sum(part.sum() for part in last)
        found.append([outputs, *last, *torch.autograd.grad(loss, list(cell.parameters()))])
    torch.set_num_threads(1)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("name", SCANS)
def test_large_arguments_saturate_as_in_torch(name: str) -> None:
    cell: Cell = CELLS[name](VOCAB, 8)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(50 * drawn(3, *parameter.shape, dtype=torch.float32))
    tokens = torch.arange(6).view(6, 1)
    state = tuple(torch.zeros(1, 8) for _ in range(cell.num_states))
    results = []
    for run in (run_compiled, run_scratch):
        outputs, _ = run(cell, tokens, state)
        results.append([outputs, *torch.autograd.grad(outputs.sum(), list(cell.parameters()))])
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SCANS)
def test_what_is_not_finite_stays_so(name: str) -> None:
    cell = CELLS[name](VOCAB, 8)
    cell.reset_parameters(torch.Generator().manual_seed(0))
    with torch.no_grad():
        cell.weight_hh[0, 0] = float("nan")
    state = tuple(torch.zeros(2, 8) for _ in range(cell.num_states))
    outputs, _ = run_compiled(cell, torch.zeros(3, 2, dtype=torch.long), state)
    assert outputs.isnan().any()
    assert torch.autograd.grad(outputs.sum(), cell.weight_hh)[0].isnan().any()


def test_indices_and_sizes_are_checked() -> None:
    cell = CELLS["gru"](VOCAB, 8)
    state = (torch.zeros(2, 8),)
    for wrong in (VOCAB, -1):
        with pytest.raises(
            IndexError, match=f"token index {wrong} is outside the vocabulary of {VOCAB} tokens"
        ):
            run_compiled(cell, torch.full((3, 2), wrong), state)
    with pytest.raises(ValueError, match="shapes do not fit"):
        run_compiled(cell, torch.zeros(3, 5, dtype=torch.long), state)
    with pytest.raises(ValueError, match="shapes do not fit"):
        run_compiled(cell, torch.zeros(3, 2, dtype=torch.long), (torch.zeros(2, 9),))
    with pytest.raises(ValueError, match="shapes do not fit"):
        run_compiled(cell, torch.zeros(3, 2, VOCAB + 1), state)


@pytest.mark.usefixtures("numbers_of_threads")
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 20, 33), (300, 64)])
@pytest.mark.parametrize("num_outputs", [1, 13, 65, 300])
@pytest.mark.parametrize("has_bias", [True, False])
def test_linear_equals_torchs(shape: tuple[int, ...], num_outputs: int, *, has_bias: bool) -> None:
    inputs = drawn(0, *shape, dtype=torch.float64).requires_grad_()
    weight = drawn(1, num_outputs, shape[-1], dtype=torch.float64).requires_grad_()
    bias = drawn(2, num_outputs, dtype=torch.float64).requires_grad_() if has_bias else None
    wanted = [inputs, weight, *([bias] if bias is not None else [])]
    results = []
    for function in (linear_compiled, F.linear):
        outputs = function(inputs, weight, bias)
        results.append([outputs, *torch.autograd.grad(outputs.pow(2).sum(), wanted)])
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


def test_linear_has_the_gradient_found_numerically() -> None:
    given = [drawn(i, *s, dtype=torch.float64) for i, s in enumerate([(4, 3, 5), (7, 5), (7,)])]
    assert torch.autograd.gradcheck(Linear.apply, [part.requires_grad_() for part in given])
