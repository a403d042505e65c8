"""How much of a written text is copied from the training text.

For each token of the text, the longest stretch that begins there and stands somewhere in the
training text. They are read off a suffix array of both texts and the lengths of the prefixes that
neighbours in it share, both made in linear time (libdivsufsort; Kasai et al. 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_magics.decoding.generate import Generation
from rnn_magics.errors import CorpusError
from rnn_magics.results import Result
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.statistics import require_countable
from rnn_magics.text.vocab import Vocab, encode_corpus

LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 32, 64)
_SHORTEST = {"char": 12}  # a copied span of fewer tokens says nothing; 4 of other tokens


@dataclass(frozen=True)
class CopiedSpan:
    """A stretch of a text that stands in the training text.

    Parameters
    ----------
    begin, end
        Its tokens are ``tokens[begin:end]`` of the text.
    text
        Their text.
    source
        Where the first of them stands in the training text, in tokens.
    line, line_text
        The line of the cleaned text in which it begins, counted from 1, and what it says; None and
        empty for tokens that were given.
    """

    begin: int
    end: int
    text: str
    source: int
    line: int | None
    line_text: str

    def __len__(self) -> int:
        """Return the number of tokens."""
        return self.end - self.begin


@dataclass(frozen=True, repr=False)
class Novelty(Result):
    """What of a written text is new.

    Parameters
    ----------
    tokens
        The text, its prefix left out.
    spans
        The longest copied stretches, in the order of the text; they do not overlap.
    shares
        For each length n the share of the n-grams of the text that the training text has not.
    pieces
        The text in pieces: each with the place of its span in `spans`, or None.
    """

    tokens: list[Any]
    spans: list[CopiedSpan]
    shares: dict[int, float]
    pieces: list[tuple[str, int | None]]

    @property
    def longest(self) -> CopiedSpan | None:
        """The longest copied span, None when no span is long enough to be listed."""
        return max(self.spans, key=len, default=None)

    def __repr__(self) -> str:
        """One line: how long the longest copy is."""
        longest = (
            "no copied span worth listing"
            if self.longest is None
            else (f"longest copied span {len(self.longest)} tokens")
        )
        return f"Novelty({len(self.tokens)} tokens, {longest})"


def measure_novelty(generation: Generation, corpus: Corpus, vocab: Vocab) -> Novelty:
    r"""Compare a written text with the text that its model was trained on.

    .. math:: \mathrm{new}_n = \frac{\#\{i \le m - n + 1 : \ell_i < n\}}{m - n + 1}

    is the share of new n-grams of m tokens, of which the longest copy that begins at token i has
    the length :math:`\ell_i`.

    Parameters
    ----------
    generation
        What `generate` returned; its prefix is left out.
    corpus
        Its training part is searched.
    vocab
        Of the model.

    Raises
    ------
    CorpusError
        When the corpus is too long for memory, or pydivsufsort is not installed.
    """
    train = encode_corpus(corpus, vocab).train
    require_countable(corpus, len(train))
    written = vocab.indices(generation.tokens)
    lengths, sources = copied_lengths(train, written)
    lines = _Lines(corpus, vocab)
    spans = []
    for begin in _longest_apart(lengths, _SHORTEST.get(vocab.token, 4)):
        end, source = begin + int(lengths[begin]), int(sources[begin])
        text = vocab.tokenizer.join(generation.tokens[begin:end])
        spans.append(CopiedSpan(begin, end, text, source, *lines.at(source)))
    shares = {
        n: float(np.mean(lengths[: len(lengths) - n + 1] < n)) for n in LENGTHS if n <= len(lengths)
    }
    return Novelty(generation.tokens, spans, shares, _pieces(generation, vocab, spans))


def copied_lengths(train: Ids, written: Ids) -> tuple[Ids, Ids]:
    """Return how far each place of a text goes on as some place of another does.

    Parameters
    ----------
    train, written
        Token indices, (num_tokens,) and (num_written,).

    Returns
    -------
    lengths, sources : numpy.ndarray
        Each (num_written,): the longest match, 0 for none, and where it begins in `train`.

    Raises
    ------
    CorpusError
        When pydivsufsort is not installed.
    """
    try:
        from pydivsufsort import divsufsort, kasai  # noqa: PLC0415  (an optional extra)
    except ImportError:
        msg = "--novelty needs pydivsufsort: pip install 'rnn_magics[novelty]'"
        raise CorpusError(msg) from None
    size = len(train)
    both = np.concatenate((train.astype(np.int64), [-1], written)) + 1  # 0 parts the two
    kind = np.uint8 if both.max() < np.iinfo(np.uint8).max else np.int32
    both = np.ascontiguousarray(both.astype(kind))
    order = divsufsort(both)  # (size + 1 + num_written,)
    shared = kasai(both, order)  # of each suffix with the one behind it in the order
    lengths, sources = np.zeros(len(written), np.int64), np.zeros(len(written), np.int64)
    ranks = np.flatnonzero(order > size)  # of the suffixes of what was written
    # The nearest training suffix on either side shares the most; what stands between two
    # neighbours shares no less than the least of the prefixes between.
    for sequence, step in ((ranks, -1), (ranks[::-1], 1)):
        last, length, source = -2, 0, 0
        for rank in sequence.tolist():
            neighbour = rank + step
            link = int(shared[min(rank, neighbour)]) if 0 <= neighbour < len(order) else 0
            if neighbour == last:
                length = min(length, link)
            else:
                length, source = link, int(order[neighbour]) if link else 0
            place, last = int(order[rank]) - size - 1, rank
            if length > lengths[place]:
                lengths[place], sources[place] = length, source
    return lengths, sources


def _longest_apart(lengths: Ids, shortest: int) -> list[int]:
    # Where the longest spans begin that do not overlap, taken from the longest down.
    taken = np.zeros(len(lengths), bool)
    begins = []
    for begin in np.argsort(-lengths, kind="stable").tolist():
        end = begin + int(lengths[begin])
        if end - begin < shortest:
            break
        # What is taken is no shorter, so it overlaps this span only where it holds an end of it.
        if not (taken[begin] or taken[end - 1]):
            taken[begin:end] = True
            begins.append(begin)
    return sorted(begins)


class _Lines:
    """The lines of a text, and where they stand in its tokens."""

    def __init__(self, corpus: Corpus, vocab: Vocab) -> None:
        self._lines = corpus.data.split("\n") if isinstance(corpus.data, str) else []
        # A line end is a token, but not where the text is cleaned as the book does.
        line_end = 0 if corpus.config.d2l else 1
        sizes = [len(vocab.tokenizer.split(line)) + line_end for line in self._lines]
        self._ends = np.cumsum(sizes)

    def at(self, place: int) -> tuple[int | None, str]:
        """Return the number and the text of the line that a token stands in."""
        if not self._lines:
            return None, ""
        line = int(np.searchsorted(self._ends, place, side="right"))
        return line + 1, self._lines[line]


def _pieces(
    generation: Generation, vocab: Vocab, spans: list[CopiedSpan]
) -> list[tuple[str, int | None]]:
    glue, tokens = vocab.tokenizer.glue, generation.tokens
    of_token: list[int | None] = [None] * len(tokens)
    for number, span in enumerate(spans):
        of_token[span.begin : span.end] = [number] * len(span)
    pieces: list[tuple[str, int | None]] = []
    for token, before, copied in zip(tokens, [None, *tokens], of_token, strict=False):
        added = glue(before, token)
        if pieces and pieces[-1][1] == copied:
            pieces[-1] = (pieces[-1][0] + added, copied)
        else:
            pieces.append((added, copied))
    return pieces
