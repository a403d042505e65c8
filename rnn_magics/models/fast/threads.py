"""Work spread over torch's own threads.

Torch's threads stay awake for a while after each of its operations, waiting for the next. A
second set of threads would compete with them for the cores, and lose (on two cores: half the
speed of one thread). So where torch runs on GNU OpenMP, as its wheels for Linux do, the work is
handed to the very same threads; elsewhere it goes to a pool of our own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import torch

Work = Callable[[int, int], None]

_BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def spread(work: Work, size: int, grain: int = 1) -> None:
    """Call ``work(first, last)`` for consecutive parts of ``range(size)``, one for each thread.

    Parameters
    ----------
    work
        Runs on several threads at once, so its parts must be independent.
    size
        How much there is.
    grain
        Every part but the last is a multiple of it.

    Raises
    ------
    BaseException
        What `work` raised, once every thread has ended.
    """
    num_grains = -(-size // grain)
    num_parts = min(torch.get_num_threads(), num_grains)
    if num_parts <= 1:
        work(0, size)
        return
    bounds = [min(size, grain * (num_grains * i // num_parts)) for i in range(num_parts + 1)]
    parts = iter([*pairwise(bounds)])
    errors: list[BaseException] = []

    def body(_: object = None) -> None:
        try:
            for part in parts:  # shared: whichever thread is free takes the next
                work(*part)
        except BaseException as error:  # noqa: BLE001  (raised below, on the caller's thread)
            errors.append(error)

    run = _openmp()
    if run is None:
        _run_in_pool(body, num_parts)
    else:
        run(_BODY(body), None, num_parts, 0)
    if errors:
        raise errors[0]


@cache
def _openmp() -> Any:
    """Return GNU OpenMP's entry to a parallel region, from the library that torch uses."""
    try:
        run = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):  # another system, or another OpenMP
        return None
    run.argtypes = [_BODY, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    run.restype = None
    return run


@cache
def _pool(num_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads, thread_name_prefix="rnn_magics")


def _run_in_pool(body: Callable[[], None], num_parts: int) -> None:
    others = [_pool(num_parts - 1).submit(body) for _ in range(num_parts - 1)]
    body()
    for other in others:
        other.result()


__all__ = ["spread"]
