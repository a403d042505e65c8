"""The columns of a table of runs: the options in which they differ, as people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnn_magics.language import say
from rnn_magics.options import Options, describe
from rnn_magics.results import shortened, visible
from rnn_magics.text.documents import MARKS
from rnn_magics.training.run import Run

_UNKNOWN = object()  # the value of an option for a run that does not tell it
_WIDTH = 40  # characters of a cell


@dataclass(frozen=True)
class Column:
    """One column of the table, with an entry for each run.

    Parameters
    ----------
    name
        The name of an option or of a result.
    entries
        The values as `Comparison.to_pandas` has them; None where there is none.
    cells
        The values as people read them, each on one line.
    heading
        What stands above them: the name of an option, or a word for the result.
    """

    name: str
    entries: list[Any]
    cells: list[str]
    heading: str

    @classmethod
    def of(cls, name: str, entries: list[Any], text: Callable[[Any], str]) -> Column:
        """Return the column of these values; where there is none, its cell is empty."""
        cells = ("" if value is None else text(value) for value in entries)
        plain = [visible(shortened(cell, _WIDTH), keep="") for cell in cells]
        return cls(name, entries, plain, say(name))


def _options(run: Run) -> dict[str, Options]:
    # What a run was configured by, by the name of its part.
    config = run.config
    parts: dict[str, Options] = {
        "model": config.model,
        "batching": config.batching,
        "training": config.train,
    }
    if run.reading is not None:
        parts["corpus"] = run.reading.cleaning
    if run.vocab is not None:
        parts["vocab"] = run.vocab.config
        if run.vocab.marks is not None:  # which nobody typed
            typed = tuple(token for token in run.vocab.config.reserved if token not in MARKS)
            parts["vocab"] = replace(run.vocab.config, reserved=typed)
    return parts


def differing_options(runs: Sequence[Run]) -> list[Column]:
    """Return a column for each option in which runs differ."""
    configured = [_options(run) for run in runs]
    parts = {part: type(options) for parts in configured for part, options in parts.items()}
    values = [{part: options.to_dict() for part, options in parts.items()} for parts in configured]
    fields = [(part, field) for part, kind in parts.items() for field in describe(kind)]
    parts_with = Counter(field.name for _, field in fields)
    columns = []
    for part, field in fields:
        told = [known[part][field.name] if part in known else _UNKNOWN for known in values]
        known = [value for value in told if value is not _UNKNOWN]
        if all(value == known[0] for value in known):
            continue
        name = field.name if parts_with[field.name] == 1 else f"{part} {field.name}"
        unset = say("default") if field.default is None else say("none")
        plain = [None if value is _UNKNOWN else value for value in told]
        cells = ["" if v is _UNKNOWN else unset if v is None else _written(v) for v in told]
        columns.append(Column(name, plain, Column.of(name, cells, str).cells, name))
    return columns


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return f"{value:g}" if isinstance(value, float) else str(value)
