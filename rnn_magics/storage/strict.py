"""Strict JSON: documents have exactly one form, and are read by a closed set of typed keys."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from rnn_magics.errors import ConfigError, StorageError
from rnn_magics.language import marked, say
from rnn_magics.options import OptionField, Options, describe, is_removed

C = TypeVar("C", bound=Options)
T = TypeVar("T")
MOST_TEXT = 1 << 16  # characters in a name, a reason, a message
MOST_COUNT = 1 << 60
# The largest architecture that is built from a file.
_MOST = {"num_hiddens": 1 << 20, "embedding_size": 1 << 20, "num_layers": 1 << 10}
_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}

ADDED: dict[str, dict[str, Any]] = {
    "CorpusConfig": {"simplified": False, "documents": None, "seed": None, "test": 0.0},
    "ModelConfig": {"learn_state": False},
    "TrainConfig": {"score_every": None, "patience": None, "weights": "last", "freeze": []},
}
"""Options that an older file may lack, by class, each with the value that it then has.

An option that is added to `ModelConfig`, `TrainConfig`, `BatchConfig`, `VocabConfig` or
`CorpusConfig` gets a line here, e.g. ``{"TrainConfig": {"momentum": 0.0}}``. Its default may change
later; this value may not.
"""


def dumps(document: Any) -> str:
    """Return a document as JSON: ASCII, without spaces, the keys in their order.

    Raises
    ------
    StorageError
        When it holds a value that JSON cannot express, or that would be read back differently.
    """
    try:
        text = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        if json.loads(text) == document:
            return text
    except (TypeError, ValueError, RecursionError) as error:
        raise StorageError(say("this cannot be written to a file: {error}", error=error)) from None
    raise StorageError(
        say("this cannot be written to a file: a text in it would be read back differently")
    )


def loads(text: str) -> Any:
    """Read JSON in the one form that `dumps` writes.

    Raises
    ------
    StorageError
        When it is not JSON, repeats a key, or is written in another form.
    """
    try:
        document = json.loads(text)
        again = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise StorageError(say("its JSON cannot be read: {error}", error=error)) from None
    if again != text:
        raise StorageError(say("its JSON is not in the form that rnn_magics writes"))
    return document


def from_float(number: float) -> float | str:
    """Return a number as JSON can express it: ``inf``, ``-inf`` and ``nan`` become words."""
    return number if math.isfinite(number) else str(float(number))


class Fields:
    """A mapping from a file, read key by key; each method checks the type of a value.

    Parameters
    ----------
    values
        The value in the file.
    where
        The name of the mapping in messages, e.g. ``run``.

    Raises
    ------
    StorageError
        By every method, when a key is missing or its value is not valid.
    """

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, Mapping):
            raise StorageError(say("{where} is not a mapping", where=where))
        self._left = dict(values)
        self._where = where

    def __contains__(self, key: str) -> bool:
        """Whether the key has not been taken yet."""
        return key in self._left

    def take(self, key: str) -> Any:
        """Return a value of any type."""
        if key not in self._left:
            raise StorageError(say("{where} lacks {key!r}", where=self._where, key=key))
        return self._left.pop(key)

    def text(self, key: str) -> str:
        """Return a short text."""
        value = self.take(key)
        if not isinstance(value, str) or len(value) > MOST_TEXT:
            raise self._error(marked("{key} is not a text"), key)
        return str(value)

    def count(self, key: str, most: int = MOST_COUNT) -> int:
        """Return a whole number from 0 to `most`."""
        value = self.take(key)
        if type(value) is not int or not 0 <= value <= most:
            raise self._error(marked("{key} is not a whole number from 0 to {most}"), key, most)
        return int(value)

    def seconds(self, key: str) -> float:
        """Return a finite number that is not negative."""
        value = self.take(key)
        if type(value) is not float or not 0 <= value < math.inf:
            raise self._error(marked("{key} is not a number of seconds"), key)
        return float(value)

    def share(self, key: str) -> float:
        """Return a number from 0 to 1."""
        value = self.take(key)
        if type(value) is not float or not 0 <= value <= 1:
            raise self._error(marked("{key} must be a number from 0 to 1"), key)
        return float(value)

    def perplexity(self, key: str) -> float:
        """Return a finite number of at least 1."""
        value = self.take(key)
        if type(value) is not float or not 1 <= value < math.inf:
            raise self._error(marked("{key} is no perplexity"), key)
        return float(value)

    def numbers(self, key: str, *, optional: bool = False) -> list[Any]:
        """Return a list of floats, which may be infinite or nan; with `optional` also None."""
        values = self.take(key)
        if not isinstance(values, list):
            raise self._error(marked("{key} is not a list of numbers"), key)
        return [self._number(key, value, optional=optional) for value in values]

    def _number(self, key: str, value: Any, *, optional: bool) -> Any:
        if value is None and optional:
            return None
        if isinstance(value, str) and value in _NOT_FINITE:
            return _NOT_FINITE[value]
        if type(value) is not float:
            raise self._error(marked("{key} is not a list of numbers"), key)
        return float(value)

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self.take(key)
        if not isinstance(value, bool):
            raise self._error(marked("{key} is neither true nor false"), key)
        return value

    def number(self, key: str, *, optional: bool = False) -> Any:
        """Return a float, which may be infinite or nan; with `optional` also None."""
        return self._number(key, self.take(key), optional=optional)

    def mapping(self, key: str) -> Fields:
        """Return a nested mapping."""
        return Fields(self.take(key), f"{self._where}.{key}")

    @classmethod
    def each(cls, values: Any, where: str, read: Callable[[Fields], T], most: int) -> list[T]:
        """Return what `read` makes of each mapping of a list, which it has to take whole.

        Parameters
        ----------
        values
            The list in the file, of at least one mapping.
        where
            The name of the list in messages.
        read
            Takes the keys of one mapping.
        most
            The largest number of mappings.
        """
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            raise StorageError(
                say("{where} is not a list of 1 to {most} entries", where=where, most=most)
            )
        found = []
        for value in values:
            fields = cls(value, where)
            found.append(read(fields))
            fields.end()
        return found

    def end(self) -> None:
        """Refuse keys that have not been taken."""
        for key in self._left:
            raise StorageError(
                say(
                    "{where} has {key!r}, which this version does not know; update rnn_magics",
                    where=self._where,
                    key=key,
                )
            )

    @property
    def keys(self) -> Iterable[str]:
        """The keys that have not been taken yet."""
        return list(self._left)

    def _error(self, text: str, key: str, most: int = 0) -> StorageError:
        return StorageError(say(text, key=f"{self._where}.{key}", most=most))


def from_options(options: Options) -> dict[str, Any]:
    """Return options as plain values for JSON, after checking their sizes.

    Raises
    ------
    StorageError
        When a size is larger than a file may have.
    """
    check_sizes(options)
    plain = options.to_dict()
    return {name: list(v) if isinstance(v, tuple) else v for name, v in plain.items()}


def read_options(cls: type[C], values: Any) -> C:
    """Return an option dataclass from a mapping in a file, which has all of its keys and no others.

    Raises
    ------
    StorageError
        When a key is missing or unknown, or a value has the wrong type or lies out of range.
    """
    fields, declared = Fields(values, cls.__name__), describe(cls)
    added = ADDED.get(cls.__name__, {})
    given = {
        name: added[name] if name in added and name not in fields else fields.take(name)
        for name in (field.name for field in declared)
    }
    fields.end()
    try:
        options = cls.recall(given)
    except ConfigError as error:
        text = marked("{options}: {error}")
        if any(_is_unknown(field, given[field.name]) for field in declared):
            text = marked("{options}: {error}; if it is your own, register it again before loading")
        raise StorageError(say(text, options=cls.__name__, error=error)) from None
    for name, said in from_options(options).items():
        if said != given[name] or type(said) is not type(given[name]):
            raise StorageError(
                say(
                    "{options}.{name} is {value!r}, which would become {said!r}",
                    options=cls.__name__,
                    name=name,
                    value=given[name],
                    said=said,
                )
            )
    return options


def _is_unknown(field: OptionField, value: Any) -> bool:
    is_choice = field.choices is None or not isinstance(value, str) or value in field.choices()
    return not is_choice and not is_removed(field, value)


def check_sizes(options: Options) -> None:
    """Refuse sizes that no file of this format may have.

    Raises
    ------
    StorageError
        When a size is beyond its cap.
    """
    for name, value in options.to_dict().items():
        cap = _MOST.get(name, MOST_COUNT)
        if name != "seed" and type(value) is int and value > cap:
            raise StorageError(
                say(
                    "{options}.{name} is {value}; a file holds at most {cap}",
                    options=type(options).__name__,
                    name=name,
                    value=value,
                    cap=cap,
                )
            )


def require_same(part: str, written: Any, plain: Any) -> None:
    """Require that a part, written again, gives what the file holds.

    Raises
    ------
    StorageError
        When it does not.
    """
    # 1 for 1.0, or "2" for 2, is refused.
    if json.dumps(written) != json.dumps(plain):
        raise StorageError(say("{part} is not in the form that rnn_magics writes", part=part))
