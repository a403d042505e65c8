"""The compiled loop of decoding: the step of every layer, the logits, and the next token.

One call takes a block of rows through many steps without returning to Python. The cost of a step is
reading the weights: those of a GRU of 256 units, 786 KB, come from the cache for every token, and
all rows of a block share them.

`choose` does for one row what the decoders ``draw`` and ``greedy`` do; a test compares them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.gated.scans import mingru_gates, minlstm_gates
from rnn_magics.models.fast.maths import exp64, sigmoid, tanh
from rnn_magics.models.fast.products import add_matrix_product, fill_rows

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


class Rule(NamedTuple):
    """How the next token is chosen.

    Parameters
    ----------
    greedy
        Always take the most probable token; the other fields then have no effect.
    temperature
        The temperature of the softmax.
    top_k, top_p
        How many tokens are kept, and up to which total probability. The size of the vocabulary or
        more, and inf, keep all tokens.
    no_unk
        Never take ``<unk>``, the token 0.
    never
        Another token that is never taken; -1 if there is none.
    """

    greedy: bool
    temperature: float
    top_k: int
    top_p: float
    no_unk: bool
    never: int = -1


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
    products = np.zeros((num_rows, _width(weights.recurrent[0])), logits.dtype)
    sums = np.zeros_like(products)
    outputs = np.zeros((num_rows, _width(weights.output)), logits.dtype)
    looked_up = np.zeros((num_rows, weights.table.shape[1]), logits.dtype)
    shares, order = np.empty(vocab_size), np.empty(vocab_size, np.int64)
    for t in range(len(uniforms)):
        for b in range(first, last):
            chosen = choose(logits[b], rule, uniforms[t, b], shares, order)
            tokens[t, b], log_probs[t, b] = chosen
            looked_up[b - first] = weights.table[chosen[0]]
        for layer in range(len(weights.bias)):
            fill_rows(products, weights.bias[layer])
            if layer:
                below = state[0, layer - 1, first:last]
                add_matrix_product(below, weights.inputs[layer - 1], products)
            elif len(weights.first):
                add_matrix_product(looked_up, weights.first, products)
            else:
                for b in range(num_rows):
                    product, row = products[b], looked_up[b]
                    for j in range(len(row)):
                        product[j] += row[j]
            hidden, memory = state[0, layer, first:last], state[-1, layer, first:last]
            _step(
                weights.step,
                products,
                weights.recurrent[layer],
                weights.bias_n[layer],
                hidden,
                memory,
                sums,
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
    step: int, products: Any, panels: Any, bias_n: Any, hidden: Any, memory: Any, sums: Any
) -> None:
    # One step of a layer; updates `hidden` and `memory`, (num_rows, num_hiddens), in place.
    size = hidden.shape[1]
    sums[:] = products
    if step == GRU:
        for b in range(len(hidden)):
            sums[b, 2 * size : 3 * size] = bias_n
    add_matrix_product(hidden, panels, sums)
    for b in range(len(hidden)):
        if step == RNN:
            _rnn(sums[b], hidden[b])
        elif step == GRU:
            _gru(sums[b], products[b, 2 * size : 3 * size], hidden[b])
        elif step == LSTM:
            _lstm(sums[b], hidden[b], memory[b])
        elif step == MINGRU:
            _mingru(products[b], sums[b], hidden[b])
        else:
            _minlstm(products[b], sums[b], hidden[b])


@compiled
def _rnn(total: Any, h: Any) -> None:
    for j in range(len(h)):
        h[j] = tanh(total[j])


@compiled
def _gru(total: Any, x_n: Any, h: Any) -> None:
    size = len(h)
    for j in range(2 * size):
        total[j] = sigmoid(total[j])
    reset, update = total[:size], total[size : 2 * size]
    candidate = total[2 * size : 3 * size]
    for j in range(size):
        candidate[j] = tanh(x_n[j] + reset[j] * candidate[j])
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


@compiled
def choose(logits: Any, rule: Any, uniform: float, shares: Any, order: Any) -> Any:
    """Return the next token of one row and its log-probability.

    Parameters
    ----------
    logits
        Shape (vocab_size,); those of tokens that are excluded become -inf.
    rule, uniform
        How the token is chosen, and the random number in [0, 1) that decides.
    shares, order
        Scratch arrays, (vocab_size,), float64 and int64.
    """
    best = _best(logits)
    highest = np.float64(logits[best])
    for j in range(len(logits)):
        shares[j] = exp64(logits[j] - highest)
    total = 0.0
    for j in range(len(logits)):
        total += shares[j]
    if rule.no_unk:
        logits[0] = -math.inf
    if rule.never >= 0:
        logits[rule.never] = -math.inf
    if rule.no_unk or rule.never >= 0:
        best = _best(logits)
    chosen = best
    if not rule.greedy:
        chosen = _draw(logits, np.float64(logits[best]), rule, uniform, shares, order)
    return chosen, logits[chosen] - highest - math.log(total)


@compiled
def _best(logits: Any) -> int:
    best = 0
    for j in range(len(logits)):
        if logits[j] > logits[best]:
            best = j
    return best


@compiled
def _draw(logits: Any, highest: float, rule: Any, uniform: float, shares: Any, order: Any) -> Any:
    # Inverts the cumulative distribution: returns the first token whose cumulative share exceeds
    # uniform * total, so never one whose share is 0.
    size, temperature = len(logits), rule.temperature
    for j in range(size):
        shares[j] = exp64((logits[j] - highest) / temperature)
    if rule.top_k < size or rule.top_p < math.inf:
        _cut(logits, rule, shares, order)
    total = 0.0
    for j in range(size):
        total += shares[j]
    limit, reached = uniform * total, 0.0
    for j in range(size):
        reached += shares[j]
        if reached > limit:
            return j
    return size - 1


@compiled
def _cut(logits: Any, rule: Any, shares: Any, order: Any) -> None:
    # Sets all shares beyond the top k or the top p to 0. A heap yields the most probable tokens,
    # since often only a few of a large vocabulary are kept.
    size = len(logits)
    for j in range(size):
        order[j] = j
    for root in range(size // 2 - 1, -1, -1):
        _sift(logits, order, root, size)
    num_left, num_kept = size, min(rule.top_k, size)  # order[num_left:] are taken, ascending
    total = 0.0
    if num_kept < size:
        while num_left > size - num_kept:
            num_left -= 1
            _take(logits, order, num_left)
            total += shares[order[num_left]]
    else:
        for j in range(size):
            total += shares[j]
    place, mass = size, 0.0
    while place > size - num_kept and mass < rule.top_p * total:
        place -= 1
        if place < num_left:
            num_left = place
            _take(logits, order, place)
        mass += shares[order[place]]
    for i in range(place):
        shares[order[i]] = 0.0


@compiled
def _take(logits: Any, order: Any, place: int) -> None:
    # Moves the most probable token of the heap order[: place + 1] to its end.
    order[0], order[place] = order[place], order[0]
    _sift(logits, order, 0, place)


@compiled
def _sift(logits: Any, order: Any, root: int, size: int) -> None:
    # Sinks order[root] until no token below it comes before it.
    while 2 * root + 1 < size:
        child = 2 * root + 1
        if child + 1 < size and _before(logits, order[child + 1], order[child]):
            child += 1
        if not _before(logits, order[child], order[root]):
            return
        order[root], order[child] = order[child], order[root]
        root = child


@compiled
def _before(logits: Any, i: int, j: int) -> Any:
    # Of equally probable tokens the one with the smaller index comes first.
    return logits[i] > logits[j] or (logits[i] == logits[j] and i < j)
