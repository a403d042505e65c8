"""A magic line as words, with their quotes taken off and nothing else done to them.

Backslashes, braces, dollars and every other mark mean themselves. The one exception keeps a
habit of IPython without its ``eval``: an unquoted word that is exactly ``$name`` or
``{name}`` stands for the notebook's variable of that name.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnn_magics.errors import ConfigError
from rnn_magics.foreign import exact, foreign_code, is_a, kind_of
from rnn_magics.options import did_you_mean

_PIECE = re.compile(
    r"""(?P<space>\s+)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+)"""
)
_VARIABLE = re.compile(r"\$(?P<dollar>[^\W\d]\w*)|\{(?P<brace>[^\W\d]\w*)\}")
_OPENED = re.compile(r"--[\w-]+=")  # an option whose value follows


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
    """

    text: str
    quoted: bool = False


def split_line(line: str, variables: Mapping[str, Any]) -> list[Word]:
    """Split a magic line into words.

    Parameters
    ----------
    line
        What follows the name of the magic.
    variables
        Of the notebook, for ``$name`` and ``{name}``.

    Raises
    ------
    ConfigError
        When a quote is not closed, or a variable does not exist or is neither text nor number.
    """
    words: list[Word] = []
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
        if in_word and not bare and not words[-1].quoted and _OPENED.fullmatch(words[-1].text):
            words[-1:] = [Word(words[-1].text[:-1]), Word(text, quoted=True)]
        elif in_word:
            words[-1] = Word(words[-1].text + text, words[-1].quoted)
        elif bare and (place == len(line) or line[place].isspace()):
            words += _looked_up(text, variables)
        else:
            words.append(Word(text, quoted=not bare))
        in_word = True
    return words


def names_of(variables: Mapping[str, Any]) -> list[str]:
    """Return the names of variables; ``globals()`` takes keys that are none."""
    return [name for name in variables if type(name) is str]


def _looked_up(text: str, variables: Mapping[str, Any]) -> list[Word]:
    option, equals, value = text.partition("=") if text.startswith("--") else ("", "", text)
    match = _VARIABLE.fullmatch(value)
    if match is None:
        return [Word(text)]
    name = match["dollar"] or match["brace"]
    if name not in variables:
        near = did_you_mean(name, (known for known in names_of(variables) if known[:1] != "_"))
        msg = f"the notebook has no variable {name!r} (in quotes, {value} means itself){near}"
        raise ConfigError(msg)
    written = _written(name, "none" if variables[name] is None else variables[name])
    return [*([Word(option)] if equals else []), Word(written, quoted=True)]


def _written(name: str, found: Any) -> str:
    # A class of a notebook may be derived from text or number and do anything when it is asked.
    if is_a(found, str):
        return exact(found)
    what = f"variable {name!r} is a {kind_of(found)}"
    with foreign_code(f"{what}, and writing it out fails", ConfigError):
        if is_a(found, numbers.Real):
            return exact(str(found))
    msg = f"{what}; an option takes text or a number"
    raise ConfigError(msg)
