"""Indices on disk: written once, checked, and mapped into memory instead of read.

Beside each file of indices lies a JSON file that describes it: how many there are, their integer
type, the token types and a checksum. Both appear under their names only when they are complete.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.indexing.ids import Counted, Ids, id_type

_FORMAT = 1
_BLOCK_BYTES = 1 << 22
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_TYPES = {kind.__name__: np.dtype(kind) for kind in (np.uint8, np.int16, np.int32, np.int64)}


@dataclass(frozen=True)
class Stored:
    """Indices that are mapped from a file, read only.

    Parameters
    ----------
    ids
        Shape (num_tokens,).
    types
        The token types that they number; empty for indices of a vocabulary.
    checksum
        The checksum of the indices and the token types.
    mark
        A place in the indices that is kept with them.
    notes
        What was wrong with the earlier file.
    counted
        How often each type occurs before a place, where that was counted as they were written.
    """

    ids: Ids
    types: list[str]
    checksum: int
    mark: int = 0
    notes: tuple[str, ...] = ()
    counted: Counted | None = None


@dataclass(frozen=True)
class IndexFile:
    """A file of indices, which may exist already.

    Parameters
    ----------
    folder
        The folder of the file; created when needed.
    family
        Identifies the source. Files of its older states are deleted.
    state
        Identifies the state of the source.
    what
        How the source is cleaned, shortened and tokenized.
    name
        The name of the corpus in messages.
    vocabulary
        Identifies the vocabulary of the indices; empty for numbers in order of first appearance.
        Only the indices of the newest vocabulary are kept.
    version
        Of the way in which the tokens are made. A file of another version is made anew.
    """

    folder: Path
    family: list[tuple[str, ...]]
    state: list[tuple[str, ...]]
    what: dict[str, Any]
    name: str
    vocabulary: str = ""
    version: int = 1

    @property
    def stem(self) -> str:
        """The beginning of the names of both files."""
        return "-".join((*self._stems, *([_short(self.vocabulary)] if self.vocabulary else [])))

    @property
    def _stems(self) -> tuple[str, str, str]:
        what = {**self.what, "format": _FORMAT, "byteorder": sys.byteorder}
        return _short(self.family), _short(self.state), _short(what)

    def mapped(
        self,
        blocks: Callable[[], Iterable[Ids]],
        types: Callable[[], list[str]],
        needed: int,
        kind: type[np.integer[Any]] = np.uint8,
        *,
        anew: bool = False,
        mark: Callable[[], int] = int,
        counted: Callable[[], Counted | None] = lambda: None,
    ) -> Stored:
        """Map the file; write it first if it is missing or damaged.

        Parameters
        ----------
        blocks
            Returns the indices, block by block.
        types
            Returns the token types, once all blocks are written.
        needed
            The estimated size of the file in bytes.
        kind
            The integer type to begin with; a wider one is used once an index needs it.
        anew
            Whether to write the file even if it exists.
        mark
            Returns a place to keep with them, once all blocks are written.
        counted
            Returns counts to keep with them, likewise.

        Raises
        ------
        CorpusError
            When there is no room for it, or the folder cannot be written to.
        """
        notes: tuple[str, ...] = ()
        try:
            if not anew:
                return self._stored()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            notes = (
                say(
                    "the cached indices of {name!r} were damaged and have been rebuilt",
                    name=self.name,
                ),
            )
        writer = IndexWriter(self.folder, self.stem, np.dtype(kind))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if needed > shutil.disk_usage(self.folder).free:
                raise OSError(errno.ENOSPC, "")  # noqa: TRY301  (handled like a full disk)
            for block in blocks():
                writer.append(block)
            named = types()
            checksum = _checksum_of_types(named, writer.checksum)
            document: dict[str, Any] = {
                "dtype": writer.dtype.name,
                "count": writer.count,
                "types": named,
                "checksum": checksum,
                "version": self.version,
                "mark": mark(),
            }
            counts = counted()
            document |= {} if counts is None else {"counted": counts.to_list()}
            writer.finish(self._data)
            writer.text(json.dumps(document), self._beside)
        except OSError as error:
            raise self._explained(error, max(needed, writer.num_bytes)) from None
        finally:
            writer.discard()
        self._drop_older()
        ids = self._mapped(writer.dtype, writer.count)
        return Stored(ids, named, checksum, int(document["mark"]), notes, counts)

    def _stored(self) -> Stored:
        # Every kind of damage ends in an exception.
        document = json.loads(files.read_bytes(self._beside))
        if document.get("version", 1) != self.version:
            raise FileNotFoundError
        kind = _TYPES[document["dtype"]]
        types, count, checksum = document["types"], document["count"], document["checksum"]
        if self._data.stat().st_size != count * kind.itemsize:
            raise ValueError
        ids = self._mapped(kind, count)
        if _checksum_of(ids, types) != checksum:
            raise ValueError
        counted = Counted.from_list(document["counted"]) if "counted" in document else None
        return Stored(ids, types, checksum, int(document.get("mark", 0)), (), counted)

    def _mapped(self, kind: np.dtype[Any], count: int) -> Ids:
        # An empty file cannot be mapped.
        if not count:
            return np.empty(0, kind)
        with files.open_file(str(self._data)) as file:  # numpy keeps the name if it is a string
            return np.memmap(file, kind, "r", shape=(count,))

    @property
    def _data(self) -> Path:
        return self.folder / f"{self.stem}.ids"

    @property
    def _beside(self) -> Path:
        return self.folder / f"{self.stem}.json"

    def _explained(self, error: OSError, needed: int) -> CorpusError:
        folder = str(self.folder)
        if error.errno in _NO_ROOM:
            free = shutil.disk_usage(self.folder).free
            return CorpusError(
                say(
                    "the token indices of {name!r} need about {needed} in {folder!r}, but only"
                    " {free} are free; make room there, or keep fewer tokens with --max-tokens N",
                    name=self.name,
                    needed=_size(needed),
                    folder=folder,
                    free=_size(free),
                )
            )
        return CorpusError(
            say(
                "the token indices of {name!r} cannot be written to {folder!r}: {error}",
                name=self.name,
                folder=folder,
                error=error.strerror,
            )
        )

    def _drop_older(self) -> None:
        # Files of an older state of the source are never used again, and the indices of another
        # vocabulary are quickly made again from the numbers.
        family, state, what = self._stems
        for path in self.folder.glob(f"{family}-*"):
            same_state = path.name.startswith(f"{family}-{state}-")
            other_vocabulary = (
                bool(self.vocabulary)
                and path.name.startswith(f"{family}-{state}-{what}-")
                and not path.name.startswith(self.stem)
            )
            if not same_state or other_vocabulary:
                with suppress(OSError):  # some systems refuse while the file is mapped
                    path.unlink()


class IndexWriter:
    """Writes indices to a temporary file; their integer type widens as soon as one does not fit.

    Parameters
    ----------
    folder, stem
        Where the file is, and how its name begins.
    dtype
        The integer type to begin with.

    Attributes
    ----------
    count : int
        How many have been written.
    checksum : int
        The checksum of their bytes.
    """

    def __init__(self, folder: Path, stem: str, dtype: np.dtype[Any]) -> None:
        self.folder, self.stem, self.dtype = folder, stem, dtype
        self.count = self.checksum = 0
        self.file: IO[bytes] | None = None

    @property
    def num_bytes(self) -> int:
        """How many bytes have been written."""
        return self.count * self.dtype.itemsize

    def append(self, block: Ids) -> None:
        """Write more indices."""
        wanted = np.dtype(id_type(1 + int(block.max(initial=0))))
        if wanted.itemsize > self.dtype.itemsize:
            self._widen(wanted)
        self._write(block)

    def _write(self, block: Ids) -> None:
        self.file = self.file or self._new_file()
        data = np.ascontiguousarray(block, self.dtype).data.cast("B")
        self.file.write(data)
        self.checksum = zlib.crc32(data, self.checksum)
        self.count += len(block)

    def _widen(self, wanted: np.dtype[Any]) -> None:
        narrow, kind = self.file, self.dtype
        self.dtype, self.file, self.count, self.checksum = wanted, None, 0, 0
        if narrow is None:
            return
        try:
            narrow.seek(0)
            while data := narrow.read(_BLOCK_BYTES):
                self._write(np.frombuffer(data, kind))
        finally:
            _remove(narrow)

    def _new_file(self) -> IO[bytes]:
        return tempfile.NamedTemporaryFile(
            dir=self.folder, prefix=f"{self.stem}.", suffix=".part", delete=False
        )

    def finish(self, path: Path) -> None:
        """Give the file its name; it is complete."""
        file = self.file or self._new_file()
        file.close()
        Path(file.name).replace(path)
        self.file = None

    def text(self, text: str, path: Path) -> None:
        """Write a file of text."""
        self.file = self._new_file()
        self.file.write(text.encode())
        self.finish(path)

    def discard(self) -> None:
        """Remove what is not finished."""
        if self.file is not None:
            _remove(self.file)


def _remove(file: IO[bytes]) -> None:
    with suppress(OSError):  # the buffer may not fit on a full disk
        file.close()
    with suppress(OSError):
        os.unlink(file.name)  # noqa: PTH108  (a name, not a path)


def _checksum_of(ids: Ids, types: list[str]) -> int:
    checksum = 0
    step = _BLOCK_BYTES // ids.itemsize
    for start in range(0, len(ids), step):
        checksum = zlib.crc32(ids[start : start + step].data.cast("B"), checksum)
    return _checksum_of_types(types, checksum)


def _checksum_of_types(types: list[str], checksum: int) -> int:
    return zlib.crc32(json.dumps(types).encode(), checksum)


def _short(thing: Any) -> str:
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode()).hexdigest()[:16]


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB"
