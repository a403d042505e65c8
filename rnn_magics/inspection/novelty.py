"""How much of a generated text is copied from the training text.

For each token of the text, this finds the longest span that begins there and also occurs in the
training text. The spans are read off a suffix array of both texts and its array of longest common
prefixes, both built in linear time (libdivsufsort; Kasai et al. 2001).

A text that nobody copied shares spans with the training text, too, and the more its author repeats
himself, the longer they are. A span counts as copied if it is longer than what the held-out part of
the text, which the author wrote, has in common with the training part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rnn_magics.decoding.generate import Generation
from rnn_magics.decoding.prefix import added, split_text
from rnn_magics.errors import CorpusError
from rnn_magics.language import say, say_number
from rnn_magics.results import Result, brief
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import EOS
from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.statistics import require_countable
from rnn_magics.text.vocab import Vocab, encode_corpus

LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 32, 64)
_SHORTEST = dict.fromkeys(("char", "grapheme", "byte"), 12)  # a shorter copied span means
# nothing; 4 for other tokens
_MOST_COMPARED = 50_000  # tokens of the held-out text
_ORDINARY = 0.95  # of the stretches of held-out text have no longer span


@dataclass(frozen=True)
class CopiedSpan:
    """A span of a generated text that also occurs in the training text.

    Parameters
    ----------
    begin, end
        The span is ``tokens[begin:end]`` of the text.
    text
        The text of the span.
    source
        The position of its first token in the training text, in tokens.
    line, line_text
        The number, from 1, and the text of the line of the cleaned training text in which it
        begins. None and empty for a corpus of ready-made tokens.
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
        The generated text without its prefix.
    ordinary
        The length that the longest span of a held-out text of the same size has, in 19 of 20 cases.
    spans
        The longest spans in the order of the text, without overlaps, that are longer than that.
    shares
        For each length n, the share of n-grams in the text that do not occur in the training text.
    pieces
        The text in pieces, each with the index of its span in `spans`, or None.
    """

    tokens: list[Any]
    ordinary: int
    spans: list[CopiedSpan]
    shares: dict[int, float]
    pieces: list[tuple[str, int | None]]

    @property
    def longest(self) -> CopiedSpan | None:
        """The longest copied span; None if no span is long enough to be listed."""
        return max(self.spans, key=len, default=None)

    def __repr__(self) -> str:
        """Return one line with the length of the longest copied span."""
        return f"Novelty({self.said})"

    @property
    def said(self) -> str:
        """The length of the longest copied span, beside what is usual."""
        longest = (
            say("no copied span worth listing")
            if self.longest is None
            else say("longest copied span {number} tokens", number=len(self.longest))
        )
        usual = say("held-out text has up to {number}", number=self.ordinary)
        return say_number(
            len(self.tokens),
            "{tokens} token, {longest}; {usual}",
            "{tokens} tokens, {longest}; {usual}",
            tokens=len(self.tokens),
            longest=longest,
            usual=usual,
        )


def measure_novelty(generation: Generation, corpus: Corpus, vocab: Vocab) -> Novelty:
    r"""Compare a generated text with the text that its model was trained on.

    .. math:: \mathrm{new}_n = \frac{\#\{i \le m - n + 1 : \ell_i < n\}}{m - n + 1}

    is the share of new n-grams among m tokens, where :math:`\ell_i` is the length of the longest
    copy that begins at token i.

    Parameters
    ----------
    generation
        The result of `generate`; its prefix is ignored.
    corpus
        The corpus whose training part is searched.
    vocab
        The vocabulary of the model.

    Raises
    ------
    CorpusError
        If the corpus is too long for memory, or pydivsufsort is not installed.
    """
    encoded = encode_corpus(corpus, vocab)
    train = encoded.train
    require_countable(corpus, len(train))
    written = vocab.indices(generation.tokens)
    lengths, sources = copied_lengths(train, written)
    lines = _Lines(corpus, vocab)
    ordinary = ordinary_length(train, encoded.valid, len(written))
    spans = []
    for begin in _longest_apart(lengths, max(ordinary + 1, _SHORTEST.get(vocab.token, 4))):
        end, source = begin + int(lengths[begin]), int(sources[begin])
        text = vocab.tokenizer.join(generation.tokens[begin:end])
        spans.append(CopiedSpan(begin, end, text, source, *lines.at(source)))
    shares = {
        n: float(np.mean(lengths[: len(lengths) - n + 1] < n)) for n in LENGTHS if n <= len(lengths)
    }
    return Novelty(generation.tokens, ordinary, spans, shares, _pieces(generation, vocab, spans))


def known_documents(texts: Sequence[Generation], corpus: Corpus, vocab: Vocab) -> tuple[bool, ...]:
    """Return which texts are, from beginning to end, documents of the training part of a corpus.

    Parameters
    ----------
    texts
        Results of `generate`. One that was cut before its end is not a document.
    corpus, vocab
        The documents that their model was trained on, and its vocabulary.

    Returns
    -------
    tuple of bool
        One for each text; none of a text where the corpus is not documents.
    """
    if vocab.marks is None:
        return (False,) * len(texts)
    ids = encode_corpus(corpus, vocab).train
    begins = np.flatnonzero(ids == vocab.marks.begin).tolist()
    known = {ids[a + 1 : b].astype(np.int64).tobytes() for a, b in pairwise(begins)}
    return tuple(
        text.tokens[-1] == EOS
        and vocab.indices([*split_text(vocab, text.prefix)[1:], *text.tokens[:-1]]).tobytes()
        in known
        for text in texts
    )


def ordinary_length(train: Ids, valid: Ids, num_written: int) -> int:
    """Return how long a span that is in both texts has to be before it is remarkable.

    The held-out text is cut into stretches as long as the written text. In 19 of 20 of them, the
    longest span that also occurs in the training text is at most this long.

    Parameters
    ----------
    train, valid
        Token indices, (num_tokens,) and (num_valid_tokens,). If nothing is held out, the last tenth
        of the training text is compared with the rest.
    num_written
        The number of tokens of the written text.
    """
    if len(valid) == 0:
        held_out = len(train) // 10
        train, valid = train[: len(train) - held_out], train[len(train) - held_out :]
    valid = valid[:_MOST_COMPARED]
    size = max(1, min(num_written, len(valid)))
    num_stretches = len(valid) // size
    if len(train) == 0 or num_stretches == 0:
        return 0
    lengths, _ = copied_lengths(train, valid[: num_stretches * size])
    within = np.minimum(lengths.reshape(num_stretches, size), np.arange(size, 0, -1))
    return int(np.quantile(within.max(axis=1), _ORDINARY, method="higher"))


def copied_lengths(train: Ids, written: Ids) -> tuple[Ids, Ids]:
    """Return, for each position in a text, the longest match that begins there in another text.

    Parameters
    ----------
    train, written
        Token indices, (num_tokens,) and (num_written,).

    Returns
    -------
    lengths, sources : numpy.ndarray
        The length of the longest match, 0 for none, and its position in `train`,
        (num_written,) each.

    Raises
    ------
    CorpusError
        If pydivsufsort is not installed.
    """
    try:
        from pydivsufsort import divsufsort, kasai  # noqa: PLC0415  (an optional extra)
    except ImportError:
        msg = say("--novelty needs pydivsufsort: pip install 'rnn_magics[novelty]'")
        raise CorpusError(msg) from None
    size = len(train)
    both = np.concatenate((train.astype(np.int64), [-1], written)) + 1  # 0 separates
    kind = np.uint8 if both.max() < np.iinfo(np.uint8).max else np.int32
    both = np.ascontiguousarray(both.astype(kind))
    order = divsufsort(both)  # (size + 1 + num_written,)
    shared = kasai(both, order)  # common prefix of each suffix and the next
    lengths, sources = np.zeros(len(written), np.int64), np.zeros(len(written), np.int64)
    ranks = np.flatnonzero(order > size)  # of the suffixes of the written text
    # The nearest training suffix on either side has the longest common prefix. Its length is the
    # minimum of the common prefixes on the way there.
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
    # The beginnings of the longest spans without overlaps, chosen greedily, longest first.
    taken = np.zeros(len(lengths), bool)
    begins = []
    for begin in np.argsort(-lengths, kind="stable").tolist():
        end = begin + int(lengths[begin])
        if end - begin < shortest:
            break
        # Spans chosen before are at least as long, so an overlapping one covers an end of this one.
        if not (taken[begin] or taken[end - 1]):
            taken[begin:end] = True
            begins.append(begin)
    return sorted(begins)


class _Lines:
    """The lines of a text, or its documents, with their positions in its tokens."""

    def __init__(self, corpus: Corpus, vocab: Vocab) -> None:
        self._lines = corpus.data.split("\n") if isinstance(corpus.data, str) else []
        # A line end is a token, except in a text that is cleaned as in the book.
        line_end = "" if corpus.config.d2l else "\n"
        sizes = [len(vocab.split(f"{line}{line_end}")) for line in self._lines]
        if corpus.has_documents:
            self._lines = corpus.documents
            sizes = [1 + len(vocab.split(document)) for document in self._lines]  # and a mark
        self._ends = np.cumsum(sizes)

    def at(self, place: int) -> tuple[int | None, str]:
        """Return the number and the text of the line that contains a token."""
        if not self._lines:
            return None, ""
        line = int(np.searchsorted(self._ends, place, side="right"))
        return line + 1, self._lines[line]


def _pieces(
    generation: Generation, vocab: Vocab, spans: list[CopiedSpan]
) -> list[tuple[str, int | None]]:
    tokens = generation.tokens
    of_token: list[int | None] = [None] * len(tokens)
    for number, span in enumerate(spans):
        of_token[span.begin : span.end] = [number] * len(span)
    pieces: list[tuple[str, int | None]] = []
    for text, copied in zip(added(vocab, tokens), of_token, strict=True):
        piece = brief(text)
        if pieces and pieces[-1][1] == copied:
            pieces[-1] = (pieces[-1][0] + piece, copied)
        else:
            pieces.append((piece, copied))
    return pieces
