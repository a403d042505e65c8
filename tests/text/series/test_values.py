from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.series.values import numbers_of
from tests.hostile_objects import hostile


@pytest.mark.parametrize(
    "data",
    [
        [1, 2.5, -3],
        (Decimal(1), Fraction(5, 2), -3.0),
        np.array([1, 2.5, -3], np.float32),
        torch.tensor([1, 2.5, -3]),
        iter([1, 2.5, -3]),
    ],
)
def test_numbers_of_any_kind_become_floats(data: Any) -> None:
    assert numbers_of(data, "x").tolist() == [1.0, 2.5, -3.0]


def test_columns_of_pandas_become_floats() -> None:
    pd = pytest.importorskip("pandas")
    assert numbers_of(pd.Series([1, 2], index=[7, 3]), "x").tolist() == [1.0, 2.0]
    with pytest.raises(CorpusError, match=r"^'x': element 1 is a gap, nan or None; fill gaps"):
        numbers_of(pd.Series([1, None, 2], dtype="Int64"), "x")
    with pytest.raises(CorpusError, match=r"element 0 is a Timestamp \(of 2 such elements\)"):
        numbers_of(pd.Series(pd.date_range("2020", periods=2)), "x")
    with pytest.raises(CorpusError, match="element 0 is a gap"):
        numbers_of(pd.Series([pd.NaT, pd.Timestamp("2020")]), "x")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([1, 2, None, 4], "'x': element 2 is a gap, nan or None; fill gaps first"),
        ([1, float("nan"), "a", None], "'x': element 1 is a gap (of 2 such elements), nan or None"),
        (np.array([np.nan, 1.0]), "'x': element 0 is a gap"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "'x': element 1 is a gap"),
        ([1, "2", 3], "'x': element 1 is a str; a series is made of numbers: drop or convert it"),
        ("12", "'x': element 0 is a str (of 2 such elements)"),
        ([True, False], "'x': element 0 is a bool"),
        ([1, 2j], "'x': element 1 is a complex"),
        ([1, float("inf")], "'x': element 1 is infinite or too large for a float; drop"),
        ([10**400, 1], "'x': element 0 is infinite or too large for a float; drop"),
        (np.ones((2, 3)), "'x': element 0 is a list (of 2 such elements); a series has one number"),
        ({1: 2.0}, "'x' is a dict; make a list of its keys or of its values"),
        (7, "'x' is an int, which has no elements"),
    ],
)
def test_what_is_no_number_is_named_by_its_place(data: Any, said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        numbers_of(data, "x")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_number_whose_code_raises_becomes_one_line() -> None:
    class Odd(Fraction):
        def __float__(self) -> float:
            raise RuntimeError

    with pytest.raises(CorpusError, match="'x' has an element that cannot be read as a number"):
        numbers_of([1, Odd(1, 2)], "x")


@given(st.data())
def test_any_object_becomes_finite_numbers_or_one_line(data: st.DataObject) -> None:
    thing = hostile(lambda options: options[data.draw(st.integers(0, len(options) - 1))])
    found, said = np.zeros(0), ""
    try:
        found = numbers_of([thing] if data.draw(st.booleans()) else thing, "x")
    except CorpusError as error:
        said = str(error)
    assert np.isfinite(found).all()
    assert said.isprintable()
    assert said[:3] in ("", "'x'")
