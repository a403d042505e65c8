"""Work spread over torch's own threads.

Torch's threads stay awake for a while after each of its operations, waiting for the next. A
second set of threads would compete with them for the cores, and lose (on two cores: half the
speed of one thread). So where torch runs on GNU OpenMP, as its wheels for Linux do, the work is
handed to the very same threads; elsewhere it goes to a pool of our own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import torch

Work = Callable[[int, int], None]

_BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def spread(*tasks: tuple[Work, int, int]) -> None:
    """Do tasks in parts, on as many threads as torch uses.

    Parameters
    ----------
    tasks
        Each (work, size, grain): ``work(first, last)`` is called for consecutive parts of
        ``range(size)``, all but the last a multiple of `grain`, as many as there are threads.
        All parts of all tasks must be independent.

    Raises
    ------
    BaseException
        What a part raised, once every thread has ended.
    """
    num_threads = torch.get_num_threads()
    parts = [(work, *part) for work, *sizes in tasks for part in _parts(num_threads, *sizes)]
    if num_threads == 1 or len(parts) == 1:
        for work, first, last in parts:
            work(first, last)
        return
    shared = iter(parts)  # whichever thread is free takes the next
    errors: list[BaseException] = []

    def body(_: object = None) -> None:
        try:
            for work, first, last in shared:
                work(first, last)
        except BaseException as error:  # noqa: BLE001  (raised below, on the caller's thread)
            errors.append(error)

    run = _openmp()
    if run is None:
        _run_in_pool(body, num_threads)
    else:
        run(_BODY(body), None, num_threads, 0)
    if errors:
        raise errors[0]


def _parts(number: int, size: int, grain: int) -> Iterator[tuple[int, int]]:
    num_grains = -(-size // grain)
    number = max(1, min(number, num_grains))
    return pairwise([min(size, grain * (num_grains * i // number)) for i in range(number + 1)])


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


def _run_in_pool(body: Callable[[], None], num_threads: int) -> None:
    others = [_pool(num_threads - 1).submit(body) for _ in range(num_threads - 1)]
    body()
    for other in others:
        other.result()


__all__ = ["Work", "spread"]
