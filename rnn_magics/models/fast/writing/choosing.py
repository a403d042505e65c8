"""The choice of a token, as the decoders ``draw`` and ``greedy`` make it; a test compares them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.maths import exp64


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
    given
        Nothing is chosen: a text is read, not written.
    """

    greedy: bool
    temperature: float
    top_k: int
    top_p: float
    no_unk: bool
    never: int = -1
    given: bool = False


@compiled
def choose(logits: Any, rule: Any, uniform: float, given: int, shares: Any, order: Any) -> Any:
    """Return the next token of one row and its log-probability.

    Parameters
    ----------
    logits
        Shape (vocab_size,); those of tokens that are excluded become -inf.
    rule, uniform
        How the token is chosen, and the random number in [0, 1) that decides.
    given
        The token, where the rule is that it is given.
    shares, order
        Scratch arrays: (2, vocab_size), float64, and (vocab_size,), int64.
    """
    best = _best(logits)
    highest, exponentials = np.float64(logits[best]), shares[0]
    for j in range(len(logits)):
        exponentials[j] = exp64(logits[j] - highest)
    if rule.no_unk:
        logits[0] = -math.inf
    if rule.never >= 0:
        logits[rule.never] = -math.inf
    if rule.no_unk or rule.never >= 0:
        best = _best(logits)
    if rule.given or rule.greedy:
        total = 0.0
        for j in range(len(logits)):
            total += exponentials[j]
        chosen = given if rule.given else best
    else:
        chosen, total = _draw(logits, np.float64(logits[best]), rule, uniform, shares, order)
    return chosen, logits[chosen] - highest - math.log(total)


@compiled
def _best(logits: Any) -> int:
    best = 0
    for j in range(len(logits)):
        if logits[j] > logits[best]:
            best = j
    return best


@compiled
def _draw(logits: Any, highest: float, rule: Any, uniform: float, both: Any, order: Any) -> Any:
    # Inverts the cumulative distribution: returns the first token whose cumulative share exceeds
    # uniform * total, so never one whose share is 0. Also returns the sum of both[0]: each addition
    # waits for the one before it, and those of two sums do not wait for each other.
    size, temperature = len(logits), rule.temperature
    exponentials, shares = both[0], both[1]
    for j in range(size):
        shares[j] = exp64((logits[j] - highest) / temperature)
    if rule.top_k < size or rule.top_p < math.inf:
        _cut(logits, rule, shares, order)
    total, reached = 0.0, 0.0
    for j in range(size):
        total += exponentials[j]
        reached += shares[j]
        shares[j] = reached
    limit = uniform * reached
    for j in range(size):
        if shares[j] > limit:
            return j, total
    return size - 1, total


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
