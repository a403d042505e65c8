"""The compiled recurrences as a `torch.autograd.Function`.

A scan runs a cell over a sequence. It takes the inputs, ``weight_ih``, ``bias_ih``, ``weight_hh``,
``bias_hh`` and the initial state, and returns the outputs (num_steps, batch, num_hiddens) followed
by the last state. The inputs are vectors (num_steps, batch, input_size), or tokens (num_steps,
batch), whose input products are looked up in the input weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from rnn_magics.models.fast.linear import GRAIN, product
from rnn_magics.models.fast.running.regions import run
from rnn_magics.models.fast.running.tape import do
from rnn_magics.models.fast.tile import ROWS

ROWS_IN_TIME = 16  # batch rows at once in a scan: more would push the weights out of the cache


def _pack_recurrent(batch: int, weight: Tensor, size: int) -> Array:
    return pack_for(batch, weight) if size >= FEWEST_TERMS and not size % TERMS else pack(weight)


def _scan(kernel: Any, batch: int, *given: Array) -> None:
    run(kernel, batch, GRAIN, ROWS_IN_TIME, *given)


def check_tokens(tokens: Array, num_tokens: int) -> None:
    """Refuse tokens that are not in the vocabulary.

    Raises
    ------
    IndexError
        With the first that was found.
    """
    lowest, highest = int(tokens.min(initial=0)), int(tokens.max(initial=0))
    if lowest < 0 or highest >= num_tokens:
        raise IndexError(
            say(
                "token index {wrong} is outside the vocabulary of {num_tokens} tokens",
                wrong=lowest if lowest < 0 else highest,
                num_tokens=num_tokens,
            )
        )


def _sum(one: Tensor, other: Tensor) -> Array:
    result = np.empty(one.shape, as_array(one).dtype)
    do(_add, as_array(one), as_array(other), result)
    return result


def _add(one: Array, other: Array, result: Array) -> None:
    with np.errstate(all="ignore"):  # a model that diverges is told of by its loss
        np.add(one, other, result)


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
        do(check_tokens, inputs.numpy(), weight_ih.shape[1])
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
    rows = product(inputs.flatten(0, 1), weight_ih)
    return as_array(rows), np.arange(len(rows)).reshape(shape)


def _input_gradients(
    inputs: Tensor,
    weight_ih: Tensor,
    before: Tensor,
    d_x: Tensor,
    d_hn: Tensor | None,
    *,
    wants_inputs: bool,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of inputs and weights; each thread takes a slice of the columns.

    Parameters
    ----------
    inputs, weight_ih
        As in the forward pass.
    before
        The state that each step started from, (num_steps, batch, num_hiddens).
    d_x
        The gradient of the input products, from `spaced`.
    d_hn
        The gradient of the product inside a GRU's reset gate, from `spaced`. The recurrent
        weights of the candidate receive it in place of `d_x`.
    wants_inputs
        Whether inputs that are vectors need a gradient.

    Returns
    -------
    d_inputs, d_weight_ih, d_bias_ih, d_weight_hh, d_bias_hh
    """
    num_steps, batch, size = before.shape
    (columns, input_size), num_rows = weight_ih.shape, num_steps * batch
    multiplied = inputs.is_floating_point()
    d_x, left = d_x.flatten(0, 1), as_array(before).reshape(num_rows, size)
    nothing = np.empty((0, 0), left.dtype)
    inner = nothing if d_hn is None else as_array(d_hn.flatten(0, 1))
    rows = as_array(inputs).reshape(num_rows, -1) if multiplied else nothing
    places = np.empty(0, np.int64) if multiplied else as_array(inputs).reshape(num_rows)
    d_weight_hh = d_x.new_empty(columns, padded(d_x, size))
    d_bias_ih, d_bias_n = d_x.new_empty(columns), d_x.new_empty(0 if d_hn is None else size)
    shape = (columns, padded(d_x, input_size)) if multiplied else (input_size, columns)
    d_inner = d_x.new_empty(shape)  # of the weights, or of the table that they are
    d_inputs = as_array(d_inner)
    d_weight_ih, d_table = (d_inputs, nothing) if multiplied else (nothing, d_inputs)
    whole = not (size % COLUMNS or (multiplied and input_size % COLUMNS))
    is_tiled = whole and are_tiles(columns, num_rows, d_x)
    tiles = np.empty(0, np.int16) if is_tiled else nothing
    given = (as_array(d_x), inner, left, rows, places)
    results = (as_array(d_weight_hh), as_array(d_bias_ih), as_array(d_bias_n), d_weight_ih, d_table)
    run(products.scan_columns, columns, ROWS, columns, *given, *results, tiles)
    d_bias_hh = torch.empty_like(d_bias_ih)
    outer = columns - d_bias_n.shape[0]
    do(np.copyto, d_bias_hh[:outer].numpy(), d_bias_ih[:outer].numpy())
    do(np.copyto, d_bias_hh[outer:].numpy(), d_bias_n.numpy())
    return (
        product(d_x, weight_ih.t()).view_as(inputs) if multiplied and wants_inputs else None,
        d_inner[:, :input_size] if multiplied else d_inner.t(),
        d_bias_ih,
        d_weight_hh[:, :size],
        d_bias_hh,
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
    num_states
        The number of tensors in the state.
    """

    forward: Callable[..., tuple[Tensor, ...]]
    backward: Callable[..., tuple[Any, ...]]
    kernel: Any
    num_states: int = 1

    def read(
        self, given: tuple[Tensor, ...], state: tuple[Tensor, ...], resets: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Return the states, as many tensors as a state has, and what else `gradients` needs."""
        check_given(given, state)
        return self.forward(flags_of(resets), given, *state)

    def gradients(
        self,
        given: tuple[Tensor, ...],
        kept: tuple[Tensor, ...],
        resets: Tensor | None,
        d_results: tuple[Tensor, ...],
        *,
        wants_inputs: bool,
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of inputs, weights and first state, from those of the results.

        Parameters
        ----------
        given, resets
            As for `read`.
        kept
            What `read` returned, of which the gates are overwritten.
        d_results
            The gradients of the outputs and of the last state.
        wants_inputs
            Whether inputs that are vectors need one.
        """
        inputs, weight_ih, _, weight_hh, _ = given
        panels = _pack_recurrent(inputs.shape[1], weight_hh, weight_hh.shape[1])
        d_x, d_hn, *d_state = self.backward(flags_of(resets), panels, *kept, *d_results)
        before = kept[0][:-1]
        if resets is not None:
            before = before.masked_fill(resets[..., None], 0)
        d_given = _input_gradients(inputs, weight_ih, before, d_x, d_hn, wants_inputs=wants_inputs)
        return *d_given, *d_state


def flags_of(resets: Tensor | None) -> Array:
    """Return where a step starts from zeros, as the compiled functions take it."""
    return np.empty((0, 0), np.uint8) if resets is None else as_array(resets.to(torch.uint8))


class Scan(Function):
    """The recurrence of a cell over a sequence: ``Scan.apply(GRU, resets, *given, *state)``.

    Notes
    -----
    The backward pass overwrites the gates of the forward pass with their gradients. A second
    backward pass through the same graph (``retain_graph=True``) computes the gates again.
    """

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any, recurrence: Any, resets: Tensor | None, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        number = recurrence.num_states
        given, state = tensors[:-number], tensors[-number:]
        kept = recurrence.read(given, state, resets)
        ctx.save_for_backward(*given, *kept)
        ctx.recurrence, ctx.resets, ctx.num_given = recurrence, resets, len(given)
        ctx.is_spent = False
        return kept[0][1:], *(part[-1].clone() for part in kept[:number])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *d_results: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        recurrence, resets = ctx.recurrence, ctx.resets
        given, kept = ctx.saved_tensors[: ctx.num_given], ctx.saved_tensors[ctx.num_given :]
        if ctx.is_spent:
            state = tuple(part[0] for part in kept[: recurrence.num_states])
            kept = recurrence.read(given, state, resets)
        ctx.is_spent = True
        wants_inputs = ctx.needs_input_grad[2]  # the place of the inputs
        gradients = recurrence.gradients(given, kept, resets, d_results, wants_inputs=wants_inputs)
        return None, None, *gradients


def _rnn_forward(resets: Array, given: Given, h_0: Tensor) -> tuple[Tensor]:
    inputs, weight_ih, bias_ih, weight_hh, bias_hh = given
    states = room_after(h_0, inputs.shape[0])
    panels = _pack_recurrent(h_0.shape[0], weight_hh.t(), h_0.shape[1])
    products = (*_input_products(inputs, weight_ih), _sum(bias_ih, bias_hh))
    _scan(scans.rnn_forward, h_0.shape[0], *products, panels, resets, as_array(states))
    return (states,)


def _rnn_backward(
    resets: Array, panels: Array, states: Tensor, d_outputs: Tensor, d_last: Tensor
) -> tuple[Tensor | None, ...]:
    d_x, d_0 = spaced(states, *states[1:].shape), torch.empty_like(states[0])
    read = (*map(as_array, (d_outputs, d_last, states)), panels, resets)
    _scan(scans.rnn_backward, d_0.shape[0], *read, *map(as_array, (d_x, d_0)))
    return d_x, None, d_0


def _gru_forward(resets: Array, given: Given, h_0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    inputs, weight_ih, bias_ih, weight_hh, bias_hh = given
    states = room_after(h_0, inputs.shape[0])
    panels = _pack_recurrent(h_0.shape[0], weight_hh.t(), h_0.shape[1])
    h_n = spaced(states, *states[1:].shape)
    gates = spaced(states, *inputs.shape[:2], weight_hh.shape[0])
    bias, bias_n = as_array(bias_ih).copy(), as_array(bias_hh)[-states.shape[2] :]
    outer = len(bias) - len(bias_n)
    do(_add, as_array(bias_ih)[:outer], as_array(bias_hh)[:outer], bias[:outer])
    do(np.copyto, bias[outer:], as_array(bias_ih)[outer:])
    products = (*_input_products(inputs, weight_ih), bias, bias_n)
    results = map(as_array, (states, gates, h_n))
    _scan(scans.gru_forward, h_0.shape[0], *products, panels, resets, *results)
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
    _scan(scans.gru_backward, d_0.shape[0], *read, *map(as_array, (gates, h_n, d_0)))
    return gates, h_n, d_0


def _lstm_forward(
    resets: Array, given: Given, h_0: Tensor, c_0: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    inputs, weight_ih, bias_ih, weight_hh, bias_hh = given
    states, memories = (room_after(part, inputs.shape[0]) for part in (h_0, c_0))
    panels = _pack_recurrent(h_0.shape[0], weight_hh.t(), h_0.shape[1])
    gates = spaced(states, *inputs.shape[:2], weight_hh.shape[0])
    products = (*_input_products(inputs, weight_ih), _sum(bias_ih, bias_hh))
    results = map(as_array, (states, memories, gates))
    _scan(scans.lstm_forward, h_0.shape[0], *products, panels, resets, *results)
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
    _scan(scans.lstm_backward, d_0.shape[0], *read, *map(as_array, (gates, d_0, d_c0)))
    return gates, None, d_0, d_c0


RNN = Recurrence(_rnn_forward, _rnn_backward, scans.rnn_backward)
GRU = Recurrence(_gru_forward, _gru_backward, scans.gru_backward)
LSTM = Recurrence(_lstm_forward, _lstm_backward, scans.lstm_backward, num_states=2)
