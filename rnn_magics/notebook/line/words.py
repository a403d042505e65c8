"""Splits a magic line into words: removes quotes and comments, looks up variables.

Backslashes and all other characters are literal. In unquoted words, ``$name`` and ``{name}`` stand
for a variable of the calling scope. IPython users are used to this; unlike IPython, we evaluate
nothing, and refuse expressions. An unquoted ``#`` begins a comment, and an unquoted ``;`` at the
end of the line suppresses the result.
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
from rnn_magics.language import marked, say
from rnn_magics.options import did_you_mean

_PIECE = re.compile(
    r"""(?P<space>\s+)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+)"""
)
# In an unquoted word: a variable, an expression that IPython would evaluate, or a doubled mark,
# which is literal.
_VARIABLE = re.compile(
    r"""\$\$|\{\{|\}\}|\$(?P<dollar>[^\W\d]\w*)|\{(?P<brace>[^\W\d]\w*)\}
    |(?P<code>\$\{[^{}]*\}|\{[^\W\d][^{}]*\})""",
    re.VERBOSE,
)


_PASTED = {
    "\N{EN DASH}": marked("-- (two hyphens)"),
    "\N{EM DASH}": marked("-- (two hyphens)"),
    **dict.fromkeys(
        "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}", marked('a plain "')
    ),
    **dict.fromkeys(
        "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", marked("a plain '")
    ),
}
"""The typographic marks of web pages and word processors, and what to type instead."""


@dataclass(frozen=True)
class Word:
    """One word of a line.

    Parameters
    ----------
    text
        The word without its quotes.
    quoted
        Whether it began with a quote or came from a variable. Such a word is a value, even if it
        looks like an option.
    none
        The name of the variable that it came from, if the value is None.
    listed
        The name of the variable that it came from, if the value is a list; each of its elements is
        a word.
    """

    text: str
    quoted: bool = False
    none: str = ""
    listed: str = ""


@dataclass(frozen=True)
class Words:
    """The words of a line.

    Parameters
    ----------
    words
        The words in order.
    silent
        Whether the line ends with a semicolon, so that its result is not shown.
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
        The text after the name of the magic.
    variables
        The variables of the calling scope, for ``$name`` and ``{name}``.

    Raises
    ------
    ConfigError
        If a quote is not closed, a variable does not exist or is not text, a number, a path or a
        list of these, or a word contains an expression.
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
    # The quoted and unquoted pieces of each word.
    words: list[list[_Piece]] = []
    place, in_word = 0, False
    while place < len(line):
        piece = _PIECE.match(line, place)
        if piece is None:
            msg = say(
                "the quote {quote} at column {column} is not closed; to use one kind of quote"
                " in a text, put the other kind around it",
                quote=line[place],
                column=place + 1,
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
            msg = say(
                "{mark} at column {column} is typographic; type {plain} instead",
                mark=text[0],
                column=piece.start() + 1,
                plain=say(plain),
            )
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
        given = _words_of([_Piece(value, is_bare=True), *others] if value else others, variables)
        if given[0].quoted or given[0].none:
            return [Word(option), *given]
    if not first.is_bare or others:  # a quote anywhere makes the whole word literal
        return [Word("".join(piece.text for piece in pieces), quoted=not first.is_bare)]
    match = _VARIABLE.fullmatch(first.text)
    name = match and (match["dollar"] or match["brace"])
    if name and name in variables and variables[name] is None:
        return [Word("none", none=name)]
    if name and name in variables and is_a(variables[name], list | tuple):
        return _listed(name, variables[name])
    text = _looked_up(first.text, variables)
    return [Word(text, quoted=text != first.text and not first.text.startswith("-"))]


def _listed(name: str, found: Any) -> list[Word]:
    kind: Any = list if is_a(found, list) else tuple
    given = [*kind.__iter__(found)]  # of a derived class, too: no code of its own is run
    if not given:
        msg = say("variable {name!r} is an empty list, which names nothing", name=name)
        raise ConfigError(msg)
    return [
        Word(
            _written(say("element {place} of {name!r}", place=place, name=name), each),
            quoted=True,
            listed=name,
        )
        for place, each in enumerate(given)
    ]


def names_of(variables: Mapping[str, Any]) -> list[str]:
    """Return the names of variables; ``globals()`` may also have keys that are not text."""
    return [name for name in variables if type(name) is str]


def _looked_up(text: str, variables: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        if match["code"]:
            msg = say(
                "{code} is not a plain name, and magic lines evaluate no expressions; assign"
                ' it to a variable, or quote the word to take it literally: "{text}"',
                code=match["code"],
                text=text,
            )
            raise ConfigError(msg)
        name = match["dollar"] or match["brace"]
        if not name:
            return match[0]
        if name not in variables:
            near = did_you_mean(name, (known for known in names_of(variables) if known[:1] != "_"))
            msg = say(
                "the notebook has no variable {name!r} (quote {text} to take it literally){near}",
                name=name,
                text=text,
                near=near,
            )
            raise ConfigError(msg)
        if variables[name] is None:
            msg = say(
                "variable {name!r} is None, which cannot be part of {text}", name=name, text=text
            )
            raise ConfigError(msg)
        return _written(say("variable {name!r}", name=name), variables[name])

    return _VARIABLE.sub(value, text)


def _written(name: str, found: Any) -> str:
    # A class from the notebook may derive from str or a number, and its methods may do anything.
    if is_a(found, str):
        return exact(found)
    what = say("{name} is {kind}", name=name, kind=a_kind(found))
    with foreign_code(say("{what}, and converting it to text fails", what=what), ConfigError):
        if is_a(found, numbers.Real):
            return exact(str(found))
        if is_a(found, PurePath):
            return exact(os.fspath(found))
    alone = (
        say(", and a list of these only as a word of its own") if is_a(found, list | tuple) else ""
    )
    msg = say("{what}; an option takes text, a number or a path{alone}", what=what, alone=alone)
    raise ConfigError(msg)
