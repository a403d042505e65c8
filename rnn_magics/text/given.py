"""Objects that a caller hands in: each becomes a text, or its elements, read once.

This is the only place where an object of a notebook becomes text or tokens.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from rnn_magics.errors import CorpusError
from rnn_magics.foreign import PASSING, a_kind, exact, foreign_code, is_a, told
from rnn_magics.language import marked, say
from rnn_magics.text.formats.fields import named, texts

MOST = 10_000_000
"""The most elements that are taken from an object which might never end."""

# Compared by id, since a metaclass may define how its classes are hashed and compared.
_ENDING = {id(kind) for kind in (list, tuple, str, bytes, bytearray, deque)}  # all in memory
_CERTAIN = {id(kind) for kind in (type(None), bool, str, bytes)}  # every value can be a token
_HUGE = 1 << 64  # Python refuses to print numbers of more than a few thousand digits
_TABLES = {"pandas": ("DataFrame",), "polars": ("DataFrame",)}  # by the module of their class
_DATA_SETS = {"datasets": ("Dataset", "IterableDataset")}
_FAILED = {  # what was done with a token when its code raised
    "hashed": marked(
        "{name!r}: element {place} is {kind}, which cannot be hashed ({why}); drop or replace it"
    ),
    "compared": marked(
        "{name!r}: element {place} is {kind}, which cannot be compared with itself ({why}); drop or"
        " replace it"
    ),
    "shown": marked(
        "{name!r}: element {place} is {kind}, which cannot be shown ({why}); drop or replace it"
    ),
}
_UNHASHABLE = marked(
    "{name!r}: element {place} is {kind}; tokens must be hashable (numbers, strings, tuples){why}"
)


def text_or_elements(
    data: Any, name: str, field: str | None = None
) -> str | list[str] | tuple[Any, ...]:
    """Return a string unchanged, a list of strings as a list of texts, or else the elements.

    Of records, such as the rows of a data set or a list of dicts, the texts are those in a field;
    of a table, a column is taken.

    Parameters
    ----------
    data, name
        The object, and the name of its variable.
    field
        The name of the field or the column.

    Raises
    ------
    CorpusError
        When `data` is neither a string nor a sequence, cannot be read, has no such field, or has
        strings and something else: which of the two it is meant to be cannot be told.
    """
    if is_a(data, str):
        if field is not None:
            raise CorpusError(
                say("{name!r} is a string, which has no fields; leave --field out", name=name)
            )
        return exact(data)
    has_rows = _is_one_of(data, _DATA_SETS)
    if _is_one_of(data, _TABLES):
        data, field = _column(data, name, field), None
    with _reading(data, name):
        plain = _listed(data)
        is_sequence = is_a(plain, Sequence) and not is_a(plain, bytes | bytearray | str)
    if not is_sequence and not has_rows:
        raise CorpusError(
            say(
                "{name!r} is {kind}; a corpus is made from a string, a list of strings, or a"
                " sequence of tokens",
                name=name,
                kind=a_kind(data),
            )
        )
    found = _taken(plain, data, name)
    if has_rows or field is not None or (found and all(type(each) is dict for each in found)):
        return list(texts(found, field, name))
    is_line = [type(element) is str for element in found]
    if all(is_line) and found:
        return [line.removesuffix("\n") for line in found]
    if any(is_line):
        place = is_line.index(False)
        odd = found[place]
        if is_a(odd, int | float) and _what(odd) != "nan":
            text = marked(
                "{name!r}: element {place} is {kind} among strings; drop or replace it, or read all"
                " as tokens with --as-tokens"
            )
        else:
            text = marked("{name!r}: element {place} is {kind} among strings; drop or replace it")
        raise CorpusError(say(text, name=name, place=place, kind=_what(odd)))
    return found


def _is_one_of(data: Any, kinds: Mapping[str, tuple[str, ...]]) -> bool:
    # A library that was never imported has no objects; anything else may claim to be one.
    known = ((sys.modules.get(module), names) for module, names in kinds.items())
    classes = (getattr(module, each, None) for module, names in known for each in names)
    return any(isinstance(each, type) and is_a(data, each) for each in classes)


def _column(data: Any, name: str, field: str | None) -> Any:
    with _reading(data, name):
        names = list(data.columns)
    if field is None or field not in names:
        if field is None:
            text = marked("{name!r} is a table; its columns are {names}: name one with --field")
        else:
            text = marked(
                "{name!r} has no column {field!r}; its columns are {names}: name one with --field"
            )
        raise CorpusError(say(text, name=name, field=field, names=named(names)))
    with _reading(data, name):
        return data[field]


def elements(data: Any, name: str) -> tuple[Any, ...]:
    """Return the elements of any object that has them in an order.

    Raises
    ------
    CorpusError
        When the object has no elements, no order or more than one dimension, might never end, or
        cannot be read.
    """
    with _reading(data, name):
        plain = _listed(data)
        fault = _fault(plain, data, name)
    if fault:
        raise CorpusError(fault)
    return _taken(plain, data, name)


def require_tokens(given: tuple[Any, ...], name: str) -> None:
    """Refuse elements that cannot be compared with each other, or cannot be shown.

    Raises
    ------
    CorpusError
        With the place of the first such element, and the reason; also for None among strings.
    """
    place, doing = 0, "hashed"
    try:
        for place, token in enumerate(given):  # noqa: B007  (the message names the place)
            if (type(token) is int and -_HUGE < token < _HUGE) or id(type(token)) in _CERTAIN:
                continue
            doing = "hashed"
            hash(token)
            doing = "compared"
            if token != token or not token == token:  # noqa: PLR0124, SIM201  (what nan is)
                break
            if type(token) is not float:
                doing = "shown"
                f"{token!r}{token}"
                str(token), token.__class__
        else:
            place = len(given)
    except PASSING:
        raise
    except BaseException as error:  # noqa: BLE001  (code of a token may raise anything)
        raise CorpusError(_no_token(given[place], place, name, doing, error)) from None
    if place == len(given):
        _refuse_missing(given, name)
        return
    what = _what(given[place])
    raise CorpusError(
        say(
            "{name!r}: element {place} is {what}, which equals nothing; drop or replace it",
            name=name,
            place=place,
            what=what,
        )
    )


def _refuse_missing(given: tuple[Any, ...], name: str) -> None:
    # None is a token like any other, but among strings it is a string that is missing.
    missing = next((place for place, token in enumerate(given) if token is None), None)
    if missing is not None and any(type(token) is str for token in given):
        raise CorpusError(
            say(
                "{name!r}: element {missing} is None among strings; drop or replace it",
                name=name,
                missing=missing,
            )
        )


def require_listable(num_tokens: int, name: str, most: int) -> None:
    """Refuse to make a list of more than `most` Python objects.

    Raises
    ------
    CorpusError
        With the number of tokens.
    """
    if num_tokens > most:
        raise CorpusError(
            say(
                "{name!r} has {size:,} tokens, too many for a list; keep fewer with --max-tokens"
                " {most}, or use Corpus.numbered",
                name=name,
                size=num_tokens,
                most=most,
            )
        )


def _what(element: Any) -> str:
    if element is None:
        return "None"
    is_nan = is_a(element, float) and float.__ne__(element, element)
    return "nan" if is_nan else a_kind(element)


def _no_token(token: Any, place: int, name: str, doing: str, error: BaseException) -> str:
    text, why = _FAILED[doing], told(error)
    if doing == "hashed" and is_a(error, TypeError):
        text = _UNHASHABLE
        why = "" if is_a(token, list | dict | set) else f" ({why})"
    return say(text, name=name, place=place, kind=a_kind(token), why=why)


def _reading(data: Any, name: str) -> AbstractContextManager[None]:
    return foreign_code(
        say("{name!r} is {kind}, and reading it fails", name=name, kind=a_kind(data)), CorpusError
    )


def _listed(data: Any) -> Any:
    # Arrays, tensors and columns become plain numbers and strings. The class is asked, since an
    # object may claim to have any attribute.
    tolist = getattr(type(data), "tolist", None)
    return data if tolist is None else tolist(data)


def _fault(plain: Any, data: Any, name: str) -> str:
    dimensions: Any = None
    if is_a(plain, AbstractSet):
        text = marked("{name!r} is {kind}, which has no order; sort it into a list")
    elif is_a(plain, Mapping):
        text = marked("{name!r} is {kind}; make a list of its keys or of its values")
    elif type(dimensions := getattr(plain, "ndim", 1)) is int and dimensions > 1:
        text = marked(
            "{name!r} is {kind} of {dimensions} dimensions; tokens need one: take one of its"
            " columns"
        )
    elif not is_a(plain, Iterable) and not hasattr(type(plain), "__getitem__"):
        text = marked(
            "{name!r} is {kind}, which has no elements; pass a list or an array of tokens"
        )
    else:
        return ""
    return say(text, name=name, kind=a_kind(data), dimensions=dimensions)


def _taken(plain: Any, data: Any, name: str) -> tuple[Any, ...]:
    is_ending = id(type(plain)) in _ENDING
    with _reading(data, name):
        found = tuple(plain if is_ending else islice(plain, MOST + 1))
    if len(found) > MOST and not is_ending:
        raise CorpusError(
            say(
                "{name!r} is {kind} that yields more than {most:,} elements and may never end;"
                " make a list of as many as you want",
                name=name,
                kind=a_kind(data),
                most=MOST,
            )
        )
    return tuple(exact(element) if is_a(element, str) else element for element in found)
