"""A magic line as words: quotes taken off, comments left out, variables looked up.

Backslashes and every other mark mean themselves. In unquoted words ``$name`` and ``{name}`` stand
for a variable of the calling scope, which keeps a habit of IPython without its ``eval``; what only
looks like one is refused. An unquoted ``#`` begins a comment, and an unquoted ``;`` at the end
keeps the result from being shown.
"""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.foreign import a_kind, exact, foreign_code, is_a
from rnn_magics.options import did_you_mean

_PIECE = re.compile(
    r"""(?P<space>\s+)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+)"""
)
# A name in an unquoted word; what IPython would evaluate; doubled marks, which mean themselves.
_VARIABLE = re.compile(
    r"""\$\$|\{\{|\}\}|\$(?P<dollar>[^\W\d]\w*)|\{(?P<brace>[^\W\d]\w*)\}
    |(?P<code>\$\{[^{}]*\}|\{[^\W\d][^{}]*\})""",
    re.VERBOSE,
)


_PASTED = {
    "\N{EN DASH}": "-- (two hyphens)",
    "\N{EM DASH}": "-- (two hyphens)",
    **dict.fromkeys("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}", 'a plain "'),
    **dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "a plain '"),
}
"""What pages and word processors make of the marks of a line, and the marks."""


@dataclass(frozen=True)
class Word:
    """One word of a line.

    Parameters
    ----------
    text
        Without its quotes.
    quoted
        Whether it began with a quote, or came from a variable: it is then a value, even when
        it looks like an option.
    none
        The variable that it came from, where that is None.
    """

    text: str
    quoted: bool = False
    none: str = ""


@dataclass(frozen=True)
class Words:
    """The words of a line.

    Parameters
    ----------
    words
        In their order.
    silent
        Whether the line ends with a semicolon: its result is then not shown.
    """

    words: list[Word]
    silent: bool = False


@dataclass(frozen=True)
class _Piece:
    text: str
    is_bare: bool


def split_line(line: str, variables: Mapping[str, Any]) -> list[Word]:
    """Return the words of a line; see `read_line`."""
    return read_line(line, variables).words


def read_line(line: str, variables: Mapping[str, Any]) -> Words:
    """Split a magic line into words.

    Parameters
    ----------
    line
        What follows the name of the magic.
    variables
        Of the calling scope, for ``$name`` and ``{name}``.

    Raises
    ------
    ConfigError
        When a quote is not closed, a variable does not exist or is neither text nor number, or a
        word holds what only looks like a variable.
    """
    pieces = _pieces(line)
    silent = False
    if pieces and pieces[-1][-1].is_bare and pieces[-1][-1].text.endswith(";"):
        silent = True
        last = pieces.pop()
        stripped = _Piece(last[-1].text.rstrip(";"), is_bare=True)
        rest = [*last[:-1], *([stripped] if stripped.text else [])]
        pieces += [rest] if rest else []
    return Words([word for each in pieces for word in _words_of(each, variables)], silent)


def _pieces(line: str) -> list[list[_Piece]]:
    # For each word its quoted and unquoted pieces.
    words: list[list[_Piece]] = []
    place, in_word = 0, False
    while place < len(line):
        piece = _PIECE.match(line, place)
        if piece is None:
            msg = (
                f"the quote {line[place]} at column {place + 1} is not closed; put text that has"
                " one kind of quotes into the other kind"
            )
            raise ConfigError(msg)
        place = piece.end()
        if piece["space"] is not None:
            in_word = False
            continue
        bare = piece["bare"] is not None
        text = piece[piece.lastgroup or "bare"]
        if bare and not in_word and text.startswith("#"):
            break
        if bare and not in_word and (plain := _PASTED.get(text[0])):
            msg = f"{text[0]} at column {piece.start() + 1} comes from a page; type {plain} instead"
            raise ConfigError(msg)
        if not in_word:
            words.append([])
        words[-1].append(_Piece(text, bare))
        in_word = True
    return words


def _words_of(pieces: list[_Piece], variables: Mapping[str, Any]) -> list[Word]:
    first, *others = pieces
    option, equals, value = first.text.partition("=") if first.is_bare else ("", "", "")
    if equals and option.startswith("--") and (others or value):
        (given,) = _words_of([_Piece(value, is_bare=True), *others] if value else others, variables)
        if given.quoted or given.none:
            return [Word(option), given]
    if not first.is_bare or others:  # a quote anywhere: the whole word means itself
        return [Word("".join(piece.text for piece in pieces), quoted=not first.is_bare)]
    match = _VARIABLE.fullmatch(first.text)
    name = match and (match["dollar"] or match["brace"])
    if name and name in variables and variables[name] is None:
        return [Word("none", none=name)]
    text = _looked_up(first.text, variables)
    return [Word(text, quoted=text != first.text and not first.text.startswith("-"))]


def names_of(variables: Mapping[str, Any]) -> list[str]:
    """Return the names of variables; ``globals()`` takes keys that are none."""
    return [name for name in variables if type(name) is str]


def _looked_up(text: str, variables: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        if match["code"]:
            msg = (
                f"{match['code']} is no plain name, and nothing on a line is evaluated; put its"
                f' value into a variable, or the word into quotes: "{text}" means itself'
            )
            raise ConfigError(msg)
        name = match["dollar"] or match["brace"]
        if not name:
            return match[0]
        if name not in variables:
            near = did_you_mean(name, (known for known in names_of(variables) if known[:1] != "_"))
            msg = f"the notebook has no variable {name!r} (in quotes, {text} means itself){near}"
            raise ConfigError(msg)
        if variables[name] is None:
            msg = f"variable {name!r} is None, which cannot be a part of {text}"
            raise ConfigError(msg)
        return _written(name, variables[name])

    return _VARIABLE.sub(value, text)


def _written(name: str, found: Any) -> str:
    # A class of a notebook may be derived from text or number and do anything when it is asked.
    if is_a(found, str):
        return exact(found)
    what = f"variable {name!r} is {a_kind(found)}"
    with foreign_code(f"{what}, and writing it out fails", ConfigError):
        if is_a(found, numbers.Real):
            return exact(str(found))
        if is_a(found, PurePath):
            return exact(os.fspath(found))
    msg = f"{what}; an option takes text, a number or a path"
    raise ConfigError(msg)
