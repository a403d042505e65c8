"""A state that is reset within a row: the same as reading each part of the row by itself."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rnn_magics.models import recurrent
from rnn_magics.models.cells import CELLS
from rnn_magics.models.engines import ENGINES, run_scratch
from rnn_magics.models.recurrent import RecurrentStack, backwards

VOCAB, SIZE = 7, 5
Results = list[Tensor]


def parts(resets: list[bool]) -> list[slice]:
    """The parts of a row between its resets, one at the first step not counted."""
    ends = [step for step, is_reset in enumerate(resets) if is_reset and step] + [len(resets)]
    return [slice(first, last) for first, last in zip([0, *ends], ends, strict=False)]


def results(outputs: Tensor, last: tuple[Tensor, ...], wanted: list[Tensor]) -> Results:
    """Outputs, last state, and the gradients of a sum in which every number has another weight."""
    everything = torch.cat([outputs.flatten(), *(part.flatten() for part in last)])
    weights = torch.arange(1.0, len(everything) + 1, dtype=everything.dtype).cos()
    loss = (everything * weights).sum()
    grads = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
    return [outputs, *last, *grads]


@pytest.mark.parametrize("vectors", [False, True], ids=["tokens", "vectors"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_each_part_of_a_row_is_read_by_itself(
    name: str, engine: str, *, vectors: bool, data: st.DataObject
) -> None:
    batch, steps = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 9))
    flags = st.lists(st.booleans(), min_size=steps, max_size=steps)
    rows = data.draw(st.lists(flags, min_size=batch, max_size=batch))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    cell = CELLS[name](VOCAB, SIZE).double()
    cell.reset_parameters(generator)
    inputs = torch.randint(VOCAB, (steps, batch), generator=generator)
    if vectors:
        inputs = torch.randn(steps, batch, VOCAB, generator=generator).double().requires_grad_()
    state = tuple(
        torch.randn(batch, SIZE, generator=generator).double().requires_grad_()
        for _ in range(cell.num_states)
    )
    wanted = [*cell.parameters(), *state, *([inputs] if vectors else [])]
    resets = torch.tensor(rows).t()  # (steps, batch)

    apart, last = [], []
    for row, flagged in enumerate(rows):
        begin = tuple(part[row : row + 1] for part in state)
        outputs = []
        for number, part in enumerate(parts(flagged)):
            if number or flagged[0]:
                begin = tuple(torch.zeros_like(each) for each in begin)
            found, begin = run_scratch(cell, inputs[part, row : row + 1], begin)
            outputs.append(found)
        apart.append(torch.cat(outputs))
        last.append(begin)
    end = tuple(torch.cat(each) for each in zip(*last, strict=True))
    expected = results(torch.cat(apart, dim=1), end, [*wanted])

    found = results(*ENGINES[engine].run(cell, inputs, state, resets), wanted)
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_a_stack_reads_each_part_by_itself(
    engine: str, *, bidirectional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
    stack = RecurrentStack("lstm", VOCAB, SIZE, 2, bidirectional=bidirectional).double()
    for seed, cell in enumerate(stack.cells):
        cell.reset_parameters(torch.Generator().manual_seed(seed))
    tokens = torch.arange(20)[:, None].pow(2) % VOCAB
    resets = torch.zeros(20, 1, dtype=torch.bool)
    resets[[0, 6, 7, 15]] = True
    zeros = stack.begin_state(1, torch.device("cpu"))
    outputs, last = stack(tokens, zeros, resets)
    pieces = [stack(tokens[part], zeros) for part in parts(resets[:, 0].tolist())]
    torch.testing.assert_close(outputs, torch.cat([each for each, _ in pieces]))
    # Forwards the last part is read last, backwards the first.
    for index in range(len(stack.cells)):
        end = pieces[0 if bidirectional and index % 2 else -1][1]
        for mine, other in zip(last, end, strict=True):
            torch.testing.assert_close(mine[index], other[index])


def test_backwards_a_part_begins_before_the_next_one() -> None:
    resets = torch.tensor([[True], [False], [True], [False], [False]])
    assert backwards(resets).flatten().tolist() == [False, False, False, True, False]
    assert backwards(None) is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CELLS)
def test_without_a_reset_not_a_bit_changes(
    name: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrent, "choose_engine", lambda *_, **__: engine)
    stack = RecurrentStack(name, VOCAB, 33)
    stack.cells[0].reset_parameters(torch.Generator().manual_seed(0))
    tokens = torch.arange(60).view(20, 3).pow(2) % VOCAB
    zeros = stack.begin_state(3, torch.device("cpu"))
    plain = results(*stack(tokens, zeros), list(stack.parameters()))
    masked = results(
        *stack(tokens, zeros, torch.zeros_like(tokens, dtype=torch.bool)), list(stack.parameters())
    )
    assert all(torch.equal(a, b) for a, b in zip(plain, masked, strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_nan_does_not_pass_a_reset(name: str) -> None:
    cell = CELLS[name](VOCAB, SIZE).double()
    cell.reset_parameters(torch.Generator().manual_seed(0))
    nan = torch.full((1, SIZE), torch.nan, dtype=torch.float64)
    state = (nan,) * cell.num_states
    tokens, resets = torch.zeros(3, 1, dtype=torch.long), torch.tensor([[False], [True], [False]])
    for kind, engine in ENGINES.items():
        outputs, _ = engine.run(cell, tokens, state, resets)
        assert outputs[0].isnan().all(), kind
        assert outputs[1:].isfinite().all(), kind
