"""Texts that follow each other in a row, each begun from a learnt state.

The engines start a row anew from zeros. From another state no engine has to: between two resets a
row is a text of its own, so the texts of one length are read together, as the rows of a batch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rnn_magics.models.cells import Cell, State

Run = Callable[[Cell, Tensor, State, Tensor | None], tuple[Tensor, State]]


def run_segments(
    run: Run, cell: Cell, inputs: Tensor, state: State, resets: Tensor, start: State
) -> tuple[Tensor, State]:
    """Run a cell over a sequence in which texts begin from a learnt state.

    On the CPU each text is a row for the engine. Elsewhere the cell takes step after step: nothing
    then depends on where the texts begin, so that a CUDA graph can contain it.

    Parameters
    ----------
    run
        The ``run`` of an engine, see `Engine`.
    cell, inputs, state
        As for it.
    resets
        Where a text begins, (num_steps, batch).
    start
        The state in which it begins, `num_states` tensors (num_hiddens,).

    Returns
    -------
    outputs : Tensor
        Shape (num_steps, batch, num_hiddens).
    state : tuple of Tensor
        The last state, (batch, num_hiddens) each.
    """
    if resets.device.type != "cpu":
        return step_by_step(cell, inputs, state, resets, start)
    num_steps, batch = resets.shape
    begins = resets.t().clone()  # (batch, num_steps)
    begins[:, 0] = True
    rows, firsts = begins.nonzero(as_tuple=True)  # (num_texts,) each, row by row
    is_last = torch.cat((rows[1:] != rows[:-1], rows.new_ones(1, dtype=torch.bool)))
    following = torch.cat((firsts[1:], firsts.new_tensor([num_steps])))
    lengths = following.masked_fill(is_last, num_steps) - firsts
    anew = resets[firsts, rows][:, None]
    begun = [torch.where(anew, own, part[rows]) for own, part in zip(start, state, strict=True)]
    outputs, places, ends, ended = [], [], [], []
    for length in sorted(set(lengths.tolist())):
        these = (lengths == length).nonzero()[:, 0]
        times = firsts[these] + torch.arange(length)[:, None]  # (length, num_texts)
        read = inputs[times, rows[these]]
        found, end = run(cell, read, tuple(part[these] for part in begun), None)
        outputs.append(found.flatten(0, 1))
        places.append((times * batch + rows[these]).flatten())
        ends.append([part[is_last[these]] for part in end])
        ended.append(rows[these][is_last[these]])
    order = torch.cat(places).argsort()
    whole = torch.cat(outputs)[order].view(num_steps, batch, -1)
    of_rows = torch.cat(ended).argsort()
    return whole, tuple(torch.cat(parts)[of_rows] for parts in zip(*ends, strict=True))


def step_by_step(
    cell: Cell, inputs: Tensor, state: State, resets: Tensor, start: State
) -> tuple[Tensor, State]:
    """Call the cell's own `forward` for every step; as `run_segments` otherwise."""
    outputs = []
    for anew, x in zip(resets[..., None], cell.input_product(inputs), strict=True):
        # Not a product with 0: no gradient goes back, not even nan.
        begun = zip(start, state, strict=True)
        state = cell(x, tuple(torch.where(anew, own, part) for own, part in begun))
        outputs.append(state[0])
    return torch.stack(outputs), state
