"""The compiled recurrences as `torch.autograd.Function`, and a linear layer.

Each scan takes the input products, ``bias_ih``, ``weight_hh``, ``bias_hh`` and the initial state,
and returns the outputs (num_steps, batch, num_hiddens) followed by the last state. The input
products are either ``x`` (num_steps, batch, num_gates * num_hiddens) with None, or a table
(vocab_size, num_gates * num_hiddens) with the tokens (num_steps, batch) to be looked up in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from rnn_magics.models.fast import products, scans
from rnn_magics.models.fast.regions import run
from rnn_magics.models.fast.tile import PANEL_BYTES, ROWS

Array = np.ndarray[Any, np.dtype[Any]]

ROWS_IN_TIME = 16  # of a batch at once: more would push the weights out of the cache
_ROWS_AT_ONCE = 128  # of a product without time
GRAIN = 4  # rows that a tile takes at least, but for the last few


def _array(tensor: Tensor) -> Array:
    return tensor.contiguous().numpy()


def _padded(tensor: Tensor, num_columns: int) -> int:
    width = PANEL_BYTES // tensor.element_size()
    return -(-num_columns // width) * width


def pack(weight: Tensor) -> Array:
    """Lay a matrix (num_k, num_columns) out as panels (num_panels, num_k, panel width)."""
    weight = weight.detach()
    num_k, num_columns = weight.shape
    width = PANEL_BYTES // weight.element_size()
    make = np.empty if num_columns % width == 0 else np.zeros
    panels = make((-(-num_columns // width), num_k, width), _array(weight[:0]).dtype)
    transposed = weight.t().is_contiguous()
    kernel = products.pack_columns if transposed else products.pack_rows
    source = weight.t() if transposed else weight
    run(kernel, len(panels), 1, len(panels), _array(source), panels)
    return panels


def _scan(kernel: Any, batch: int, *given: Array) -> None:
    run(kernel, batch, GRAIN, ROWS_IN_TIME, *given)


def _input_rows(x: Tensor, tokens: Tensor | None, weight: Tensor, *state: Tensor) -> list[Tensor]:
    # x as (num_rows, columns) and which row each step takes, (num_steps, batch). The compiled
    # loops follow every index wherever it leads, so sizes and indices are checked here.
    if tokens is None:
        steps, batch = x.shape[:2]
        rows, places = x.flatten(0, 1), torch.arange(steps * batch).view(steps, batch)
    else:
        rows, places = x, tokens.contiguous()
        lowest, highest = (int(place) for place in torch.aminmax(places))
        if lowest < 0 or highest >= len(x):
            msg = f"token index {lowest if lowest < 0 else highest} is outside of {len(x)}"
            raise IndexError(msg)
    columns, size = weight.shape
    fitting = [x.shape[-1] == columns, *(part.shape == (places.shape[1], size) for part in state)]
    if not all(fitting):
        shapes = [tuple(part.shape) for part in state]
        msg = f"sizes do not fit: x {tuple(x.shape)}, weights {(columns, size)}, state {shapes}"
        raise ValueError(msg)
    return [rows, places]


def _summed_gradients(
    d_x: Tensor,
    h_0: Tensor,
    outputs: Tensor,
    tokens: Tensor | None,
    num_tokens: int,
    d_hn: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients that are sums over steps and rows, a slice of columns on each thread.

    Parameters
    ----------
    d_x
        Of the input products, (num_steps, batch, num_gates * num_hiddens).
    h_0, outputs
        The hidden states, (batch, num_hiddens) and (num_steps, batch, num_hiddens).
    tokens, num_tokens
        If the input products were looked up: (num_steps, batch), and the size of the table.
    d_hn
        Of the product inside a GRU's reset gate, (num_steps, batch, num_hiddens): what the
        recurrent weights of the candidate receive in place of `d_x`.

    Returns
    -------
    d_x, d_bias_ih, d_weight_hh, d_bias_hh
        The first is `d_x` itself, or the gradient of the table.
    """
    size, columns = h_0.shape[1], d_x.shape[-1]
    num_inner = 0 if d_hn is None else size
    inner = d_x.new_empty(0, 0) if d_hn is None else d_hn.flatten(0, 1)
    d_weight = d_x.new_empty(columns, _padded(d_x, size))
    d_bias_ih, d_bias_n = d_x.new_empty(columns), d_x.new_empty(num_inner)
    places = torch.empty(0, dtype=torch.long) if tokens is None else tokens.flatten()
    d_table = d_x.new_empty(0 if tokens is None else num_tokens, columns)
    given = (d_x.flatten(0, 1), inner, h_0, outputs.flatten(0, 1), places)
    results = (d_weight, d_bias_ih, d_bias_n, d_table)
    run(products.scan_columns, columns, ROWS, columns, *map(_array, (*given, *results)))
    d_bias_hh = torch.cat((d_bias_ih[: columns - num_inner], d_bias_n))
    return d_x if tokens is None else d_table, d_bias_ih, d_weight[:, :size], d_bias_hh


class Scan(Function):
    """What the scans have in common.

    Attributes
    ----------
    kernel
        The compiled function that is needed last.
    """

    kernel: Any


class RNNScan(Scan):
    """`RNNCell` over a sequence."""

    kernel = scans.rnn_backward

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        x: Tensor,
        tokens: Tensor | None,
        bias_ih: Tensor,
        weight: Tensor,
        bias_hh: Tensor,
        h_0: Tensor,
    ) -> tuple[Tensor, Tensor]:
        rows, places = _input_rows(x, tokens, weight, h_0)
        outputs = x.new_empty(*places.shape, h_0.shape[1])
        given = (rows, places, bias_ih + bias_hh)
        last = (h_0, outputs)
        panels = pack(weight.t())
        _scan(scans.rnn_forward, len(h_0), *map(_array, given), panels, *map(_array, last))
        ctx.save_for_backward(tokens, weight, h_0, outputs)
        ctx.num_tokens = len(x)
        return outputs, outputs[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(  # noqa: D102
        ctx: Any, d_outputs: Tensor, d_last: Tensor
    ) -> tuple[Tensor | None, ...]:
        tokens, weight, h_0, outputs = ctx.saved_tensors
        d_x, d_0 = torch.empty_like(outputs), torch.empty_like(h_0)
        given = map(_array, (d_outputs, d_last, outputs))
        results = map(_array, (d_x, d_0))
        _scan(scans.rnn_backward, len(h_0), *given, pack(weight), *results)
        d_x, *rest = _summed_gradients(d_x, h_0, outputs, tokens, ctx.num_tokens)
        return d_x, None, *rest, d_0


class GRUScan(Scan):
    """`GRUCell` over a sequence."""

    kernel = scans.gru_backward

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        x: Tensor,
        tokens: Tensor | None,
        bias_ih: Tensor,
        weight: Tensor,
        bias_hh: Tensor,
        h_0: Tensor,
    ) -> tuple[Tensor, Tensor]:
        rows, places = _input_rows(x, tokens, weight, h_0)
        outputs = x.new_empty(*places.shape, h_0.shape[1])
        gates, h_n = x.new_empty(*places.shape, len(weight)), torch.empty_like(outputs)
        bias = bias_ih.clone()
        bias_n = bias_hh[-h_0.shape[1] :]
        bias[: -len(bias_n)] += bias_hh[: -len(bias_n)]
        given = map(_array, (rows, places, bias, bias_n))
        results = map(_array, (h_0, outputs, gates, h_n))
        _scan(scans.gru_forward, len(h_0), *given, pack(weight.t()), *results)
        ctx.save_for_backward(tokens, weight, h_0, outputs, gates, h_n)
        ctx.num_tokens = len(x)
        return outputs, outputs[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(  # noqa: D102
        ctx: Any, d_outputs: Tensor, d_last: Tensor
    ) -> tuple[Tensor | None, ...]:
        tokens, weight, h_0, outputs, gates, h_n = ctx.saved_tensors
        d_x, d_hn, d_0 = (torch.empty_like(like) for like in (gates, h_n, h_0))
        given = map(_array, (d_outputs, d_last, h_0, outputs, gates, h_n))
        results = map(_array, (d_x, d_hn, d_0))
        _scan(scans.gru_backward, len(h_0), *given, pack(weight), *results)
        d_x, *rest = _summed_gradients(d_x, h_0, outputs, tokens, ctx.num_tokens, d_hn)
        return d_x, None, *rest, d_0


class LSTMScan(Scan):
    """`LSTMCell` over a sequence."""

    kernel = scans.lstm_backward

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        x: Tensor,
        tokens: Tensor | None,
        bias_ih: Tensor,
        weight: Tensor,
        bias_hh: Tensor,
        *state: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        rows, places = _input_rows(x, tokens, weight, *state)
        h_0, c_0 = state
        outputs = x.new_empty(*places.shape, h_0.shape[1])
        gates = x.new_empty(*places.shape, len(weight))
        memories = torch.empty_like(outputs)
        given = map(_array, (rows, places, bias_ih + bias_hh))
        results = map(_array, (h_0, c_0, outputs, gates, memories))
        _scan(scans.lstm_forward, len(h_0), *given, pack(weight.t()), *results)
        ctx.save_for_backward(tokens, weight, h_0, c_0, outputs, gates, memories)
        ctx.num_tokens = len(x)
        return outputs, outputs[-1].clone(), memories[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(  # noqa: D102
        ctx: Any, d_outputs: Tensor, d_last: Tensor, d_memory: Tensor
    ) -> tuple[Tensor | None, ...]:
        tokens, weight, h_0, c_0, outputs, gates, memories = ctx.saved_tensors
        d_x, d_0, d_c0 = (torch.empty_like(like) for like in (gates, h_0, c_0))
        given = map(_array, (d_outputs, d_last, d_memory, c_0, gates, memories))
        results = map(_array, (d_x, d_0, d_c0))
        _scan(scans.lstm_backward, len(h_0), *given, pack(weight), *results)
        d_x, *rest = _summed_gradients(d_x, h_0, outputs, tokens, ctx.num_tokens)
        return d_x, None, *rest, d_0, d_c0


class Linear(Function):
    """``inputs @ weight.T + bias`` for inputs of shape (..., num_inputs)."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        rows = inputs.flatten(0, -2)
        outputs = rows.new_empty(len(rows), len(weight))
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias = bias is not None
        added = rows.new_zeros(len(weight)) if bias is None else bias
        given = (_array(rows), pack(weight.t()), _array(added), _array(outputs))
        run(products.linear_rows, len(rows), GRAIN, _ROWS_AT_ONCE, *given)
        return outputs.view(*inputs.shape[:-1], len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        inputs, weight = ctx.saved_tensors
        num_outputs, num_inputs = weight.shape
        rows, d_rows = _array(inputs.flatten(0, -2)), _array(d_outputs.flatten(0, -2))
        d_inputs = torch.empty_like(inputs, memory_format=torch.contiguous_format)
        d_weight = weight.new_empty(num_outputs, _padded(weight, num_inputs))
        d_bias = weight.new_empty(num_outputs)
        nothing = np.zeros(num_inputs, rows.dtype)
        given = (d_rows, pack(weight), nothing, _array(d_inputs.flatten(0, -2)))
        run(products.linear_rows, len(rows), GRAIN, _ROWS_AT_ONCE, *given)
        results = map(_array, (d_weight, d_bias))
        run(products.linear_columns, num_outputs, ROWS, num_outputs, rows, d_rows, *results)
        return d_inputs, d_weight[:, :num_inputs], d_bias if ctx.has_bias else None
