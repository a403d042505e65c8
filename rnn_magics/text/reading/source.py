"""A source that was found: its text in memory, or a file that is read each time it is needed."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePath
from typing import IO

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.formats.formats import TEXT, Contents, FileConfig, format_of
from rnn_magics.text.formats.gutenberg import book_alone, has_header
from rnn_magics.text.formats.packed import BLOCK_BYTES, is_archive, packing, parts
from rnn_magics.text.reading.encoding import decoded, encoding_used, is_cut_at_line_ends
from rnn_magics.text.reading.progress import UNWATCHED, Meter

_HEAD = 4  # bytes of the longest byte order mark
_LOOK = 1 << 16  # bytes in which a line end is looked for at once


@dataclass(frozen=True)
class Source:
    """The raw text of one source, and where it came from.

    Parameters
    ----------
    text
        Its text: the texts of its records, joined by line ends.
    name, origin
        Its name, and its path or address.
    notes
        Remarks on it, for the user.
    lengths
        The number of characters of each record; None if it has no records.
    """

    text: str
    name: str
    origin: str
    notes: tuple[str, ...] = ()
    lengths: tuple[int, ...] | None = None

    @classmethod
    def of_records(cls, records: Iterable[str], name: str, origin: str) -> Source:
        """Return the source that has these records."""
        found = list(records)
        return cls("\n".join(found), name, origin, lengths=tuple(map(len, found)))

    def pieces(self, _meter: Meter = UNWATCHED) -> Iterator[str]:
        """Yield the text."""
        yield self.text

    def records(self) -> Iterator[str]:
        """Yield the text of each record; a source without records is one."""
        start = 0
        for length in (len(self.text),) if self.lengths is None else self.lengths:
            yield self.text[start : start + length]
            start += length + 1

    @property
    def has_records(self) -> bool:
        """Whether it has records, of which a field may be named."""
        return self.lengths is not None

    @property
    def identity(self) -> tuple[str, ...]:
        """Identifies this text among others."""
        return ("text", hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest())


@dataclass(frozen=True)
class Part:
    """A file, or one of those in an archive.

    Parameters
    ----------
    contents
        What it holds.
    blocks
        Its bytes, unpacked.
    file
        The same as an open file; None if it is packed.
    """

    contents: Contents
    blocks: Iterator[bytes]
    file: IO[bytes] | None

    def source(self, origin: str, encoding: str | None) -> Source:
        """Return it as a text in memory; notes say where it is probably read as what it is not."""
        contents, name = self.contents, stem(self.contents.name)
        if contents.format.has_records:
            return Source.of_records(contents.records(self.blocks, self.file), name, origin)
        blocks = list(self.blocks)
        text = "".join(contents.plain(iter(blocks)))
        notes = [*_doubts(blocks, encoding, contents.what)]
        if contents.config.gutenberg:
            notes += _without_header(contents.what, text)
            text = "".join(book_alone([text]))
        return Source(text, name, origin, tuple(notes))


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Parameters
    ----------
    spec
        What the user typed.
    name
        The name of the file.
    encoding
        Its encoding; None for UTF-8, or the one that a byte order mark announces.
    config
        What it is, and what of it is the text.
    pattern
        What is read of an archive; see `packed.parts`.
    """

    spec: str
    name: str
    encoding: str | None = None
    config: FileConfig = field(default_factory=FileConfig)
    pattern: str = ""

    def parts(self, file: IO[bytes]) -> Iterator[Part]:
        """Yield the files in an open archive; of any other file, that file.

        Raises
        ------
        CorpusError
            As for `packed.parts`.
        """
        in_archive, limit = is_archive(self.name), self.config.max_unpacked
        archive = self.spec.removesuffix(self.pattern).rstrip("/")
        for name, blocks in parts(file, self.name, self.pattern, self.spec, limit):
            what = f"{archive}/{name}" if in_archive else self.spec
            decode = partial(decoded, encoding=self.encoding, what=what)
            contents = Contents(what, name, self.config, decode)
            yield Part(contents, blocks, None if in_archive or packing(name) else file)

    @property
    def may_have_records(self) -> bool:
        """Whether the file has records, of which a field may be named; an archive may have some."""
        return is_archive(self.name) or format_of(self.name, self.config.format).has_records


@dataclass(frozen=True)
class LargeFile:
    """A text file, or files in an archive, not held in memory.

    Parameters
    ----------
    reading
        How it is read.
    path
        The path of the file.
    name, origin
        As in a `Source`.
    size, changed
        Its size in bytes, and the time of its last change in nanoseconds.
    notes
        Remarks on it, for the user.
    """

    reading: Reading
    path: Path
    name: str
    origin: str
    size: int
    changed: int
    notes: tuple[str, ...] = ()

    def pieces(self, meter: Meter = UNWATCHED) -> Iterator[str]:
        """Yield the text in pieces of about a million characters.

        Parameters
        ----------
        meter
            Is told how much of the file has been read.

        Raises
        ------
        CorpusError
            When it is not what it should be, or has changed since.
        """
        with self._opened() as file:
            for number, part in enumerate(self._parts(file, meter)):
                if number:
                    yield "\n"
                yield from part.contents.pieces(part.blocks, part.file)
        meter.end(self.name, self.size)

    def line_starts(self, number: int) -> list[int]:
        """Return where the file may be cut: up to `number` - 1 places, about equally far apart.

        Returns
        -------
        list of int
            Places in bytes, rising, each after a line end. Decoding may begin there. Empty if it
            may begin nowhere but at the start: the file is packed, has records or markup, or its
            encoding does not show where a line ends.

        Raises
        ------
        CorpusError
            As for `pieces`.
        """
        name, config = self.reading.name, self.reading.config
        form = format_of(name, config.format)
        if is_archive(name) or packing(name) or config.gutenberg or config.format == TEXT:
            return []
        if form.has_records or form.plain is not None:
            return []
        with self._opened() as file, files.in_one_line(CorpusError, self._unread):
            head = file.read(_HEAD)
            if not is_cut_at_line_ends(encoding_used(head, self.reading.encoding, name)):
                return []
            wanted = (self.size * place // number for place in range(1, number))
            found = {_line_start(file, place) for place in wanted}
            return sorted(place for place in found if 0 < place < self.size)

    def stretch(self, start: int, stop: int) -> Iterator[str]:
        """Yield the text between two places of `line_starts`, or from or to the end.

        Parameters
        ----------
        start, stop
            Places in bytes.

        Raises
        ------
        CorpusError
            As for `pieces`.
        """
        spec, encoding = self.reading.spec, self.reading.encoding
        with self._opened() as file:
            if start:
                encoding = encoding_used(file.read(_HEAD), encoding, spec).removesuffix("-sig")
            file.seek(start)
            yield from decoded(self._explained(_blocks(file, stop - start)), encoding, spec, start)

    def records(self) -> Iterator[str]:
        """Yield the text of each record; a file without records is one.

        Raises
        ------
        CorpusError
            As for `pieces`.
        """
        with self._opened() as file:
            for part in self._parts(file, UNWATCHED):
                yield from part.contents.records(part.blocks, part.file)

    def in_memory(self, meter: Meter = UNWATCHED) -> list[Source]:
        """Return the text that it has now; of an archive, a source for each file in it.

        Raises
        ------
        CorpusError
            When it is not what it should be.
        """
        encoding = self.reading.encoding
        with self._opened(may_change=True) as file:
            found = [part.source(self._origin(part), encoding) for part in self._parts(file, meter)]
        meter.end(self.name, self.size)
        return found

    def noted(self) -> LargeFile:
        """Return this file with what its beginning tells the user."""
        if not self.reading.config.gutenberg:
            return self
        plain = replace(self.reading.config, gutenberg=False)
        head = "".join(
            islice(replace(self, reading=replace(self.reading, config=plain)).pieces(), 2)
        )
        return replace(self, notes=(*self.notes, *_without_header(self.reading.spec, head)))

    @property
    def has_records(self) -> bool:
        """Whether it has records, of which a field may be named; an archive may have some."""
        return self.reading.may_have_records

    @property
    def identity(self) -> tuple[str, ...]:
        """Identifies this text among others."""
        path, how = str(self.path.absolute()), self.reading
        more = [repr(how.config), how.pattern] if how.config.changed() or how.pattern else []
        return ("file", path, str(self.size), str(self.changed), how.encoding or "", *more)

    @contextmanager
    def _opened(self, *, may_change: bool = False) -> Iterator[IO[bytes]]:
        with files.in_one_line(CorpusError, self._unread):
            file = files.open_file(self.path)
        with file:
            now = os.fstat(file.fileno())
            if (now.st_size, now.st_mtime_ns) != (self.size, self.changed) and not may_change:
                raise CorpusError(
                    say(
                        "{spec!r} has changed since it was read; type %corpus again",
                        spec=self.reading.spec,
                    )
                )
            yield file

    def _parts(self, file: IO[bytes], meter: Meter) -> Iterator[Part]:
        for part in self.reading.parts(file):
            blocks = meter.watched(self._explained(part.blocks), file, self.name)
            yield replace(part, blocks=blocks)

    def _explained(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        with files.in_one_line(CorpusError, self._unread):
            yield from blocks

    def _origin(self, part: Part) -> str:
        is_member = is_archive(self.reading.name)
        return f"{self.path}/{part.contents.name}" if is_member else self.origin

    @property
    def _unread(self) -> str:
        return say("{path} cannot be read", path=files.shown(self.reading.spec))


def _line_start(file: IO[bytes], place: int) -> int:
    # Where the first line after a place begins; the size of the file if none does.
    file.seek(place)
    while block := file.read(_LOOK):
        if (found := block.find(b"\n")) >= 0:
            return place + found + 1
        place += len(block)
    return place


def _blocks(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (block := file.read(min(size, BLOCK_BYTES))):
        size -= len(block)
        yield block


def stem(name: str) -> str:
    """Return the name of a file without what its end says of its form."""
    return PurePath(name[: len(name) - len(packing(name))]).stem


def _doubts(blocks: Iterable[bytes], encoding: str | None, what: str) -> Iterator[str]:
    # A doubt where a text is probably read as what it is not.
    if encoding is None or codecs.lookup(encoding).name.startswith("utf"):
        return
    data = b"".join(blocks)
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError:
        return
    yield say(
        "{spec} is read as {encoding}, but it is valid UTF-8: --encoding utf-8 if it is garbled",
        spec=what,
        encoding=encoding,
    )


def _without_header(what: str, text: str) -> list[str]:
    if has_header(text):
        return []
    return [say("{what} has no header of Project Gutenberg, so nothing was taken off", what=what)]
