"""tanh and the logistic function against those of double precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numba import njit

from rnn_magics.models.fast import maths
from rnn_magics.models.fast.compiling import OPTIONS

Array = np.ndarray
EXACT = {"tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


def compiled(name: str) -> Callable[[Array], Array]:
    function = getattr(maths, name)

    @njit(**OPTIONS)
    def each(x: Array) -> Array:
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = function(x[i])
        return y

    return each


@pytest.fixture(scope="module", params=EXACT)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_float32_is_exact_to_the_last_bits(name: str) -> None:
    magnitudes = np.logspace(-30, np.log10(80), 100_000)
    x = np.concatenate([np.linspace(-20, 20, 200_001), magnitudes, -magnitudes])
    single = x.astype(np.float32)
    exact = EXACT[name](single.astype(np.float64))
    error = np.abs(compiled(name)(single) - exact) / np.spacing(np.abs(exact).astype(np.float32))
    assert error.max() < 4


def test_float64_is_that_of_the_library(name: str) -> None:
    x = np.linspace(-30, 30, 10_001)
    np.testing.assert_allclose(compiled(name)(x), EXACT[name](x), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends(name: str, dtype: type) -> None:
    low, high, nan = compiled(name)(np.array([-np.inf, np.inf, np.nan], dtype))
    assert low == pytest.approx(-1 if name == "tanh" else 0, abs=1e-37)
    assert high == 1
    assert np.isnan(nan)


def test_exp64_is_exact_to_the_last_bits_and_0_far_below() -> None:
    @njit(**OPTIONS)
    def each(x: Array) -> Array:
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = maths.exp64(x[i])
        return y

    x = np.concatenate([np.linspace(-699, 10, 200_001), -np.logspace(-30, 2, 10_001)])
    assert (np.abs(each(x) - np.exp(x)) / np.spacing(np.exp(x))).max() < 4
    ends = each(np.array([0.0, -700.1, -1e308, -np.inf, np.nan]))
    np.testing.assert_array_equal(ends, [1, 0, 0, 0, np.nan])
