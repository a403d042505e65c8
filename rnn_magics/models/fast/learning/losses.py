"""Cross-entropy and its gradient, each row in one go while it is in the cache.

Torch passes over all logits five times for the two.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.maths import exp
from rnn_magics.models.fast.tile import at, begin_of

LANES = 16  # sums at once: a vector of float32


@compiled
def nats_of_rows(logits: Any, labels: Any, nats: Any, d_logits: Any, first: int, last: int) -> None:
    """Fill the rows first..last - 1 of a loss and of its gradient.

    Parameters
    ----------
    logits, labels
        Shapes (num_rows, vocab_size) and (num_rows,).
    nats
        Receives ``-log softmax(logits)[label]`` of each row, (num_rows,), float64; nan where the
        label is none.
    d_logits
        Receives the gradient of their mean, (num_rows, vocab_size).
    """
    number = logits.dtype.type
    lanes, share = np.empty(LANES, logits.dtype), number(1 / len(logits))
    for i in range(first, last):
        row, result, label = _row(logits, i), _row(d_logits, i), labels[i]
        if label < 0 or label >= len(row):
            nats[i] = np.nan
            continue
        highest = _highest(row, lanes)
        for j in range(len(row)):
            result[j] = exp(row[j] - highest)
        # The others are added up without the label: if it is almost certain, its gradient is their
        # small share. As 1 - p it would be the rounding of p, the same way for every such token.
        own, result[label] = result[label], 0
        others = _total(result, lanes)
        nats[i] = math.log(np.float64(own) + np.float64(others)) + (
            np.float64(highest) - np.float64(row[label])
        )
        factor = share / (own + others)
        for j in range(len(result)):
            result[j] *= factor
        result[label] = -others * factor


@compiled
def _row(rows: Any, i: int) -> Any:
    # Not a slice: its owner counts those, and threads would wait for each other to count.
    return carray(at(begin_of(rows), i * rows.shape[1]), (rows.shape[1],))


@compiled
def _highest(row: Any, lanes: Any) -> Any:
    # Without nan; what is nan is so in the sum.
    whole = len(row) // LANES * LANES
    lanes[:] = row[0]
    for begin in range(0, whole, LANES):
        part = row[begin : begin + LANES]
        for lane in range(LANES):
            lanes[lane] = max(lanes[lane], part[lane])
    for j in range(whole, len(row)):
        lanes[j - whole] = max(lanes[j - whole], row[j])
    width = LANES // 2
    while width:
        for lane in range(width):
            other = lanes[width + lane]
            lanes[lane] = max(lanes[lane], other)
        width //= 2
    return lanes[0]


@compiled
def _total(row: Any, lanes: Any) -> Any:
    whole = len(row) // LANES * LANES
    lanes[:] = 0
    for begin in range(0, whole, LANES):
        part = row[begin : begin + LANES]
        for lane in range(LANES):
            lanes[lane] += part[lane]
    for j in range(whole, len(row)):
        lanes[j - whole] += row[j]
    width = LANES // 2
    while width:
        for lane in range(width):
            lanes[lane] += lanes[width + lane]
        width //= 2
    return lanes[0]
