"""The recurrences of the built-in cells for a block of batch rows, forward and backward in time.

A thread takes a block of rows through the whole sequence. So threads never wait for each other
between steps, and the recurrent weights stay in the cache. Every result is a sum in a fixed order
that does not depend on the blocks, so the number of threads does not change a single bit.

Common arguments, contiguous and, except for `places`, of one floating-point type:

- ``x``: (num_rows, num_gates * num_hiddens), the input products; ``places``: (num_steps, batch),
  the rows of x that a step uses. For token indices, x is the table of input weights and places
  are the tokens; otherwise each step has its own rows.
- ``bias``: (num_gates * num_hiddens,), added to x.
- ``panels``: the recurrent weights as `pack` lays them out, W^T forward and W backward.
- ``states``: (num_steps + 1, batch, num_hiddens). The first is given; step t computes the state at
  t + 1 from the state at t.
- ``gates``: (num_steps, batch, num_gates * num_hiddens or more), after their non-linearity. The
  backward pass overwrites them with the gradient of x where it reads them for the last time: that
  memory is in the cache already, and no other has to be allocated.
- ``d_x`` of the simple cell may also have more columns than x.
- ``resets``: (num_steps, batch), not 0 where a step starts from a state of zeros instead of the
  state before it; (0, batch) where none does, which costs nothing.
- ``first``, ``last``: the block, rows first..last - 1 of the batch.

The loops over j are short and begin at 0. The compiler uses vector instructions only if it can
prove that the arrays do not overlap and that the indices are not negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_magics.models.fast.amx.instructions import TERMS
from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.maths import sigmoid, tanh
from rnn_magics.models.fast.products import add_matrix_product, width_of


@compiled
def _scratch(panels: Any, num_rows: int, like: Any) -> Any:
    # Zeros for sums of products, as wide as the panels, which may be wider than the weights.
    # They begin with a cache line.
    width = width_of(panels)
    room = np.zeros(num_rows * width + 16, like.dtype)
    skipped = (-room.ctypes.data % 64) // room.itemsize
    return room[skipped : skipped + num_rows * width].reshape(num_rows, width)


@compiled
def _begin(x: Any, places: Any, bias: Any, sums: Any) -> None:
    # sums: (num_rows, ...), places: (num_rows,)
    for b in range(len(places)):
        row, total = x[places[b]], sums[b]
        for j in range(len(bias)):
            total[j] = row[j] + bias[j]


@compiled
def _add_product(
    states: Any, resets: Any, panels: Any, before: Any, sums: Any, t: int, first: int, last: int
) -> None:
    # Adds the product of the state before step t; where the step resets it, that of zeros.
    if not len(resets):
        add_matrix_product(states[t, first:last], panels, sums)
        return
    for b in range(last - first):
        before[b] = states[t, first + b]
        if resets[t, first + b]:
            before[b] = 0
    add_matrix_product(before, panels, sums)


@compiled
def _stop(resets: Any, carried: Any, t: int, first: int) -> None:
    # No gradient goes back across a reset. carried: (num_rows, ...)
    if len(resets):
        for b in range(len(carried)):
            if resets[t, first + b]:
                carried[b] = 0


@compiled
def rnn_forward(
    x: Any, places: Any, bias: Any, panels: Any, resets: Any, states: Any, first: int, last: int
) -> None:
    """Fill `states` with ``h_t = tanh(x_t + bias + W h_{t-1})``."""
    size = states.shape[2]
    sums, room = (
        _scratch(panels, last - first, states),
        np.empty((last - first, size), states.dtype),
    )
    for t in range(len(places)):
        _begin(x, places[t, first:last], bias, sums)
        _add_product(states, resets, panels, room, sums, t, first, last)
        for b in range(last - first):
            total, h = sums[b], states[t + 1, first + b]
            for j in range(size):
                h[j] = tanh(total[j])


@compiled
def rnn_backward(
    d_outputs: Any,
    d_last: Any,
    states: Any,
    panels: Any,
    resets: Any,
    d_x: Any,
    d_0: Any,
    first: int,
    last: int,
) -> None:
    """Fill `d_x`, the gradient of the argument of tanh, and `d_0`, that of the first state."""
    size = d_last.shape[1]
    d_h = _scratch(panels, last - first, d_last)
    d_h[:, :size] = d_last[first:last]
    for t in range(len(d_x) - 1, -1, -1):
        for b in range(last - first):
            total, d_out = d_h[b], d_outputs[t, first + b]
            h, d = states[t + 1, first + b], d_x[t, first + b]
            for j in range(size):
                d[j] = (total[j] + d_out[j]) * (1 - h[j] * h[j])
            total[:] = 0
        add_matrix_product(d_x[t, first:last, :size], panels, d_h)
        _stop(resets, d_h, t, first)
    d_0[first:last] = d_h[:, :size]


@compiled
def gru_forward(
    x: Any,
    places: Any,
    bias: Any,
    bias_n: Any,
    panels: Any,
    resets: Any,
    states: Any,
    gates: Any,
    h_n: Any,
    first: int,
    last: int,
) -> None:
    """Fill `states`, `gates` (reset, update, candidate) and `h_n`, ``W_hn h_{t-1} + bias_n``.

    For the candidate, `bias` holds what is added outside the reset gate.
    """
    size = states.shape[2]
    sums, room = (
        _scratch(panels, last - first, states),
        np.empty((last - first, size), states.dtype),
    )
    nothing = np.zeros(size, states.dtype)
    for t in range(len(places)):
        _begin(x, places[t, first:last], bias[: 2 * size], sums)
        for b in range(last - first):
            sums[b, 2 * size : 3 * size] = bias_n
        _add_product(states, resets, panels, room, sums, t, first, last)
        for b in range(last - first):
            x_n, bias_x = x[places[t, first + b], 2 * size :], bias[2 * size :]
            gate, product, old = gates[t, first + b], h_n[t, first + b], states[t, first + b]
            if len(resets) and resets[t, first + b]:
                old = nothing
            reset, update = gate[:size], gate[size : 2 * size]
            candidate = gate[2 * size : 3 * size]
            h = states[t + 1, first + b]
            total = sums[b]
            for j in range(2 * size):
                gate[j] = sigmoid(total[j])
            product[:size] = total[2 * size : 3 * size]
            for j in range(size):
                candidate[j] = tanh(x_n[j] + bias_x[j] + reset[j] * product[j])
            for j in range(size):
                h[j] = candidate[j] + update[j] * (old[j] - candidate[j])


@compiled
def gru_backward(
    d_outputs: Any,
    d_last: Any,
    states: Any,
    panels: Any,
    resets: Any,
    gates: Any,
    h_n: Any,
    d_0: Any,
    first: int,
    last: int,
) -> None:
    """Overwrite `gates` with the gradient of x, and `h_n` with its own; fill `d_0`."""
    size = d_last.shape[1]
    sums = _scratch(panels, last - first, d_last)
    split = 2 * size // TERMS if panels.ndim == 4 else 2 * size  # noqa: PLR2004
    d_h = d_last[first:last].copy()
    d_candidate, nothing = np.empty(size, d_h.dtype), np.zeros(size, d_h.dtype)
    for t in range(len(gates) - 1, -1, -1):
        for b in range(last - first):
            gate, product, old = gates[t, first + b], h_n[t, first + b], states[t, first + b]
            if len(resets) and resets[t, first + b]:
                old = nothing
            reset, update = gate[:size], gate[size : 2 * size]
            candidate = gate[2 * size : 3 * size]
            d_out, total, carry = d_outputs[t, first + b], sums[b], d_h[b]
            for j in range(size):
                carry[j] += total[j] + d_out[j]
                total[j] = 0
            for j in range(size):
                d_candidate[j] = carry[j] * (1 - update[j]) * (1 - candidate[j] * candidate[j])
            for j in range(size):
                u = update[j]
                update[j] = carry[j] * (old[j] - candidate[j]) * u * (1 - u)
                carry[j] *= u
            for j in range(size):
                candidate[j] = d_candidate[j]
            for j in range(size):
                r, d_product = reset[j], d_candidate[j] * reset[j]
                reset[j] = d_product * product[j] * (1 - r)
                product[j] = d_product
        add_matrix_product(gates[t, first:last, : 2 * size], panels[:, :split], sums)
        add_matrix_product(h_n[t, first:last, :size], panels[:, split:], sums)
        _stop(resets, sums, t, first)
        _stop(resets, d_h, t, first)
    d_0[first:last] = d_h + sums[:, :size]


@compiled
def lstm_forward(
    x: Any,
    places: Any,
    bias: Any,
    panels: Any,
    resets: Any,
    states: Any,
    memories: Any,
    gates: Any,
    first: int,
    last: int,
) -> None:
    """Fill `states`, `memories` (c_t, shaped like them) and `gates` (i, f, g, o)."""
    size = states.shape[2]
    sums, room = (
        _scratch(panels, last - first, states),
        np.empty((last - first, size), states.dtype),
    )
    nothing = np.zeros(size, states.dtype)
    for t in range(len(places)):
        _begin(x, places[t, first:last], bias, sums)
        _add_product(states, resets, panels, room, sums, t, first, last)
        for b in range(last - first):
            total, gate, old = sums[b], gates[t, first + b], memories[t, first + b]
            if len(resets) and resets[t, first + b]:
                old = nothing
            new, h = memories[t + 1, first + b], states[t + 1, first + b]
            i, f = gate[:size], gate[size : 2 * size]
            g, o = gate[2 * size : 3 * size], gate[3 * size : 4 * size]
            total_g, total_o = total[2 * size : 3 * size], total[3 * size :]
            for j in range(2 * size):
                gate[j] = sigmoid(total[j])
            for j in range(size):
                g[j] = tanh(total_g[j])
            for j in range(size):
                o[j] = sigmoid(total_o[j])
            for j in range(size):
                new[j] = f[j] * old[j] + i[j] * g[j]
            for j in range(size):
                h[j] = o[j] * tanh(new[j])


@compiled
def lstm_backward(
    d_outputs: Any,
    d_last: Any,
    d_memory: Any,
    memories: Any,
    panels: Any,
    resets: Any,
    gates: Any,
    d_0: Any,
    d_c0: Any,
    first: int,
    last: int,
) -> None:
    """Overwrite `gates` with the gradient of x; fill `d_0` and `d_c0`.

    The hyperbolic tangent of a memory is computed again, which is as fast as reading it.
    """
    size = d_last.shape[1]
    d_h = _scratch(panels, last - first, d_last)
    d_h[:, :size] = d_last[first:last]
    d_c = d_memory[first:last].copy()
    squash, nothing = np.empty(size, d_c.dtype), np.zeros(size, d_c.dtype)
    for t in range(len(gates) - 1, -1, -1):
        for b in range(last - first):
            gate, old, new = gates[t, first + b], memories[t, first + b], memories[t + 1, first + b]
            if len(resets) and resets[t, first + b]:
                old = nothing
            i, f = gate[:size], gate[size : 2 * size]
            g, o = gate[2 * size : 3 * size], gate[3 * size : 4 * size]
            d_out, total, carry = d_outputs[t, first + b], d_h[b], d_c[b]
            for j in range(size):
                squash[j] = tanh(new[j])
            for j in range(size):
                total[j] += d_out[j]
            for j in range(size):
                carry[j] += total[j] * o[j] * (1 - squash[j] * squash[j])
            for j in range(size):
                o[j] = total[j] * squash[j] * o[j] * (1 - o[j])
                total[j] = 0
            for j in range(size):
                i_j, g_j = i[j], g[j]
                i[j] = carry[j] * g_j * i_j * (1 - i_j)
                g[j] = carry[j] * i_j * (1 - g_j * g_j)
            for j in range(size):
                f_j = f[j]
                f[j] = carry[j] * old[j] * f_j * (1 - f_j)
                carry[j] *= f_j
        add_matrix_product(gates[t, first:last, : 4 * size], panels, d_h)
        _stop(resets, d_h, t, first)
        _stop(resets, d_c, t, first)
    d_0[first:last] = d_h[:, :size]
    d_c0[first:last] = d_c
