"""Dimensions: the values of one option in a sweep, a list or a range, and how they are written."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Protocol

from rnn_magics.errors import ConfigError
from rnn_magics.language import marked, say
from rnn_magics.options import OptionField, check_value, wrong_type

_RANGE = re.compile(r"\s*([^:\s]+)\s*:\s*([^:\s]+)\s*")
_TIMES = {"k": "000", "M": "000000"}
_SWITCHES = {"yes": True, "true": True, "no": False, "false": False}
_DIGITS = 4  # of a number drawn from a range: what is typed again should be short


class Dimension(Protocol):
    """The values that an option may have."""

    @property
    def size(self) -> int | None:
        """How many values there are; None if they are too many to count."""

    def at(self, share: float) -> Any:
        """Return the value at a share of the way, in [0, 1)."""

    def points(self, most: int) -> list[Any]:
        """Return all values; of a range with more, `most` of them in equal steps."""

    def place(self, value: Any) -> float:
        """Return where a value is on the way, from 0 to 1."""


@dataclass(frozen=True)
class Listed:
    """A list of values, each as likely as the others.

    Parameters
    ----------
    values
        The values, in the order in which they were written.
    """

    values: tuple[Any, ...]

    @property
    def size(self) -> int | None:
        """How many values there are."""
        return len(self.values)

    def at(self, share: float) -> Any:
        """Return the value at a share of the way."""
        return self.values[int(share * len(self.values))]

    def points(self, most: int) -> list[Any]:
        """Return all values."""
        del most
        return list(self.values)

    def place(self, value: Any) -> float:
        """Return where a value stands among the others, from 0 to 1."""
        return self.values.index(value) / (len(self.values) - 1)

    def __str__(self) -> str:
        """Return the values, e.g. ``gru, lstm``."""
        return say(", ").join(map(written, self.values))


@dataclass(frozen=True)
class Interval:
    """A range of numbers, its ends included.

    Parameters
    ----------
    low, high
        The ends.
    is_whole
        Whether only whole numbers count.
    is_log
        Whether it is drawn from on a log scale.
    """

    low: float
    high: float
    is_whole: bool = False
    is_log: bool = False

    @property
    def size(self) -> int | None:
        """How many whole numbers there are; None for a range of real ones."""
        return int(self.high - self.low) + 1 if self.is_whole else None

    def at(self, share: float) -> Any:
        """Return the number at a share of the way, with at most four digits."""
        if self.is_whole and not self.is_log:
            return int(self.low) + int(share * (int(self.high) - int(self.low) + 1))
        return self._between(share)

    def points(self, most: int) -> list[Any]:
        """Return `most` numbers in equal steps, or in equal factors on a log scale."""
        number = most if self.size is None else min(self.size, most)
        values = [self._between(place / (number - 1)) for place in range(number)]
        return list(dict.fromkeys(values))

    def place(self, value: Any) -> float:
        """Return where a number is between the ends, from 0 to 1; in factors on a log scale."""
        low, high, at = self.low, self.high, value
        if self.is_log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return float((at - low) / (high - low))

    def _between(self, share: float) -> Any:
        if self.is_log:
            value = math.exp(math.log(self.low) * (1 - share) + math.log(self.high) * share)
        else:
            value = self.low * (1 - share) + self.high * share
        return self.fitted(value)

    def fitted(self, value: float) -> Any:
        """Return the number of the range that is nearest to one with few digits."""
        short = round(value) if self.is_whole else float(f"{value:.{_DIGITS}g}")
        return type(short)(min(max(short, self.low), self.high))

    def __str__(self) -> str:
        """Return the ends, e.g. ``0.0001:0.01 (log)``."""
        ends = f"{written(self.low)}:{written(self.high)}"
        return say("{ends} (log)", ends=ends) if self.is_log else ends


def written(value: Any) -> str:
    """Return a value as it is typed on a line, so that reading it gives the same value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def read_dimension(field: OptionField, text: str, flag: str) -> Any:
    """Return what was typed for an option: a `Listed`, an `Interval`, or a single value.

    Parameters
    ----------
    field
        The option.
    text
        Values with commas between them, or two numbers with a colon.
    flag
        What the option is called in messages.

    Raises
    ------
    ConfigError
        If a value is not accepted, or the ends of a range are swapped or equal.
    """
    if field.type is tuple:  # its commas are its own
        return tuple(part for part in text.split(",") if part)
    numeric = field.type in (int, float) and field.choices is None
    if (match := _RANGE.fullmatch(text)) and numeric:
        return _interval(field, match[1], match[2], flag)
    if ":" in text and field.type is not str:
        msg = say("{flag} has no ranges; list its values, with commas between them", flag=flag)
        if numeric:
            msg = say("{flag}: {text!r} is no range; a range is 16:64", flag=flag, text=text)
        raise ConfigError(msg)
    words = [word.strip() for word in text.split(",")]
    if "" in words:
        raise ConfigError(say("{flag} has an empty value in {text!r}", flag=flag, text=text))
    values = dict.fromkeys(read_value(field, word, flag) for word in words)
    return Listed(tuple(values)) if len(words) > 1 else next(iter(values))


def _interval(field: OptionField, first: str, second: str, flag: str) -> Interval:
    low, high = read_value(field, first, flag), read_value(field, second, flag)
    ends: dict[str, object] = {"flag": flag, "low": first, "high": second}
    if low is None or high is None or isinstance(low, str) or isinstance(high, str):
        text = marked("the ends of a range are numbers, not {low}:{high} ({flag})")
    elif low > high:
        text = marked("the ends of {flag} {low}:{high} are swapped; type {high}:{low}")
    elif low == high:
        text = marked("both ends of {flag} {low}:{high} are the same; type the one value")
    else:
        return Interval(low, high, field.type is int, field.is_rate and low > 0)
    raise ConfigError(say(text, **ends))


def read_value(field: OptionField, word: str, flag: str) -> Any:
    """Return one value of an option from a word.

    Raises
    ------
    ConfigError
        If it is not accepted.
    """
    if field.optional and word.lower() == "none":
        return None
    if word in field.words:
        return word
    if field.type is bool:
        if word.lower() not in _SWITCHES:
            raise ConfigError(say("{flag} is yes or no, not {word!r}", flag=flag, word=word))
        return _SWITCHES[word.lower()]
    number = word
    if field.spelling.thousands and word[-1:] in _TIMES and word[:-1].isdecimal():
        number = f"{word[:-1]}{_TIMES[word[-1]]}"
    try:  # ASCII only, as on every line
        value = field.type(number if field.type is str or number.isascii() else "")
    except ValueError:
        raise ConfigError(wrong_type(field, word, flag)) from None
    return check_value(field, value, flag)
