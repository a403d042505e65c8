"""Checks whether the model was trained on held-out text: then perplexity measures memory."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnn_magics.batching import Batches
from rnn_magics.language import say

WINDOW = 64  # tokens; long enough that only copies agree in all of them
_MOST_WINDOWS = 4096  # windows of each part to look for
_SLICE = 1 << 20  # tokens hashed at once
_EXCESS = 0.05
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_BASE = 0x2545F4914F6CDD1D
Hashes = NDArray[np.uint64]


def check_overlap(batches: Batches) -> str | None:
    """Look for held-out text in the training text, and for windows outside the training text.

    Held-out windows of 64 tokens are searched at every position of the training text. In a
    repetitive text some of them occur there anyway, so their share is compared with the share of
    training windows that occur twice in the training text. It is a problem only if the difference
    is larger than chance explains for this number of windows. A copy within a text that repeats
    itself throughout is therefore not found. Held-out text of fewer than 128 tokens is not judged.

    Parameters
    ----------
    batches
        The minibatches, with their held-out text.

    Returns
    -------
    str or None
        A sentence that says what is wrong and what to do; None if nothing is wrong.
    """
    return _windows_outside(batches) or _copied(batches)


def _windows_outside(batches: Batches) -> str | None:
    starts = batches.plan(torch.Generator().manual_seed(0)).starts
    first, last = int(starts.min()), int(starts.max()) + batches.config.num_steps
    if first >= 0 and last < len(batches.ids):
        return None
    return say(
        "the windows of an epoch reach from token {first:,} to {last:,},"
        " but the training text has tokens 0 to {end:,}; a plan must leave"
        " num_steps + 1 tokens from each start on",
        first=first,
        last=last,
        end=len(batches.ids) - 1,
    )


def _copied(batches: Batches) -> str | None:
    held_out, trained = _spread(batches.valid), _spread(batches.ids)
    if len(held_out) < 2 or not len(trained):  # noqa: PLR2004  (one window has no share)
        return None
    found = _occurrences(batches.ids, np.concatenate([held_out, trained]))
    share = float((found[: len(held_out)] > 0).mean())
    usual = float((found[len(held_out) :] > 1).mean())
    if share - usual <= _EXCESS + 1 / math.sqrt(len(held_out)):
        return None
    return say(
        "{share:.0%} of the held-out windows of {window} tokens occur in"
        " the training text, where {usual:.0%} of its own windows occur"
        " twice; the held-out perplexity means nothing: hold out text that"
        " the model is not trained on",
        share=share,
        window=WINDOW,
        usual=usual,
    )


def _spread(ids: Tensor) -> Hashes:
    # The hashes of adjacent windows; for a long text, of an evenly spaced sample of them.
    count = len(ids) // WINDOW
    chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_WINDOWS)).astype(int))
    if not len(chosen):
        return np.empty(0, np.uint64)
    places = torch.from_numpy(chosen)[:, None] * WINDOW + torch.arange(WINDOW)
    tokens = ids[places.to(ids.device)]  # (num_windows, WINDOW)
    return _hashed(tokens.cpu().numpy())[:, 0]


def _occurrences(ids: Tensor, wanted: Hashes) -> NDArray[np.int64]:
    # How often each wanted window occurs in the text, at any position.
    known, where = np.unique(wanted, return_inverse=True)
    counts = np.zeros(len(known), np.int64)
    for hashes in _every_window(ids):
        place = np.searchsorted(known, hashes)
        place[place == len(known)] = 0
        counts += np.bincount(place[known[place] == hashes], minlength=len(known))
    return counts[where]


def _every_window(ids: Tensor) -> Iterator[Hashes]:
    for start in range(0, len(ids) - WINDOW + 1, _SLICE):
        yield _hashed(ids[start : start + _SLICE + WINDOW - 1].cpu().numpy())


def _hashed(tokens: NDArray[np.integer]) -> Hashes:
    # A polynomial hash modulo 2^64 of each window along the last axis, doubling from one token up.
    hashes = (tokens.astype(np.uint64) + np.uint64(1)) * _SPREAD
    hashes ^= hashes >> np.uint64(29)
    hashes *= _SPREAD
    width = 1
    while width < WINDOW:
        factor = np.uint64(pow(_BASE, width, 1 << 64))
        hashes = hashes[..., :-width] * factor + hashes[..., width:]
        width *= 2
    return hashes
