"""The compiled recurrences as `torch.autograd.Function`, and a linear layer.

A scan runs a cell over a sequence. It takes the inputs, ``weight_ih``, ``bias_ih``, ``weight_hh``,
``bias_hh`` and the initial state, and returns the outputs (num_steps, batch, num_hiddens) followed
by the last state. The inputs are vectors (num_steps, batch, input_size), or tokens (num_steps,
batch), whose input products are looked up in the input weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from rnn_magics.language import say
from rnn_magics.models.fast import products, scans
from rnn_magics.models.fast.amx.instructions import COLUMNS, TERMS
from rnn_magics.models.fast.layout import (
    FEWEST_TERMS,
    Array,
    are_tiles,
    as_array,
    pack,
    pack_for,
    padded,
    room_after,
    spaced,
)
from rnn_magics.models.fast.regions import run
from rnn_magics.models.fast.tile import ROWS

ROWS_IN_TIME = 16  # batch rows at once in a scan: more would push the weights out of the cache
_ROWS_AT_ONCE = 128  # rows at once in a product outside of a scan
GRAIN = 4  # the fewest rows of a part, except for the last one


def _pack_recurrent(batch: int, weight: Tensor, size: int) -> Array:
    return pack_for(batch, weight) if size >= FEWEST_TERMS and not size % TERMS else pack(weight)


def _scan(kernel: Any, batch: int, *given: Array) -> None:
    run(kernel, batch, GRAIN, ROWS_IN_TIME, *given)


def _product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``rows @ weight.T + bias`` for rows (num_rows, num_inputs or more)."""
    outputs = rows.new_empty(len(rows), len(weight))
    added = rows.new_zeros(len(weight)) if bias is None else bias
    fits = rows.shape[1] == weight.shape[1] or not weight.shape[1] % TERMS
    panels = pack_for(len(rows), weight.t()) if fits else pack(weight.t())
    given = (as_array(rows), panels, as_array(added), as_array(outputs))
    run(products.linear_rows, len(rows), GRAIN, _ROWS_AT_ONCE, *given)
    return outputs


def check_given(given: tuple[Tensor, ...], state: tuple[Tensor, ...]) -> None:
    """Refuse inputs, weights and a state that do not fit: the compiled loops check no index.

    Raises
    ------
    IndexError
        If a token is not in the vocabulary.
    ValueError
        If shapes do not fit.
    """
    inputs, weight_ih, _, weight_hh, _ = given
    if not inputs.is_floating_point():
        num_tokens = weight_ih.shape[1]
        lowest, highest = (int(place) for place in torch.aminmax(inputs))
        if lowest < 0 or highest >= num_tokens:
            wrong = lowest if lowest < 0 else highest
            raise IndexError(
                say(
                    "token index {wrong} is outside the vocabulary of {num_tokens} tokens",
                    wrong=wrong,
                    num_tokens=num_tokens,
                )
            )
    columns, size = weight_hh.shape
    fitting = [
        len(weight_ih) == columns,
        not inputs.is_floating_point() or inputs.shape[2] == weight_ih.shape[1],
        *(part.shape == (inputs.shape[1], size) for part in state),
    ]
    if not all(fitting):
        shapes = [tuple(part.shape) for part in state]
        weights = [tuple(weight.shape) for weight in (weight_ih, weight_hh)]
        raise ValueError(
            say(
                "shapes do not fit: inputs {inputs}, weights {weights}, state {shapes}",
                inputs=tuple(inputs.shape),
                weights=weights,
                shapes=shapes,
            )
        )


def _input_products(inputs: Tensor, weight_ih: Tensor) -> tuple[Array, Array]:
    """Return rows (num_rows, columns), and the places of those of each step (num_steps, batch)."""
    if not inputs.is_floating_point():
        return as_array(weight_ih.t()), as_array(inputs)
    shape = inputs.shape[:2]
    rows = _product(inputs.flatten(0, 1), weight_ih)
    return as_array(rows), np.arange(len(rows)).reshape(shape)


def _input_gradients(
    ctx: Any,
    inputs: Tensor,
    weight_ih: Tensor,
    before: Tensor,
    d_x: Tensor,
    d_hn: Tensor | None,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of inputs and weights; each thread takes a slice of the columns.

    Parameters
    ----------
    ctx
        The context of the function, which knows whether the inputs need a gradient.
    inputs, weight_ih
        As in the forward pass.
    before
        The state that each step started from, (num_steps, batch, num_hiddens).
    d_x
        The gradient of the input products, from `spaced`.
    d_hn
        The gradient of the product inside a GRU's reset gate, from `spaced`. The recurrent
        weights of the candidate receive it in place of `d_x`.

    Returns
    -------
    d_inputs, d_weight_ih, d_bias_ih, d_weight_hh, d_bias_hh
    """
    size = before.shape[2]
    columns, input_size = weight_ih.shape
    multiplied = inputs.is_floating_point()
    nothing = d_x.new_empty(0, 0)
    d_x, before = d_x.flatten(0, 1), before.flatten(0, 1)
    inner = nothing if d_hn is None else d_hn.flatten(0, 1)
    rows = inputs.flatten(0, 1) if multiplied else nothing
    places = torch.empty(0, dtype=torch.long) if multiplied else inputs.flatten()
    given = (d_x, inner, before, rows, places)
    d_weight_hh = d_x.new_empty(columns, padded(d_x, size))
    d_bias_ih, d_bias_n = d_x.new_empty(columns), d_x.new_empty(0 if d_hn is None else size)
    d_weight_ih = d_x.new_empty(columns, padded(d_x, input_size)) if multiplied else nothing
    d_table = nothing if multiplied else d_x.new_empty(input_size, columns)
    whole = not (size % COLUMNS or (multiplied and input_size % COLUMNS))
    is_tiled = whole and are_tiles(columns, len(before), d_x)
    tiles = torch.empty(0, dtype=torch.int16) if is_tiled else nothing
    results = (d_weight_hh, d_bias_ih, d_bias_n, d_weight_ih, d_table, tiles)
    run(products.scan_columns, columns, ROWS, columns, *map(as_array, (*given, *results)))
    d_inputs = None
    if multiplied and ctx.needs_input_grad[1]:  # place 0 is the recurrence
        d_inputs = _product(d_x, weight_ih.t()).view_as(inputs)
    return (
        d_inputs,
        d_weight_ih[:, :input_size] if multiplied else d_table.t(),
        d_bias_ih,
        d_weight_hh[:, :size],
        torch.cat((d_bias_ih[: columns - len(d_bias_n)], d_bias_n)),
    )


Given = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Inputs, ``weight_ih``, ``bias_ih``, ``weight_hh`` and ``bias_hh``."""


@dataclass(frozen=True)
class Recurrence:
    """The compiled functions of a cell.

    Parameters
    ----------
    forward
        ``forward(resets, given, *state)`` returns what the backward pass needs: the states, the
        memories of an LSTM, both (num_steps + 1, batch, num_hiddens), and the gates.
    backward
        ``backward(resets, panels, *kept, *d_results)`` takes what `forward` returned and the
        gradients of the results of the scan. It returns `d_x` and `d_hn` (see `_input_gradients`)
        and the gradients of the initial state. It may overwrite the gates.
    kernel
        The compiled function that is needed last.
    resets
        Where a step starts from a state of zeros, (num_steps, batch); None for nowhere.
    """

    forward: Callable[..., tuple[Tensor, ...]]
    backward: Callable[..., tuple[Tensor | None, ...]]
    kernel: Any
    resets: Tensor | None = None

    def run(
        self,
        inputs: Tensor,
        weights: tuple[Tensor, ...],
        state: tuple[Tensor, ...],
        resets: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Return the outputs of a scan and the last state."""
        given = (replace(self, resets=resets), inputs, *weights, *state)
        return Scan.apply(*given)  # type: ignore[no-any-return]

    @property
    def given_resets(self) -> Array:
        """The resets as the compiled functions take them."""
        if self.resets is None:
            return np.empty((0, 0), np.uint8)
        return as_array(self.resets.to(torch.uint8))

    def before(self, states: Tensor) -> Tensor:
        """Return the state that each step started from, (num_steps, batch, num_hiddens)."""
        before = states[:-1]
        return before if self.resets is None else before.masked_fill(self.resets[..., None], 0)


class Scan(Function):
    """The recurrence of a cell over a sequence: ``Scan.apply(GRU, *given, *state)``.

    Notes
    -----
    The backward pass overwrites the gates of the forward pass with their gradients. A second
    backward pass through the same graph (``retain_graph=True``) computes the gates again.
    """

    @staticmethod
    def forward(ctx: Any, recurrence: Recurrence, *tensors: Tensor) -> tuple[Tensor, ...]:  # noqa: D102
        given, state = tensors[:5], tensors[5:]
        check_given(given, state)
        kept = recurrence.forward(recurrence.given_resets, given, *state)
        ctx.save_for_backward(*given, *kept)
        ctx.recurrence, ctx.is_spent = recurrence, False
        return kept[0][1:], *(part[-1].clone() for part in kept[: len(state)])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *d_results: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        given, kept = ctx.saved_tensors[:5], ctx.saved_tensors[5:]
        recurrence, resets = ctx.recurrence, ctx.recurrence.given_resets
        if ctx.is_spent:
            state = (part[0] for part in kept[: len(d_results) - 1])
            kept = recurrence.forward(resets, given, *state)
        ctx.is_spent = True
        inputs, weight_ih, _, weight_hh, _ = given
        panels = _pack_recurrent(inputs.shape[1], weight_hh, weight_hh.shape[1])
        d_x, d_hn, *d_state = recurrence.backward(resets, panels, *kept, *d_results)
        before = recurrence.before(kept[0])
        d_given = _input_gradients(ctx, inputs, weight_ih, before, d_x, d_hn)
        return None, *d_given, *d_state


def _rnn_forward(resets: Array, given: Given, h_0: Tensor) -> tuple[Tensor]:
    inputs, weight_ih, bias_ih, weight_hh, bias_hh = given
    states = room_after(h_0, len(inputs))
    panels = _pack_recurrent(len(h_0), weight_hh.t(), h_0.shape[1])
    products = (*_input_products(inputs, weight_ih), as_array(bias_ih + bias_hh))
    _scan(scans.rnn_forward, len(h_0), *products, panels, resets, as_array(states))
    return (states,)


def _rnn_backward(
    resets: Array, panels: Array, states: Tensor, d_outputs: Tensor, d_last: Tensor
) -> tuple[Tensor | None, ...]:
    d_x, d_0 = spaced(states, *states[1:].shape), torch.empty_like(states[0])
    read = (*map(as_array, (d_outputs, d_last, states)), panels, resets)
    _scan(scans.rnn_backward, len(d_0), *read, *map(as_array, (d_x, d_0)))
    return d_x, None, d_0


def _gru_forward(resets: Array, given: Given, h_0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    inputs, weight_ih, bias_ih, weight_hh, bias_hh = given
    states = room_after(h_0, len(inputs))
    panels = _pack_recurrent(len(h_0), weight_hh.t(), h_0.shape[1])
    h_n = spaced(states, *states[1:].shape)
    gates = spaced(states, *inputs.shape[:2], len(weight_hh))
    bias, bias_n = bias_ih.clone(), bias_hh[-states.shape[2] :]
    bias[: -len(bias_n)] += bias_hh[: -len(bias_n)]
    products = (*_input_products(inputs, weight_ih), as_array(bias), as_array(bias_n))
    results = map(as_array, (states, gates, h_n))
    _scan(scans.gru_forward, len(h_0), *products, panels, resets, *results)
    return states, gates, h_n


def _gru_backward(
    resets: Array,
    panels: Array,
    states: Tensor,
    gates: Tensor,
    h_n: Tensor,
    d_outputs: Tensor,
    d_last: Tensor,
) -> tuple[Tensor | None, ...]:
    d_0 = torch.empty_like(states[0])
    read = (*map(as_array, (d_outputs, d_last, states)), panels, resets)
    _scan(scans.gru_backward, len(d_0), *read, *map(as_array, (gates, h_n, d_0)))
    return gates, h_n, d_0


def _lstm_forward(
    resets: Array, given: Given, h_0: Tensor, c_0: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    inputs, weight_ih, bias_ih, weight_hh, bias_hh = given
    states, memories = (room_after(part, len(inputs)) for part in (h_0, c_0))
    panels = _pack_recurrent(len(h_0), weight_hh.t(), h_0.shape[1])
    gates = spaced(states, *inputs.shape[:2], len(weight_hh))
    products = (*_input_products(inputs, weight_ih), as_array(bias_ih + bias_hh))
    results = map(as_array, (states, memories, gates))
    _scan(scans.lstm_forward, len(h_0), *products, panels, resets, *results)
    return states, memories, gates


def _lstm_backward(
    resets: Array,
    panels: Array,
    states: Tensor,
    memories: Tensor,
    gates: Tensor,
    *d_results: Tensor,
) -> tuple[Tensor | None, ...]:
    d_0, d_c0 = torch.empty_like(states[0]), torch.empty_like(memories[0])
    read = (*map(as_array, (*d_results, memories)), panels, resets)
    _scan(scans.lstm_backward, len(d_0), *read, *map(as_array, (gates, d_0, d_c0)))
    return gates, None, d_0, d_c0


RNN = Recurrence(_rnn_forward, _rnn_backward, scans.rnn_backward)
GRU = Recurrence(_gru_forward, _gru_backward, scans.gru_backward)
LSTM = Recurrence(_lstm_forward, _lstm_backward, scans.lstm_backward)


class Linear(Function):
    """``inputs @ weight.T + bias`` for inputs of shape (..., num_inputs)."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.has_bias = bias is not None
        outputs = _product(inputs.flatten(0, -2), weight, bias)
        return outputs.view(*inputs.shape[:-1], len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        inputs, weight = ctx.saved_tensors
        num_outputs, num_inputs = weight.shape
        rows, d_rows = inputs.flatten(0, -2), d_outputs.flatten(0, -2)
        d_inputs = _product(d_rows, weight.t()).view_as(inputs)
        d_weight = weight.new_empty(num_outputs, padded(weight, num_inputs))
        d_bias = weight.new_empty(num_outputs)
        given = map(as_array, (rows, d_rows, d_weight, d_bias))
        run(products.linear_columns, num_outputs, ROWS, num_outputs, *given)
        return d_inputs, d_weight[:, :num_inputs], d_bias if ctx.has_bias else None
