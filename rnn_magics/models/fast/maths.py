"""exp, tanh and the logistic function, in a form that compiles to vector instructions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

_LOG2_E = np.float32(1 / math.log(2))
# ln 2 in two parts (Cody and Waite). The last bits of the first are zero, so n times it is exact.
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(math.log(2) - 0.693359375)
# Adding it rounds to a whole number, which then is in the last bits of the sum.
_ROUND = np.float32(1.5 * 2**23)
_ONE = np.float32(1)
_TWO = np.float32(2)
_LOG2_E_64, _ROUND_64 = 1 / math.log(2), 1.5 * 2.0**52
_LN2_HIGH_64 = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW_64 = float.fromhex("0x1.a39ef35793c76p-33")
_SERIES = tuple(1 / math.factorial(k) for k in range(12, -1, -1))
_C2, _C3, _C4, _C5, _C6, _C7 = (np.float32(1 / math.factorial(k)) for k in range(2, 8))


@intrinsic
def _power_of_two(_typing: Any, shifted: Any) -> Any:
    # 2^n as float32, where n is in the last bits of a float32.
    def codegen(_context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        whole = ir.IntType(32)
        exponent = builder.shl(builder.bitcast(args[0], whole), ir.Constant(whole, 23))
        bits = builder.add(exponent, ir.Constant(whole, 127 << 23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.float32), codegen


@njit(forceinline=True, error_model="numpy")
def _expm1_parts(x: Any) -> Any:
    # exp(x) = scale (1 + rest), where scale is a power of two and |rest| < 0.42.
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = x - n * _LN2_HIGH - n * _LN2_LOW  # |r| <= ln 2 / 2, where the error of the series is 2e-8
    rest = r * (_ONE + r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * (_C6 + r * _C7))))))
    return _power_of_two(shifted), rest


@intrinsic
def _power_of_two_64(_typing: Any, shifted: Any) -> Any:
    # 2^n as float64, where n is in the last bits of a float64.
    def codegen(_context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        whole = ir.IntType(64)
        exponent = builder.shl(builder.bitcast(args[0], whole), ir.Constant(whole, 52))
        bits = builder.add(exponent, ir.Constant(whole, 1023 << 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64), codegen


@njit(forceinline=True, error_model="numpy")
def exp64(x: Any) -> Any:
    """Return exp(x) for float64 numbers below 700, to within 4 units in the last place.

    It compiles to vector instructions. Below -700 it is 0.
    """
    limit = -700.0  # written so that nan stays nan
    bounded = limit if x < limit else x
    shifted = bounded * _LOG2_E_64 + _ROUND_64
    n = shifted - _ROUND_64
    r = bounded - n * _LN2_HIGH_64 - n * _LN2_LOW_64
    total = _SERIES[0]
    total = total * r + _SERIES[1]
    total = total * r + _SERIES[2]
    total = total * r + _SERIES[3]
    total = total * r + _SERIES[4]
    total = total * r + _SERIES[5]
    total = total * r + _SERIES[6]
    total = total * r + _SERIES[7]
    total = total * r + _SERIES[8]
    total = total * r + _SERIES[9]
    total = total * r + _SERIES[10]
    total = total * r + _SERIES[11]
    total = total * r + _SERIES[12]
    return 0.0 if x < limit else total * _power_of_two_64(shifted)


@njit(forceinline=True, error_model="numpy")
def _tanh32(x: Any) -> Any:
    limit = np.float32(18)  # 1 - tanh(9) is less than half the last bit
    x = x * _TWO
    x = limit if x > limit else x  # written so that nan stays nan
    x = -limit if x < -limit else x
    scale, rest = _expm1_parts(x)
    e = scale * rest + (scale - _ONE)  # exp(2x) - 1, exact to the last bits near zero
    return e / (e + _TWO)


@njit(forceinline=True, error_model="numpy")
def _sigmoid32(x: Any) -> Any:
    limit = np.float32(87)  # beyond it the power of two overflows float32
    x = -x
    x = limit if x > limit else x
    x = -limit if x < -limit else x
    scale, rest = _expm1_parts(x)
    return _ONE / (_ONE + (scale * rest + scale))


@njit(forceinline=True, error_model="numpy")
def _exp32(x: Any) -> Any:
    limit = np.float32(-87)  # below it the power of two is not a normal number
    bounded = limit if x < limit else x  # written so that nan stays nan
    scale, rest = _expm1_parts(bounded)
    return np.float32(0) if x < limit else scale * rest + scale


def exp(x: Any) -> Any:
    """Return exp(x), of numbers up to 88; in float32, to within 4 units in the last place.

    Below -87, in float64 below -700, it is 0.
    """
    return np.exp(x)


def tanh(x: Any) -> Any:
    """Return tanh(x); in float32, to within 4 units in the last place."""
    return np.tanh(x)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


@overload(exp)
def _exp(x):
    if x == types.float32:
        return lambda x: _exp32(x)
    return lambda x: exp64(x)


@overload(tanh)
def _tanh(x):
    if x == types.float32:
        return lambda x: _tanh32(x)
    return lambda x: math.tanh(x)


@overload(sigmoid)
def _sigmoid(x):
    if x == types.float32:
        return lambda x: _sigmoid32(x)
    return lambda x: 1 / (1 + math.exp(-x))
