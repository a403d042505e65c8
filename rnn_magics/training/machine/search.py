"""A search for the fastest number of threads that never ends, since a machine changes.

It is told how long each step took, and says how many threads the next step gets. Now and then it
tries a neighbour for a few steps, and keeps what is faster. It knows nothing of threads or clocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

_FEW = 3  # steps that tell whether the machine has changed
_RECENT = 9  # steps that tell how fast the number in use is
# After each step of a trial, the first of which also prepares, it may be over: a neighbour that
# takes less than this share of the time is kept, one that takes this share is given up.
_BETTER = (0.0, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_HOPELESS = (3.0, 2.0, 1.6, 1.4, 1.3, 1.2, 0.95)
_CHANGED = 1.25  # if steps take so many times as long as before, or as short, the machine changed
_SHARE = 0.04  # of the time at most is lost in trials of one neighbour that failed
_SHORTEST_WAIT = 0.2  # seconds between two trials of the same number


class Search:
    """Finds which of several numbers makes steps fast, and follows when another one does.

    Parameters
    ----------
    candidates
        The numbers, rising.
    first
        The number to begin with.

    Attributes
    ----------
    number : int
        The number for the next step.
    """

    def __init__(self, candidates: Sequence[int], first: int) -> None:
        self._candidates = tuple(candidates)
        self._kept = self.number = first
        self._now = 0.0  # seconds of all steps
        self._due = dict.fromkeys(candidates, 0.0)  # when each number may be tried next
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._usual = 0.0  # seconds of a step when the last trial began
        self._trial: list[float] = []
        self._is_first = True  # the first step with a number also prepares: it decides nothing

    def took(self, seconds: float) -> None:
        """Hear how long the step took that was the last one to use `number`."""
        self._now += seconds
        if self.number != self._kept:
            self._try(seconds)
        elif self._is_first:
            self._is_first = False
        else:
            self._watch(seconds)

    def _watch(self, seconds: float) -> None:
        self._recent.append(seconds)
        if len(self._recent) < _FEW:
            return
        newest = [*self._recent][-_FEW:]
        if self._usual and not 1 / _CHANGED < _typical(newest) / self._usual < _CHANGED:
            self._usual = 0.0  # what was slow before may be fast now
            self._recent = deque(newest, _RECENT)
            self._due = dict.fromkeys(self._candidates, 0.0)
        number = min(self._neighbours(), key=self._due.__getitem__)
        if self._due[number] <= self._now:
            self._usual = _typical(self._recent)
            self.number = number
            self._trial = []

    def _neighbours(self) -> Iterable[int]:
        place = self._candidates.index(self._kept)
        return (*self._candidates[max(0, place - 1) : place], *self._candidates[place + 1 :][:1])

    def _try(self, seconds: float) -> None:
        self._trial.append(seconds)
        counted = self._trial[1:]
        taken = _typical(counted or self._trial)
        if taken < _BETTER[len(counted)] * self._usual:
            self._due[self._kept] = self._now + _SHORTEST_WAIT
            self._kept, self._usual = self.number, taken
            self._recent = deque(counted, _RECENT)
        elif taken >= _HOPELESS[len(counted)] * self._usual:
            lost = sum(self._trial) - len(self._trial) * self._usual
            self._due[self.number] = self._now + max(_SHORTEST_WAIT, lost / _SHARE)
            self.number = self._kept
            self._is_first = True


def _typical(seconds: Iterable[float]) -> float:
    # The mean, since the sum is what counts; but a single long step may be of the system.
    rising = sorted(seconds)
    kept = rising[:-1] or rising
    return sum(kept) / len(kept)
