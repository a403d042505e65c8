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
from rnn_magics.language import marked, say
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
            told.insert(
                0,
                say(
                    "{number:,} texts, {num_characters:,} characters: {names}",
                    number=len(self.sources),
                    num_characters=num_characters,
                    names=named(
                        [source.name for source in self.sources],
                        ", ",
                        say("{first} and {more:,} more"),
                    ),
                ),
            )
        counted = Counter(source.origin for source in self.sources)
        told += [
            say("{origin} is read {times} times", origin=say(origin), times=n)
            for origin, n in counted.items()
            if n > 1
        ]
        return tuple(visible(note, keep="") for note in told)


def find_sources(
    specs: Sequence[Spec],
    encoding: str | None = None,
    config: DownloadConfig | None = None,
    how: FileConfig | None = None,
    watch: Watch | None = None,
    *,
    stay_on_disk: bool = False,
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
    stay_on_disk
        Whether files stay on disk whatever their size.

    Raises
    ------
    CorpusError
        When one of them cannot be read, with its name, or an option has no effect on any of them.
    """
    if not specs:
        raise CorpusError(
            say("an empty list names no text; name one, or leave it out for the built-in text")
        )
    how = how or FileConfig()
    typed = [_text(spec, place) for place, spec in enumerate(specs)]
    if config is not None and config.sha256 and not (len(typed) == 1 and is_url(typed[0])):
        raise CorpusError(
            say("--sha256 checks one download: name exactly one http:// or https:// address")
        )
    expanded = [spec for each in typed for spec in _expanded(each)]
    _refuse_useless(how, expanded)
    on_disk = stay_on_disk or sum(map(text_size, expanded)) > each_source.STREAM_BYTES
    meter = Meter(watch, sum(map(disk_size, expanded)))
    found: list[Source | LargeFile] = []
    for spec in expanded:
        if on_disk and disk_size(spec):
            found.append(local_file(spec, encoding, how).noted())
        else:
            found += read_sources(spec, encoding, config, how, meter)
    if how.field is not None and not any(source.has_records for source in found):
        raise CorpusError(say(_NO_RECORDS))
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


_NO_RECORDS = marked(
    "--field is for files with records (JSON, CSV, TSV, Parquet) and data sets, and there is none"
    " here; leave it out, or say what the files are with --as"
)


def _refuse_useless(how: FileConfig, expanded: Sequence[str]) -> None:
    if how.changed() and all(spec in BUILTINS for spec in expanded):
        flag = next(each.flag for each in describe(FileConfig) if each.name in how.changed())
        raise CorpusError(
            say(
                "{option} is for files, downloads and data sets; leave it out of a built-in text",
                option=flag,
            )
        )


def _file_name(spec: str) -> str | None:
    # None for a data set, which has no file.
    if is_hub(spec):
        return None
    return located(spec)[0].name if is_path(spec) else PurePath(spec.partition("?")[0]).name


def named(names: Sequence[str], between: str, text: str = "{first} and {more:,} more") -> str:
    """Return some names in one line; of many, the first and how many more.

    By default in English in every language: a list of names may itself be a name.
    """
    if len(names) <= _MOST_NAMED:
        return between.join(names)
    return text.format(first=between.join(names[:_MOST_NAMED]), more=len(names) - _MOST_NAMED)


def _text(spec: object, place: int) -> str:
    if not isinstance(spec, str | PathLike):
        raise CorpusError(
            say(
                "source {place} is {kind}; a source is a name, a path or an address",
                place=place + 1,
                kind=a_kind(spec),
            )
        )
    text = os.fspath(spec)
    if not text.strip():
        raise CorpusError(
            say("source {place} is empty; name a text, a path or an address", place=place + 1)
        )
    return text


def _expanded(spec: str) -> Iterable[str]:
    # The files that a folder or a pattern stands for. A file of that very name comes first.
    if not is_path(spec):
        return [spec]
    path = files.user_path(spec, CorpusError)
    with files.in_one_line(CorpusError, say("{path} cannot be read", path=files.shown(spec))):
        if path.is_dir():
            there = (each.name for each in path.iterdir() if not each.name.startswith("."))
            found = _files(str(Path(spec, name)) for name in there)
            return _some(
                found,
                spec,
                say(
                    "{path} has no files; files in folders below it are named by {pattern}",
                    path=files.shown(spec),
                    pattern=Path(spec, "**", "*"),
                ),
            )
        if glob.has_magic(spec) and not path.exists() and not located(spec)[1]:
            found = _files(glob.iglob(str(path), recursive=True))  # noqa: PTH207  (absolute, too)
            return _some(
                found,
                spec,
                say(
                    "{path} fits no file (looked for from {here!r})",
                    path=files.shown(spec),
                    here=str(Path.cwd()),
                ),
            )
    return [spec]


def _files(paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if not files.user_path(path, CorpusError).is_dir())


def _some(found: Iterator[str], spec: str, otherwise: str) -> list[str]:
    listed = list(islice(found, _MOST_FILES + 1))
    if not listed:
        raise CorpusError(otherwise)
    if len(listed) > _MOST_FILES:
        raise CorpusError(
            say(
                "{spec} stands for more than {most:,} files; name fewer, or join them into one"
                " file first",
                spec=files.shown(spec),
                most=_MOST_FILES,
            )
        )
    return sorted(listed)


def _title(spec: str) -> str:
    # Of a folder, a pattern or an archive.
    if not is_path(spec):
        return stem(PurePath(spec.partition("?")[0]).name)
    path = files.user_path(spec, CorpusError)
    return path.resolve().name or str(path) if path.is_dir() else spec
