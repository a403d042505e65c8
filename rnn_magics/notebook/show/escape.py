"""Makes text safe to show: characters that act on a terminal or a page become escapes."""

from __future__ import annotations

import html
import re

from rnn_magics.results import shortened, visible

_LONGEST = 1500  # characters of a message
_MATHS = re.compile(r"[$\\]")


def one_line(text: str) -> str:
    """Return text as one line of bounded length, for an error message."""
    return shortened(visible(text, keep="").strip(), _LONGEST)


def escaped(text: object) -> str:
    r"""Return text as HTML in which every character is literal.

    Notebooks look for formulas in HTML as well. An element around each ``$`` and ``\`` hides the
    delimiters from them.
    """
    return _MATHS.sub(r"<span>\g<0></span>", html.escape(visible(str(text))))
