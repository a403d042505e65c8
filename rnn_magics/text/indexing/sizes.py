r"""How long a text is that was predicted, and what its tokens do not give back of it.

Perplexities of different tokens cannot be compared; the bits that a text costs can, if they pay
for the whole text. So what the tokens of a text do not give back is spelled: in bytes, each drawn
uniformly from the 256 bytes and an end, which costs :math:`(n + 1) \log_2 257` bits for n bytes.

- The marks of documents are no text; what they cost is a part of the bits.
- An unknown token is spelled after ``<unk>``.
- Where the text between two tokens is not what the tokenizer writes there (two spaces, a tab), it
  is spelled; which k of the n places these are costs :math:`\log_2 \binom{n}{k}` bits. The first
  token of a document has such a place before it.

Like the cross-entropy, all of it is of the text after the first token. Of a text that is cleaned as
in the book, line ends are no part: no tokenizer reads them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from rnn_magics.text.corpus import Corpus
from rnn_magics.text.documents import MARKS, parted
from rnn_magics.text.indexing.ids import Ids
from rnn_magics.text.indexing.numbered import Numbered
from rnn_magics.text.indexing.numbering import at_breaks, slices, token_pieces
from rnn_magics.text.reading.stream import StreamedText
from rnn_magics.text.reserved import kept_whole
from rnn_magics.text.splitting.tokenizer import Tokenizer, glue_plainly
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab, encode_corpus, numbered_as

_BITS = math.log2(257)  # of a byte, or of the end
_GOES_ON = 0b1000_0000  # the first two bits of a byte that begins no character
_SLICE = 1 << 22  # tokens counted at once, so that a text on disk never fills the memory
MOST_MEASURED = 1 << 22
"""Characters of a training part whose words are looked at one by one, in a few seconds."""


@dataclass(frozen=True)
class TextSize:
    """How long the predicted part of a text is.

    Parameters
    ----------
    num_characters, num_bytes
        Its length, and that in UTF-8: all of it after the first token.
    lost_bits
        What it costs to spell what its tokens do not give back.
    """

    num_characters: int
    num_bytes: int
    lost_bits: float = 0.0

    def per_character(self, nats: float) -> float:
        """Return bits per character, of a text whose tokens cost so many nats in all."""
        return self._bits(nats) / self.num_characters if self.num_characters else math.nan

    def per_byte(self, nats: float) -> float:
        """Return bits per byte, of a text whose tokens cost so many nats in all."""
        return self._bits(nats) / self.num_bytes if self.num_bytes else math.nan

    def _bits(self, nats: float) -> float:
        return nats / math.log(2) + self.lost_bits


def spelled_bits(num_bytes: int) -> float:
    """Return what it costs to spell so many bytes."""
    return (num_bytes + 1) * _BITS


@dataclass(frozen=True)
class TextSizes:
    """The sizes of both parts of a text; None where a part is not measured.

    Parameters
    ----------
    train, valid
        Of the training part, and of the held-out part.
    """

    train: TextSize | None = None
    valid: TextSize | None = None


_newest: WeakKeyDictionary[Numbered, tuple[Vocab, TextSizes]] = WeakKeyDictionary()


def text_sizes(corpus: Corpus, vocab: Vocab) -> TextSizes:
    """Return how long both parts of a text are, as a vocabulary reads it.

    A part of fewer than two tokens has no size, nor have given tokens, nor has a training part of
    more than 4 million characters whose words are looked at one by one.
    The result for the vocabulary used last is kept for as long as the corpus exists.
    """
    if not corpus.is_text:
        return TextSizes()
    numbered = numbered_as(corpus, vocab)
    kept = _newest.get(numbered)
    if kept is None or kept[0] is not vocab:
        kept = _newest[numbered] = vocab, _measured(corpus, vocab, numbered)
    return kept[1]


def _measured(corpus: Corpus, vocab: Vocab, numbered: Numbered) -> TextSizes:
    cut, size = numbered.num_train, numbered.size
    if vocab.tokenizer.glue is glue_plainly:
        encoded, (train, valid) = encode_corpus(corpus, vocab), numbered.parts
        return TextSizes(
            _of_tokens(encoded.train, vocab, numbered, train.start or 0),
            _of_tokens(encoded.valid, vocab, numbered, valid.start or 0),
        )
    if corpus.has_documents:
        return _of_documents(corpus, vocab, numbered)
    if corpus.cut.characters is None:  # the share counts tokens, and some text may be left out
        return TextSizes()
    walks = _Walk(vocab), _Walk(vocab)
    data, line_ends = corpus.data, not corpus.config.d2l
    pieces = data.pieces() if isinstance(data, StreamedText) else slices(str(data))
    first, second = corpus.cut.parted(pieces, line_ends=line_ends)
    if len(corpus) <= MOST_MEASURED:
        walks[0].take(first, line_ends=line_ends)
    else:
        for _ in first:
            pass
    walks[1].take(second, line_ends=line_ends)
    return TextSizes(
        walks[0].size() if cut > 1 and len(corpus) <= MOST_MEASURED else None,
        walks[1].size() if size - cut > 1 else None,
    )


def _of_documents(corpus: Corpus, vocab: Vocab, numbered: Numbered) -> TextSizes:
    train, valid = parted(numbered, corpus.documents)
    found: list[TextSize | None] = []
    for documents in (train if len(corpus) <= MOST_MEASURED else (), valid):
        walk = _Walk(vocab)
        for document in documents:
            walk.take_document(document, line_ends=not corpus.config.d2l)
        found.append(walk.size() if documents else None)
    return TextSizes(*found)


def _of_tokens(ids: Ids, vocab: Vocab, numbered: Numbered, start: int) -> TextSize | None:
    # Of tokens that are the text. What an unknown one was is asked of the numbers.
    if len(ids) <= 1:
        return None
    counts = np.zeros(len(vocab), np.int64)
    for at in range(1, len(ids), _SLICE):
        counts += np.bincount(ids[at : at + _SLICE], minlength=len(vocab))
    tokenizer, lost = vocab.tokenizer, 0.0
    tokens = vocab.to_tokens([*range(1, len(vocab))])
    found = list(zip(tokens, counts[1:].tolist(), strict=True))
    if counts[vocab.unk]:
        types = numbered.count(start + len(ids), start + 1)
        unknown = [(token, count) for token, count in types if vocab[token] == vocab.unk]
        found += unknown
        lost = math.fsum(
            count * spelled_bits(len(tokenizer.encoded(token)))
            for token, count in unknown
            if token != UNK
        )
    marks = MARKS if vocab.marks is not None else ()  # the marks of documents are no text
    sizes = [(tokenizer.encoded(t), count) for t, count in found if count and t not in marks]
    num_bytes = sum(len(data) * count for data, count in sizes)
    return TextSize(sum(_begun(data) * count for data, count in sizes), num_bytes, lost)


def _begun(data: bytes) -> int:
    # The characters that begin in these bytes.
    return sum(byte & 0b1100_0000 != _GOES_ON for byte in data)


class _Walk:
    """Goes through a text token by token, and compares what is between them."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab
        self._tokenizer: Tokenizer = vocab.tokenizer
        self._whole = kept_whole(self._tokenizer, vocab.config.reserved)
        self._between = lru_cache(maxsize=1 << 16)(self._written_between)
        self._previous: Any = None
        self._gap = ""  # what has come after the last token
        self._begun = False
        self._bits = 0.0
        self._characters = self._bytes = self._places = self._odd = 0

    def take(self, pieces: Iterable[str], *, line_ends: bool) -> None:
        """Take the pieces of a text, which come cut anywhere."""
        split = (self._whole or self._tokenizer).split
        if line_ends:
            for text in token_pieces(pieces, self._tokenizer, self._whole):
                self._line(text, split(text))
        else:
            for lines in at_breaks(pieces, "\n"):
                for text in lines.split("\n"):
                    self._line(text, split(text))
                    self._end()

    def take_document(self, text: str, *, line_ends: bool) -> None:
        """Take a document. The mark before it is read, so all of its text is predicted."""
        self._begun = True
        self.take((text,), line_ends=line_ends)
        self._end()

    def size(self) -> TextSize:
        """Return what was found."""
        self._end()
        ways = math.lgamma(self._places + 1) - math.lgamma(self._odd + 1)
        ways -= math.lgamma(self._places - self._odd + 1)
        lost = self._bits + ways / math.log(2) if self._odd else self._bits
        return TextSize(self._characters, self._bytes, lost)

    def _line(self, text: str, tokens: list[Any]) -> None:
        at = 0
        for token in tokens:
            word = str(token)
            place = text.find(word, at)
            if place < 0:  # a token that is no part of the text gives nothing back
                continue
            gap, at = self._gap + text[at:place], place + len(word)
            self._gap = ""
            if self._begun:
                self._count(gap, gap == self._between(self._previous, token))
                self._count(word, token in self._vocab, is_place=False)
            self._begun, self._previous = True, token
        self._gap += text[at:]

    def _end(self) -> None:
        if self._begun and self._gap:
            self._count(self._gap, False)
        self._gap, self._previous = "", None

    def _count(self, text: str, given_back: bool, *, is_place: bool = True) -> None:  # noqa: FBT001
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        self._characters += len(text)
        self._bytes += size
        self._places += is_place
        if not given_back:
            self._odd += is_place
            self._bits += spelled_bits(size)

    def _written_between(self, previous: Any, token: Any) -> str:
        return self._tokenizer.glue(previous, token).removesuffix(str(token))


__all__ = ["TextSize", "TextSizes", "spelled_bits", "text_sizes"]
