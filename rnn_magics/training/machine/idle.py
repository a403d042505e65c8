"""How many cores of the machine are idle, where the system tells it."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

_PLAUSIBLE = (0.7, 1.3)  # times the time that all cores have


class IdleCores:
    """Tells how many cores were idle since it was asked last, on average.

    In a container they may be those of the whole machine.

    Parameters
    ----------
    clock
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._cores = psutil.cpu_count() or 0
        self._before = self._times()

    def __call__(self) -> float | None:
        """Return the number; None where the system does not tell it."""
        now = self._times()
        seconds, idle, all_times = (new - old for new, old in zip(now, self._before, strict=True))
        self._before = now
        least, most = (share * seconds * self._cores for share in _PLAUSIBLE)
        # Some containers count nothing at all.
        return idle / seconds if 0 < least <= all_times <= most else None

    def _times(self) -> tuple[float, float, float]:
        times = psutil.cpu_times()
        return self._clock(), times.idle, sum(times)
