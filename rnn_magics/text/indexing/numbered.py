"""A text as numbers of token types, which a vocabulary counts and turns into indices."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_magics.text.indexing.ids import Counted, Ids, TypeNumbers, Types, id_type
from rnn_magics.text.indexing.numbering import PIECE, numberer_for, slices, token_pieces
from rnn_magics.text.reserved import Whole
from rnn_magics.text.splitting.tokenizer import Tokenizer


@dataclass(frozen=True)
class Cut:
    """Where the held-out part of a text begins.

    Parameters
    ----------
    characters
        After so many characters, whatever the tokens; None where the share counts tokens.
    share
        The share of the tokens that is held out.
    """

    characters: int | None = None
    share: float = 0.0

    def num_train(self, num_tokens: int) -> int:
        """Return how many of so many tokens are trained on."""
        return num_tokens - int(num_tokens * self.share)

    def parted(
        self, pieces: Iterable[str], *, line_ends: bool
    ) -> tuple[Iterator[str], Iterator[str]]:
        """Part a text: read the first part to its end, then the second.

        Parameters
        ----------
        pieces
            The text, cut anywhere.
        line_ends
            Whether a line end counts as a character.
        """
        coming, left, rest = iter(pieces), self.characters, ""

        def first() -> Iterator[str]:
            nonlocal left, rest
            for piece in coming:
                size = len(piece) - (0 if line_ends else piece.count("\n"))
                if left is not None and size > left:
                    at = left if line_ends else _place(piece, left)
                    rest = piece[at:]
                    yield piece[:at]
                    return
                left = None if left is None else left - size
                yield piece

        def second() -> Iterator[str]:
            yield rest
            yield from coming

        return first(), second()

    def training_text(
        self, pieces: Iterable[str], limit: int | None, *, line_ends: bool
    ) -> Iterator[str]:
        """Yield the text that is trained on, whatever the tokens are.

        Parameters
        ----------
        pieces, line_ends
            As for `parted`.
        limit
            The most tokens of the text. As many bytes as are trained on then are in its training
            part, whatever the tokens are.
        """
        left = None if limit is None else self.num_train(limit)
        for piece in self.parted(pieces, line_ends=line_ends)[0]:
            if left is None:
                yield piece
                continue
            kept = piece.encode("utf-8", "replace")[:left]
            left -= len(kept)
            yield kept.decode("utf-8", "ignore")
            if not left:
                return


def _place(text: str, characters: int) -> int:
    # The place after so many characters that are no line ends.
    at = characters
    while (further := characters + text.count("\n", 0, at)) > at:
        at = further
    return at


class Feed:
    """Feeds a text to a numberer; its training part and its held-out part are tokenized apart.

    Parameters
    ----------
    tokenizer, whole
        The tokenizer and the reserved tokens.
    cut
        Where the held-out part begins.
    limit
        The most tokens; None for all.
    line_ends
        Whether a line end is a token.

    Attributes
    ----------
    tokenizer : Tokenizer
        The tokenizer.
    num_train : int
        How many tokens are trained on, after all `blocks`.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        whole: Whole | None,
        cut: Cut,
        limit: int | None = None,
        *,
        line_ends: bool = True,
    ) -> None:
        self.tokenizer, self._whole, self._cut, self._limit = tokenizer, whole, cut, limit
        self._line_ends, self.num_train = line_ends, 0
        self._numberer = numberer_for(tokenizer, whole, line_ends=line_ends)

    @property
    def types(self) -> Types:
        """The token types seen so far."""
        return self._numberer.types

    @property
    def is_quick(self) -> bool:
        """Whether the tokens are characters: to number them again is quicker than to keep them."""
        return self.tokenizer.split is list and self._whole is None

    @property
    def identity(self) -> dict[str, Any]:
        """What the numbers depend on, besides the text and the name of the tokenizer."""
        parts: dict[str, Any] = {}
        if self._whole is not None:
            parts["reserved"] = self._whole.tokens
        if self._cut.characters is not None and not self.is_quick:
            parts["cut"] = self._cut.characters
        if alphabet := self.tokenizer.alphabet:
            parts["alphabet"] = hashlib.sha256(repr(alphabet).encode()).hexdigest()
        return parts

    def size_of(self, text: str) -> int:
        """Return how many tokens the characters of a text are, where these are the tokens."""
        size = len(text) - (0 if self._line_ends else text.count("\n"))
        return size if self._limit is None else min(size, self._limit)

    def num_train_of(self, size: int, fed: int) -> int:
        """Return how many of `size` tokens are trained on, if `fed` came before the cut."""
        if self._cut.characters is None:
            return self._cut.num_train(size)
        return self._cut.characters if self.is_quick else fed

    def blocks(self, pieces: Iterable[str]) -> Iterator[Ids]:
        """Yield the numbers of the tokens of a text, which comes cut anywhere."""
        size = fed = 0
        for part, texts in enumerate(self._cut.parted(pieces, line_ends=self._line_ends)):
            uncut = token_pieces(texts, self.tokenizer, self._whole)
            left = None if self._limit is None else self._limit - size
            for block in cut_off(map(self._numberer.feed, uncut), left):
                size += len(block)
                yield block
            fed = fed if part else size
        self.num_train = self.num_train_of(size, fed)


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
    num_train
        How many of the tokens are trained on; they come first.
    checksum
        The checksum of numbers that are kept on disk.
    notes
        What was wrong with the earlier file.
    shared
        How many tokens after those that are trained on end that part and begin the held-out part.
    counted
        How often each type occurs before a place, where that is known.
    """

    size: int
    blocks: Callable[[], Iterator[Ids]]
    types: Callable[[], Types]
    num_train: int
    checksum: int = 0
    notes: tuple[str, ...] = ()
    shared: int = 0
    counted: Counted | None = None

    @classmethod
    def of_text(cls, text: str, feed: Feed) -> Numbered:
        """Return the tokens of a text in memory."""
        if not feed.is_quick:  # the tokenizer should run only once
            kept = [
                block.astype(id_type(1 + int(block.max(initial=0))))
                for block in feed.blocks(slices(text))
            ]
            return cls.of_numbers(_joined(kept), feed.types, feed.num_train)
        size = feed.size_of(text)
        num_train = feed.num_train_of(size, 0)
        return cls(size, lambda: feed.blocks(slices(text)), lambda: feed.types, num_train)

    @classmethod
    def of_tokens(cls, tokens: tuple[Any, ...], cut: Cut) -> Numbered:
        """Keep the numbers of given tokens."""
        numbers = TypeNumbers()
        ids = numbers.of(tokens)
        kept = ids.astype(id_type(len(numbers)))
        return cls.of_numbers(kept, list(numbers), cut.num_train(len(ids)))

    @classmethod
    def of_numbers(
        cls,
        ids: Ids,
        types: Types,
        num_train: int,
        checksum: int = 0,
        notes: tuple[str, ...] = (),
        counted: Counted | None = None,
    ) -> Numbered:
        """Wrap existing numbers, in memory or mapped from a file."""
        kept = checksum, notes, 0, counted
        return cls(len(ids), lambda: _slices(ids), lambda: types, num_train, *kept)

    @property
    def parts(self) -> tuple[slice, slice]:
        """Which of the tokens are trained on, and which are held out."""
        end = self.num_train + self.shared
        return slice(end), slice(self.num_train if end < self.size else end, self.size)

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

    def count(self, stop: int, start: int = 0) -> list[tuple[Any, int]]:
        """Count tokens before `stop`: most frequent first, ties by first appearance.

        Those before `start` are left out.
        """
        is_known = self.counted is not None and (self.counted.stop, 0) == (stop, start)
        counts = self.counted.counts if self.counted and is_known else self._counts(stop, start)
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        types = self.types()
        pairs = zip(order.tolist(), counts[order].tolist(), strict=True)
        return [(types[number], count) for number, count in pairs]

    def _counts(self, stop: int, start: int) -> Ids:
        counts, at = np.zeros(0, np.int64), 0
        for block in cut_off(self.blocks(), stop):
            found = np.bincount(block[max(start - at, 0) :], minlength=len(counts))
            at += len(block)
            found[: len(counts)] += counts
            counts = found
        return counts

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
