"""The number of CPU threads, which is measured, since more threads are often slower.

The steps of a recurrence are small and many, and after each step the threads wait for each other.
On a busy machine that takes long: on two busy cores, a step with two threads can take many times as
long as with one.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cache

import torch

from rnn_magics.language import marked, say, say_number
from rnn_magics.models.forked import is_forked

_REPEATS = 5
_STEPS = 20
_HOPELESS = 3  # this many times slower than the best is not worth another repeat
_WORTH = 0.9  # more threads must take less than this share of the time


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


def choose_threads(asked: int | None = None) -> ThreadChoice | None:
    """Set the number of torch's CPU threads, and return it with the reason.

    Parameters
    ----------
    asked
        The number of threads; None for the fastest.

    Returns
    -------
    ThreadChoice or None
        None if it is not known yet which number is the fastest: `measure_threads` finds out.
    """
    available = _available()  # asked before a choice of ours changes it
    if is_forked():
        return _set(ThreadChoice(1, marked("a forked process has no more")))
    if asked is not None:
        return _set(ThreadChoice(asked, marked("as asked")))
    if available == 1:
        return _set(ThreadChoice(1, marked("one core")))
    return _set(_fastest(available)) if _measured.cache_info().currsize else None


def measure_threads() -> ThreadChoice:
    """Measure, once a session, which number up to torch's own is the fastest; set and return it."""
    return choose_threads() or _set(_fastest(_available()))


def _set(choice: ThreadChoice) -> ThreadChoice:
    torch.set_num_threads(choice.number)
    return choice


def _fastest(available: int) -> ThreadChoice:
    return ThreadChoice(_measured(available), say("measured, of {available}", available=available))


@cache
def _available() -> int:
    # Torch's own number, before we change it.
    return torch.get_num_threads()


@cache
def _measured(available: int) -> int:
    candidates = sorted({1, 2, 4, 8, 16, available} & set(range(1, available + 1)))
    best, best_time = 1, float("inf")
    for number in candidates:
        torch.set_num_threads(number)
        times = [_time_of_steps()]
        while len(times) < _REPEATS and times[-1] < _HOPELESS * best_time:
            times.append(_time_of_steps())
        taken = statistics.median(times)  # the median, so that one lucky repeat decides nothing
        if taken < best_time * _WORTH:
            best, best_time = number, taken
    return best


def _time_of_steps() -> float:
    # A small recurrence: products that depend on each other, and a gate.
    weight, hidden = torch.full((256, 768), 1e-3), torch.ones(32, 256)
    begun = time.perf_counter()
    for _ in range(_STEPS):
        gates = torch.mm(hidden, weight).sigmoid_()
        hidden = gates[:, :256] * gates[:, 256:512]
    return time.perf_counter() - begun
