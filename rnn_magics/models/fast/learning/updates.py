"""The update of all weights, compiled: the norm of the gradient in one pass, all else in another.

Torch takes seven passes over weights and gradients for what `gradient_norm`, `clip_gradients`,
`LastGood` and an optimizer do. At textbook sizes each costs more to launch than to run.

Weights are divided into chunks, which are rows of a table: the number of the weight, the place
where the chunk begins in it, its length, and its place among all weights. A thread takes some of
the rows. Where the weights lie is told by their addresses, since a function of numba is compiled
anew for each number of arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.tile import at

CHUNK = 8192  # weights in a chunk; with gradient and moments they fit into the first-level cache
LANES = 64  # sums at once: four vectors of float32, so that no addition waits for the one before
WEIGHT, GRADIENT, MEAN, SQUARE = range(4)  # the addresses of each weight
_BLOCK = 512  # weights between two rules of an update


@intrinsic
def _pointer_to(_typing: Any, address: Any, like: Any) -> Any:
    # A pointer to numbers of the type of an array.
    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(like.dtype)(types.int64, like), codegen


@compiled
def _numbers(addresses: Any, of: int, row: Any, like: Any) -> Any:
    # The numbers of a chunk: its weights, gradients or moments.
    begin = at(_pointer_to(addresses[row[0], of], like), row[1])
    return carray(begin, (row[2],))


@compiled
def sum_squares(table: Any, addresses: Any, sums: Any, first: int, last: int) -> None:
    """Add up the squares of the gradients of each chunk, in `sums`, (num_chunks, LANES)."""
    for chunk in range(first, last):
        gradients, lanes = _numbers(addresses, GRADIENT, table[chunk], sums), sums[chunk]
        lanes[:] = 0
        whole = len(gradients) // LANES * LANES
        for begin in range(0, whole, LANES):
            part = gradients[begin : begin + LANES]
            for lane in range(LANES):
                lanes[lane] += part[lane] * part[lane]
        for place in range(whole, len(gradients)):
            lanes[place - whole] += gradients[place] * gradients[place]


@compiled
def _begin(table: Any, addresses: Any, kept: Any, chunk: int, scale: float) -> Any:
    # Keeps the weights of a chunk, and clips its gradients in place.
    row = table[chunk]
    weights = _numbers(addresses, WEIGHT, row, kept)
    gradients = _numbers(addresses, GRADIENT, row, kept)
    before = kept[row[3] : row[3] + row[2]]
    for place in range(len(weights)):
        before[place] = weights[place]
    if scale != 1:
        factor = kept.dtype.type(scale)
        for place in range(len(gradients)):
            gradients[place] *= factor
    return weights, gradients


@compiled
def _count_bad(weights: Any) -> int:
    # How many are infinite or nan.
    bad, largest = 0, weights.dtype.type(np.finfo(weights.dtype).max)
    for place in range(len(weights)):
        bad += 0 if abs(weights[place]) <= largest else 1
    return bad


@compiled
def update_sgd(
    table: Any,
    addresses: Any,
    kept: Any,
    bad: Any,
    scale: float,
    lr: float,
    decay: float,
    first: int,
    last: int,
) -> None:
    """Take a step of gradient descent, as `torch.optim.SGD` without momentum.

    Parameters
    ----------
    table, addresses
        The chunks, and where the weights and their gradients lie.
    kept
        Receives the weights from before, (num_weights,).
    bad
        Receives how many weights of each chunk are not finite, (num_chunks,).
    scale
        The factor of the gradients, from clipping; they are multiplied in place.
    lr, decay
        The learning rate, and the weight decay.
    first, last
        Which chunks.
    """
    number = kept.dtype.type
    rate, pull = number(lr), number(decay)
    for chunk in range(first, last):
        weights, gradients = _begin(table, addresses, kept, chunk, scale)
        for place in range(len(weights)):
            weights[place] -= rate * (gradients[place] + pull * weights[place])
        bad[chunk] = _count_bad(weights)


@compiled
def update_adam(
    table: Any,
    addresses: Any,
    kept: Any,
    bad: Any,
    scale: float,
    lr: float,
    decay: float,
    shrunk: float,
    steps: Any,
    beta1: float,
    beta2: float,
    eps: float,
    first: int,
    last: int,
) -> None:
    """Take a step as `torch.optim.Adam`, or as `torch.optim.AdamW`.

    Parameters
    ----------
    decay, shrunk
        The weight decay, through the moments, and a factor of the weights: for Adam the latter is
        1, for AdamW the former 0.
    steps
        The number of steps of each weight, this one included, (num_parameters,).
    beta1, beta2, eps
        The decay of the two moments, and what is added to the root of the second.
    table, addresses, kept, bad, scale, lr, first, last
        As for `update_sgd`.
    """
    number = kept.dtype.type
    new, new_square, least = number(1 - beta1), number(1 - beta2), number(eps)
    pull, factor = number(decay), number(shrunk)
    for chunk in range(first, last):
        weights, gradients = _begin(table, addresses, kept, chunk, scale)
        means = _numbers(addresses, MEAN, table[chunk], kept)
        squares = _numbers(addresses, SQUARE, table[chunk], kept)
        taken = steps[table[chunk, 0]]
        rate = number(lr / (1 - beta1**taken))
        shorter = number(1 / math.sqrt(1 - beta2**taken))
        for begin in range(0, len(weights), _BLOCK):  # a loop over all four is not vectorised
            w, g = weights[begin : begin + _BLOCK], gradients[begin : begin + _BLOCK]
            m, v = means[begin : begin + _BLOCK], squares[begin : begin + _BLOCK]
            for place in range(len(w)):
                # Not a sum of two products: which of them is rounded would be up to the compiler,
                # and another process may have compiled another choice.
                m[place] += new * (g[place] + pull * w[place] - m[place])
            for place in range(len(w)):
                gradient = g[place] + pull * w[place]
                v[place] += new_square * (gradient * gradient - v[place])
            for place in range(len(w)):
                w[place] = factor * w[place] - rate * m[place] / (
                    math.sqrt(v[place]) * shorter + least
                )
        bad[chunk] = _count_bad(weights)
