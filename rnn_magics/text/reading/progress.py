"""How much has been read of the files, or of a text, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class ReadingProgress:
    """How far the reading of local files is, or that of a text by a model.

    Parameters
    ----------
    name
        The name of the file, or of the text, that is being read.
    done, total
        Bytes on disk that have been read, and of all files together; or tokens of the text.
    """

    name: str
    done: int
    total: int


Watch = Callable[[ReadingProgress], None]


class Meter:
    """Adds up what has been read of several files.

    Parameters
    ----------
    watch
        Is told the progress.
    total
        The size of all files in bytes.
    """

    def __init__(self, watch: Watch | None = None, total: int = 0) -> None:
        self._watch, self._total = watch, total
        self._before = 0  # bytes of the files that are finished

    def watched(self, blocks: Iterator[bytes], file: IO[bytes], name: str) -> Iterator[bytes]:
        """Yield the bytes of a file, and tell how far it has been read."""
        for block in blocks:
            self._tell(name, file.tell())
            yield block

    def end(self, name: str, size: int) -> None:
        """Count a file as finished."""
        self._before += size
        self._tell(name, 0)

    def _tell(self, name: str, position: int) -> None:
        if self._watch is not None:
            done = min(self._before + position, self._total)
            self._watch(ReadingProgress(name, done, self._total))


UNWATCHED = Meter()
