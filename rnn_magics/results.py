"""Results for people to read, and text that is safe to print."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable
from typing import Any

# Controls, formats (bidi marks among them), surrogates, private use, unassigned, separators.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str, *, keep: str = "\n\t") -> str:
    r"""Return text with every control, bidi and lone surrogate character written as an escape.

    Parameters
    ----------
    text
        The text, for example of a corpus, a token or a file name.
    keep
        Characters that stay as they are.
    """
    if text.isprintable():  # the ordinary case; nothing of _HIDDEN is printable
        return text
    return "".join(_shown(character, keep) for character in text)


def _shown(character: str, keep: str) -> str:
    if character in keep or unicodedata.category(character) not in _HIDDEN:
        return character
    return repr(character)[1:-1] if character.isascii() else ascii(character)[1:-1]


class Result:
    """Something made for people to read: its `repr` can be printed anywhere.

    A corpus, a token or a file name may contain control characters. In the `__repr__` of a
    subclass, characters that would act on a terminal are written as escapes.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the `repr` of a subclass safe to print."""
        super().__init_subclass__(**kwargs)
        if "__repr__" in vars(cls):
            cls.__repr__ = _safe(cls.__repr__)  # type: ignore[method-assign]


def _safe(write: Callable[[Any], str]) -> Callable[[Any], str]:
    @functools.wraps(write)
    def write_visibly(self: Any) -> str:
        return visible(write(self))

    return write_visibly
