"""What a forked process may compute.

A fork copies memory but only the thread that forks. Torch's threads are gone in the child, and an
operation that waits for them waits for ever; a training on another thread may have been in the
middle of a step, or held a lock. So a child computes on one thread, and nothing at all where its
parent trained meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rnn_magics.errors import ModelError


class _Process:
    # What is to be known of the process that this module is loaded in.

    def __init__(self) -> None:
        self.training: set[int] = set()  # the threads that train now
        self.is_child = False
        self.left_behind = False  # a training thread of the parent was not copied
        self._is_prepared = True

    def after_fork(self) -> None:
        # In the child; nothing that needs a lock.
        self.is_child = True
        self.left_behind |= bool(self.training - {threading.get_ident()})
        self._is_prepared = False

    def prepare(self) -> None:
        if self.left_behind:
            msg = (
                "this process was forked while a run trained, and cannot use models: fork when"
                ' nothing trains, or take multiprocessing.get_context("spawn")'
            )
            raise ModelError(msg)
        if not self._is_prepared:
            torch.set_num_threads(1)
            self._is_prepared = True


_process = _Process()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_process.after_fork)


def is_forked() -> bool:
    """Whether this process is a fork of one that had loaded us, and computes on one thread."""
    return _process.is_child


def check_fork() -> None:
    """Make a forked process ready to compute; called before a model does.

    Raises
    ------
    ModelError
        When its parent trained while it was forked.
    """
    if _process.is_child:
        _process.prepare()


@contextmanager
def training_here() -> Iterator[None]:
    """Note that this thread is training, for whoever forks meanwhile."""
    thread = threading.get_ident()
    _process.training.add(thread)
    try:
        yield
    finally:
        _process.training.discard(thread)
