"""A compiled linear layer, and its products."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from rnn_magics.models.fast import products
from rnn_magics.models.fast.amx.instructions import TERMS
from rnn_magics.models.fast.layout import as_array, pack, pack_for, padded
from rnn_magics.models.fast.running.regions import run
from rnn_magics.models.fast.tile import ROWS

GRAIN = 4  # the fewest rows of a part, except for the last one
_ROWS_AT_ONCE = 128  # rows at once


def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``rows @ weight.T + bias`` for rows (num_rows, num_inputs or more)."""
    (number, num_given), (num_outputs, num_inputs) = rows.shape, weight.shape
    outputs = rows.new_empty(number, num_outputs)
    given = as_array(rows)
    added = np.zeros(num_outputs, given.dtype) if bias is None else as_array(bias)
    fits = num_given == num_inputs or not num_inputs % TERMS
    panels = pack_for(number, weight.t()) if fits else pack(weight.t())
    run(products.linear_rows, number, GRAIN, _ROWS_AT_ONCE, given, panels, added, as_array(outputs))
    return outputs


class Linear(Function):
    """``inputs @ weight.T + bias`` for inputs of shape (..., num_inputs)."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias = bias is not None
        outputs = product(inputs.flatten(0, -2), weight, bias)
        return outputs.view(*inputs.shape[:-1], len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        inputs, weight = ctx.saved_tensors
        rows, d_rows = inputs.flatten(0, -2), d_outputs.flatten(0, -2)
        d_inputs = product(d_rows, weight.t()).view_as(inputs)
        d_weight, d_bias = linear_gradients(rows, d_rows)
        return d_inputs, d_weight, d_bias if ctx.has_bias else None


def linear_gradients(rows: Tensor, d_rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of the weight and the bias of a linear layer.

    Parameters
    ----------
    rows, d_rows
        Its inputs (num_rows, num_inputs), and the gradient of its outputs (num_rows, num_outputs).
    """
    num_inputs, num_outputs = rows.shape[1], d_rows.shape[1]
    d_weight = rows.new_empty(num_outputs, padded(rows, num_inputs))
    d_bias = rows.new_empty(num_outputs)
    given = map(as_array, (rows, d_rows, d_weight, d_bias))
    run(products.linear_columns, num_outputs, ROWS, num_outputs, *given)
    return d_weight[:, :num_inputs], d_bias
