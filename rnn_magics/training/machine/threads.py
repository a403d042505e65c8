"""The number of CPU threads of each step, since more threads are often slower.

The steps of a recurrence are small and many, and after each part of a step the threads wait for
each other. On a busy machine that takes long: on two busy cores, a step with two threads can take
many times as long as with one. The compiled engine computes the same bits with any number, so the
number follows the machine from step to step. Other engines may not, so theirs is measured once,
before the first step.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch

from rnn_magics.language import marked, say, say_number
from rnn_magics.models.forked import is_forked
from rnn_magics.training.machine.idle import IdleCores
from rnn_magics.training.machine.search import Search

_REPEATS = 5
_HOPELESS = 3  # this many times slower than the best is not worth another repeat
_WORTH = 0.9  # more threads must take less than this share of the time
_LOOK_EVERY = 0.25  # seconds, for the idle cores; to ask the system takes some 0.1 ms


@dataclass(frozen=True)
class ThreadChoice:
    """A number of threads, with the reason for the choice in words."""

    number: int
    reason: str

    def __str__(self) -> str:
        """Return the number and the reason."""
        return say_number(
            self.number,
            "{number} thread ({reason})",
            "{number} threads ({reason})",
            reason=say(self.reason),
        )

    @classmethod
    def present(cls) -> ThreadChoice:
        """Return the number that torch uses now."""
        return cls(torch.get_num_threads(), marked("as it was"))

    @classmethod
    def following(cls, number: int) -> ThreadChoice:
        """Return a number that may change from step to step."""
        most = say("follows the machine, at most {available}", available=available_threads())
        return cls(number, most)


def choose_threads(asked: int | None = None) -> ThreadChoice | None:
    """Return the number of CPU threads if it does not depend on how fast the machine is.

    Parameters
    ----------
    asked
        The number of threads; None for the fastest.

    Returns
    -------
    ThreadChoice or None
        None if it has to be found out which number is the fastest.
    """
    available = available_threads()  # asked before a choice of ours changes it
    if is_forked():
        return ThreadChoice(1, marked("a forked process has no more"))
    if asked is not None:
        return ThreadChoice(asked, marked("as asked"))
    return ThreadChoice(1, marked("one core")) if available == 1 else None


def measure_threads(work: Callable[[], object]) -> ThreadChoice:
    """Measure which number up to torch's own makes some work the fastest."""
    available, before = available_threads(), torch.get_num_threads()
    best, best_time = 1, float("inf")
    try:
        for number in _candidates(available):
            torch.set_num_threads(number)
            work()  # prepares, and does not count
            times = [_seconds(work)]
            while len(times) < _REPEATS and times[-1] < _HOPELESS * best_time:
                times.append(_seconds(work))
            taken = statistics.median(times)  # so that one lucky repeat decides nothing
            if taken < best_time * _WORTH:
                best, best_time = number, taken
    finally:
        torch.set_num_threads(before)
    return ThreadChoice(best, say("measured, of {available}", available=available))


class Threads:
    """Gives each step its number of threads.

    Torch keeps a number for each thread of the process, so this is used on the one that trains.

    Parameters
    ----------
    search
        Finds the number; None to leave it as it is.
    clock
        Returns seconds.
    idle_cores
        Returns how many cores were idle since it was asked last; None if nobody knows.
    """

    def __init__(
        self,
        search: Search | None = None,
        clock: Callable[[], float] = time.perf_counter,
        idle_cores: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._search, self._clock, self._idle_cores = search, clock, idle_cores
        self._looked = float("-inf")
        self._steps = self._sum = 0

    @property
    def follows(self) -> bool:
        """Whether the number follows the machine."""
        return self._search is not None

    @contextmanager
    def step(self) -> Iterator[None]:
        """Set the number for one step, and time it."""
        search = self._search
        if search is not None and search.number != torch.get_num_threads():
            torch.set_num_threads(search.number)
        begun = self._clock()
        yield
        if search is not None:
            ended = self._clock()
            search.took(ended - begun)
            if ended - self._looked >= _LOOK_EVERY:
                self._looked = ended
                search.saw(self._idle_cores())
        self._steps += 1
        self._sum += torch.get_num_threads()

    def mean(self) -> float | None:
        """Return the mean number since the last call; None without a step."""
        mean = self._sum / self._steps if self._steps else None
        self._steps = self._sum = 0
        return mean


def following_threads() -> Threads:
    """Return what follows the machine, up to torch's own number of threads."""
    available = available_threads()
    return Threads(Search(_candidates(available), available), idle_cores=IdleCores())


@cache
def available_threads() -> int:
    """Return the number of torch's threads before any choice of ours."""
    return torch.get_num_threads()


def _candidates(available: int) -> list[int]:
    return sorted({1, 2, 4, 8, 16, 32, 64, available} & set(range(1, available + 1)))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
