"""Token indices as arrays, and the token types that they stand for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_magics.errors import BatchError
from rnn_magics.language import say

Ids = np.ndarray[tuple[int], np.dtype[np.integer[Any]]]
Types = list[Any]


def id_type(num_types: int) -> type[np.integer[Any]]:
    """Return the smallest integer type for `num_types` indices that torch can compute with.

    torch has no arithmetic for uint16 and uint32, so these are left out.
    """
    for kind in (np.uint8, np.int16, np.int32):
        if num_types - 1 <= np.iinfo(kind).max:
            return kind
    return np.int64


def whole_numbers(ids: Sequence[int] | Ids) -> Ids:
    """Return a copy of indices, in the smallest type that torch can compute with.

    Raises
    ------
    BatchError
        If they are not whole numbers.
    """
    array = np.asarray(ids) if len(ids) else np.empty(0, np.uint8)
    if array.dtype.kind not in "iu":
        raise BatchError(say("token indices must be whole numbers, not {kind}", kind=array.dtype))
    lowest, highest = int(array.min(initial=0)), int(array.max(initial=0))
    kind = id_type(highest + 1) if lowest >= 0 else np.int64
    return array.astype(kind)


class TypeNumbers(dict[Any, int]):
    """A number for each token type, in order of first appearance."""

    def __missing__(self, token: Hashable) -> int:
        """Give a new type the next number."""
        number = self[token] = len(self)
        return number

    def of(self, tokens: Sequence[Any]) -> Ids:
        """Return the numbers of tokens, shape (len(tokens),)."""
        return np.fromiter(map(self.__getitem__, tokens), np.int32, len(tokens))


@dataclass(frozen=True, eq=False)
class Counted:
    """How often each token type occurs in the first tokens of a text.

    Parameters
    ----------
    stop
        How many tokens were counted.
    counts
        Shape (num_types,).
    """

    stop: int
    counts: Ids

    def to_list(self) -> list[Any]:
        """Return plain values for a file, with a checksum."""
        counts = self.counts.tolist()
        return [self.stop, counts, zlib.crc32(json.dumps(counts).encode())]

    @classmethod
    def from_list(cls, values: Any) -> Counted:
        """Read what `to_list` returned.

        Raises
        ------
        ValueError
            When it is something else.
        TypeError
            Likewise.
        """
        stop, counts, checksum = values
        found = cls(int(stop), np.array(counts, np.int64))
        if found.counts.sum() != stop or found.to_list()[2] != checksum:
            raise ValueError
        return found
