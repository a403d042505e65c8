"""The events of a sweep: what a listener is told between two steps of a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from rnn_magics.sweeps.trial import At, Trial


@dataclass(frozen=True)
class TrialBegin:
    """A trial begins, or goes on."""

    trial: Trial


@dataclass(frozen=True)
class TrialStep:
    """A trial took a step.

    Parameters
    ----------
    trial
        The trial.
    done
        The share of its training that is done, in [0, 1].
    seconds_left
        The estimated time that it still takes, in seconds.
    """

    trial: Trial
    done: float
    seconds_left: float


@dataclass(frozen=True)
class TrialScored:
    """The held-out text of a trial was scored."""

    trial: Trial
    at: At


@dataclass(frozen=True)
class TrialEnd:
    """A trial has ended, or was interrupted: it then has no outcome, and can go on."""

    trial: Trial


@dataclass(frozen=True)
class SweepEnd:
    """The sweep is over, or was interrupted.

    Parameters
    ----------
    is_complete
        Whether all trials were made.
    message
        What a reader should know about it.
    """

    is_complete: bool
    message: str = ""


TrialEvent = TrialBegin | TrialStep | TrialScored | TrialEnd
SweepEvent = TrialEvent | SweepEnd
Wanted = Callable[[], bool]
"""Answers yes or no, between two steps: whether the sweep is to stop, or to wait."""


def never() -> bool:
    """Answer no."""
    return False


class Events(Protocol):
    """``events(stopped, paused)`` makes the trials of a sweep, and yields events."""

    def __call__(self, stopped: Wanted, paused: Wanted = never) -> Iterator[SweepEvent]:
        """Return the events, which ask both between steps."""
