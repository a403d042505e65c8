"""Results for people to read, and text that is safe to print."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from rnn_magics.language import say

# Controls, formats (bidi marks among them), surrogates, private use, unassigned, separators.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
_JOINED = {"So", "Sk"}  # an emoji and its skin tone; a joiner also follows letters and marks
_PARTS = re.compile("[\udc80-\udcff]")  # bytes that are a part of a character, see `as_token`
TOKEN_WIDTH = 40
"""The most characters that are shown of one token."""
_LISTED = 20


def visible(text: str, *, keep: str = "\n\t", before: str = "") -> str:
    r"""Return text with every control, bidi and lone surrogate character written as an escape.

    A joiner is shown as it is where it joins: after a letter that is not ASCII, a mark or an emoji.
    So is an emoji that is newer than this Python.

    Parameters
    ----------
    text
        The text, for example of a corpus, a token or a file name.
    keep
        Characters that stay as they are.
    before
        What was shown before, for a text that is shown in pieces.
    """
    if text.isprintable():  # the ordinary case; nothing of _HIDDEN is printable
        return text
    neighbours = zip(f"{before[-1:] or ' '}{text}", text, strict=False)
    return "".join(_shown(previous, character, keep) for previous, character in neighbours)


def _shown(previous: str, character: str, keep: str) -> str:
    if character in keep or unicodedata.category(character) not in _HIDDEN or _is_new(character):
        return character
    if character in _JOINERS and _is_joined(previous):
        return character
    if _PARTS.match(character):
        return _part(character)
    return repr(character)[1:-1] if character.isascii() else ascii(character)[1:-1]


def _part(found: str | re.Match[str]) -> str:
    character = found if isinstance(found, str) else found[0]
    return f"\\x{ord(character) - 0xDC00:02x}"


def _is_joined(previous: str) -> bool:
    kind = unicodedata.category(previous)
    return not previous.isascii() and (kind[0] in "LM" or kind in _JOINED or _is_new(previous))


def _is_new(character: str) -> bool:
    # Where Unicode will put emoji; `labextension/src/views/text/visible.ts` has the same.
    return "\U0001f000" <= character <= "\U0001faff" or "\U0001fc00" <= character <= "\U0001fffd"


def shortened(text: str, width: int = 80) -> str:
    """Return text, without its middle if it is longer than `width`."""
    if len(text) <= width:
        return text
    half = (width - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def brief(token: object) -> str:
    """Return a token as a display shows it: as text, without the middle of a very long one.

    Every display of tokens goes through here, so a word of 20,000 letters floods none of them. A
    byte that is a part of a character is shown as an escape. The data behind the display are whole.
    """
    text = shortened(str(token), TOKEN_WIDTH)
    return text if text.isprintable() else _PARTS.sub(_part, text)


def quoted(token: object) -> str:
    """Return a token as `repr` does, but brief, and with the characters that `visible` shows."""
    if not isinstance(token, str):
        return visible(shortened(repr(token), TOKEN_WIDTH), keep="")
    text = shortened(token, TOKEN_WIDTH)
    if text.isprintable():
        return repr(text)
    mark = '"' if "'" in text and '"' not in text else "'"
    body = text.replace("\\", "\\\\").replace(mark, f"\\{mark}")
    return f"{mark}{visible(body, keep='')}{mark}"


def listed(tokens: Sequence[object]) -> str:
    """Return tokens in one line: the first of them quoted, the others counted."""
    more = len(tokens) - _LISTED
    first = ", ".join(map(quoted, tokens[:_LISTED]))
    return say("{first} and {more:,} more", first=first, more=more) if more > 0 else first


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
