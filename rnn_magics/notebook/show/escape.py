"""Makes text safe to show: characters that act on a terminal or a page become escapes."""

from __future__ import annotations

import html
import re

from rnn_magics.results import visible

_MATHS = re.compile(r"[$\\]")


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
