"""Numbering: tokens as numbers of their types, without a Python object for each token.

A numberer is fed a text piece by piece and gives every token the number of its type; types are
numbered in order of first appearance. A vocabulary then counts numbers instead of tokens, and one
look-up turns a number into an index. `Numbered` does both, a block at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from rnn_magics.text.indexing.ids import Ids, TypeNumbers, Types, id_type
from rnn_magics.text.indexing.words import WordNumberer
from rnn_magics.text.reserved import Whole
from rnn_magics.text.tokenizers import Tokenizer, split_words

PIECE = 1 << 16  # characters numbered at once: few enough for the second-level cache
_CODES = 0x110000  # of Unicode
_Codes = np.ndarray[Any, np.dtype[np.uint32]]


class Numberer(Protocol):
    """Turns the pieces of a text into numbers of token types."""

    @property
    def types(self) -> Types:
        """The token types seen so far, in order of first appearance."""

    def feed(self, piece: str) -> Ids:
        """Return the numbers of the tokens of the next piece, shape (num_tokens,)."""


class CharNumberer:
    """Numbers characters by their code points, without a Python object for any of them.

    Parameters
    ----------
    whole
        Reserved tokens of several characters.
    line_ends
        Whether a line end is a token; if not, it is dropped.
    """

    def __init__(self, whole: Whole | None = None, *, line_ends: bool = True) -> None:
        self._whole = whole
        self._line_ends = line_ends
        self._codes: list[int] = []
        self._number = np.full(0x100, -1, np.int32)  # of each code point; -1 if not seen yet

    @property
    def types(self) -> Types:
        """The characters and reserved tokens seen so far."""
        whole = () if self._whole is None else self._whole.tokens
        return [chr(code) if code < _CODES else whole[code - _CODES] for code in self._codes]

    def feed(self, piece: str) -> Ids:
        """Return the numbers of the characters of the next piece."""
        if not self._line_ends:
            piece = piece.replace("\n", "")
        codes = np.frombuffer(piece.encode("utf-32-le", "surrogatepass"), np.uint32)
        if self._whole is not None:
            codes = _with_reserved(codes, piece, self._whole)
        highest = int(codes.max(initial=0))
        if highest >= len(self._number):
            more = (1 << highest.bit_length()) - len(self._number)
            self._number = np.concatenate((self._number, np.full(more, -1, np.int32)))
        numbers = self._number.take(codes, mode="clip")  # "clip" saves a copy for bounds checks
        if numbers.size and numbers.min() < 0:
            self._meet(codes[numbers < 0])
            numbers = self._number.take(codes, mode="clip")
        return numbers

    def _meet(self, codes: _Codes) -> None:
        new, first = np.unique(codes, return_index=True)
        new = new[np.argsort(first)]
        self._number[new] = np.arange(len(self._codes), len(self._codes) + len(new))
        self._codes.extend(new.tolist())


def _with_reserved(codes: _Codes, piece: str, whole: Whole) -> _Codes:
    # A reserved token has a code that no character has, in the place of its first one.
    code_of = {token: code for code, token in enumerate(whole.tokens, _CODES)}
    codes, inside = codes.copy(), np.zeros(len(codes), bool)
    for found in whole.pattern.finditer(piece):
        codes[found.start()] = code_of[found[0]]
        inside[found.start() + 1 : found.end()] = True
    return codes[~inside]


class PlainNumberer:
    """Numbers the tokens of any tokenizer, one by one.

    Parameters
    ----------
    split
        The function of the tokenizer.
    line_ends
        Whether a line end is a token; if not, each line is split on its own.
    """

    def __init__(self, split: Callable[[str], Types], *, line_ends: bool = True) -> None:
        self._split = split
        self._line_ends = line_ends
        self._numbers = TypeNumbers()

    @property
    def types(self) -> Types:
        """The tokens seen so far."""
        return list(self._numbers)

    def feed(self, piece: str) -> Ids:
        """Return the numbers of the tokens of the next piece."""
        texts = [piece] if self._line_ends else piece.split("\n")
        return self._numbers.of([token for text in texts for token in self._split(text)])


def numberer_for(tokenizer: Tokenizer, whole: Whole | None, *, line_ends: bool) -> Numberer:
    """Return the fastest numberer for a tokenizer and its reserved tokens."""
    if tokenizer.split is list and (whole is None or line_ends):
        return CharNumberer(whole, line_ends=line_ends)
    split = tokenizer.split if whole is None else whole.split
    has_space = whole is not None and any(
        len(t.split()) > 1 or t != t.strip() for t in whole.tokens
    )
    if tokenizer.split is split_words and not has_space:
        return WordNumberer(split, line_ends=line_ends)
    return PlainNumberer(split, line_ends=line_ends)


def at_breaks(pieces: Iterable[str], breaks: str | None) -> Iterator[str]:
    """Cut a text only where no token is cut.

    Parameters
    ----------
    pieces
        The text, cut anywhere.
    breaks
        See `Tokenizer.breaks`.
    """
    if breaks == "":
        yield from pieces
        return
    waiting: list[str] = []
    for piece in pieces:
        end = 1 + max((piece.rfind(mark) for mark in breaks or ()), default=-1)
        if end:
            yield "".join((*waiting, piece[:end]))
            waiting = []
        waiting.append(piece[end:])
    if rest := "".join(waiting):
        yield rest


def token_pieces(pieces: Iterable[str], tokenizer: Tokenizer, whole: Whole | None) -> Iterator[str]:
    """Cut a text, which comes cut anywhere, where neither a token nor a reserved one is cut."""
    pieces = at_breaks(pieces, tokenizer.breaks)
    return pieces if whole is None else whole.uncut(pieces)


def slices(text: str) -> Iterator[str]:
    """Cut a text into pieces of the size that is numbered at once."""
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


@dataclass(eq=False)
class Numbered:
    """A text as numbers of token types, kept with its corpus.

    Parameters
    ----------
    size
        The number of tokens.
    blocks
        Returns a fresh iterator over the numbers, block by block.
    types
        Returns the token types in the blocks read so far.
    checksum
        The checksum of numbers that are kept on disk.
    notes
        What was wrong with the earlier file.
    """

    size: int
    blocks: Callable[[], Iterator[Ids]]
    types: Callable[[], Types]
    checksum: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def of_pieces(
        cls, pieces: Callable[[], Iterable[str]], numberer: Numberer, limit: int | None
    ) -> Numbered:
        """Keep the numbers of a text, for a tokenizer that should run only once.

        Parameters
        ----------
        pieces
            Returns the text, cut where no token is cut.
        numberer
            A numberer that has not been used.
        limit
            The most tokens to keep; None for all.
        """
        kept = [
            block.astype(id_type(1 + int(block.max(initial=0))))
            for block in cut_off(map(numberer.feed, pieces()), limit)
        ]
        return cls.of_numbers(_joined(kept), numberer.types)

    @classmethod
    def of_text(
        cls,
        text: str,
        tokenizer: Tokenizer,
        whole: Whole | None,
        limit: int | None,
        *,
        line_ends: bool,
    ) -> Numbered:
        """Return the tokens of a text in memory."""
        numberer = numberer_for(tokenizer, whole, line_ends=line_ends)

        def pieces() -> Iterator[str]:
            return token_pieces(slices(text), tokenizer, whole)

        if tokenizer.split is not list or whole is not None:
            return cls.of_pieces(pieces, numberer, limit)
        # Characters are numbered again each time: that is quicker than keeping their numbers.
        size = len(text) - (0 if line_ends else text.count("\n"))
        return cls(
            size if limit is None else min(size, limit),
            lambda: cut_off(map(numberer.feed, pieces()), limit),
            lambda: numberer.types,
        )

    @classmethod
    def of_tokens(cls, tokens: tuple[Any, ...]) -> Numbered:
        """Keep the numbers of given tokens."""
        numbers = TypeNumbers()
        ids = numbers.of(tokens)
        return cls.of_numbers(ids.astype(id_type(len(numbers))), list(numbers))

    @classmethod
    def of_numbers(
        cls, ids: Ids, types: Types, checksum: int = 0, notes: tuple[str, ...] = ()
    ) -> Numbered:
        """Wrap existing numbers, in memory or mapped from a file."""
        return cls(len(ids), lambda: _slices(ids), lambda: types, checksum, notes)

    def places(self, number: int) -> Ids:
        """Return where a type occurs, rising."""
        found, start = [np.empty(0, np.int64)], 0
        for block in self.blocks():
            found.append(np.flatnonzero(block == number) + start)
            start += len(block)
        return np.concatenate(found)

    def first(self, size: int) -> Numbered:
        """Return the first `size` tokens."""
        return replace(self, size=size, blocks=lambda: cut_off(self.blocks(), size))

    def count(self, stop: int) -> list[tuple[Any, int]]:
        """Count the first `stop` tokens: most frequent first, ties by first appearance."""
        counts = np.zeros(0, np.int64)
        for block in cut_off(self.blocks(), stop):
            found = np.bincount(block, minlength=len(counts))
            found[: len(counts)] += counts
            counts = found
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        types = self.types()
        pairs = zip(order.tolist(), counts[order].tolist(), strict=True)
        return [(types[number], count) for number, count in pairs]

    def encoded(
        self, indices: Callable[[Types], Ids], kind: type[np.integer[Any]]
    ) -> Iterator[Ids]:
        """Yield the tokens as indices of a vocabulary, block by block.

        Parameters
        ----------
        indices
            Returns the indices of token types.
        kind
            The integer type of the indices yielded.
        """
        table = np.empty(0, kind)
        known = 0
        for block in self.blocks():
            if len(block) and known <= int(block.max()):
                types = self.types()
                table = np.concatenate((table, indices(types[known:]).astype(kind)))
                known = len(types)
            yield table.take(block, mode="clip")


def cut_off(blocks: Iterable[Ids], limit: int | None) -> Iterator[Ids]:
    """Yield blocks up to `limit` tokens in all; None for no limit."""
    left = limit
    for block in blocks:
        if left is None:
            yield block
            continue
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


def _slices(ids: Ids) -> Iterator[Ids]:
    for start in range(0, len(ids), PIECE):
        yield ids[start : start + PIECE]


def _joined(blocks: list[Ids]) -> Ids:
    # The memory of each block is freed as soon as it is copied.
    kind = np.result_type(*{block.dtype for block in blocks}) if blocks else np.dtype(np.uint8)
    joined = np.empty(sum(map(len, blocks)), kind)
    end = len(joined)
    while blocks:
        block = blocks.pop()
        joined[end - len(block) : end] = block
        end -= len(block)
    return joined
