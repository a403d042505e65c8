"""The options of a magic: one dataclass, from which parser, help and form are made."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from rnn_magics.language import marked
from rnn_magics.options import Options, Spelling, describe, option

_CLASSES = "classes"  # the key of a part in the metadata of its field
OwnClasses = Callable[[], Sequence[type[Options]]]


@dataclass(frozen=True)
class Line:
    """The line that options come from.

    Parameters
    ----------
    typed
        The names of the options that were typed, including those typed with their default value.
    cell
        The body of the cell, verbatim; None for a line magic.
    variables
        The variables of the calling scope.
    """

    typed: frozenset[str] = frozenset()
    cell: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, repr=False)
class LineOptions(Options):
    """Base class of the options of a magic.

    A field is either an option (`option`) or a dataclass of options for the library (`part`).
    """

    explain: bool = option(False, "show the library call; do nothing else")
    line: Line = field(default_factory=Line)

    @classmethod
    def begin(cls, _typed: Mapping[str, Any]) -> Self:
        """Return the options before the typed values are filled in."""
        return cls()

    @classmethod
    def read(cls, typed: Mapping[str, Any], line: Line | None = None) -> Self:
        """Build the options from the typed values.

        Raises
        ------
        ConfigError
            If a value is not accepted, or two values exclude each other.
        """
        begun = cls.begin(typed)
        filled = {
            name: dataclasses.replace(part, **_chosen(type(part), typed))
            for name, part in ((name, getattr(begun, name)) for name, _ in parts_of(cls))
        }
        line = dataclasses.replace(line or Line(), typed=frozenset(typed))
        return dataclasses.replace(begun, **_chosen(cls, typed), **filled, line=line)


def part(options: type[Options]) -> Any:
    """Declare a field that is a dataclass of options."""
    return field(default_factory=options, metadata={_CLASSES: lambda: (options,)})


def part_of(classes: OwnClasses) -> Any:
    """Declare a field that is one of several dataclasses; `LineOptions.begin` chooses which."""
    return field(default_factory=Options, metadata={_CLASSES: classes})


def parts_of(options: type[LineOptions]) -> Iterator[tuple[str, Sequence[type[Options]]]]:
    """Yield the parts among the options of a magic, each with its possible dataclasses."""
    for each in dataclasses.fields(options):
        if _CLASSES in each.metadata:
            yield each.name, each.metadata[_CLASSES]()


def flag_of(options: type[LineOptions], name: str) -> str:
    """Return the flag of an option of a magic, or its name if it has no flag."""
    own = [options, *(each for _, classes in parts_of(options) for each in classes)]
    return next(f.flag or name for each in own for f in describe(each) if f.name == name)


def _chosen(options: type[Options], typed: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: typed[each.name] for each in describe(options) if each.name in typed}


word = functools.partial(Spelling, flag="", verbatim=True)
"""The spelling of a word without a flag."""
named = functools.partial(Spelling, verbatim=True)
"""The spelling of a name that already exists; any word can be one, even ``none``."""
new_name = functools.partial(Spelling, verbatim=True, is_name=True)
"""The spelling of a new name: one line of text."""


def run_option(help: str = marked("the run to use (default: the newest)")) -> Any:  # noqa: A002
    """Declare the option that names a run of the session."""
    return option(None, help, label="Run", spelling=named(metavar="NAME", suggest="runs"))
