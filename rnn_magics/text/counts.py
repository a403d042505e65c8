"""Counts that help to interpret the perplexity of a text: its unknown tokens and its words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.vocab import Vocab, unk_share

_SLICE = 1 << 22  # tokens counted at once, so that a text on disk never fills the memory


@dataclass(frozen=True)
class TextCounts:
    """Counts of a text, taken once.

    Parameters
    ----------
    unk_share
        The share of tokens that are not in the vocabulary and are read as ``<unk>``.
    num_words
        How many runs of characters without white space begin after the first character; None if
        the tokens are not characters.
    """

    unk_share: float
    num_words: int | None


def count_text(ids: Ids, vocab: Vocab) -> TextCounts:
    """Count the unknown tokens of a text and, if its tokens are characters, its words.

    Parameters
    ----------
    ids
        Token indices, (num_tokens,).
    vocab
        Maps them to tokens.
    """
    num_words = count_words(ids, vocab) if vocab.token == "char" else None
    return TextCounts(unk_share(ids), num_words)


def count_words(ids: Ids, vocab: Vocab) -> int:
    """Count the words of character indices that begin after the first character."""
    tokens = vocab.to_tokens(list(range(len(vocab))))
    is_space = np.array([str(token).isspace() for token in tokens])  # (vocab_size,)
    begun = 0
    for start in range(0, len(ids) - 1, _SLICE):
        spaces = is_space[ids[start : start + _SLICE + 1]]  # with the first of the next slice
        begun += int((spaces[:-1] & ~spaces[1:]).sum())
    return begun
