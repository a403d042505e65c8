"""What of a text a perplexity is read with: its unknown tokens, and its words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.vocab import Vocab, unk_share

_SLICE = 1 << 22  # tokens looked at at once: of a text on disk nothing as long may be in memory


@dataclass(frozen=True)
class TextCounts:
    """What is counted once for each text.

    Parameters
    ----------
    unk_share
        The share of tokens that the vocabulary does not have, and that are read as ``<unk>``.
    num_words
        Runs of characters without white space that begin after the first character; None
        where tokens are no characters.
    """

    unk_share: float
    num_words: int | None


def count_text(ids: Ids, vocab: Vocab) -> TextCounts:
    """Count the unknown tokens of a text, and of characters the words.

    Parameters
    ----------
    ids
        Token indices, (num_tokens,).
    vocab
        What they mean.
    """
    num_words = count_words(ids, vocab) if vocab.token == "char" else None
    return TextCounts(unk_share(ids), num_words)


def count_words(ids: Ids, vocab: Vocab) -> int:
    """Count the words of character indices that begin after the first character."""
    tokens = vocab.to_tokens(list(range(len(vocab))))
    is_space = np.array([str(token).isspace() for token in tokens])  # (vocab_size,)
    begun = 0
    for start in range(0, len(ids) - 1, _SLICE):
        spaces = is_space[ids[start : start + _SLICE + 1]]  # and the first of the next slice
        begun += int((spaces[:-1] & ~spaces[1:]).sum())
    return begun
