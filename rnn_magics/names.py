"""Which characters a name may have: names appear in messages, in listings and on magic lines.

A name may come from somebody else's file. A name with a line end would become two lines of a cell,
and bidirectional control characters would make it look like another name.
"""

from __future__ import annotations

import unicodedata

from rnn_magics.errors import ConfigError, RNNMagicsError
from rnn_magics.language import marked, say

# Unicode categories that are refused, besides the characters of the two sets below.
_KINDS = {"Cc": marked("a control character"), "Cs": marked("a lone surrogate")}
_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")  # those of str.splitlines
_ORDER = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def misfit(text: str) -> str:
    r"""Return why text cannot be a name, e.g. ``a line end ('\n')``; empty if it can."""
    if text.isprintable():  # the ordinary case: no refused character is printable
        return ""
    for character in text:
        if what := _misfit(character):
            return say("{what} ({character!a})", what=say(what), character=character)
    return ""


def check_name(
    name: str, of: str, error: type[RNNMagicsError] = ConfigError, instead: str = ""
) -> None:
    """Refuse a name that is not one plain line of text.

    Parameters
    ----------
    name
        The name to check.
    of
        What the name belongs to, for the message.
    error
        The class of the error raised.
    instead
        What the message tells the user to do.
    """
    if what := misfit(name):
        advice = instead or say("names are one line of text")
        raise error(say("the name of {of} has {what}; {advice}", of=of, what=what, advice=advice))


def _misfit(character: str) -> str:
    if character in _LINE_ENDS:
        return marked("a line end")
    if character in _ORDER:
        return marked("a bidirectional control character")
    return _KINDS.get(unicodedata.category(character), "")
