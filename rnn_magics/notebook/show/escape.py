"""Makes text safe to show: characters that act on a terminal or a page become escapes."""

from __future__ import annotations

import html
import re
import unicodedata

_MATHS = re.compile(r"[$\\]")
# Controls, formats (bidi marks among them), surrogates, private use, unassigned, separators.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str, *, keep: str = "\n\t") -> str:
    r"""Return text with every control, bidi and lone surrogate character as an escape.

    Parameters
    ----------
    text
        Of a corpus, a token, a file name ...
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


def one_line(text: str) -> str:
    """Return text as one line, for an error message."""
    return visible(text, keep="").strip()


def shortened(text: str, width: int = 80) -> str:
    """Return text, without its middle if it is longer than `width`."""
    if len(text) <= width:
        return text
    half = (width - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def escaped(text: object) -> str:
    r"""Return text as HTML in which every character is literal.

    Notebooks look for formulas in HTML as well. An element around each ``$`` and ``\`` hides the
    delimiters from them.
    """
    return _MATHS.sub(r"<span>\g<0></span>", html.escape(visible(str(text))))
