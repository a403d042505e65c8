"""The compiled input-gated cells, as `rnn_magics.models.fast.functions.Scan` runs them.

Such a cell is given the inputs, ``weight_ih`` and ``bias_ih``, and no recurrent weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnn_magics.models.fast import products
from rnn_magics.models.fast.functions import ROWS_IN_TIME, check_given, flags_of
from rnn_magics.models.fast.gated import scans
from rnn_magics.models.fast.layout import Array, as_array, pack, padded, room_after, spaced
from rnn_magics.models.fast.linear import GRAIN
from rnn_magics.models.fast.running.regions import run
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

    num_states: ClassVar[int] = 1

    def read(
        self, given: tuple[Tensor, ...], state: tuple[Tensor, ...], resets: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Return the states, and what else `gradients` needs."""
        inputs, weight, bias = given
        size = state[0].shape[1]
        wanted = weight[:1, :1].expand(self.num_gates * size, size)  # as recurrent weights would be
        check_given((inputs, weight, bias, wanted, bias), state)
        return _forward(self.forward, flags_of(resets), inputs, weight, bias, *state)

    def gradients(
        self,
        given: tuple[Tensor, ...],
        kept: tuple[Tensor, ...],
        resets: Tensor | None,
        d_results: tuple[Tensor, ...],
        *,
        wants_inputs: bool,
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of inputs, weights and first state, as `Recurrence.gradients`."""
        (inputs, weight, _), (states, gates) = given, kept
        d_0, wanted = torch.empty_like(states[0]), inputs.is_floating_point() and wants_inputs
        d_inputs = states.new_empty(inputs.shape if wanted else (0, 0, 0))
        panels = pack(weight) if wanted else as_array(d_inputs)
        read = (*map(as_array, (*d_results, states)), panels, flags_of(resets))
        _scan(self.kernel, len(d_0), *read, *map(as_array, (gates, d_inputs, d_0)))
        d_weight, d_bias = _weight_gradients(inputs, weight, gates)
        return d_inputs if wanted else None, d_weight, d_bias, d_0


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
