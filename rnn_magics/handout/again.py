"""A file that a script reads again: plain, packed, or with records of which a field is the text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.handout.literals import path, string
from rnn_magics.text.cleaning import CorpusConfig, clean
from rnn_magics.text.formats.fields import USUAL
from rnn_magics.text.formats.formats import TEXT, FileConfig, format_name
from rnn_magics.text.formats.packed import is_archive, packing, parts

_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "gb18030")
_MODULES = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}


@dataclass(frozen=True)
class _Way:
    # How records are read from an open file: here, and the same in a script.
    read: Callable[[IO[str]], list[Any]]
    source: str
    newline: str | None = None


_WAYS: dict[str, _Way] = {
    "json": _Way(lambda file: list(json.load(file)), "json.load(file)"),
    "jsonl": _Way(
        lambda file: [json.loads(line) for line in file if not line.isspace()],
        "[json.loads(line) for line in file if not line.isspace()]",
    ),
    "csv": _Way(lambda file: list(csv.DictReader(file)), "list(csv.DictReader(file))", ""),
    "tsv": _Way(
        lambda file: list(csv.DictReader(file, delimiter="\t")),
        'list(csv.DictReader(file, delimiter="\\t"))',
        "",
    ),
}


def read_again(origin: str, data: str, config: CorpusConfig, how: FileConfig) -> str | None:
    """Return the source that reads the text of a corpus from its file.

    Parameters
    ----------
    origin
        The path of the file.
    data, config
        The cleaned text, and how it was cleaned.
    how
        How the file was read.

    Returns
    -------
    str or None
        Python source that defines ``text``; None if a few lines cannot read it: the text would be
        another one.
    """
    form = format_name(origin, how.format)
    if is_archive(origin) or form not in ("raw", *_WAYS) or how.gutenberg or how.format == TEXT:
        return None
    try:
        with files.open_file(origin) as file:
            ((_, blocks),) = parts(file, PurePath(origin).name, "", origin, how.max_unpacked)
            content = b"".join(blocks)
    except (OSError, ValueError, CorpusError):
        return None
    for encoding in _ENCODINGS:
        try:
            found = _attempt(origin, content, encoding, form, how.field)
        except (ValueError, LookupError, TypeError, csv.Error, RecursionError):
            continue
        text, source = found
        if clean(text, config) == data:
            return f"{path(origin)}{source}"
    return None


def _attempt(
    origin: str, content: bytes, encoding: str, form: str, field: str | None
) -> tuple[str, str]:
    # The text, and the source that reads it.
    way = _WAYS.get(form)
    newline = None if way is None else way.newline
    file = io.TextIOWrapper(io.BytesIO(content), encoding, newline=newline)
    if way is None:
        if not packing(origin):
            return file.read(), f'text = Path(path).read_text(encoding="{encoding}")\n'
        return file.read(), f"text = {_opened(origin, encoding, newline)}.read()\n"
    records = way.read(file)
    joined = _joined(records, field)
    return "\n".join(joined[0]), (
        f"with {_opened(origin, encoding, newline)} as file:\n"
        f"    records = {way.source}\n"
        f'text = "\\n".join({joined[1]})\n'
    )


def _joined(records: list[Any], field: str | None) -> tuple[Iterator[str], str]:
    if field is None and records and isinstance(records[0], dict):
        field = next(iter(records[0])) if len(records[0]) == 1 else USUAL
    if field is None:
        return iter(records), "records"
    return (record[field] for record in records), f"record[{string(field)}] for record in records"


def _opened(origin: str, encoding: str, newline: str | None) -> str:
    end = "" if newline is None else f', newline="{newline}"'
    if module := _MODULES.get(packing(origin)):
        return f'{module}.open(path, "rt", encoding="{encoding}"{end})'
    return f'open(path, encoding="{encoding}"{end})'
