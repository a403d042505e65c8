"""Counts that help to interpret the perplexity of a text: its unknown tokens and its words."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.vocab import Vocab, unk_share

_SLICE = 1 << 22  # tokens counted at once, so that a text on disk never fills the memory
_LONGEST = 20  # characters of a word on average; German has 6, Finnish 8, a line of DNA 60 to 80
_UNSPACED = (  # the names of letters whose scripts put no space between words
    *("CJK ", "HIRAGANA ", "KATAKANA ", "BOPOMOFO ", "YI SYLLABLE "),
    *("THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ", "JAVANESE ", "BALINESE "),
)


@dataclass(frozen=True)
class TextCounts:
    """Counts of a text, taken once.

    Parameters
    ----------
    unk_share
        The share of tokens that are not in the vocabulary and are read as ``<unk>``.
    num_words
        How many runs of characters without white space begin after the first character; None if
        the tokens are not characters, or such runs are no words, see `count_words`.
    num_documents
        How many documents begin; None if the text is not documents.
    """

    unk_share: float
    num_words: int | None
    num_documents: int | None = None


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
    return TextCounts(unk_share(ids), num_words, count_documents(ids, vocab))


def count_documents(ids: Ids, vocab: Vocab) -> int | None:
    """Count the documents that begin in a text; None if it is not documents."""
    if vocab.marks is None:
        return None
    return int(np.count_nonzero(ids[:-1] == vocab.marks.begin))  # the last mark only ends one


def count_words(ids: Ids, vocab: Vocab) -> int | None:
    """Count the words of character indices that begin after the first character.

    Returns
    -------
    int or None
        None if the text has no words between white space: if most of its characters are of a script
        that puts no space between words, such as Chinese or Thai, or if its words have more than 20
        characters on average, such as the lines of DNA.
    """
    tokens = [str(token) for token in vocab.to_tokens(list(range(len(vocab))))]
    if vocab.marks is not None:  # a document ends a word
        tokens[vocab.marks.begin] = " "
    is_space = np.array([token.isspace() for token in tokens])  # (vocab_size,)
    is_unspaced = np.array([_is_unspaced(token) for token in tokens])
    begun = 0
    counts = np.zeros(len(tokens), np.int64)
    for start in range(0, len(ids), _SLICE):
        spaces = is_space[ids[start : start + _SLICE + 1]]  # with the first of the next slice
        begun += int((spaces[:-1] & ~spaces[1:]).sum())
        counts += np.bincount(ids[start : start + _SLICE], minlength=len(tokens))
    inked = int(counts[~is_space].sum())
    if int(counts[is_unspaced].sum()) > inked / 2 or inked > _LONGEST * max(begun, 1):
        return None
    return begun


def _is_unspaced(token: str) -> bool:
    return len(token) == 1 and unicodedata.name(token, "").startswith(_UNSPACED)
