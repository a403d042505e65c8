"""Whether held-out text was trained on: then its perplexity measures memory, not learning."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnn_magics.batching import Batches

WINDOW = 64  # tokens; long enough that only a copy has all of them in common
_MOST_WINDOWS = 4096  # of each part that are looked for
_SLICE = 1 << 20  # tokens whose hashes are in memory at once
_EXCESS = 0.05
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_BASE = 0x2545F4914F6CDD1D
Hashes = NDArray[np.uint64]


def check_overlap(batches: Batches) -> str | None:
    """Look for held-out text in the training text, and for windows that leave the latter.

    Held-out windows of 64 tokens are looked for at every place of the training text. A text that
    repeats itself has some of them there anyway, so their share is compared with the share of
    training windows that stand in the training text twice: only what exceeds it, by more than so
    few windows differ by chance, is a problem. A copy inside a text that repeats itself
    throughout is therefore not found. Held-out text of fewer than 128 tokens is not judged.

    Parameters
    ----------
    batches
        The minibatches, with their held-out text.

    Returns
    -------
    str or None
        A sentence about what is wrong and what to do; None when all is well.
    """
    return _windows_outside(batches) or _copied(batches)


def _windows_outside(batches: Batches) -> str | None:
    starts = batches.plan(torch.Generator().manual_seed(0)).starts
    first, last = int(starts.min()), int(starts.max()) + batches.config.num_steps
    if first >= 0 and last < len(batches.ids):
        return None
    return (
        f"the windows of an epoch reach from token {first:,} to {last:,}, but the training text"
        f" has tokens 0 to {len(batches.ids) - 1:,}; a plan must leave num_steps + 1 tokens behind"
        " each start"
    )


def _copied(batches: Batches) -> str | None:
    held_out, trained = _spread(batches.valid), _spread(batches.ids)
    if len(held_out) < 2 or not len(trained):  # noqa: PLR2004  (one window is no share)
        return None
    found = _occurrences(batches.ids, np.concatenate([held_out, trained]))
    share = float((found[: len(held_out)] > 0).mean())
    usual = float((found[len(held_out) :] > 1).mean())
    if share - usual <= _EXCESS + 1 / math.sqrt(len(held_out)):
        return None
    return (
        f"{share:.0%} of the held-out windows of {WINDOW} tokens stand in the training text, where"
        f" {usual:.0%} of its own stand twice; the held-out perplexity means nothing: hold out text"
        " that is not trained on"
    )


def _spread(ids: Tensor) -> Hashes:
    # The hashes of windows side by side, of a long text of some that are evenly spread.
    count = len(ids) // WINDOW
    chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_WINDOWS)).astype(int))
    if not len(chosen):
        return np.empty(0, np.uint64)
    places = torch.from_numpy(chosen)[:, None] * WINDOW + torch.arange(WINDOW)
    tokens = ids[places.to(ids.device)]  # (num_windows, WINDOW)
    return _hashed(tokens.cpu().numpy())[:, 0]


def _occurrences(ids: Tensor, wanted: Hashes) -> NDArray[np.int64]:
    # How often each wanted window stands in the text, at whatever place.
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
    # A polynomial modulo 2^64 for each window of the last axis, doubled from one token to WINDOW.
    hashes = (tokens.astype(np.uint64) + np.uint64(1)) * _SPREAD
    hashes ^= hashes >> np.uint64(29)
    hashes *= _SPREAD
    width = 1
    while width < WINDOW:
        factor = np.uint64(pow(_BASE, width, 1 << 64))
        hashes = hashes[..., :-width] * factor + hashes[..., width:]
        width *= 2
    return hashes
