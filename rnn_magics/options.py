"""Options: dataclass fields that carry their help, their choices and their range.

Every library call takes one frozen dataclass of options, and every magic derives its command line
from the same dataclass, so an option is declared once. This module holds what both need: `option`
declares a field, `Options` checks the values, and `describe` lists the fields, from which a command
line or a form is built.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import numbers
import operator
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.language import marked, say
from rnn_magics.results import shortened

Choices = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Range:
    """The numbers that an option accepts, e.g. ``Range(0, 1, open_right=True)`` for [0, 1)."""

    low: float
    high: float = math.inf
    open_left: bool = False
    open_right: bool = False

    def __contains__(self, number: float) -> bool:
        """Whether `number` lies in the range; nan and infinity never do."""
        above = number > self.low if self.open_left else number >= self.low
        below = number < self.high if self.open_right else number <= self.high
        return above and below and abs(number) < math.inf

    def __str__(self) -> str:
        """Describe the range for an error message."""
        if self.high == math.inf:
            text = marked("above {low:g}") if self.open_left else marked("at least {low:g}")
            return say(text, low=self.low)
        left, right = "(" if self.open_left else "[", ")" if self.open_right else "]"
        return say("in {range}", range=f"{left}{self.low:g}, {self.high:g}{right}")


POSITIVE = Range(0, open_left=True)
AT_LEAST_ONE = Range(1)
NOT_NEGATIVE = Range(0)
FRACTION = Range(0, 1, open_right=True)
SEED = Range(0, 2**64, open_right=True)  # what torch.Generator.manual_seed accepts


@dataclass(frozen=True)
class Spelling:
    """How an option is typed on a magic line.

    Parameters
    ----------
    flag
        What precedes its value; empty for a positional word. By default ``--name``.
    metavar
        The name of its value in the help.
    required
        Whether the line must contain it.
    verbatim
        Whether every word is a value, so that ``none`` is the word "none" and not None.
    is_name
        Whether the value is a name, that is, one line of text.
    bare
        The value when the flag is typed without one; None when the flag needs a value.
    suggest
        What completion offers: ``runs`` of the session, ``variables`` of the notebook, or the
        words that a function returns.
    thousands
        Whether ``k`` and ``M`` after a whole number stand for a thousand and a million.
    """

    flag: str | None = None
    metavar: str | None = None
    required: bool = False
    verbatim: bool = False
    is_name: bool = False
    bare: str | None = None
    suggest: str | Choices = ""
    thousands: bool = False


def option(  # noqa: PLR0913  (one for each thing that is said of an option)
    default: Any,
    help: str | Callable[[], str],  # noqa: A002  (argparse's name for it)
    *,
    label: str = "",
    choices: Choices | None = None,
    within: Range | None = None,
    spelling: Spelling | None = None,
    removed: Mapping[str, str] | None = None,
    is_rate: bool = False,
) -> Any:
    """Declare a dataclass field that is an option.

    Parameters
    ----------
    default
        The value when the option is not given.
    help
        One line that completes "this option sets ...". A function if it lists a registry.
    label
        What a form calls it, in English; by default its name.
    choices
        A function that lists the accepted words. It is called on every use, so that entries
        which a user has registered since are accepted.
    within
        The accepted numbers.
    spelling
        How it is typed, if not as ``--name VALUE``.
    removed
        Words that were choices in an earlier version, each with its replacement. Files that hold
        one can still be read, see `Options.recall`.
    is_rate
        Whether what matters is by which factor two values differ, so that a sweep draws from a
        range of it on a log scale.
    """
    meta = {
        "help": help,
        "label": label,
        "choices": choices,
        "within": within,
        "spelling": spelling or Spelling(),
        "removed": removed or {},
        "is_rate": is_rate,
    }
    return dataclasses.field(default=default, metadata=meta)


@dataclass(frozen=True)
class OptionField:
    """One option as a command line or a form sees it."""

    name: str
    type: type  # str, int, float, bool or tuple (of strings)
    optional: bool  # whether None is accepted
    words: tuple[str, ...]  # what is accepted instead of a number, as its Literal has it
    default: Any
    help: str
    label: str  # what a form calls it, in English
    choices: Choices | None
    within: Range | None
    spelling: Spelling
    removed: Mapping[str, str]
    is_rate: bool

    @property
    def flag(self) -> str:
        """What is typed before its value, e.g. ``--clip``; empty for a positional word."""
        if self.spelling.flag is not None:
            return self.spelling.flag
        return "--" + self.name.replace("_", "-")


def describe(cls: type[Options]) -> list[OptionField]:
    """List the options of a dataclass, in the order of their declaration."""
    hints = _type_hints(cls)  # type: ignore[arg-type]  # every class is hashable
    described = []
    for field in _declared(cls):
        kind, optional, words = _plain_type(hints[field.name])
        text = field.metadata["help"]
        label = field.metadata["label"] or field.name.replace("_", " ").capitalize()
        meta = {**field.metadata, "help": text if isinstance(text, str) else text(), "label": label}
        described.append(OptionField(field.name, kind, optional, words, field.default, **meta))
    return described


def _declared(cls: type[Options]) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(cls) if "help" in field.metadata]


@functools.cache
def _type_hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)  # cached, since it evaluates every annotation on each call


@functools.cache
def _plain_type(hint: Any) -> tuple[type, bool, tuple[str, ...]]:
    # The type, whether it is optional, and the words beside it: int | Literal["random"].
    unions = (types.UnionType, typing.Union)  # the second where a member is a Literal
    members = typing.get_args(hint) if typing.get_origin(hint) in unions else (hint,)
    literals = [m for m in members if typing.get_origin(m) is typing.Literal]
    words = tuple(word for literal in literals for word in typing.get_args(literal))
    plain = [m for m in members if m is not type(None) and m not in literals]
    (kind,) = [typing.get_origin(m) or m for m in plain]
    return kind, type(None) in members, words


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return say("; did you mean {word!r}?", word=near[0]) if near else ""


def check_choice(what: str, word: str, known: Iterable[str]) -> None:
    """Raise `ConfigError`, listing the accepted words, unless `word` is one of them."""
    known = list(known)
    if word not in known:
        raise ConfigError(
            say(
                "{what}: {word!r} is not one of {known}{near}",
                what=what,
                word=shortened(word),
                known=", ".join(known),
                near=did_you_mean(word, known),
            )
        )


@dataclass(frozen=True)
class Options:
    """Base of the option dataclasses: every value is checked once, at construction.

    Raises
    ------
    ConfigError
        When a value has the wrong type, is not one of the choices, or lies out of range.
    """

    def __post_init__(self) -> None:
        """Check every field against its declaration."""
        self.check()

    def check(self) -> None:
        """Check every field against its declaration.

        Raises
        ------
        ConfigError
            When a value is not accepted, or no longer accepted (see `recall`).
        """
        for field in describe(type(self)):
            value = check_value(field, getattr(self, field.name), field.name)
            object.__setattr__(self, field.name, value)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> typing.Self:
        """Build from a mapping with a closed set of keys.

        Raises
        ------
        ConfigError
            When a key is not an option, or a value is not accepted.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            check_choice(cls.__name__, name, known)
        return cls(**values)

    @classmethod
    def recall(cls, values: Mapping[str, Any]) -> typing.Self:
        """Build from a mapping that an earlier version wrote, accepting choices removed since.

        Such options can be read only; `check` and `dataclasses.replace` refuse them.

        Raises
        ------
        ConfigError
            When a key is not an option, or a value was never accepted.
        """
        past = {f.name: v for f in describe(cls) if is_removed(f, v := values.get(f.name))}
        options = cls.from_dict({name: v for name, v in values.items() if name not in past})
        for name, word in past.items():
            object.__setattr__(options, name, word)
        return options

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, ready for JSON."""
        return dataclasses.asdict(self)

    def changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults."""
        return {
            field.name: getattr(self, field.name)
            for field in _declared(type(self))
            if getattr(self, field.name) != field.default
        }

    def __repr__(self) -> str:
        """Source text that builds an equal object, without the defaults."""
        words = ", ".join(f"{name}={value!r}" for name, value in self.changed().items())
        return f"{type(self).__name__}({words})"


def check_value(field: OptionField, value: Any, what: str) -> Any:
    """Check a value of an option, and convert it to the option's type.

    Parameters
    ----------
    field
        The option.
    value
        The value given for it.
    what
        The name of the option in the message: ``clip`` in Python, ``--clip`` on a magic line.

    Returns
    -------
    Any
        The value, of the option's type.

    Raises
    ------
    ConfigError
        When the value has the wrong type, is not one of the choices, or lies out of range.
    """
    if value is None and field.optional:
        return None
    if isinstance(value, str) and value in field.words:
        return value
    value = _widened(field.type, value)
    kind: Any = field.type
    fits = isinstance(value, kind) and isinstance(value, bool) is (field.type is bool)
    if not fits or (kind is tuple and not all(isinstance(word, str) for word in value)):
        raise ConfigError(wrong_type(field, value, what))
    if is_removed(field, value):
        raise ConfigError(
            say(
                "{what}: {value!r} has been removed; use {word}",
                what=what,
                value=value,
                word=field.removed[value],
            )
        )
    if field.choices is not None:
        check_choice(what, value, field.choices())
    if field.within is not None and value not in field.within:
        raise ConfigError(
            say(
                "{what} must be {within}, not {value!r}",
                what=what,
                within=field.within,
                value=value,
            )
        )
    return value


def wrong_type(field: OptionField, value: Any, what: str) -> str:
    """Return the message about a value that is not of the type of an option."""
    kinds = say(" or ").join([say(TYPE_NAMES[field.type]), *map(repr, field.words)])
    return say("{what} must be {kinds}, not {value!r}", what=what, kinds=kinds, value=value)


def is_removed(field: OptionField, value: Any) -> bool:
    """Whether `value` was a choice in an earlier version and no longer is."""
    was = isinstance(value, str) and value in field.removed
    return was and field.choices is not None and value not in field.choices()


def _widened(kind: type, value: Any) -> Any:
    # NumPy integers become int, whole numbers become float where one is wanted, lists tuples.
    if kind is tuple and isinstance(value, list):
        return tuple(value)
    if kind not in (int, float) or isinstance(value, bool):
        return value
    try:
        real = kind is float and isinstance(value, numbers.Real)
        return float(value) if real else kind(operator.index(value))
    except (TypeError, OverflowError):  # not a single number, or one too large for a float
        return value


TYPE_NAMES = {
    str: marked("a word"),
    int: marked("a whole number"),
    float: marked("a number"),
    bool: marked("true or false"),
    tuple: marked("a sequence of words"),
}
