"""A worker: whatever trains one trial after another elsewhere, and says how it goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from rnn_magics.sweeps.running import Task
from rnn_magics.sweeps.workers.messages import (
    Asked,
    Begin,
    Ended,
    Hold,
    Ready,
    Stop,
    Told,
    Verdict,
)

Message = Ready | Told | Asked | Ended | None
"""What a worker says; None once it has ended, however it did."""


class Worker(ABC):
    """Trains trials elsewhere.

    Parameters
    ----------
    heard
        Takes what it says, on any thread.

    Attributes
    ----------
    task : Task or None
        What it trains, or is to train.
    is_ready : bool
        Whether it has begun to work; before that it is told nothing.
    """

    def __init__(self, heard: Callable[[Worker, Message], None]) -> None:
        self._heard = heard
        self.task: Task | None = None
        self.is_ready = True

    @property
    @abstractmethod
    def is_alive(self) -> bool:
        """Whether it has not ended."""

    @abstractmethod
    def close(self) -> None:
        """End it."""

    @abstractmethod
    def _tell(self, message: object) -> None:
        """Send it a message; if it has ended, that is heard elsewhere."""

    def begin(self, task: Task) -> None:
        """Train a trial, as soon as it is ready."""
        self.task = task
        if self.is_ready:
            self._tell(Begin(task))

    def answer(self, *, is_pruned: bool) -> None:
        """Say whether the trial is to end early."""
        self._tell(Verdict(is_pruned))

    def hold(self, *, is_paused: bool) -> None:
        """Wait after the current step, or go on."""
        if self.is_ready:
            self._tell(Hold(is_paused))

    def stop(self) -> None:
        """Save the trial after its current step, and end it there."""
        if self.is_ready:
            self._tell(Stop())
        elif self.task is not None:
            self._heard(self, Ended(self.task.trial))


Heard = Callable[[Worker, Message], None]
