"""A text that is too large for memory: it is read from its files each time it is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rnn_magics.errors import CorpusError
from rnn_magics.language import say
from rnn_magics.text.cleaning import (
    CorpusConfig,
    clean_pieces,
    cleaned_and_lost,
    cleaned_documents,
    letters_left,
    letters_removed,
    require_two,
    share_removed,
)
from rnn_magics.text.documents import DOCUMENTS
from rnn_magics.text.indexing.numbering import PIECE
from rnn_magics.text.reading.progress import UNWATCHED, Meter
from rnn_magics.text.reading.source import LargeFile, Source

_BEGINNING = 1000  # characters kept for display


@dataclass(frozen=True)
class StreamedText:
    """The cleaned text of large files, which is never in memory as a whole.

    Make one with `survey`, which reads the files once.

    Parameters
    ----------
    sources
        The files and texts that it is read from, joined by line ends.
    cleaning
        How it is cleaned.
    num_characters
        Its length after cleaning.
    sha256
        Of the cleaned text in UTF-8.
    beginning
        Its first characters.
    letters_removed
        The share of the letters that the cleaning removed.
    num_line_ends
        How many line ends it has.
    within
        Which characters of the cleaned text of its files it is: those before and from here on
        belong to another part. None for all of them.
    storage
        The folder that keeps its token indices; None for the one beside the downloads.
    """

    sources: tuple[Source | LargeFile, ...]
    cleaning: CorpusConfig
    num_characters: int
    sha256: str
    beginning: str
    letters_removed: float = 0.0
    num_line_ends: int = 0
    within: tuple[int, int] | None = None
    storage: str | None = None

    @classmethod
    def survey(
        cls,
        sources: Sequence[Source | LargeFile],
        cleaning: CorpusConfig,
        meter: Meter = UNWATCHED,
    ) -> StreamedText:
        """Read the text once, to check that it is text and to measure it.

        Parameters
        ----------
        sources, cleaning
            As in a `StreamedText`.
        meter
            Is told how much of the files has been read.

        Raises
        ------
        CorpusError
            When a source cannot be read as text.
        """
        removed = left = 0
        measured = _Measured()

        def counted() -> Iterator[str]:
            nonlocal removed
            for piece in _joined(sources, meter):
                removed += letters_removed(piece, cleaning)
                yield piece

        for piece in clean_pieces(counted(), cleaning):
            measured.add(piece)
            left += letters_left(piece)
        return measured.text(tuple(sources), cleaning, share_removed(removed, left))

    def parted(self, number: int) -> tuple[StreamedText, StreamedText]:
        """Return the first characters and the others as texts; the files are read once for it.

        Parameters
        ----------
        number
            How many characters the first part has.
        """
        parts, at = (_Measured(), _Measured()), 0
        for piece in self.pieces():
            cut = min(max(number - at, 0), len(piece))
            for part, words in zip(parts, (piece[:cut], piece[cut:]), strict=True):
                part.add(words)
            at += len(piece)
        first, second = (
            part.text(self.sources, self.cleaning, self.letters_removed) for part in parts
        )
        first, second = (replace(part, storage=self.storage) for part in (first, second))
        return replace(first, within=(0, number)), replace(second, within=(number, at))

    def __len__(self) -> int:
        """Return the number of characters."""
        return self.num_characters

    def pieces(self) -> Iterator[str]:
        """Yield the cleaned text, in pieces of the size that tokenizers work on.

        Raises
        ------
        CorpusError
            When a file has changed since the survey.
        """
        first, last = self.within or (0, None)
        for piece in part_of(_cleaned(self.sources, self.cleaning), first, last):
            for start in range(0, len(piece), PIECE):
                yield piece[start : start + PIECE]

    @property
    def identity(self) -> list[tuple[str, ...]]:
        """Identifies the files, and the state that they are in."""
        return [source.identity for source in self.sources]


class _Measured:
    # What is known of a text that has gone by once.
    def __init__(self) -> None:
        self._digest, self._characters, self._line_ends, self._beginning = (
            hashlib.sha256(),
            0,
            0,
            "",
        )

    def add(self, piece: str) -> None:
        self._digest.update(piece.encode("utf-8", "surrogatepass"))
        self._characters += len(piece)
        self._line_ends += piece.count("\n")
        if len(self._beginning) < _BEGINNING:
            self._beginning += piece[: _BEGINNING - len(self._beginning)]

    def text(
        self, sources: tuple[Source | LargeFile, ...], cleaning: CorpusConfig, removed: float
    ) -> StreamedText:
        measured = self._characters, self._digest.hexdigest(), self._beginning
        return StreamedText(sources, cleaning, *measured, removed, self._line_ends)


def part_of(pieces: Iterable[str], first: int, last: int | None) -> Iterator[str]:
    """Yield the characters ``[first, last)`` of a text that comes in pieces; None for its end."""
    at = 0
    for piece in pieces:
        if last is not None and at >= last:
            return
        kept = piece[max(first - at, 0) : None if last is None else last - at]
        at += len(piece)
        if kept:
            yield kept


def cleaned_text(
    sources: Sequence[Source | LargeFile],
    cleaning: CorpusConfig,
    name: str,
    meter: Meter = UNWATCHED,
    storage: str | None = None,
) -> tuple[str | StreamedText, float]:
    """Return the cleaned text of sources, and the share of its letters that were removed.

    The text of large files stays on disk, unless it is documents.

    Parameters
    ----------
    sources, cleaning, name, meter
        The sources, how they are cleaned, the name of the text, and who is told of the progress.
    storage
        As in a `StreamedText`.

    Raises
    ------
    CorpusError
        When a large file cannot be read as text, or fewer than two characters are left, or there
        are no records that could be documents.
    """
    texts = [source.text for source in sources if isinstance(source, Source)]
    if storage is not None and (cleaning.documents is not None or len(texts) == len(sources)):
        raise CorpusError(
            say(
                "{name!r} is kept in memory, as documents and texts without a file are; leave"
                " --storage out",
                name=name,
            )
        )
    if cleaning.documents is not None:
        found = _documents(sources, cleaning.documents, name, meter)
        return cleaned_documents(found, cleaning, name)
    if len(texts) < len(sources):
        streamed = replace(StreamedText.survey(sources, cleaning, meter), storage=storage)
        require_two(streamed, name, "character", streamed.letters_removed)
        return streamed, streamed.letters_removed
    return cleaned_and_lost("\n".join(texts), cleaning, name)


def cleaned_again(
    data: str | StreamedText | list[str], cleaning: CorpusConfig, name: str
) -> tuple[str | StreamedText, float]:
    """Return a text in another cleaning, and the share of its letters that were removed.

    Parameters
    ----------
    data
        The text, or its documents, which stay in their order. They become lines where `cleaning`
        knows no documents; a text may become a single document.
    cleaning, name
        As for `cleaned_text`.

    Raises
    ------
    CorpusError
        As for `cleaned_text`.
    """
    whole = replace(cleaning, valid=0.0)
    if isinstance(data, StreamedText):
        if data.within is not None:
            raise CorpusError(
                say(
                    "{name!r} is on disk and has a test part, so it cannot be cleaned anew; read it"
                    " from its files as it is to be, or without --test",
                    name=name,
                )
            )
        return cleaned_text(data.sources, whole, name, storage=data.storage)
    if isinstance(data, list) and cleaning.documents is not None:
        return cleaned_documents(data, replace(whole, seed=None), name)
    return cleaned_and_lost(data, whole, name)


def _documents(
    sources: Iterable[Source | LargeFile], kind: str, name: str, meter: Meter
) -> Iterator[str]:
    boundary, has_records = DOCUMENTS[kind], False
    for each in sources:
        has_records |= each.has_records
        for source in each.in_memory(meter) if isinstance(each, LargeFile) else [each]:
            if boundary.of_records:
                yield from source.records()
            else:
                yield from [source.text] if boundary.cut is None else boundary.cut(source.text)
    if boundary.of_records and not has_records:
        raise CorpusError(
            say(
                "{name!r} has no records (JSON, CSV, TSV, Parquet, data sets) that could be"
                " documents; name another of --documents {known}",
                name=name,
                known=", ".join(DOCUMENTS),
            )
        )


def _cleaned(sources: Iterable[Source | LargeFile], cleaning: CorpusConfig) -> Iterator[str]:
    return clean_pieces(_joined(sources), cleaning)


def _joined(sources: Iterable[Source | LargeFile], meter: Meter = UNWATCHED) -> Iterator[str]:
    for number, source in enumerate(sources):
        if number:
            yield "\n"
        yield from source.pieces(meter)
