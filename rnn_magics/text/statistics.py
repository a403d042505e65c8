"""Language statistics: n-gram counts, Zipf's law, coverage and unknown words.

Everything is counted on index arrays with NumPy, so a million tokens take well under a second,
however large the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Ids, Vocab, VocabConfig, encode_corpus

MOST_MISS = 0.8  # decades; a line further from the counts than that is no law
MAX_COUNTED = 100_000_000  # tokens; counting n-grams takes some 60 bytes of memory for each


@dataclass(frozen=True)
class NgramCounts:
    """How often each n-gram of a text occurs, most frequent first, ties by first appearance.

    Parameters
    ----------
    ngrams
        Token indices, shape (num_types, n).
    counts
        Shape (num_types,), in falling order.
    """

    ngrams: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    counts: Ids

    @property
    def n(self) -> int:
        """The length of each n-gram."""
        return self.ngrams.shape[1]

    def most_common(self, k: int, vocab: Vocab) -> list[tuple[tuple[Any, ...], int]]:
        """Return the `k` most frequent n-grams as tuples of tokens, with their counts."""
        top = zip(self.ngrams[:k].tolist(), self.counts[:k].tolist(), strict=True)
        return [(tuple(vocab.to_tokens(ngram)), count) for ngram, count in top]


def count_ngrams(ids: Ids, n: int) -> NgramCounts:
    """Count the n-grams of a sequence.

    Parameters
    ----------
    ids
        Token indices, shape (num_tokens,).
    n
        The length of an n-gram, at least 1.
    """
    windows = len(ids) - n + 1
    if windows < 1:
        return NgramCounts(np.empty((0, n), np.int64), np.empty(0, np.int64))
    # An n-gram is numbered by the number of its first n-1 tokens together with its last token.
    keys = ids[:windows].astype(np.int64)
    base = int(ids.max()) + 1
    for shift in range(1, n):
        _, keys = np.unique(keys, return_inverse=True)  # keeps the product below 2^63
        keys = keys * base + ids[shift : shift + windows]
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    first, counts = first[order], counts[order]
    return NgramCounts(ids[first[:, None] + np.arange(n)].astype(np.int64), counts)


def require_countable(corpus: Corpus, num_tokens: int) -> None:
    """Refuse a text whose n-grams would not fit into memory.

    Raises
    ------
    CorpusError
        When it has more than `MAX_COUNTED` training tokens.
    """
    if num_tokens > MAX_COUNTED:
        raise CorpusError(
            say(
                "{name!r} has {num_tokens:,} training tokens, too many to count n-grams in"
                " memory; keep at most {most:,}: %corpus ... --max-tokens {most}",
                name=corpus.name,
                num_tokens=num_tokens,
                most=MAX_COUNTED,
            )
        )


@dataclass(frozen=True)
class ZipfFit:
    """The line ``log(count) = slope * log(rank) + intercept``.

    Zipf's law says that for words the slope is near -1. A line can be fitted to any table; whether
    the table follows it is another question, which `holds` answers.

    Parameters
    ----------
    slope, intercept
        The line.
    ranks
        The first and the last rank fitted.
    miss
        How far the line is from a count at worst, in decades: 1 is a factor of ten.
    """

    slope: float
    intercept: float
    ranks: tuple[int, int]
    miss: float

    @property
    def holds(self) -> bool:
        """Whether the line is near every count: within `MOST_MISS` decades.

        It holds for words, their bigrams and trigrams. It does not for characters, of which a few
        dozen are frequent and the rest hardly occur.
        """
        return self.miss < MOST_MISS

    def __call__(self, rank: Any) -> Any:
        """Return the count that the line predicts at a rank."""
        return np.exp(self.intercept) * np.asarray(rank, float) ** self.slope


def fit_zipf(counts: Sequence[int] | Ids, first: int = 1, last: int = 1000) -> ZipfFit:
    """Fit Zipf's law by least squares on the log-log plot.

    Parameters
    ----------
    counts
        Frequencies in falling order, shape (num_types,).
    first, last
        The first and the last rank fitted; a shorter table ends the range earlier.

    Raises
    ------
    CorpusError
        When there are fewer than two ranks to fit.
    """
    fitted = np.asarray(counts, float)[first - 1 : last]
    if len(fitted) < 2:  # noqa: PLR2004  (a line needs two points)
        raise CorpusError(
            say("Zipf's law needs at least two types to fit, not {found}", found=len(fitted))
        )
    ranks = np.arange(first, first + len(fitted))
    slope, intercept = np.polyfit(np.log(ranks), np.log(fitted), 1)
    misses = np.abs(intercept + slope * np.log(ranks) - np.log(fitted)) / np.log(10)
    return ZipfFit(float(slope), float(intercept), (first, int(ranks[-1])), float(misses.max()))


def coverage(counts: Sequence[int] | Ids, sizes: Sequence[int]) -> list[float]:
    """Return, for each size, the share of the text that the `size` most frequent types cover."""
    cumulated = np.concatenate(([0], np.cumsum(np.asarray(counts))))
    last = len(cumulated) - 1
    return [float(cumulated[min(size, last)] / max(cumulated[-1], 1)) for size in sizes]


@dataclass(frozen=True)
class TextStatistics:
    """The result of `text_statistics`.

    Parameters
    ----------
    ngrams
        Counts of the unigrams, bigrams and trigrams of the training text.
    fits
        The fitted law of each; None if there are too few types.
    vocab
        Every token of the training text, in the order of the counts.
    sizes, covered
        For each size, the share of the training text that the `size` most frequent tokens cover.
    oov_rates
        For the same sizes, the share of held-out tokens that would be ``<unk>``; None if nothing
        is held out.
    """

    ngrams: tuple[NgramCounts, ...]
    fits: tuple[ZipfFit | None, ...]
    vocab: Vocab
    sizes: tuple[int, ...]
    covered: tuple[float, ...]
    oov_rates: tuple[float, ...] | None


def text_statistics(
    corpus: Corpus, token: str | None = None, reserved: tuple[str, ...] = ()
) -> TextStatistics:
    """Count a corpus: n-grams up to three, Zipf's law, coverage and out-of-vocabulary rate.

    Parameters
    ----------
    corpus
        The text; only its training part is counted.
    token
        A name of `TOKENIZERS`; by default the corpus's own.
    reserved
        Tokens that stay whole, whatever the tokenizer.

    Raises
    ------
    CorpusError
        When it has more than `MAX_COUNTED` training tokens.
    """
    vocab = Vocab.from_corpus(corpus, VocabConfig(token=token, reserved=reserved))
    encoded = encode_corpus(corpus, vocab)
    train, valid = encoded.train, encoded.valid
    require_countable(corpus, len(train))
    ngrams = tuple(count_ngrams(train, n) for n in (1, 2, 3))
    enough = 2  # points for a line
    fits = tuple(fit_zipf(c.counts) if len(c.counts) >= enough else None for c in ngrams)
    counts = [count for _, count in vocab.token_freqs]
    steps = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000]
    sizes = (*(size for size in steps if size < len(counts)), len(counts))
    oov = None
    if len(valid):
        rank = np.full(len(vocab), len(vocab))  # a vocabulary of `size` knows ranks 0 to size - 1
        rank[vocab.indices([token for token, _ in vocab.token_freqs])] = np.arange(len(counts))
        ranks = rank[valid]
        oov = tuple(float((ranks >= size).mean()) for size in sizes)
    covered = tuple(coverage(counts, sizes))
    return TextStatistics(ngrams, fits, vocab, sizes, covered, oov)
