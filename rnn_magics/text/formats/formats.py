"""FORMATS: how the bytes of a file become text, by the suffix of its name or as the user says."""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import IO, Any

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say
from rnn_magics.options import Options, Range, Spelling, describe, option
from rnn_magics.text.formats import fields, rows
from rnn_magics.text.formats.gutenberg import book_alone
from rnn_magics.text.formats.markup import is_page, markdown_text, page_text, subtitle_text
from rnn_magics.text.formats.packed import packing

TEXT = "text"
"""The name of the format that the end of a file's name tells, without its markup."""
_PIECE = 1 << 20  # characters that records are gathered to
_SIGNATURES = {
    b"%PDF-": marked("{what!r} is a PDF; save it as text first"),
    b"\x1f\x8b": marked("{what!r} is packed with gzip; give it a name that ends in .gz"),
    b"\xfd7zXZ\0": marked("{what!r} is packed with xz; give it a name that ends in .xz"),
    b"PK\x03\x04": marked(
        "{what!r} is a zip archive, or a document that is one; save its text, or name it .zip"
    ),
    b"PK\x05\x06": marked("{what!r} is an empty zip archive; name another file"),
    b"(\xb5/\xfd": marked(
        "{what!r} is packed with zstd, which is not read; unpack it and name its files"
    ),
    b"7z\xbc\xaf\x27\x1c": marked(
        "{what!r} is a 7z archive, which is not read; unpack it and name its files"
    ),
    b"Rar!\x1a\x07": marked(
        "{what!r} is a rar archive, which is not read; unpack it and name its files"
    ),
    b"PAR1": marked("{what!r} is Parquet; read it with --as parquet --field NAME"),
    b"\x93NUMPY": marked("{what!r} is a NumPy array; load it and use %corpus --data NAME"),
    b"SQLite format 3\0": marked(
        "{what!r} is an SQLite database; read a column of it and use %corpus --data NAME"
    ),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": marked(
        "{what!r} is a document of an office program; save it as text"
    ),
}
_TOO_LONG = marked(
    "{what!r} has more than {most:,} characters, too many to be read in one piece; read it as it"
    " is with --as raw"
)
_TAR, _TAR_AT = b"ustar", 257


@dataclass(frozen=True)
class Format:
    """One form of a file. At most one of the three functions is given; without one it is text.

    Parameters
    ----------
    help
        One line that says what it is.
    suffixes
        The ends of the names of such files, in lower case.
    rows
        Yields records from the pieces of a text.
    table
        Yields records from an open file, and the name of the field that is read.
    plain
        Takes the markup off a text.
    """

    help: str
    suffixes: tuple[str, ...] = ()
    rows: Callable[[Iterable[str], str], Iterator[Any]] | None = None
    table: Callable[[IO[bytes], str | None, str], Iterator[Any]] | None = None
    plain: Callable[[str, str], str] | None = None

    @property
    def has_records(self) -> bool:
        """Whether it has records, of which a field may be named."""
        return self.rows is not None or self.table is not None


FORMATS: dict[str, Format] = {
    TEXT: Format(marked("text without markup, as the end of the name tells")),
    "raw": Format(marked("the file as it is")),
    "json": Format(
        marked("a list in JSON, one record an element"), (".json",), rows=rows.json_rows
    ),
    "jsonl": Format(
        marked("a JSON value on each line"), (".jsonl", ".ndjson"), rows=rows.json_lines
    ),
    "csv": Format(marked("rows with commas or semicolons"), (".csv",), rows=rows.comma_rows),
    "tsv": Format(marked("rows with tabs"), (".tsv", ".tab"), rows=rows.tab_rows),
    "parquet": Format(marked("a table of columns"), (".parquet",), table=rows.parquet_rows),
    "html": Format(marked("a web page"), (".html", ".htm", ".xhtml"), plain=page_text),
    "markdown": Format(marked("Markdown"), (".md", ".markdown"), plain=markdown_text),
    "subtitles": Format(marked("subtitles"), (".srt", ".vtt", ".ass", ".ssa"), plain=subtitle_text),
}


@dataclass(frozen=True, repr=False)
class FileConfig(Options):
    """How files, downloads and data sets become text."""

    format: str | None = option(
        None,
        "what the files are; text takes off the markup of web pages, Markdown and subtitles (by"
        " default records are told by the end of a name, and all else is read as it is)",
        choices=lambda: list(FORMATS),
        spelling=Spelling(flag="--as"),
        label="Kind of files",
    )
    field: str | None = option(
        None,
        "the field of each record (JSON, CSV, TSV, Parquet, data sets) that is its text, by"
        " default the only one, or text; a.b is b inside of a",
        spelling=Spelling(metavar="NAME", verbatim=True),
        label="Field of the records",
    )
    gutenberg: bool = option(
        False,
        "take header and licence of Project Gutenberg off",
        label="Without Gutenberg header",
    )
    max_unpacked: float = option(
        1000.0,
        "largest size in MB of a packed file, unpacked",
        within=Range(0, 1e6, open_left=True),
        label="Packed file: most megabytes",
    )

    def flags(self) -> list[str]:
        """Return what is typed for it, e.g. ``--field text``."""
        flag_of = {each.name: each.flag for each in describe(FileConfig)}
        return [
            flag_of[name] if value is True else f"{flag_of[name]} {_typed(value)}"
            for name, value in self.changed().items()
        ]


def _typed(value: str | float) -> str:
    return shlex.quote(value) if isinstance(value, str) else f"{value:g}"


@dataclass(frozen=True)
class Contents:
    """What a file holds, by its name and by what the user says.

    Parameters
    ----------
    what
        The name of the source in error messages.
    name
        The name of the file.
    config
        How it is read.
    decode
        Decodes blocks of bytes to pieces of text.
    """

    what: str
    name: str
    config: FileConfig
    decode: Callable[[Iterable[bytes]], Iterator[str]]

    @property
    def format(self) -> Format:
        """The form of the file."""
        return format_of(self.name, self.config.format)

    def records(self, blocks: Iterable[bytes], file: IO[bytes] | None = None) -> Iterator[str]:
        r"""Yield the texts of the records of a file; a file without records is one.

        Parameters
        ----------
        blocks
            Its bytes, unpacked.
        file
            The same as an open file, where it is not packed.

        Raises
        ------
        CorpusError
            When they are not what they should be.
        """
        form = self.format
        if form.table is not None:
            found = form.table(file or io.BytesIO(b"".join(blocks)), self.config.field, self.what)
        elif form.rows is not None:
            found = form.rows(self.decode(blocks), self.what)
        else:
            yield "".join(self.pieces(blocks))
            return
        if self.config.gutenberg:
            raise CorpusError(
                say(
                    "--gutenberg is for books as text, and {what!r} has records; leave it out",
                    what=self.what,
                )
            )
        yield from fields.texts(found, self.config.field, self.what)

    def pieces(self, blocks: Iterable[bytes], file: IO[bytes] | None = None) -> Iterator[str]:
        """Yield the text of a file in pieces: its records, joined by line ends.

        Parameters
        ----------
        blocks, file
            As for `records`.

        Raises
        ------
        CorpusError
            When the bytes are not what they should be.
        """
        if self.format.has_records:
            return joined(self.records(blocks, file))
        pieces = self.plain(blocks)
        return book_alone(pieces) if self.config.gutenberg else pieces

    def plain(self, blocks: Iterable[bytes]) -> Iterator[str]:
        """Yield the text of a file without records, without its markup if that is to go.

        Raises
        ------
        CorpusError
            As for `pieces`.
        """
        pieces, plain = self.decode(_checked(blocks, self.what)), self.format.plain
        if plain is None and self.config.format == TEXT:
            first = next(pieces, "")
            pieces, plain = chain([first], pieces), page_text if is_page(first) else None
        if plain is None:
            return pieces
        return iter([plain(rows.whole(pieces, self.what, _TOO_LONG), self.what)])


def format_of(name: str, typed: str | None) -> Format:
    """Return the format of a file; see `format_name`."""
    return FORMATS[format_name(name, typed)]


def format_name(name: str, typed: str | None) -> str:
    """Return the name in `FORMATS` of the format of a file.

    Parameters
    ----------
    name
        The name of the file, which may be packed.
    typed
        What the user says: a name of `FORMATS`, or nothing.
    """
    if typed is not None and typed != TEXT:
        return typed
    suffix = PurePath(name[: len(name) - len(packing(name))]).suffix.lower()
    found = next((each for each, form in FORMATS.items() if suffix in form.suffixes), "raw")
    return "raw" if typed is None and FORMATS[found].plain is not None else found


def joined(records: Iterable[str]) -> Iterator[str]:
    """Join records by line ends, and yield the text in pieces of about a million characters."""
    gathered: list[str] = []
    size, between = 0, ""
    for record in records:
        gathered += (between, record)
        size, between = size + len(record) + 1, "\n"
        if size >= _PIECE:
            yield "".join(gathered)
            gathered, size = [], 0
    yield "".join(gathered)


def _checked(blocks: Iterable[bytes], what: str) -> Iterator[bytes]:
    # Refuses what is known not to be text, with what to do instead.
    blocks = iter(blocks)
    first = next(blocks, b"")
    said = next((said for mark, said in _SIGNATURES.items() if first.startswith(mark)), "")
    if first[_TAR_AT:].startswith(_TAR):
        said = marked("{what!r} is a tar archive, which is not read; unpack it and name its files")
    if said:
        raise CorpusError(say(said, what=what))
    return chain([first], blocks)
