"""The recurrences of the input-gated cells for a block of batch rows, forward and backward in time.

Nothing is multiplied by the state, so a step is the input product of its rows and one pass over
them. As in `rnn_magics.models.fast.scans`, a thread takes a block of rows through the whole
sequence: the input weights stay in the cache, and a product is used while it is there, not written
to memory first.

Common arguments, contiguous and, except for `places`, of one floating-point type:

- ``table``, ``places``: for tokens, the input products of all tokens, (num_tokens, num_gates *
  num_hiddens), and the tokens, (num_steps, batch); empty for vectors.
- ``inputs``, ``panels``: for vectors, (num_steps, batch, input_size), and the input weights as
  `pack` lays them out, W^T forward and W backward; empty for tokens.
- ``bias``: (num_gates * num_hiddens,), added to the input products.
- ``states``, ``gates``, ``resets``, ``first`` and ``last``: as there. The backward pass
  overwrites the gates with the gradient of the input products.
- ``d_inputs``: the gradient of the inputs; empty for tokens.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.maths import sigmoid
from rnn_magics.models.fast.products import add_matrix_product, fill_rows

_SMALLEST = -87.0  # exp(-x) overflows float32 below it, and both gates of a minLSTM may not be 0


@compiled
def _width(panels: Any, size: int) -> Any:
    # Columns of a sum: as wide as the panels, which may be wider than the weights.
    return max(size, panels.shape[0] * panels.shape[2])


@compiled
def _products(
    table: Any, places: Any, inputs: Any, panels: Any, bias: Any, sums: Any, t: int, first: int
) -> None:
    # Fills sums with the input products of step t.
    if len(panels):
        fill_rows(sums, bias)
        add_matrix_product(inputs[t, first : first + len(sums)], panels, sums)
        return
    for b in range(len(sums)):
        row, total = table[places[t, first + b]], sums[b]
        for j in range(len(bias)):
            total[j] = row[j] + bias[j]


@compiled
def _positive(total: Any, candidate: Any) -> None:
    # The function g of the cells. Its derivative follows from its value, which is at least 0.5
    # where its argument is not negative.
    half, zero = total.dtype.type(0.5), total.dtype.type(0)
    for j in range(len(candidate)):
        x = total[j]
        below = sigmoid(x)
        candidate[j] = x + half if x >= zero else below


@compiled
def _to_inputs(d_x: Any, panels: Any, sums: Any, d_inputs: Any) -> None:
    # Fills the gradient of the inputs of one step, (num_rows, input_size), from that of products.
    sums[:] = 0
    add_matrix_product(d_x, panels, sums)
    for b in range(len(d_inputs)):
        total, d_input = sums[b], d_inputs[b]
        for j in range(len(d_input)):
            d_input[j] = total[j]


@compiled
def mingru_gates(total: Any, gate: Any, size: int) -> None:
    """Fill `gate` (update, candidate) from the input product of a row, both (2 * size,) or more."""
    for j in range(size):
        gate[j] = sigmoid(total[j])
    _positive(total[size : 2 * size], gate[size : 2 * size])


@compiled
def minlstm_gates(total: Any, gate: Any, size: int) -> None:
    """Fill `gate` (forget and input before they add up to 1, candidate), (3 * size,) or more."""
    smallest = total.dtype.type(_SMALLEST)
    for j in range(2 * size):
        gate[j] = sigmoid(max(total[j], smallest))
    _positive(total[2 * size : 3 * size], gate[2 * size : 3 * size])


@compiled
def mingru_forward(
    table: Any,
    places: Any,
    inputs: Any,
    panels: Any,
    bias: Any,
    resets: Any,
    states: Any,
    gates: Any,
    first: int,
    last: int,
) -> None:
    """Fill `states` and `gates` (update, candidate)."""
    size = states.shape[2]
    sums = np.zeros((last - first, _width(panels, 2 * size)), states.dtype)
    nothing = np.zeros(size, states.dtype)
    for t in range(len(gates)):
        _products(table, places, inputs, panels, bias, sums, t, first)
        for b in range(last - first):
            gate, old, h = gates[t, first + b], states[t, first + b], states[t + 1, first + b]
            if len(resets) and resets[t, first + b]:
                old = nothing
            mingru_gates(sums[b], gate, size)
            update, candidate = gate[:size], gate[size : 2 * size]
            for j in range(size):
                h[j] = old[j] + update[j] * (candidate[j] - old[j])


@compiled
def mingru_backward(
    d_outputs: Any,
    d_last: Any,
    states: Any,
    panels: Any,
    resets: Any,
    gates: Any,
    d_inputs: Any,
    d_0: Any,
    first: int,
    last: int,
) -> None:
    """Overwrite `gates` with the gradient of the input products; fill `d_inputs` and `d_0`."""
    size = d_last.shape[1]
    d_h, nothing = d_last[first:last].copy(), np.zeros(size, d_last.dtype)
    sums = np.zeros((last - first, _width(panels, 0)), d_last.dtype)
    one, half = d_last.dtype.type(1), d_last.dtype.type(0.5)
    for t in range(len(gates) - 1, -1, -1):
        for b in range(last - first):
            gate, old = gates[t, first + b], states[t, first + b]
            is_reset = len(resets) > 0 and resets[t, first + b] > 0
            if is_reset:
                old = nothing
            update, candidate = gate[:size], gate[size : 2 * size]
            d_out, carry = d_outputs[t, first + b], d_h[b]
            for j in range(size):
                carry[j] += d_out[j]
            for j in range(size):
                u, c, d = update[j], candidate[j], carry[j]
                slope = c * (one - c) if c < half else one
                update[j] = d * (c - old[j]) * u * (one - u)
                candidate[j] = d * u * slope
                carry[j] = d * (one - u)
            if is_reset:
                carry[:] = 0
        if len(panels):
            _to_inputs(gates[t, first:last], panels, sums, d_inputs[t, first:last])
    d_0[first:last] = d_h


@compiled
def minlstm_forward(
    table: Any,
    places: Any,
    inputs: Any,
    panels: Any,
    bias: Any,
    resets: Any,
    states: Any,
    gates: Any,
    first: int,
    last: int,
) -> None:
    """Fill `states` and `gates` (forget and input before they add up to 1, candidate)."""
    size = states.shape[2]
    sums = np.zeros((last - first, _width(panels, 3 * size)), states.dtype)
    nothing = np.zeros(size, states.dtype)
    for t in range(len(gates)):
        _products(table, places, inputs, panels, bias, sums, t, first)
        for b in range(last - first):
            gate, old, h = gates[t, first + b], states[t, first + b], states[t + 1, first + b]
            if len(resets) and resets[t, first + b]:
                old = nothing
            minlstm_gates(sums[b], gate, size)
            f, i, candidate = gate[:size], gate[size : 2 * size], gate[2 * size : 3 * size]
            for j in range(size):
                h[j] = old[j] + i[j] / (f[j] + i[j]) * (candidate[j] - old[j])


@compiled
def minlstm_backward(
    d_outputs: Any,
    d_last: Any,
    states: Any,
    panels: Any,
    resets: Any,
    gates: Any,
    d_inputs: Any,
    d_0: Any,
    first: int,
    last: int,
) -> None:
    """Overwrite `gates` with the gradient of the input products; fill `d_inputs` and `d_0`."""
    size = d_last.shape[1]
    d_h, nothing = d_last[first:last].copy(), np.zeros(size, d_last.dtype)
    sums = np.zeros((last - first, _width(panels, 0)), d_last.dtype)
    one, half = d_last.dtype.type(1), d_last.dtype.type(0.5)
    share, d_share = np.empty(size, d_h.dtype), np.empty(size, d_h.dtype)
    for t in range(len(gates) - 1, -1, -1):
        for b in range(last - first):
            gate, old = gates[t, first + b], states[t, first + b]
            is_reset = len(resets) > 0 and resets[t, first + b] > 0
            if is_reset:
                old = nothing
            f, i, candidate = gate[:size], gate[size : 2 * size], gate[2 * size : 3 * size]
            d_out, carry = d_outputs[t, first + b], d_h[b]
            for j in range(size):
                carry[j] += d_out[j]
                share[j] = i[j] / (f[j] + i[j])
            for j in range(size):
                u, c, d = share[j], candidate[j], carry[j]
                slope = c * (one - c) if c < half else one
                d_share[j] = d * (c - old[j]) * u * (one - u)
                candidate[j] = d * u * slope
                carry[j] = d * (one - u)
            for j in range(size):
                f[j] = d_share[j] * (f[j] - one)
                i[j] = d_share[j] * (one - i[j])
            if is_reset:
                carry[:] = 0
        if len(panels):
            _to_inputs(gates[t, first:last], panels, sums, d_inputs[t, first:last])
    d_0[first:last] = d_h
