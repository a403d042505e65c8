"""The reduce: where each shard lies in the text, and the parts of all joined in their order.

A worker does not know what comes before its shard. So each is worked on as if all of it were
trained on, and then those few again in which a part of the text begins or ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from rnn_magics.text.indexing.ids import Counted, Ids, TypeNumbers, Types
from rnn_magics.text.indexing.numbering import PIECE
from rnn_magics.text.sharding.mapping import Part, Shard


def with_borders(parts: Sequence[Part], within: tuple[int, int] | None) -> list[Shard]:
    """Return the shards with the tails they have, and the characters that belong to the text.

    Parameters
    ----------
    parts
        What became of all shards, in their order.
    within
        Which characters of all belong to the text; None for all.
    """
    between = parts[0].shard.how.between
    filled = [part.shard.number for part in parts if not part.is_empty]
    last = filled[-1] if filled else -1
    tails = ["" if part.is_empty or k >= last else between for k, part in enumerate(parts)]
    sizes = [part.num_characters + len(tail) for part, tail in zip(parts, tails, strict=True)]
    starts = [0, *accumulate(sizes)]
    begin, end = within or (0, starts[-1])
    return [
        replace(
            part.shard,
            tail=tail,
            first=min(max(begin - start, 0), size),
            last=None if end >= start + size else max(end - start, 0),
        )
        for part, tail, size, start in zip(parts, tails, sizes, starts, strict=False)
    ]


def num_characters(parts: Sequence[Part]) -> int:
    """Return how many characters the cleaned text of all shards has, of whatever part."""
    return sum(part.num_characters + len(part.shard.tail) for part in parts)


def with_cut(parts: Sequence[Part], cut: int | None) -> list[Shard]:
    """Return the shards, that with the cut being told where it is.

    Parameters
    ----------
    parts
        What became of all shards, in their order, each with its borders.
    cut
        After how many characters the held-out part begins; None if there is none.
    """
    starts = accumulate((part.num_counted for part in parts), initial=0)
    found = []
    for part, start in zip(parts, starts, strict=False):
        is_inside = cut is not None and 0 < cut - start < part.num_counted
        found.append(replace(part.shard, cut=cut - start if cut and is_inside else None))
    return found


@dataclass(frozen=True, eq=False)
class Joined:
    """The parts of a text, joined.

    Parameters
    ----------
    parts
        What became of the shards, in their order.
    types
        The token types, in order of first appearance in the text.
    tables
        For each part, the number in `types` of each of its own types.
    num_train
        How many tokens come before the cut.
    counted
        How often each type occurs in them.
    """

    parts: Sequence[Part]
    types: Types
    tables: Sequence[Ids]
    num_train: int
    counted: Counted

    @classmethod
    def of(cls, parts: Sequence[Part], cut: int | None) -> Joined:
        """Join parts, which are worked on as they lie in the text.

        Parameters
        ----------
        parts, cut
            As for `with_cut`.
        """
        numbers = TypeNumbers()
        tables = [numbers.of(part.types) for part in parts]
        counts, num_train, start = np.zeros(len(numbers), np.int64), 0, 0
        for part, table in zip(parts, tables, strict=True):
            if cut is None or start < cut:  # each type of a part has a number of its own
                counts[table] += part.counts
                num_train += part.num_train
            start += part.num_counted
        return cls(parts, list(numbers), tables, num_train, Counted(num_train, counts))

    def blocks(self) -> Iterator[Ids]:
        """Yield the numbers of all tokens, block by block."""
        for part, table in zip(self.parts, self.tables, strict=True):
            numbers = part.numbers()
            for start in range(0, part.size, PIECE):
                yield table.take(numbers[start : start + PIECE])
