"""Text made safe to look at: what would act on a terminal or a page is written out."""

from __future__ import annotations

import html
import re

from rnn_magics.results import visible

_MATHS = re.compile(r"[$\\]")


def one_line(text: str) -> str:
    """Return text as one line, for an error message."""
    return visible(text, keep="").strip()


def shortened(text: str, width: int = 80) -> str:
    """Return text with its middle left out when it is longer than `width`."""
    if len(text) <= width:
        return text
    half = (width - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def escaped(text: object) -> str:
    r"""Return text for HTML, every character standing for itself.

    Notebooks look for formulas in HTML, too; an element around each ``$`` and ``\`` keeps them
    from finding the marks at which one begins.
    """
    return _MATHS.sub(r"<span>\g<0></span>", html.escape(visible(str(text))))
