"""A corpus as indices of a vocabulary, in two parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_magics.text.indexing.ids import Ids

_SLICE = 1 << 20


@dataclass(frozen=True)
class EncodedCorpus:
    """A corpus as token indices, split into training and held-out text.

    Parameters
    ----------
    train, valid
        Token indices, each of shape (num_tokens,), in the smallest integer type that fits the
        vocabulary. They may be views of one array; do not write to them.
    notes
        For a text on disk, what was wrong with its earlier files.
    """

    train: Ids
    valid: Ids
    notes: tuple[str, ...] = ()

    @property
    def train_unk_share(self) -> float:
        """The share of the training tokens that are ``<unk>``."""
        return unk_share(self.train)

    @property
    def valid_unk_share(self) -> float:
        """The share of the held-out tokens that are ``<unk>`` (the OOV rate)."""
        return unk_share(self.valid)


def unk_share(ids: Ids) -> float:
    """Return the share of indices that are 0 (``<unk>``); 0 if there are no indices."""
    # Slice by slice: for a text on disk, even one byte for each token is too much memory.
    starts = range(0, len(ids), _SLICE)
    known = sum(int(np.count_nonzero(ids[start : start + _SLICE])) for start in starts)
    return 1 - known / len(ids) if len(ids) else 0.0
