"""Objects whose code is not ours: what they raise becomes one line, what they are is told safely.

A notebook hands in whatever it likes. Its methods, its properties and even its class may raise, so
an object is asked nothing outside `foreign_code`, and what it is comes from its type alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rnn_magics.errors import RNNMagicsError

PASSING = (KeyboardInterrupt, SystemExit, MemoryError)
"""What is no matter of the object: it goes on to whoever waits for it."""
_SHOWN = 200  # characters of a message
_NAME: Any = type.__dict__["__name__"]  # a metaclass may have another


@contextmanager
def foreign_code(doing: str, refusal: type[RNNMagicsError]) -> Iterator[None]:
    """Let whatever foreign code raises within be one line.

    Parameters
    ----------
    doing
        What the line begins with: the variable, and what cannot be done with it.
    refusal
        The class of our error.
    """
    try:
        yield
    except PASSING:
        raise
    except BaseException as error:  # noqa: BLE001  (a class of a notebook may derive from it)
        msg = f"{doing} ({told(error)})"
        raise refusal(msg) from None


def kind_of(thing: object) -> str:
    """Return the name of the type of an object, asking neither the object nor its metaclass."""
    return _plain(_NAME.__get__(type(thing)))[1:-1]


def told(error: BaseException) -> str:
    """Return the class of an error and its message, on one line and without controls."""
    try:
        message = _plain(str(error))
    except PASSING:
        raise
    except BaseException:  # noqa: BLE001  (an error that cannot be told)
        return f"{kind_of(error)}, which cannot be shown"
    return f"{kind_of(error)}: {message}" if message != "''" else kind_of(error)


def exact(text: str) -> str:
    """Return a str of a derived class as a plain one, asking none of its methods."""
    return str.__str__(text)


def is_a(thing: object, kinds: Any) -> bool:
    """Whether an object is of a class by its type; its ``__class__`` may say anything."""
    return issubclass(type(thing), kinds)


def _plain(text: str) -> str:
    text = exact(text)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ...")
