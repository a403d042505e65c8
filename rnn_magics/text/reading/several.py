"""Several sources become one text: folders and patterns are expanded, the files joined."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from os import PathLike
from pathlib import Path, PurePath

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.foreign import a_kind
from rnn_magics.options import describe
from rnn_magics.results import visible
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.formats.hub import is_hub
from rnn_magics.text.reading import sources as each_source
from rnn_magics.text.reading.download import DownloadConfig
from rnn_magics.text.reading.progress import UNWATCHED, Meter, Watch
from rnn_magics.text.reading.source import LargeFile, Reading, Source, stem
from rnn_magics.text.reading.sources import (
    BUILTINS,
    disk_size,
    is_path,
    is_url,
    local_file,
    located,
    read_sources,
    text_size,
)

Spec = str | PathLike[str]
_MOST_FILES = 10_000
_MOST_NAMED = 3


@dataclass(frozen=True)
class Sources:
    """The sources of a text, in their order.

    Parameters
    ----------
    sources
        What was found; two of them are joined by a line end.
    name
        The name of the text in listings.
    meter
        Is told how much of the files has been read.
    """

    sources: tuple[Source | LargeFile, ...]
    name: str
    meter: Meter = UNWATCHED

    def records(self) -> Iterator[str]:
        r"""Yield the texts of all records; a source without records is one.

        Joined by ``\n``, they are the text, before it is cleaned.

        Raises
        ------
        CorpusError
            When a large file cannot be read, or has changed since.
        """
        for source in self.sources:
            yield from source.records()

    @property
    def origin(self) -> str:
        """Where they come from; of many, the first are named."""
        return named([source.origin for source in self.sources], ", ")

    def notes(self, num_characters: int) -> tuple[str, ...]:
        """Return the remarks on them; of several, first what was read.

        Parameters
        ----------
        num_characters
            The length of the text that they became.
        """
        told = [note for source in self.sources for note in source.notes]
        if len(self.sources) > 1:
            what = f"{len(self.sources):,} texts, {num_characters:,} characters"
            told.insert(0, f"{what}: {named([source.name for source in self.sources], ', ')}")
        counted = Counter(source.origin for source in self.sources)
        told += [f"{origin} is read {n} times" for origin, n in counted.items() if n > 1]
        return tuple(visible(note, keep="") for note in told)


def find_sources(
    specs: Sequence[Spec],
    encoding: str | None = None,
    config: DownloadConfig | None = None,
    how: FileConfig | None = None,
    watch: Watch | None = None,
) -> Sources:
    """Read sources; if their files are large together, these stay on disk.

    Parameters
    ----------
    specs
        What `Corpus.load` takes.
    encoding, config, how
        As for `read_sources`.
    watch
        Is told how much of the local files has been read.

    Raises
    ------
    CorpusError
        When one of them cannot be read, with its name, or an option has no effect on any of them.
    """
    if not specs:
        msg = "an empty list names no text; name one, or leave it out for the built-in text"
        raise CorpusError(msg)
    how = how or FileConfig()
    typed = [_text(spec, place) for place, spec in enumerate(specs)]
    if config is not None and config.sha256 and not (len(typed) == 1 and is_url(typed[0])):
        msg = "--sha256 checks one download: name exactly one http:// or https:// address"
        raise CorpusError(msg)
    expanded = [spec for each in typed for spec in _expanded(each)]
    _refuse_useless(how, expanded)
    on_disk = sum(map(text_size, expanded)) > each_source.STREAM_BYTES
    meter = Meter(watch, sum(map(disk_size, expanded)))
    found: list[Source | LargeFile] = []
    for spec in expanded:
        if on_disk and disk_size(spec):
            found.append(local_file(spec, encoding, how).noted())
        else:
            found += read_sources(spec, encoding, config, how, meter)
    if how.field is not None and not any(source.has_records for source in found):
        raise CorpusError(_NO_RECORDS)
    is_group = len(typed) == 1 and (expanded != typed or len(found) > 1)
    name = _title(typed[0]) if is_group else named([each.name for each in found], "+")
    return Sources(tuple(found), name, meter)


def applying(how: FileConfig, spec: str) -> FileConfig:
    """Return what of `how` applies to a source; of that which was typed for another.

    Raises
    ------
    CorpusError
        When the source is a folder or a pattern without files.
    """
    names = [_file_name(each) for each in _expanded(spec) if each not in BUILTINS]
    if not names:
        return FileConfig()
    if any(name is None or Reading("", name, config=how).may_have_records for name in names):
        return how
    return replace(how, field=None)


_NO_RECORDS = (
    "--field is for files with records (JSON, CSV, TSV, Parquet) and data sets, and there is none"
    " here; leave it out, or say what the files are with --as"
)


def _refuse_useless(how: FileConfig, expanded: Sequence[str]) -> None:
    if how.changed() and all(spec in BUILTINS for spec in expanded):
        flag = next(each.flag for each in describe(FileConfig) if each.name in how.changed())
        msg = f"{flag} is for files, downloads and data sets; leave it out of a built-in text"
        raise CorpusError(msg)


def _file_name(spec: str) -> str | None:
    # None for a data set, which has no file.
    if is_hub(spec):
        return None
    return located(spec)[0].name if is_path(spec) else PurePath(spec.partition("?")[0]).name


def named(names: Sequence[str], between: str) -> str:
    """Return some names in one line; of many, the first and how many more."""
    if len(names) <= _MOST_NAMED:
        return between.join(names)
    return f"{between.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED:,} more"


def _text(spec: object, place: int) -> str:
    if not isinstance(spec, str | PathLike):
        msg = f"source {place + 1} is {a_kind(spec)}; a source is a name, a path or an address"
        raise CorpusError(msg)
    text = os.fspath(spec)
    if not text.strip():
        msg = f"source {place + 1} is empty; name a text, a path or an address"
        raise CorpusError(msg)
    return text


def _expanded(spec: str) -> Iterable[str]:
    # The files that a folder or a pattern stands for. A file of that very name comes first.
    if not is_path(spec):
        return [spec]
    path = files.user_path(spec, CorpusError)
    with files.in_one_line(CorpusError, f"{files.shown(spec)} cannot be read"):
        if path.is_dir():
            there = (each.name for each in path.iterdir() if not each.name.startswith("."))
            found = _files(str(Path(spec, name)) for name in there)
            instead = f"files in folders below it are named by {Path(spec, '**', '*')}"
            return _some(found, spec, f"has no files; {instead}")
        if glob.has_magic(spec) and not path.exists() and not located(spec)[1]:
            found = _files(glob.iglob(str(path), recursive=True))  # noqa: PTH207  (absolute, too)
            return _some(found, spec, f"fits no file (looked for from {str(Path.cwd())!r})")
    return [spec]


def _files(paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if not files.user_path(path, CorpusError).is_dir())


def _some(found: Iterator[str], spec: str, otherwise: str) -> list[str]:
    listed = list(islice(found, _MOST_FILES + 1))
    if not listed:
        msg = f"{files.shown(spec)} {otherwise}"
        raise CorpusError(msg)
    if len(listed) > _MOST_FILES:
        msg = f"{files.shown(spec)} stands for more than {_MOST_FILES:,} files; name fewer, or join"
        raise CorpusError(msg + " them into one file first")
    return sorted(listed)


def _title(spec: str) -> str:
    # Of a folder, a pattern or an archive.
    if not is_path(spec):
        return stem(PurePath(spec.partition("?")[0]).name)
    path = files.user_path(spec, CorpusError)
    return path.resolve().name or str(path) if path.is_dir() else spec
