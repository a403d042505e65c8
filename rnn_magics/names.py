"""What a name may consist of: it stands in messages, in listings and on magic lines.

A name may come from a file of somebody else's. One that holds a line end would be two lines of a
cell, and a mark of reading order would show another name than it is.
"""

from __future__ import annotations

import unicodedata

from rnn_magics.errors import ConfigError, RNNMagicsError

# Besides those of the two sets below.
_KINDS = {"Cc": "a control character", "Cs": "half a character"}
_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")  # as str.splitlines has them
_ORDER = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def misfit(text: str) -> str:
    r"""Return what keeps text from being a name, e.g. ``a line end ('\n')``; empty if nothing."""
    if text.isprintable():  # the ordinary case; no line end and none of the others is printable
        return ""
    for character in text:
        if what := _misfit(character):
            return f"{what} ({character!a})"
    return ""


def check_name(
    name: str, of: str, error: type[RNNMagicsError] = ConfigError, instead: str = ""
) -> None:
    """Refuse a name that is more than a line of text.

    Parameters
    ----------
    name
        To be looked at.
    of
        Whose it is.
    error
        What is raised.
    instead
        What to do.
    """
    if what := misfit(name):
        msg = f"the name of {of} has {what}; {instead or 'names are one line of text'}"
        raise error(msg)


def _misfit(character: str) -> str:
    if character in _LINE_ENDS:
        return "a line end"
    if character in _ORDER:
        return "a mark of reading order"
    return _KINDS.get(unicodedata.category(character), "")
