"""The compiled functions, each on several threads.

For each kernel one function ``(size, grain, parts, threads, *given)``. They are written out, and
not made by a loop, since numba keeps only what it finds by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numba import njit

from rnn_magics.models.fast import parallel, products, scans
from rnn_magics.models.fast.parallel import in_parallel
from rnn_magics.models.fast.products import OPTIONS
from rnn_magics.models.fast.threads import spread


@njit(**OPTIONS)
def _rnn_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(scans.rnn_forward, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _rnn_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(scans.rnn_backward, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _gru_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(scans.gru_forward, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _gru_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(scans.gru_backward, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _lstm_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(scans.lstm_forward, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _lstm_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(scans.lstm_backward, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _linear_rows(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(products.linear_rows, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _linear_columns(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(products.linear_columns, given, size, grain, parts, threads)


@njit(**OPTIONS)
def _scan_columns(size: int, grain: int, parts: int, threads: int, *given: Any) -> None:
    in_parallel(products.scan_columns, given, size, grain, parts, threads)


_REGIONS: dict[Any, Callable[..., None]] = {
    scans.rnn_forward: _rnn_forward,
    scans.rnn_backward: _rnn_backward,
    scans.gru_forward: _gru_forward,
    scans.gru_backward: _gru_backward,
    scans.lstm_forward: _lstm_forward,
    scans.lstm_backward: _lstm_backward,
    products.linear_rows: _linear_rows,
    products.linear_columns: _linear_columns,
    products.scan_columns: _scan_columns,
}


def run(kernel: Any, size: int, grain: int, at_once: int, *given: Any) -> None:
    """Call ``kernel(*given, first, last)`` for parts of ``range(size)`` on torch's threads.

    Parameters
    ----------
    kernel
        One of the compiled functions above; its parts are independent.
    size, grain
        How much there is, and what all parts but the last are a multiple of.
    at_once
        How much a part has at most, give or take a grain.
    given
        What every part is given.
    """
    threads = torch.get_num_threads()
    parts = min(-(-size // grain), max(threads, -(-size // at_once)))
    if size and parallel.is_available():
        _REGIONS[kernel](size, grain, parts, threads, *given)
        return

    def work(first: int, last: int) -> None:
        for begin in range(first, last, at_once):
            kernel(*given, begin, min(begin + at_once, last))

    spread((work, size, grain))
