"""The compiled loop of decoding: the step of every layer, the logits, and the next token.

One call takes a block of rows through many steps without returning to Python. The cost of a step is
reading the weights: those of a GRU of 256 units, 786 KB, come from the cache for every token, and
all rows of a block share them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.gated.scans import mingru_gates, minlstm_gates
from rnn_magics.models.fast.maths import sigmoid, tanh
from rnn_magics.models.fast.products import add_matrix_product, fill_rows
from rnn_magics.models.fast.writing.choosing import choose

Array = np.ndarray[Any, np.dtype[Any]]
RNN, GRU, LSTM, MINGRU, MINLSTM = range(5)
"""The steps that the loop can take, `Weights.step`."""


class Weights(NamedTuple):
    """A model, its matrices packed by `pack`; columns are num_gates * num_hiddens.

    Parameters
    ----------
    table
        The rows that tokens are looked up in: the input products, (vocab_size, columns), or, if
        there is a `first` product, the embedding, (vocab_size, embedding_size).
    first
        The panels of the first layer's input weights; empty if `table` has the products.
    inputs
        The panels of the other layers' input weights, (num_layers - 1, ...).
    recurrent
        The panels of all layers' recurrent weights, (num_layers, ...); without rows, if nothing is
        multiplied by the state.
    bias
        Added to the input products, (num_layers, columns).
    bias_n
        For a GRU, the recurrent bias inside the reset gate, (num_layers, num_hiddens).
    output, output_bias
        The panels of the output weights; (vocab_size,).
    step
        The step of the cell.
    """

    table: Array
    first: Array
    inputs: Array
    recurrent: Array
    bias: Array
    bias_n: Array
    output: Array
    output_bias: Array
    step: int


@compiled
def write_rows(
    weights: Any,
    rule: Any,
    uniforms: Any,
    state: Any,
    logits: Any,
    tokens: Any,
    log_probs: Any,
    first: int,
    last: int,
) -> None:
    """Choose a token and read it, as often as `uniforms` has steps.

    Parameters
    ----------
    weights, rule
        The model, and how tokens are chosen.
    uniforms
        The random numbers that decide the draws, in [0, 1), (num_steps, num_rows), float64.
    state
        Shape (num_states, num_layers, num_rows, num_hiddens); becomes the state after the last
        token.
    logits
        Logits of the next token, (num_rows, vocab_size); become those after the last token.
    tokens, log_probs
        Results: token indices and their log-probabilities at temperature 1, (num_steps, num_rows).
        If logits are nan, the log-probability is nan and the token is arbitrary.
    first, last
        The block, rows first..last - 1.
    """
    num_rows, vocab_size = last - first, logits.shape[1]
    sums = np.zeros((num_rows, _width(weights.recurrent[0])), logits.dtype)
    products = np.zeros_like(sums)
    outputs = np.zeros((num_rows, _width(weights.output)), logits.dtype)
    looked_up = np.zeros((num_rows, weights.table.shape[1]), logits.dtype)
    in_order = np.arange(num_rows)
    shares, order = np.empty((2, vocab_size)), np.empty(vocab_size, np.int64)
    for t in range(len(uniforms)):
        chosen = tokens[t, first:last]
        for b in range(num_rows):
            row = first + b
            found = choose(logits[row], rule, uniforms[t, row], chosen[b], shares, order)
            chosen[b], log_probs[t, row] = found
        for layer in range(len(weights.bias)):
            source, places = products, in_order
            if layer:
                products[:] = 0
                below = state[0, layer - 1, first:last]
                add_matrix_product(below, weights.inputs[layer - 1], products)
            elif len(weights.first):
                products[:] = 0
                for b in range(num_rows):
                    looked_up[b] = weights.table[chosen[b]]
                add_matrix_product(looked_up, weights.first, products)
            else:
                source, places = weights.table, chosen
            _step(
                weights.step,
                source,
                places,
                weights.bias[layer],
                weights.bias_n[layer],
                weights.recurrent[layer],
                state[0, layer, first:last],
                state[-1, layer, first:last],
                sums,
                products,
                t % 2 == 1,  # first the weights that were read last: they are still in the cache
            )
        fill_rows(outputs, weights.output_bias)
        add_matrix_product(state[0, -1, first:last], weights.output, outputs)
        for b in range(num_rows):
            row, output = logits[first + b], outputs[b]
            for j in range(vocab_size):
                row[j] = output[j]


@compiled
def _width(panels: Any) -> Any:
    return panels.shape[0] * panels.shape[2]


@compiled
def _step(
    step: int,
    source: Any,
    places: Any,
    bias: Any,
    bias_n: Any,
    panels: Any,
    hidden: Any,
    memory: Any,
    sums: Any,
    gates: Any,
    backwards: bool,  # noqa: FBT001
) -> None:
    # One step of a layer; updates `hidden` and `memory`, (num_rows, num_hiddens), in place. The
    # input products are rows of `source`, which is read in place; it may be `gates`, scratch.
    size = hidden.shape[1]
    for b in range(len(hidden)):
        row, total = source[places[b]], sums[b]
        added = 2 * size if step == GRU else len(bias)
        for j in range(added):
            total[j] = row[j] + bias[j]
        if step == GRU:
            total[2 * size : 3 * size] = bias_n
    add_matrix_product(hidden, panels, sums, backwards)
    for b in range(len(hidden)):
        if step == RNN:
            _rnn(sums[b], hidden[b])
        elif step == GRU:
            x_n = source[places[b], 2 * size : 3 * size]
            _gru(sums[b], x_n, bias[2 * size : 3 * size], hidden[b])
        elif step == LSTM:
            _lstm(sums[b], hidden[b], memory[b])
        elif step == MINGRU:
            _mingru(sums[b], gates[b], hidden[b])
        else:
            _minlstm(sums[b], gates[b], hidden[b])


@compiled
def _rnn(total: Any, h: Any) -> None:
    for j in range(len(h)):
        h[j] = tanh(total[j])


@compiled
def _gru(total: Any, x_n: Any, bias: Any, h: Any) -> None:
    size = len(h)
    for j in range(2 * size):
        total[j] = sigmoid(total[j])
    reset, update = total[:size], total[size : 2 * size]
    candidate = total[2 * size : 3 * size]
    for j in range(size):
        candidate[j] = tanh((x_n[j] + bias[j]) + reset[j] * candidate[j])
    for j in range(size):
        h[j] = candidate[j] + update[j] * (h[j] - candidate[j])


@compiled
def _lstm(total: Any, h: Any, c: Any) -> None:
    size = len(h)
    i, f = total[:size], total[size : 2 * size]
    g, o = total[2 * size : 3 * size], total[3 * size : 4 * size]
    for j in range(2 * size):
        total[j] = sigmoid(total[j])
    for j in range(size):
        g[j] = tanh(g[j])
    for j in range(size):
        o[j] = sigmoid(o[j])
    for j in range(size):
        c[j] = f[j] * c[j] + i[j] * g[j]
    for j in range(size):
        h[j] = o[j] * tanh(c[j])


@compiled
def _mingru(product: Any, gate: Any, h: Any) -> None:
    size = len(h)
    mingru_gates(product, gate, size)
    update, candidate = gate[:size], gate[size : 2 * size]
    for j in range(size):
        h[j] += update[j] * (candidate[j] - h[j])


@compiled
def _minlstm(product: Any, gate: Any, h: Any) -> None:
    size = len(h)
    minlstm_gates(product, gate, size)
    f, i, candidate = gate[:size], gate[size : 2 * size], gate[2 * size : 3 * size]
    for j in range(size):
        h[j] += i[j] / (f[j] + i[j]) * (candidate[j] - h[j])
