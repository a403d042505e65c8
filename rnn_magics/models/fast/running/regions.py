"""The compiled functions, each on several threads.

There is one function ``(size, grain, parts, threads, *given)`` for each kernel. They are written
out, not made in a loop, because numba caches only functions that it finds by name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import torch

from rnn_magics.language import say
from rnn_magics.models.fast import products, scans
from rnn_magics.models.fast.amx import products as amx
from rnn_magics.models.fast.compiling import compiled
from rnn_magics.models.fast.gated import scans as gated_scans
from rnn_magics.models.fast.learning import losses, updates
from rnn_magics.models.fast.running import parallel
from rnn_magics.models.fast.running.parallel import in_parallel
from rnn_magics.models.fast.running.tape import do
from rnn_magics.models.fast.writing import loop


@compiled
def _rnn_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(scans.rnn_forward, given, size, grain, parts, threads)


@compiled
def _rnn_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(scans.rnn_backward, given, size, grain, parts, threads)


@compiled
def _gru_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(scans.gru_forward, given, size, grain, parts, threads)


@compiled
def _gru_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(scans.gru_backward, given, size, grain, parts, threads)


@compiled
def _lstm_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(scans.lstm_forward, given, size, grain, parts, threads)


@compiled
def _lstm_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(scans.lstm_backward, given, size, grain, parts, threads)


@compiled
def _mingru_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(gated_scans.mingru_forward, given, size, grain, parts, threads)


@compiled
def _mingru_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(gated_scans.mingru_backward, given, size, grain, parts, threads)


@compiled
def _minlstm_forward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(gated_scans.minlstm_forward, given, size, grain, parts, threads)


@compiled
def _minlstm_backward(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(gated_scans.minlstm_backward, given, size, grain, parts, threads)


@compiled
def _linear_rows(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(products.linear_rows, given, size, grain, parts, threads)


@compiled
def _linear_columns(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(products.linear_columns, given, size, grain, parts, threads)


@compiled
def _scan_columns(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(products.scan_columns, given, size, grain, parts, threads)


@compiled
def _pack_rows(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(products.pack_rows, given, size, grain, parts, threads)


@compiled
def _pack_columns(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(products.pack_columns, given, size, grain, parts, threads)


@compiled
def _split_panels(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(amx.split_panels, given, size, grain, parts, threads)


@compiled
def _write_rows(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(loop.write_rows, given, size, grain, parts, threads)


@compiled
def _nats_of_rows(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(losses.nats_of_rows, given, size, grain, parts, threads)


@compiled
def _sum_squares(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(updates.sum_squares, given, size, grain, parts, threads)


@compiled
def _update_sgd(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(updates.update_sgd, given, size, grain, parts, threads)


@compiled
def _update_adam(size: int, grain: int, parts: int, threads: int, *given: Any) -> Any:
    return in_parallel(updates.update_adam, given, size, grain, parts, threads)


_REGIONS: dict[Any, Callable[..., int]] = {
    scans.rnn_forward: _rnn_forward,
    scans.rnn_backward: _rnn_backward,
    scans.gru_forward: _gru_forward,
    scans.gru_backward: _gru_backward,
    scans.lstm_forward: _lstm_forward,
    scans.lstm_backward: _lstm_backward,
    gated_scans.mingru_forward: _mingru_forward,
    gated_scans.mingru_backward: _mingru_backward,
    gated_scans.minlstm_forward: _minlstm_forward,
    gated_scans.minlstm_backward: _minlstm_backward,
    products.linear_rows: _linear_rows,
    products.linear_columns: _linear_columns,
    products.scan_columns: _scan_columns,
    products.pack_rows: _pack_rows,
    products.pack_columns: _pack_columns,
    amx.split_panels: _split_panels,
    loop.write_rows: _write_rows,
    losses.nats_of_rows: _nats_of_rows,
    updates.sum_squares: _sum_squares,
    updates.update_sgd: _update_sgd,
    updates.update_adam: _update_adam,
}


def run(kernel: Any, size: int, grain: int, at_once: int, *given: Any) -> None:
    """Call ``kernel(*given, first, last)`` for parts of ``range(size)`` on torch's threads.

    Parameters
    ----------
    kernel
        One of the compiled functions above; its parts are independent.
    size, grain
        The length of the range; the length of every part but the last is a multiple of `grain`.
    at_once
        The largest length of a part, give or take a grain.
    given
        The first arguments of every call.

    Raises
    ------
    MemoryError
        When a part cannot allocate its buffers.
    """
    do(run_parts, kernel, size, grain, at_once, *given)


def run_parts(kernel: Any, size: int, grain: int, at_once: int, *given: Any) -> None:
    """Do what `run` does, whether or not somebody records."""
    if not size:
        return
    threads = torch.get_num_threads()
    turns = -(-size // (at_once * threads))  # equally many parts for each thread, so none waits
    parts = min(-(-size // grain), turns * threads)
    if parts == 1:
        threads = 1  # nobody to be waited for
    if not parallel.is_available():
        _run_in_pool(kernel, size, grain, parts, threads, given)
    elif _REGIONS[kernel](size, grain, parts, threads, *given):
        raise MemoryError(say("memory ran out during the computation"))


def _run_in_pool(
    kernel: Any, size: int, grain: int, parts: int, threads: int, given: tuple[Any, ...]
) -> None:
    # Our own threads, for systems where torch's cannot be used.
    num_grains = -(-size // grain)
    bounds = [min(size, grain * (num_grains * part // parts)) for part in range(parts + 1)]
    done = _pool(threads).map(lambda part: kernel(*given, *part), pairwise(bounds))
    deque(done, maxlen=0)  # raises the error of a part


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="rnn_magics")
