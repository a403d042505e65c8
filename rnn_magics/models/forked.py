"""What a forked process may compute.

A fork copies the memory, but only the thread that forks. Torch's threads are missing in the child,
and an operation that waits for them never ends. A training on another thread may have been in the
middle of a step, or may have held a lock. So a child computes on one thread, and refuses to compute
if its parent was training.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rnn_magics.errors import ModelError
from rnn_magics.language import say


class _Process:
    # The state of the process that this module is loaded in.

    def __init__(self) -> None:
        self.training: set[int] = set()  # the threads that train now
        self.is_child = False
        self.left_behind = False  # whether a training thread of the parent was not copied
        self._is_prepared = True

    def after_fork(self) -> None:
        # Runs in the child, so it must not need a lock.
        self.is_child = True
        self.left_behind |= bool(self.training - {threading.get_ident()})
        self._is_prepared = False

    def prepare(self) -> None:
        if self.left_behind:
            raise ModelError(
                say(
                    "this process was forked while a run was training, so it cannot use models;"
                    ' fork when nothing is training, or use multiprocessing.get_context("spawn")'
                )
            )
        if not self._is_prepared:
            torch.set_num_threads(1)
            self._is_prepared = True


_process = _Process()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_process.after_fork)


def is_forked() -> bool:
    """Whether this process was forked after rnn_magics was loaded, and computes on one thread."""
    return _process.is_child


def check_fork() -> None:
    """Prepare a forked process to compute; called before a model runs.

    Raises
    ------
    ModelError
        When its parent was training when it forked.
    """
    if _process.is_child:
        _process.prepare()


@contextmanager
def training_here() -> Iterator[None]:
    """Record that this thread is training, for children forked in the meantime."""
    thread = threading.get_ident()
    _process.training.add(thread)
    try:
        yield
    finally:
        _process.training.discard(thread)
