"""Tokens as plain values, ready for JSON, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from rnn_magics.errors import VocabError
from rnn_magics.foreign import a_kind
from rnn_magics.language import say
from rnn_magics.results import quoted
from rnn_magics.text.splitting.tokenizer import Learnt

# JSON would read two adjacent halves of a surrogate pair back as one character.
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def to_plain(token: Any) -> Any:
    """Return a token as JSON holds it.

    Raises
    ------
    VocabError
        If it is neither text nor a number nor a tuple of them.
    """
    if isinstance(token, str) and _PAIR.search(token):
        return {"characters": list(token)}
    if isinstance(token, float) and not math.isfinite(token):
        return {"float": str(float(token))}
    if token is None or isinstance(token, str | int | float):
        return token
    if isinstance(token, tuple):
        return {"tuple": [to_plain(element) for element in token]}
    raise VocabError(
        say(
            "token {token} is {kind}, which a file cannot hold; use text, numbers, or tuples of"
            " them as tokens",
            token=quoted(token),
            kind=a_kind(token),
        )
    )


def from_plain(value: Any) -> Any:
    """Return the token that `to_plain` wrote.

    Raises
    ------
    TypeError
        If nothing that it writes looks like this.
    """
    if not isinstance(value, Mapping | list):
        return value
    match value:
        case {"tuple": list(elements)} if len(value) == 1:
            return tuple(from_plain(element) for element in elements)
        case {"characters": list(characters)} if len(value) == 1:
            return "".join(characters)
        case {"float": "inf" | "-inf" | "nan" as word} if len(value) == 1:
            return float(word)
    raise TypeError(say("a token is neither text nor a number nor a tuple"))


def as_learnt(value: Any) -> Learnt | None:
    """Return what a tokenizer has learnt; None if there is nothing.

    Raises
    ------
    ValueError
        If it is no list of texts.
    """
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(say("what was learnt is no list of texts"))
    return tuple(value)


def as_added(value: Any) -> tuple[Any, ...]:
    """Return the tokens that were added to a vocabulary; none where it has no such list.

    Raises
    ------
    TypeError
        If it is no list of tokens, or an empty one.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise TypeError(say("what was added is no list of tokens"))
    return tuple(from_plain(token) for token in value)


def as_count(value: Any) -> int:
    """Return a count.

    Raises
    ------
    ValueError
        If it is no whole number above zero.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(say("a count is {value!r}", value=value))
    return value
