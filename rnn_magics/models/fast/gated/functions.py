"""The compiled input-gated cells as a `torch.autograd.Function`.

A scan takes the inputs, ``weight_ih``, ``bias_ih`` and the initial state, and returns the outputs
(num_steps, batch, num_hiddens) and the last state. The inputs are as in
`rnn_magics.models.fast.functions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from rnn_magics.models.fast import products
from rnn_magics.models.fast.functions import GRAIN, ROWS_IN_TIME, check_given
from rnn_magics.models.fast.gated import scans
from rnn_magics.models.fast.layout import Array, as_array, pack, padded, room_after, spaced
from rnn_magics.models.fast.regions import run
from rnn_magics.models.fast.tile import ROWS


@dataclass(frozen=True)
class InputGated:
    """The compiled functions of an input-gated cell.

    Parameters
    ----------
    num_gates
        The number of blocks of `num_hiddens` columns in the gates.
    forward, kernel
        The kernels of `scans`; the second, for the backward pass, is needed last.
    """

    num_gates: int
    forward: Any
    kernel: Any

    def run(
        self,
        inputs: Tensor,
        weights: tuple[Tensor, ...],
        state: tuple[Tensor, ...],
        resets: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Return the outputs of a scan and the last state."""
        return GatedScan.apply(self, resets, inputs, *weights, *state)  # type: ignore[no-any-return]


class GatedScan(Function):
    """The recurrence of an input-gated cell over a sequence.

    Notes
    -----
    As in `rnn_magics.models.fast.functions.Scan`, the backward pass overwrites the gates, and a
    second one through the same graph computes them again.
    """

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        cell: InputGated,
        resets: Tensor | None,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor,
        first: Tensor,
    ) -> tuple[Tensor, Tensor]:
        size = first.shape[1]
        wanted = weight[:1, :1].expand(cell.num_gates * size, size)  # as recurrent weights would be
        check_given((inputs, weight, bias, wanted, bias), (first,))
        flags = np.empty((0, 0), np.uint8) if resets is None else as_array(resets.to(torch.uint8))
        states, gates = _forward(cell.forward, flags, inputs, weight, bias, first)
        ctx.save_for_backward(inputs, weight, bias, states, gates)
        ctx.cell, ctx.flags, ctx.is_spent = cell, flags, False
        return states[1:], states[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        inputs, weight, bias, states, gates = ctx.saved_tensors
        if ctx.is_spent:
            _, gates = _forward(ctx.cell.forward, ctx.flags, inputs, weight, bias, states[0])
        ctx.is_spent = True
        d_0 = torch.empty_like(states[0])
        wanted = inputs.is_floating_point() and ctx.needs_input_grad[2]
        d_inputs = states.new_empty(inputs.shape if wanted else (0, 0, 0))
        panels = pack(weight) if wanted else as_array(d_inputs)
        read = (*map(as_array, (d_outputs, d_last, states)), panels, ctx.flags)
        _scan(ctx.cell.kernel, len(d_0), *read, *map(as_array, (gates, d_inputs, d_0)))
        d_weight, d_bias = _weight_gradients(inputs, weight, gates)
        return None, None, d_inputs if wanted else None, d_weight, d_bias, d_0


def _scan(kernel: Any, batch: int, *given: Array) -> None:
    run(kernel, batch, GRAIN, ROWS_IN_TIME, *given)


def _forward(
    kernel: Any, flags: Array, inputs: Tensor, weight: Tensor, bias: Tensor, first: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the states, (num_steps + 1, batch, num_hiddens), and the gates."""
    states = room_after(first, len(inputs))
    gates = spaced(states, *inputs.shape[:2], len(weight))
    nothing = as_array(states.new_empty(0, 0, 0))
    if inputs.is_floating_point():
        no_table, no_places = as_array(states.new_empty(0, 0)), np.empty((0, 0), np.int64)
        given = (no_table, no_places, as_array(inputs), pack(weight.t()))
    else:
        given = (as_array(weight.t()), as_array(inputs), nothing, nothing)
    _scan(kernel, len(first), *given, as_array(bias), flags, as_array(states), as_array(gates))
    return states, gates


def _weight_gradients(inputs: Tensor, weight: Tensor, d_x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of the weights and the bias; each thread takes a slice of the columns.

    Parameters
    ----------
    inputs, weight
        As in the forward pass.
    d_x
        The gradient of the input products, from `spaced`.
    """
    columns, input_size = weight.shape
    rows, nothing = d_x.flatten(0, 1), d_x.new_empty(0, 0)
    d_bias, none_before = d_x.new_empty(columns), d_x.new_empty(columns, 0)
    if inputs.is_floating_point():
        vectors, places = inputs.flatten(0, 1), torch.empty(0, dtype=torch.long)
        d_weight, d_table = d_x.new_empty(columns, padded(d_x, input_size)), nothing
    else:
        vectors, places = nothing, inputs.flatten()
        d_weight, d_table = nothing, d_x.new_empty(input_size, columns)
    # There are no recurrent weights: their gradient has no column, and the state before none.
    given = (rows, nothing, rows[:, :0], vectors, places)
    results = (none_before, d_bias, d_x.new_empty(0), d_weight, d_table, nothing)  # not in tiles
    run(products.scan_columns, columns, ROWS, columns, *map(as_array, (*given, *results)))
    return d_weight[:, :input_size] if inputs.is_floating_point() else d_table.t(), d_bias


MINGRU = InputGated(2, scans.mingru_forward, scans.mingru_backward)
MINLSTM = InputGated(3, scans.minlstm_forward, scans.minlstm_backward)
