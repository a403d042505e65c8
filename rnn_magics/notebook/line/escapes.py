r"""Escapes: ``\n`` and the like, read in text where a line asks for that with ``--escapes``.

A magic line takes backslashes literally and has no line breaks, so some texts cannot be typed
otherwise.
"""

from __future__ import annotations

import re

from rnn_magics.errors import ConfigError
from rnn_magics.language import marked, say

_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<mark>[nt\\])|(?P<bad>.?))", re.DOTALL)
_MARKS = {"n": "\n", "t": "\t", "\\": "\\"}
_SURROGATES = range(0xD800, 0xE000)
ESCAPES = marked(r"\n, \t, \\ and \uXXXX")
"""All that are read."""


def unescaped(text: str, what: str) -> str:
    r"""Return text with its escapes read: ``\n``, ``\t``, ``\\`` and ``\uXXXX``.

    Parameters
    ----------
    text
        What was typed.
    what
        Its name in an error message.

    Raises
    ------
    ConfigError
        When a backslash begins no escape, or an escape stands for half a character.
    """

    def read(match: re.Match[str]) -> str:
        if match["mark"]:
            return _MARKS[match["mark"]]
        if match["code"] and int(match["code"], 16) not in _SURROGATES:
            return chr(int(match["code"], 16))
        half = (
            say(", which is half a character; type the character itself") if match["code"] else ""
        )
        msg = say(
            "{what} has {match}{half}; --escapes reads {escapes}",
            what=what,
            match=match[0],
            half=half,
            escapes=say(ESCAPES),
        )
        raise ConfigError(msg)

    return _ESCAPE.sub(read, text)
