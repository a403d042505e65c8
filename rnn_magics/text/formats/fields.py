"""Records with fields: which field is the text, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from rnn_magics.errors import CorpusError
from rnn_magics.foreign import a_kind, is_a
from rnn_magics.language import marked, say
from rnn_magics.results import quoted

USUAL = "text"
"""The field that is read where a record has several and none is named."""
_MOST_NAMED = 8


class _Record(NamedTuple):
    """Which record it is; told in the language that is spoken when it is."""

    number: int
    what: str

    def __str__(self) -> str:
        return say("record {number:,} of {what!r}", number=self.number, what=self.what)


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
        told = _Record(number, what)
        if field is None and type(record) is dict:
            field = _only(record, told)
        path = [] if field is None else [field]
        text = "\n".join(_found(record, path, field, told))
        if "\0" in text:
            raise CorpusError(
                say(
                    "{record} has a zero character, so it is not text; take the record out",
                    record=told,
                )
            )
        yield text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def named(names: Iterable[object]) -> str:
    """Return the names of fields in one line; of many, the first and how many more."""
    shown = [quoted(name) if type(name) is str else a_kind(name) for name in names]
    first, more = ", ".join(shown[:_MOST_NAMED]), len(shown) - _MOST_NAMED
    return say("{first} and {more} more", first=first, more=more) if more > 0 else first


def _only(record: dict[Any, Any], told: _Record) -> str:
    names = list(record)
    if len(names) == 1 and type(names[0]) is str:
        return names[0]
    if USUAL in record:
        return USUAL
    if not names:
        raise CorpusError(say("{record} has no fields; take the record out", record=told))
    raise CorpusError(
        say(
            "{record} has the fields {names}; say which one is the text: --field NAME",
            record=told,
            names=named(names),
        )
    )


def _found(value: Any, path: Sequence[str], field: str | None, told: _Record) -> Iterator[str]:
    # The texts at the end of a path; of a list, those of each element.
    if type(value) is list or type(value) is tuple:
        for element in value:
            yield from _found(element, path, field, told)
    elif not path:
        yield _text(value, field, told)
    elif type(value) is not dict:
        if [field] == [*path]:
            text = marked("{record}: {kind} has no field {field!r}; leave --field out")
        else:
            text = marked("{record}: {kind} has no field {field!r}; name another with --field")
        raise CorpusError(say(text, record=told, kind=_kind(value), field=path[0]))
    elif path[0] in value:
        yield from _found(value[path[0]], path[1:], field, told)
    else:
        first, dot, rest = path[0].partition(".")
        if not dot or first not in value:
            if value:
                text = marked(
                    "{record} has no field {field!r} (it has {names}); name another with --field,"
                    " or take the record out"
                )
            else:
                text = marked(
                    "{record} has no field {field!r} (it has none); name another with --field, or"
                    " take the record out"
                )
            raise CorpusError(say(text, record=told, field=path[0], names=named(value)))
        yield from _found(value[first], [rest], field, told)


def _text(value: Any, field: str | None, told: _Record) -> str:
    if is_a(value, str):
        return str.__str__(value)
    where = (
        told if field is None else say("{record}: the field {field!r}", record=told, field=field)
    )
    if value is None:
        raise CorpusError(
            say(
                "{where} is empty (null); name another with --field, or take the record out",
                where=where,
            )
        )
    raise CorpusError(
        say(
            "{where} holds {kind}, not text; name another with --field, or make a sequence of"
            " tokens in Python and use --data",
            where=where,
            kind=_kind(value),
        )
    )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if is_a(value, bool):
        return say("true or false")
    if is_a(value, int | float):
        return say("a number")
    return say("a text") if is_a(value, str) else a_kind(value)
