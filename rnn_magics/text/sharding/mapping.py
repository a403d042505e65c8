"""The map: one shard of a text becomes numbers of its token types, and their counts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnn_magics.errors import CorpusError
from rnn_magics.files import shown
from rnn_magics.language import say
from rnn_magics.text.cleaning import CorpusConfig, clean_pieces
from rnn_magics.text.indexing.cache import IndexWriter
from rnn_magics.text.indexing.ids import Ids, Types
from rnn_magics.text.indexing.numbered import Cut
from rnn_magics.text.indexing.numbering import slices
from rnn_magics.text.reading.stream import part_of
from rnn_magics.text.sharding.stretches import Stretch
from rnn_magics.text.splitting.data import feed_of
from rnn_magics.text.splitting.tokenizer import Learnt
from rnn_magics.text.tokenizers import tokenizer_of


@dataclass(frozen=True)
class Splitting:
    """How the text of every shard becomes tokens.

    Parameters
    ----------
    cleaning
        How it is cleaned.
    token, reserved, learnt
        The name of the tokenizer, the tokens that stay whole, and what the tokenizer has learnt.
    """

    cleaning: CorpusConfig
    token: str
    reserved: tuple[str, ...] = ()
    learnt: Learnt | None = None

    @property
    def between(self) -> str:
        """What the cleaning writes for the line end between two shards, if it takes that off."""
        if self.cleaning.d2l:
            return "\n"
        return " " if self.cleaning.letters_only else ""

    @property
    def border(self) -> str:
        """The character after which the cleaned text is cut into shards."""
        return self.between or "\n"


@dataclass(frozen=True)
class Shard:
    """What a worker has to do.

    Parameters
    ----------
    number
        The place of the shard among all.
    stretches
        What is read.
    how
        How it becomes tokens.
    folder
        Where the numbers go: a folder that all workers see, made for them alone.
    tail
        What is added to its text, since another shard follows.
    first, last
        Which of its characters, cleaned and with their tail, belong to the text; None for the end.
    cut
        After how many of these the held-out part begins, see `Cut`; None if it does not in it.
    """

    number: int
    stretches: tuple[Stretch, ...]
    how: Splitting
    folder: str
    tail: str = ""
    first: int = 0
    last: int | None = None
    cut: int | None = None

    @property
    def size(self) -> int:
        """About how many bytes are read."""
        return sum(each.size for each in self.stretches)


@dataclass(frozen=True, eq=False)
class Part:
    """What became of a shard.

    Parameters
    ----------
    shard
        The shard.
    num_characters
        How many characters its text has after cleaning, without its tail.
    is_empty
        Whether it has nothing that could be parted from what follows.
    num_counted
        How many of the characters that belong to the text count for the cut.
    path
        The file of the numbers of its tokens, in order of the first appearance of their types.
    dtype
        The name of their integer type.
    size, num_train
        How many tokens there are, and how many of them come before the cut.
    types
        The token types.
    counts
        How often each occurs before the cut, shape (num_types,).
    """

    shard: Shard
    num_characters: int
    is_empty: bool
    num_counted: int
    path: str
    dtype: str
    size: int
    num_train: int
    types: Types
    counts: Ids

    def numbers(self) -> Ids:
        """Return the numbers of its tokens, mapped from the file, shape (size,)."""
        return _mapped(Path(self.path), np.dtype(self.dtype), self.size)


def number_shard(shard: Shard) -> Part:
    """Read a shard, write the numbers of its tokens to a file, and count them.

    It depends on nothing but the shard and the files that it names.

    Raises
    ------
    CorpusError
        When a file cannot be read or has changed since, or the folder is not seen here.
    """
    folder = Path(shard.folder)
    if not folder.is_dir():
        raise CorpusError(
            say(
                "a worker on {host} does not see the folder {folder}; name one that all machines"
                " see: %corpus --storage DIR",
                host=socket.gethostname(),
                folder=shown(str(folder.parent)),
            )
        )
    measured = _Measured(shard)
    how, cleaning = shard.how, replace(shard.how.cleaning, max_tokens=None, documents=None)
    tokenizer = tokenizer_of(how.token, how.learnt)
    feed = feed_of(tokenizer, how.reserved, Cut(shard.cut), cleaning)
    writer = IndexWriter(folder, f"{shard.number}", np.dtype(np.uint8))
    try:
        for block in feed.blocks(measured.pieces()):
            writer.append(block)
        path = folder / f"{shard.number}.numbers"
        writer.finish(path)
    finally:
        writer.discard()
    size, kind = writer.count, writer.dtype
    num_train = min(feed.num_train, size)
    types = feed.types
    counts = _counted(_mapped(path, kind, size)[:num_train], len(types))
    numbers = str(path), kind.name, size, num_train, types, counts
    return Part(shard, measured.cleaned, measured.is_empty, measured.counted, *numbers)


class _Measured:
    # The text of a shard, which is measured as it goes by.
    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self.raw = self.cleaned = self.counted = 0

    @property
    def is_empty(self) -> bool:
        # Lines that become empty are lines all the same, where the cleaning keeps lines.
        return not (self.cleaned if self._shard.how.between == " " else self.raw)

    def pieces(self) -> Iterator[str]:
        shard = self._shard
        line_ends = not shard.how.cleaning.d2l
        for piece in part_of(self._with_tail(), shard.first, shard.last):
            self.counted += len(piece) - (0 if line_ends else piece.count("\n"))
            yield from slices(piece)

    def _with_tail(self) -> Iterator[str]:
        for piece in clean_pieces(self._raw(), self._shard.how.cleaning):
            self.cleaned += len(piece)
            yield piece
        yield self._shard.tail

    def _raw(self) -> Iterator[str]:
        for stretch in self._shard.stretches:
            for piece in stretch.pieces():
                self.raw += len(piece)
                yield piece


def _counted(numbers: Ids, num_types: int) -> Ids:
    counts = np.zeros(num_types, np.int64)
    for start in range(0, len(numbers), 1 << 20):
        counts += np.bincount(numbers[start : start + (1 << 20)], minlength=num_types)
    return counts


def _mapped(path: Path, kind: np.dtype[np.integer], size: int) -> Ids:
    # An empty file cannot be mapped.
    return np.memmap(path, kind, "r", shape=(size,)) if size else np.empty(0, kind)
