"""The compiled products against NumPy's, over sizes that fill tiles and panels and that do not."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.models.fast import products
from rnn_magics.models.fast.layout import pack

SIZES = st.integers(1, 70)
DTYPES = st.sampled_from([np.float32, np.float64])


def draw(seed: int, *shape: int, dtype: type = np.float64) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def tolerance(dtype: type) -> dict[str, float]:
    return {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-11}


LONG = st.one_of(st.integers(250, 260), st.integers(510, 515))
"""Numbers of terms around those that are summed at a time."""


@given(SIZES, st.one_of(SIZES, LONG), SIZES, DTYPES)
def test_a_product_is_added(num_rows: int, num_k: int, num_columns: int, dtype: type) -> None:
    a, b = draw(0, num_rows, num_k, dtype=dtype), draw(1, num_k, num_columns, dtype=dtype)
    panels = pack(torch.from_numpy(b))
    sums = np.ones((num_rows, panels.shape[0] * panels.shape[2]), dtype)
    products.add_matrix_product(a, panels, sums)
    np.testing.assert_allclose(sums[:, :num_columns], 1 + a @ b, **tolerance(dtype))
    assert (sums[:, num_columns:] == 1).all()
    backwards = np.ones_like(sums)
    products.add_matrix_product(a, panels, backwards, True)
    assert (backwards == sums).all()


@given(
    st.one_of(SIZES, st.integers(250, 600)),
    st.one_of(SIZES, st.integers(120, 140)),
    st.one_of(SIZES, st.integers(120, 135), st.integers(250, 260)),
    DTYPES,
    st.data(),
)
def test_transposed_products_are_added_to_a_slice(
    num_k: int, num_columns: int, width: int, dtype: type, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, num_columns))
    last = data.draw(st.integers(first, num_columns))
    left, right = draw(0, num_k, num_columns, dtype=dtype), draw(1, num_k, width, dtype=dtype)
    padded = pack(torch.zeros(1, width, dtype=torch.from_numpy(right).dtype)).size
    result, nothing = np.ones((num_columns, padded), dtype), np.empty((0, 0), dtype)
    products.add_transposed_products(left, right, result, nothing, nothing, first, last)
    exact = 1 + left[:, first:last].T @ right
    np.testing.assert_allclose(result[first:last, :width], exact, **tolerance(dtype))
    assert (result[:first] == 1).all()
    assert (result[last:] == 1).all()
    both = [np.ones_like(result) for _ in range(2)]
    products.add_transposed_products(left, right, both[0], -right, both[1], first, last)
    np.testing.assert_array_equal(both[0], result)
    np.testing.assert_allclose(both[1][first:last, :width], 2 - exact, **tolerance(dtype))


@given(SIZES, SIZES, st.data())
def test_rows_are_added_and_scattered_in_a_slice(
    num_rows: int, num_columns: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, num_columns))
    last = data.draw(st.integers(first, num_columns))
    values, places = draw(0, num_rows, num_columns), np.arange(num_rows) * 7 % 5
    total, table = np.ones(num_columns), np.ones((5, num_columns))
    products.add_rows(values, total, first, last)
    products.scatter_rows(values, places, table, first, last)
    cut = np.zeros_like(values)
    cut[:, first:last] = values[:, first:last]
    np.testing.assert_allclose(total, 1 + cut.sum(0))
    exact = np.ones_like(table)
    np.add.at(exact, places, cut)
    np.testing.assert_allclose(table, exact)


def test_the_blocks_of_rows_do_not_change_a_bit() -> None:
    a, b = draw(0, 21, 600, dtype=np.float32), draw(1, 600, 40, dtype=np.float32)
    panels = pack(torch.from_numpy(b))
    whole = np.zeros((21, panels.shape[0] * panels.shape[2]), np.float32)
    products.add_matrix_product(a, panels, whole)
    for size in (1, 2, 4, 5, 8, 20):
        parts = np.zeros_like(whole)
        for begin in range(0, 21, size):
            products.add_matrix_product(
                a[begin : begin + size], panels, parts[begin : begin + size]
            )
        assert np.array_equal(parts, whole)
