"""Python literals in the form that a code formatter keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WIDTH = 76  # characters of a text on one line of a script
_LINE = 88  # characters of the longest line


def string(text: str) -> str:
    """Return the source of a string: double quotes, unless single ones save escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = "".join(c if c in "'\"" else repr(c)[1:-1] for c in text)
    return f"{quote}{body.replace(quote, chr(92) + quote)}{quote}"


def listed(name: str, strings: Iterable[str]) -> str:
    """Return an assignment of a list of strings, one per line unless all fit on one line."""
    strings = list(strings)
    short = f"{name} = [{', '.join(map(string, strings))}]\n"
    if len(short) <= _LINE:
        return short
    items = "".join(f"    {string(item)},\n" for item in strings)
    return f"{name} = [\n{items}]\n"


def pieces(text: str) -> list[str]:
    """Cut a text into pieces of one line each: at its line ends, and wherever a line is long."""
    return [
        line[start : start + _WIDTH]
        for line in re.findall(r"[^\n]*\n|[^\n]+", text)
        for start in range(0, len(line), _WIDTH)
    ]


def path(name: str) -> str:
    """Return an assignment of a path, which a formatter keeps on one line, however long."""
    return f"path = {string(name)}\n"
