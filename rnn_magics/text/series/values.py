"""The numbers of any object of a notebook; a gap or a non-number is named by its place."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from rnn_magics.errors import CorpusError
from rnn_magics.foreign import a_kind, foreign_code, is_a, kind_of
from rnn_magics.language import say
from rnn_magics.text.given import elements

Values = np.ndarray[tuple[int], np.dtype[np.float64]]
_GAPS = {"NoneType", "NAType", "NaTType"}  # what Python and pandas put where a value is missing


def numbers_of(data: Any, name: str) -> Values:
    """Return the elements of a list, an array, a tensor or a column as numbers.

    Returns
    -------
    numpy.ndarray
        Shape (num_values,), float64.

    Raises
    ------
    CorpusError
        When an element is missing or is no finite number, with the place of the first one, from 0;
        also when `data` has no elements in an order (see `given.elements`).
    """
    given = elements(data, name)
    with foreign_code(
        say("{name!r} has an element that cannot be read as a number", name=name), CorpusError
    ):
        found = [_number(element) for element in given]
    wrong = [place for place, number in enumerate(found) if not _is_finite(number)]
    if wrong:
        raise CorpusError(_told(given, found, wrong, name))
    return np.array(found, float)


def _number(element: Any) -> float | None:
    # None for what is no number. A bool is an int to Python, and no value of a series.
    if is_a(element, float):
        return float.__float__(element)
    if is_a(element, bool) or not is_a(element, Real | Decimal):
        return math.nan if kind_of(element) in _GAPS else None
    try:
        return float(element)
    except OverflowError:
        return math.inf


def _is_finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)


def _kind(number: float | None) -> str:
    if number is None:
        return "no number"
    return "gap" if math.isnan(number) else "infinite"


def _told(given: tuple[Any, ...], found: list[float | None], wrong: list[int], name: str) -> str:
    place = wrong[0]
    kind = _kind(found[place])
    alike = sum(_kind(found[each]) == kind for each in wrong)
    said = say("{name!r}: element {place} is", name=name, place=place)
    more = say(" (of {number:,} such elements)", number=alike) if alike > 1 else ""
    if kind == "gap":
        return say(
            "{said} a gap{more}, nan or None; fill gaps first, such as with pandas' interpolate",
            said=said,
            more=more,
        )
    if kind == "infinite":
        return say(
            "{said} infinite or too large for a float{more}; drop or replace it",
            said=said,
            more=more,
        )
    if is_a(given[place], list | tuple):
        return say(
            "{said} {kind}{more}; a series has one number a place: take a column",
            said=said,
            kind=a_kind(given[place]),
            more=more,
        )
    return say(
        "{said} {kind}{more}; a series is made of numbers: drop or convert it",
        said=said,
        kind=a_kind(given[place]),
        more=more,
    )
