"""A list in JSON, element by element, in pieces cut anywhere, right or wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.text.formats.json_list import (
    ExtraDataError,
    NotJSONError,
    TooLongError,
    elements,
)

GOOD = json.dumps([12, 345, -1.5e-7, "a\ud83d\ude00\n", {"k": [None, True]}, float("-inf")])
MOST = 10_000


def cut(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def spoilt(seed: int) -> str:
    """Return the good text, spread over lines, with a few characters taken out or put in."""
    draw = random.Random(seed)
    letters = list(GOOD.replace(", ", ",\n "))
    for _ in range(draw.randint(0, 3)):
        place = draw.randrange(len(letters))
        letters[place : place + draw.randint(0, 2)] = draw.choice(
            ["", "[", "}", '"', ",", "7", "x"]
        )
    return "".join(letters)


@given(st.integers(0, 1 << 20), st.integers(1, 40))
@example(0, 1)
def test_it_reads_and_refuses_what_json_does(seed: int, size: int) -> None:
    text = spoilt(seed)
    value, mistake = loaded(text)
    if mistake is None:
        found = list(elements(cut(text, size), MOST))
        assert repr(found) == repr(value if isinstance(value, list) else [value])
        return
    with pytest.raises(NotJSONError) as caught:
        list(elements(cut(text, size), MOST))
    # Python 3.13 has a mistake of its own for a comma before the end of a list.
    if not mistake.msg.startswith("Illegal trailing comma"):
        assert str(caught.value) == str(mistake)
    assert isinstance(caught.value, ExtraDataError) == (mistake.msg == "Extra data")


def loaded(text: str) -> tuple[Any, json.JSONDecodeError | None]:
    try:
        return json.loads(text), None
    except json.JSONDecodeError as mistake:
        return None, mistake


def test_a_long_list_of_short_elements_needs_little() -> None:
    text = json.dumps(list(range(10_000)))
    assert list(elements(cut(text, 100), 1_000)) == list(range(10_000))


def test_a_long_element_is_refused_when_it_is_reached() -> None:
    found = elements(cut(json.dumps(["short", "long" * 1_000]), 100), 1_000)
    assert next(found) == "short"
    with pytest.raises(TooLongError):
        next(found)
