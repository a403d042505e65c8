"""Texts in a row that begin from a learnt state: the same as reading each by itself."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_magics.models.cells import CELLS
from rnn_magics.models.engines import ENGINES, run_scratch
from rnn_magics.models.segments import run_segments, step_by_step
from tests.models.test_recurrent_resets import SIZE, VOCAB, parts, results


@pytest.mark.parametrize("engine", [*ENGINES, "step by step"])
@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_each_text_begins_from_the_learnt_state(
    name: str, engine: str, data: st.DataObject
) -> None:
    batch, steps = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 9))
    flags = st.lists(st.booleans(), min_size=steps, max_size=steps)
    rows = data.draw(st.lists(flags, min_size=batch, max_size=batch))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    cell = CELLS[name](VOCAB, SIZE).double()
    cell.reset_parameters(generator)

    def drawn(*shape: int) -> tuple[torch.Tensor, ...]:
        made = (torch.randn(shape, generator=generator).double() for _ in range(cell.num_states))
        return tuple(part.requires_grad_() for part in made)

    inputs = torch.randint(VOCAB, (steps, batch), generator=generator)
    state, start = drawn(batch, SIZE), drawn(SIZE)
    wanted = [*cell.parameters(), *state, *start]
    resets = torch.tensor(rows).t()  # (steps, batch)

    apart, last = [], []
    for row, flagged in enumerate(rows):
        begin = tuple(part[row : row + 1] for part in state)
        outputs = []
        for number, part in enumerate(parts(flagged)):
            if number or flagged[0]:
                begin = tuple(each[None] for each in start)
            found, begin = run_scratch(cell, inputs[part, row : row + 1], begin)
            outputs.append(found)
        apart.append(torch.cat(outputs))
        last.append(begin)
    end = tuple(torch.cat(each) for each in zip(*last, strict=True))
    expected = results(torch.cat(apart, dim=1), end, wanted)

    if engine == "step by step":
        found = results(*step_by_step(cell, inputs, state, resets, start), wanted)
    else:
        run = ENGINES[engine].run
        found = results(*run_segments(run, cell, inputs, state, resets, start), wanted)
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-11)
