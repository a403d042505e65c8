"""Indices that another process opens by their path, instead of being sent them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.indexing.ids import Ids


@dataclass(frozen=True)
class MappedIds:
    """Where indices are that are mapped from a file.

    Parameters
    ----------
    path
        The file.
    dtype
        The name of their integer type.
    start, count
        The place of the first of them in the file, and how many there are.
    size
        The size of the file in bytes.
    """

    path: str
    dtype: str
    start: int
    count: int
    size: int

    @classmethod
    def of(cls, ids: Ids) -> MappedIds | None:
        """Return where indices are, a slice of mapped ones or all; None if they are in memory."""
        if not isinstance(ids, np.memmap) or ids.filename is None or not ids.flags.c_contiguous:
            return None
        whole: np.ndarray[tuple[int], np.dtype[np.uint8]] = np.frombuffer(ids._mmap, np.uint8)  # type: ignore[attr-defined]  # noqa: SLF001
        start = (ids.ctypes.data - whole.ctypes.data) // ids.itemsize
        return cls(str(ids.filename), ids.dtype.name, start, len(ids), len(whole))

    def opened(self) -> Ids:
        """Map the indices; nothing of them is read yet.

        Raises
        ------
        CorpusError
            When the file is not there, or is another.
        """
        path, kind = Path(self.path), np.dtype(self.dtype)
        try:
            with files.open_file(path) as file:
                found = np.memmap(file, kind, "r")
        except (OSError, ValueError) as error:
            why = files.reason(error) if isinstance(error, OSError) else str(error)
            raise self._missing(why) from None
        if found.nbytes != self.size:
            raise self._missing(say("it has changed"))
        return found[self.start : self.start + self.count]

    def _missing(self, why: str) -> CorpusError:
        return CorpusError(
            say(
                "the token indices in {path} cannot be read ({why}); name a folder that all workers"
                " see with %corpus --storage DIR, or type %sample again",
                path=files.shown(self.path),
                why=why,
            )
        )
