"""Products on the matrix unit, against those in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.models.fast import products
from rnn_magics.models.fast.amx import products as amx
from rnn_magics.models.fast.amx.instructions import PIECES, TERMS, TILE
from rnn_magics.models.fast.layout import pack, pack_for

pytestmark = pytest.mark.skipif(not amx.is_available(), reason="this CPU has no matrix unit")
SIZES = st.integers(1, 100)


def draw(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def in_tiles(weight: np.ndarray) -> np.ndarray:
    panels = pack(torch.from_numpy(weight))
    blocks = -(-len(weight) // TERMS)
    tiles = torch.empty(len(panels), blocks, 2 * PIECES, TILE, dtype=torch.int16).numpy()
    amx.split_panels(panels, tiles, 0, len(panels))
    return tiles


def test_large_products_of_single_precision_are_computed_in_tiles() -> None:
    assert pack_for(16, torch.zeros(128, 20)).ndim == 4
    for num_rows, weight in (
        (15, torch.zeros(128, 20)),
        (16, torch.zeros(127, 20)),
        (16, torch.zeros(128, 20).double()),
    ):
        assert pack_for(num_rows, weight).ndim == 3


def bound(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return what each element of a product may miss: a few last bits of the sum of all terms."""
    return np.abs(a).astype(float) @ np.abs(b) * 2**-22 + 1e-37


@given(st.integers(1, 40), st.integers(1, 300), SIZES, st.sampled_from([1, 1e-12, 1e12]))
def test_a_product_is_that_of_float32(
    num_rows: int, num_k: int, num_columns: int, scale: float
) -> None:
    a, b = draw(0, num_rows, num_k) * np.float32(scale), draw(1, num_k, num_columns)
    tiles = in_tiles(b)
    sums = np.zeros((num_rows, products.width_of(tiles)), np.float32)
    products.add_matrix_product(a, tiles, sums)
    exact = a.astype(float) @ b
    assert (np.abs(sums[:, :num_columns] - exact) <= bound(a, b)).all()
    assert not sums[:, num_columns:].any()


def test_it_is_no_worse_than_the_product_of_vectors() -> None:
    a, b = draw(0, 64, 1024), draw(1, 1024, 256)
    exact, errors = a.astype(float) @ b, []
    for packed in (in_tiles(b), pack(torch.from_numpy(b))):
        sums = np.zeros((64, 256), np.float32)
        products.add_matrix_product(a, packed, sums)
        errors.append(np.sqrt(np.mean((sums - exact) ** 2)))
    assert errors[0] <= errors[1]


def test_the_blocks_of_rows_do_not_change_a_bit() -> None:
    a, b = draw(0, 37, 300), draw(1, 300, 40)
    tiles = in_tiles(b)
    whole = np.zeros((37, products.width_of(tiles)), np.float32)
    products.add_matrix_product(a, tiles, whole)
    for size in (1, 2, 4, 5, 8, 20):
        parts = np.zeros_like(whole)
        for begin in range(0, 37, size):
            products.add_matrix_product(a[begin : begin + size], tiles, parts[begin : begin + size])
        assert np.array_equal(parts, whole)


@given(st.integers(1, 600), st.integers(1, 80), st.integers(1, 3), st.data())
def test_a_transposed_product_is_added_to_a_slice(
    num_k: int, num_columns: int, panels: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, num_columns))
    last = data.draw(st.integers(first, num_columns))
    left, right = draw(0, num_k, num_columns + 16)[:, :num_columns], draw(1, num_k, 32 * panels)
    result = np.ones((num_columns, 32 * panels), np.float32)
    amx.add_transposed_tile_product(left, right, result, first, last)
    exact, most = 1 + left.T.astype(float) @ right, bound(left.T, right) + 2**-22
    assert (np.abs(result - exact) <= most)[first:last].all()
    assert (result[:first] == 1).all()
    assert (result[last:] == 1).all()


BAD = [np.nan, -np.nan, np.inf, np.frombuffer(b"\xff\xff\xff\x7f", np.float32)[0]]


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_number_stays_none(bad: float) -> None:
    a, b = draw(0, 16, 40), draw(1, 40, 32)
    a[3, 33] = bad
    sums = np.zeros((16, 32), np.float32)
    products.add_matrix_product(a, in_tiles(b), sums)
    finite = np.isfinite(sums)
    assert not finite[3].any()
    assert finite[:3].all()
    assert finite[4:].all()


def test_the_largest_numbers_do_not_overflow() -> None:
    a, b = np.full((16, 32), np.finfo(np.float32).max), np.zeros((32, 32), np.float32)
    b[0] = 0.5
    sums = np.zeros((16, 32), np.float32)
    products.add_matrix_product(a, in_tiles(b), sums)
    np.testing.assert_allclose(sums, np.finfo(np.float32).max / 2, rtol=1e-6)


def test_bfloat16_products_of_torch_work_on_the_same_thread() -> None:
    # oneDNN sets the same registers up, and believes that they stay so.
    a, b = torch.from_numpy(draw(0, 64, 64)), torch.from_numpy(draw(1, 64, 64))
    low = (a.bfloat16(), b.bfloat16())
    before = low[0] @ low[1]
    sums = np.zeros((64, 64), np.float32)
    products.add_matrix_product(a.numpy(), in_tiles(b.numpy()), sums)
    assert torch.equal(low[0] @ low[1], before)
