"""Rows: the records of JSON, JSON lines, CSV, TSV and Parquet, one by one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import IO, Any

from rnn_magics.errors import CorpusError
from rnn_magics.foreign import foreign_code
from rnn_magics.language import marked, say
from rnn_magics.results import visible
from rnn_magics.text.formats.json_list import (
    ExtraDataError,
    NotJSONError,
    TooLongError,
    elements,
)

MOST_CHARACTERS = 1 << 28
"""The most characters of what has to be held in memory: a line, a record, a page."""
_AT_ONCE = 1024  # rows
_DELIMITERS = ",;\t"  # of a CSV file, the first that occurs in its head


def whole(pieces: Iterable[str], what: str, refused: str) -> str:
    """Return a text that has to be held in memory.

    Parameters
    ----------
    pieces, what
        The text, and the name of its source.
    refused
        What is said of one that is too large: a text with the fields ``what`` and ``most``.

    Raises
    ------
    CorpusError
        When it is too large for that.
    """
    gathered, size = [], 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size > MOST_CHARACTERS:
            raise CorpusError(say(refused, what=what, most=MOST_CHARACTERS))
    return "".join(gathered)


def json_rows(pieces: Iterable[str], what: str) -> Iterator[Any]:
    """Yield the elements of a list in JSON; any other value is one record.

    Raises
    ------
    CorpusError
        When it is not JSON.
    """
    number = 0
    try:
        for record in elements(pieces, MOST_CHARACTERS):
            number += 1
            yield record
    except TooLongError:
        raise CorpusError(
            say(
                "record {number:,} of {what!r} has more than {most:,} characters; take it out, or"
                " read the file as it is with --as raw",
                number=number + 1,
                what=what,
                most=MOST_CHARACTERS,
            )
        ) from None
    except (NotJSONError, RecursionError) as error:
        if isinstance(error, ExtraDataError):
            said = marked(
                "{what!r} is not JSON ({error}); if it has a value on each line: --as jsonl"
            )
        else:
            said = marked(
                "{what!r} is not JSON ({error}); correct it, or read it as it is with --as raw"
            )
        raise CorpusError(say(said, what=what, error=_told(error))) from None


def json_lines(pieces: Iterable[str], what: str) -> Iterator[Any]:
    """Yield the JSON value of each line that is not empty.

    Raises
    ------
    CorpusError
        When a line is not JSON, with its number.
    """
    for number, line in enumerate(_lines(pieces, what), start=1):
        if line.isspace():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                say(
                    "line {number:,} of {what!r} is not JSON ({error}); correct it, or read the"
                    " file as it is with --as raw",
                    number=number,
                    what=what,
                    error=_told(error),
                )
            ) from None


def comma_rows(pieces: Iterable[str], what: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file below its head; commas, semicolons or tabs separate them.

    Raises
    ------
    CorpusError
        When a row is not CSV, with its number.
    """
    return _separated(_lines(pieces, what), what, None)


def tab_rows(pieces: Iterable[str], what: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a TSV file below its head.

    Raises
    ------
    CorpusError
        When a row is not TSV, with its number.
    """
    return _separated(_lines(pieces, what), what, "\t")


def parquet_rows(file: IO[bytes], field: str | None, what: str) -> Iterator[Any]:
    """Yield the rows of a Parquet file; of the columns, only that of the field if one is named.

    Raises
    ------
    CorpusError
        When pyarrow is missing, or the file is not Parquet.
    """
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise CorpusError(
            say("reading {what!r} needs pyarrow: pip install 'rnn_magics[parquet]'", what=what)
        ) from None
    damaged = say("{what!r} is not Parquet, or it is damaged; fetch it again", what=what)
    with foreign_code(damaged, CorpusError):
        table = parquet.ParquetFile(file)
        names = table.schema_arrow.names
        # A field that no column has is named by its first record.
        column = next((c for c in (field, (field or "").partition(".")[0]) if c in names), None)
        batches = table.iter_batches(_AT_ONCE, columns=None if column is None else [column])
    while True:
        with foreign_code(damaged, CorpusError):
            batch = next(batches, None)
            rows = [] if batch is None else batch.to_pylist()
        if batch is None:
            return
        yield from rows


def _lines(pieces: Iterable[str], what: str) -> Iterator[str]:
    # Each with its line end. A piece of a long line is not looked at twice.
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        *complete, rest = piece.split("\n")
        for line in complete:
            yield f"{''.join(waiting)}{line}\n"
            waiting, size = [], 0
        waiting.append(rest)
        size += len(rest)
        if size > MOST_CHARACTERS:
            raise CorpusError(
                say(
                    "{what!r} has a line of more than {most:,} characters; read it as it is with"
                    " --as raw",
                    what=what,
                    most=MOST_CHARACTERS,
                )
            )
    if last := "".join(waiting):
        yield last


def _separated(lines: Iterator[str], what: str, delimiter: str | None) -> Iterator[dict[str, str]]:
    first = next(lines, "")
    delimiter = delimiter or next((each for each in _DELIMITERS if each in first), ",")
    reader = csv.reader(_again(first, lines), delimiter=delimiter, strict=True)
    (head, *_) = [*_few(reader, 1, what), []]
    number = 0
    while rows := _few(reader, _AT_ONCE, what):
        for row in filter(None, rows):
            number += 1
            if len(row) > len(head):
                raise CorpusError(
                    say(
                        "record {number:,} of {what!r} has {cells} cells and the first line only"
                        " {heads}; a text with {delimiter!r} needs quotes",
                        number=number,
                        what=what,
                        cells=len(row),
                        heads=len(head),
                        delimiter=delimiter,
                    )
                )
            yield dict(zip(head, row, strict=False))


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _few(reader: Any, count: int, what: str) -> list[list[str]]:
    with _long_fields():
        try:
            return list(islice(reader, count))
        except csv.Error as error:
            raise CorpusError(
                say(
                    "line {number:,} of {what!r} cannot be read ({error}); correct it, or read the"
                    " file as it is with --as raw",
                    number=reader.line_num,
                    what=what,
                    error=error,
                )
            ) from None


@contextmanager
def _long_fields() -> Iterator[None]:
    # The limit belongs to the whole process, and 131,072 characters are few for a text.
    before = csv.field_size_limit(MOST_CHARACTERS)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _told(error: Exception) -> str:
    return visible(str(error), keep="") or type(error).__name__
