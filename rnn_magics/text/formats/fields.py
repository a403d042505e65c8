"""Records with fields: which field is the text, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnn_magics.errors import CorpusError
from rnn_magics.foreign import a_kind, is_a
from rnn_magics.results import quoted

USUAL = "text"
"""The field that is read where a record has several and none is named."""
_MOST_NAMED = 8


def texts(records: Iterable[Any], field: str | None, what: str) -> Iterator[str]:
    r"""Yield the text of each record, with ``\n`` as line ends.

    Parameters
    ----------
    records
        Dicts; or texts, where no field is named. Of derived classes, which may do anything, only
        those of str are accepted.
    field
        The name of a field. ``a.b`` is the field ``b`` of the value of ``a``, or of each value if
        ``a`` is a list; the texts of a list are joined by line ends. If None, the only field, or
        `USUAL`.
    what
        The name of the source in error messages.

    Raises
    ------
    CorpusError
        When a record has no such field or it is not text, with the number of the record.
    """
    for number, record in enumerate(records, start=1):
        said = f"record {number:,} of {what!r}"
        if field is None and type(record) is dict:
            field = _only(record, said)
        path = [] if field is None else [field]
        text = "\n".join(_found(record, path, field, said))
        if "\0" in text:
            msg = f"{said} has a zero character, so it is not text; take the record out"
            raise CorpusError(msg)
        yield text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def named(names: Iterable[object]) -> str:
    """Return the names of fields in one line; of many, the first and how many more."""
    shown = [quoted(name) if type(name) is str else a_kind(name) for name in names]
    more = len(shown) - _MOST_NAMED
    return ", ".join(shown[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _only(record: dict[Any, Any], said: str) -> str:
    names = list(record)
    if len(names) == 1 and type(names[0]) is str:
        return names[0]
    if USUAL in record:
        return USUAL
    msg = f"{said} has the fields {named(names)}; say which one is the text: --field NAME"
    raise CorpusError(msg if names else f"{said} has no fields; take the record out")


def _found(value: Any, path: Sequence[str], field: str | None, said: str) -> Iterator[str]:
    # The texts at the end of a path; of a list, those of each element.
    if type(value) is list or type(value) is tuple:
        for element in value:
            yield from _found(element, path, field, said)
    elif not path:
        yield _text(value, field, said)
    elif type(value) is not dict:
        msg = f"{said}: {_kind(value)} has no field {path[0]!r}; "
        is_plain = [field] == [*path]
        raise CorpusError(msg + ("leave --field out" if is_plain else "name another with --field"))
    elif path[0] in value:
        yield from _found(value[path[0]], path[1:], field, said)
    else:
        first, dot, rest = path[0].partition(".")
        if not dot or first not in value:
            has = f"it has {named(value)}" if value else "it has none"
            msg = f"{said} has no field {path[0]!r} ({has}); name another with --field, or take the"
            raise CorpusError(msg + " record out")
        yield from _found(value[first], [rest], field, said)


def _text(value: Any, field: str | None, said: str) -> str:
    if is_a(value, str):
        return str.__str__(value)
    where = said if field is None else f"{said}: the field {field!r}"
    if value is None:
        msg = f"{where} is empty (null); name another with --field, or take the record out"
        raise CorpusError(msg)
    msg = f"{where} holds {_kind(value)}, not text; name another with --field, or make a sequence"
    raise CorpusError(msg + " of tokens in Python and use --data")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if is_a(value, bool):
        return "true or false"
    if is_a(value, int | float):
        return "a number"
    return "a text" if is_a(value, str) else a_kind(value)
