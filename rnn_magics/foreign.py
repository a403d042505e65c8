"""Objects whose code is not ours: their errors become one line, their type is read safely.

A notebook may hand in any object. Its methods, its properties and even its class may raise. So no
method of it is called outside `foreign_code`, and only its type says what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rnn_magics.errors import RNNMagicsError
from rnn_magics.language import say

PASSING = (KeyboardInterrupt, SystemExit, MemoryError)
"""Exceptions that have nothing to do with the object; they pass on to the caller."""
_SHOWN = 200  # characters of a message
_NAME: Any = type.__dict__["__name__"]  # a metaclass may have another


@contextmanager
def foreign_code(doing: str, refusal: type[RNNMagicsError]) -> Iterator[None]:
    """Turn any exception that foreign code raises in the body into one line.

    Parameters
    ----------
    doing
        How the line begins: the variable, and what cannot be done with it.
    refusal
        The class of our error.
    """
    try:
        yield
    except PASSING:
        raise
    except BaseException as error:  # noqa: BLE001  (a notebook's own error may derive from it)
        raise refusal(say("{doing} ({why})", doing=doing, why=told(error))) from None


def kind_of(thing: object) -> str:
    """Return the name of an object's type, without calling the object or its metaclass."""
    return _plain(_NAME.__get__(type(thing)))[1:-1]


def a_kind(thing: object) -> str:
    """Return the name of an object's type with its article, e.g. ``an int``."""
    name = kind_of(thing)
    if name.lower().startswith(("a", "e", "i", "o")):
        return say("an {name}", name=name)
    return say("a {name}", name=name)


def told(error: BaseException) -> str:
    """Return the class of an error and its message, on one line, without control characters."""
    try:
        message = _plain(str(error))
    except PASSING:
        raise
    except BaseException:  # noqa: BLE001  (the message of an error may itself raise)
        return say("{kind}, which cannot be shown", kind=kind_of(error))
    return f"{kind_of(error)}: {message}" if message != "''" else kind_of(error)


def exact(text: str) -> str:
    """Return a str of a derived class as a plain one, without calling its methods."""
    return str.__str__(text)


def is_a(thing: object, kinds: Any) -> bool:
    """Whether an object's type is one of `kinds`; its ``__class__`` may claim anything."""
    return issubclass(type(thing), kinds)


def _plain(text: str) -> str:
    text = exact(text)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ...")
