"""Data sets of the Hugging Face hub: ``hf:NAME[@REVISION][:CONFIG]:SPLIT``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

from rnn_magics.errors import CorpusError
from rnn_magics.foreign import foreign_code
from rnn_magics.language import say
from rnn_magics.text.formats.fields import texts
from rnn_magics.text.formats.packed import MEGABYTE

PREFIX = "hf:"
_FORM = re.compile(
    r"hf:(?P<name>[^:@\s]+)(@(?P<revision>[^:\s]+))?(:(?P<config>[^:\s]+)(?=:))?(:(?P<split>[^:\s]+))?"
)


def is_hub(spec: str) -> bool:
    """Whether a source is a data set of the hub."""
    return spec.startswith(PREFIX)


def hub_records(spec: str, field: str | None, limit: float) -> Iterator[str]:
    """Yield the texts of a data set as they arrive.

    Parameters
    ----------
    spec
        What the user typed: ``hf:NAME``, ``hf:NAME:SPLIT`` or ``hf:NAME:CONFIG:SPLIT``. The split
        is ``train`` if none is named. A revision pins what is read, as a sha256 does for a file.
    field
        As for `fields.texts`.
    limit
        The most MB of text.

    Raises
    ------
    CorpusError
        When the library is missing, there is no such data set, or it is larger than the limit.
    """
    form = _FORM.fullmatch(spec)
    if form is None:
        raise CorpusError(
            say(
                "{spec!r} names no data set; type hf:NAME, hf:NAME:SPLIT or hf:NAME:CONFIG:SPLIT",
                spec=spec,
            )
        )
    try:
        datasets = import_module("datasets")
    except ImportError:
        raise CorpusError(
            say("reading {spec!r} needs datasets: pip install 'rnn_magics[datasets]'", spec=spec)
        ) from None
    failed = say("{spec!r} cannot be read; check its name, its CONFIG and its SPLIT", spec=spec)
    with foreign_code(failed, CorpusError):
        rows = iter(
            datasets.load_dataset(
                form["name"],
                form["config"],
                split=form["split"] or "train",
                revision=form["revision"],
                streaming=True,
            )
        )
    size = 0
    for text in texts(_each(rows, failed), field, spec):
        size += len(text.encode("utf-8", "surrogatepass")) + 1
        if size > limit * MEGABYTE:
            raise CorpusError(
                say(
                    "{spec!r} has more than {most:g} MB of text; allow more with --max-download MB",
                    spec=spec,
                    most=limit,
                )
            )
        yield text


def _each(rows: Iterator[object], failed: str) -> Iterator[object]:
    end = object()
    while True:
        with foreign_code(failed, CorpusError):
            row = next(rows, end)
        if row is end:
            return
        yield row
