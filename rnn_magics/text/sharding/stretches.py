"""A text on disk is cut at line ends into shards, each of which can be read by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rnn_magics.text.reading.source import LargeFile, Source

_LEAST_BYTES = 1 << 16  # of a shard: to hand out less costs more than to read it


@dataclass(frozen=True)
class Stretch:
    """A source, or some of its lines.

    Parameters
    ----------
    source
        The source.
    start, stop
        Which of its bytes, see `LargeFile.line_starts`; None for all of it.
    is_followed
        Whether another source comes next, from which a line end parts it.
    """

    source: Source | LargeFile
    start: int = 0
    stop: int | None = None
    is_followed: bool = False

    def pieces(self) -> Iterator[str]:
        """Yield its text in pieces.

        Raises
        ------
        CorpusError
            When a file cannot be read, or has changed since.
        """
        if self.stop is None or isinstance(self.source, Source):
            yield from self.source.pieces()
        else:
            yield from self.source.stretch(self.start, self.stop)
        if self.is_followed:
            yield "\n"

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        if isinstance(self.source, Source):
            return len(self.source.text)
        return (self.source.size if self.stop is None else self.stop) - self.start


def shards(sources: Sequence[Source | LargeFile], number: int) -> list[tuple[Stretch, ...]]:
    """Part the text of sources into about `number` shards of about the same size.

    Every shard but the last ends with a line end, so neither decoding nor cleaning carries
    anything from one to the next. Small files share a shard.

    Parameters
    ----------
    sources
        The sources, in their order.
    number
        How many shards there should be.

    Raises
    ------
    CorpusError
        When a file cannot be read, or has changed since.
    """
    whole = [Stretch(source) for source in sources]
    size = max(sum(each.size for each in whole) // number, _LEAST_BYTES, 1)
    found: list[tuple[Stretch, ...]] = []
    gathered: list[Stretch] = []
    for place, each in enumerate(whole):
        for stretch in _cut(each.source, -(-each.size // size), place + 1 < len(whole)):
            gathered.append(stretch)
            if sum(part.size for part in gathered) >= size:
                found.append(tuple(gathered))
                gathered = []
    return [*found, tuple(gathered)] if gathered else found


def _cut(source: Source | LargeFile, number: int, is_followed: bool) -> Iterator[Stretch]:  # noqa: FBT001
    starts = source.line_starts(number) if isinstance(source, LargeFile) and number > 1 else []
    if not starts or isinstance(source, Source):
        yield Stretch(source, is_followed=is_followed)
        return
    places = [0, *starts, source.size]
    for start, stop in pairwise(places):
        yield Stretch(source, start, stop, is_followed and stop == source.size)
