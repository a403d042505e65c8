"""A search for the fastest number of threads that never ends, since a machine changes.

It is told how long each step took, and says how many threads the next step gets. Now and then it
tries a neighbour for a few steps, and keeps what is faster. It knows nothing of threads or clocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

_KEPT = 30  # steps of each number tell how fast it is
_NEWEST = 4  # steps tell whether the machine has changed
_FEWEST = 2  # steps before a trial
_CHANGED = 1.4  # by so many times as long as before, or as short
# After each step of a trial it may be over: a neighbour that takes less than this share of the time
# is kept, one that takes more than that is given up.
_BETTER = (0.5, 0.6, 0.7, 0.75, 0.8)
_WORSE = (1.5, 1.35, 1.25, 1.2, 1.1)
_ENOUGH = 0.95  # what a neighbour must reach over all of its steps that are known
# Of the time at most so much is lost in trials that failed: with more threads, and with fewer. When
# a machine gets busy, steps get slower; when it gets quiet, those on few threads do not get faster.
_SHARE_UP, _SHARE_DOWN = 0.05, 0.01
_SHORTEST_WAIT = 0.2  # seconds between two trials of the same number
# A number that failed so many times in a row waits as many times as long, for beside busy processes
# each trial costs and none succeeds. Longer waits would find too late that a machine is quiet.
_MOST_FAILURES = 3


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
        self._failures = dict.fromkeys(candidates, 0)  # of each number, in a row
        self._steps = {number: deque[float](maxlen=_KEPT) for number in candidates}
        self._usual = 0.0  # seconds of a step when the trial began
        self._trial: list[float] = []

    def took(self, seconds: float) -> None:
        """Hear how long the step took that was the last one to use `number`."""
        self._now += seconds
        if self.number == self._kept:
            self._watch(seconds)
        else:
            self._try(seconds)

    def _watch(self, seconds: float) -> None:
        steps = self._steps[self._kept]
        steps.append(seconds)
        if len(steps) < _FEWEST:
            return
        newest = [*steps][-_NEWEST:]
        if not 1 / _CHANGED < _typical(newest) / _typical(steps) < _CHANGED:
            for known in self._steps.values():  # what was slow before may be fast now
                known.clear()
            steps.extend(newest)
            self._due = dict.fromkeys(self._candidates, 0.0)
            self._failures = dict.fromkeys(self._candidates, 0)
        number = min(self._neighbours(), key=self._due.__getitem__)
        if self._due[number] <= self._now:
            self.number, self._usual, self._trial = number, _typical(steps), []

    def _neighbours(self) -> Iterable[int]:
        place = self._candidates.index(self._kept)
        return (*self._candidates[max(0, place - 1) : place], *self._candidates[place + 1 :][:1])

    def _try(self, seconds: float) -> None:
        self._trial.append(seconds)
        known = self._steps[self.number]
        known.append(seconds)
        taken, place = _typical(self._trial) / self._usual, len(self._trial) - 1
        is_over = place == len(_BETTER)
        is_clear = not is_over and taken < _BETTER[place]
        if is_clear or (is_over and _typical(known) < _ENOUGH * self._usual):
            if is_clear:  # what was known of it is no longer so
                known.clear()
                known.extend(self._trial)
            self._due[self._kept] = self._now + _SHORTEST_WAIT
            self._kept = self.number
            self._failures = dict.fromkeys(self._candidates, 0)
        elif is_over or taken > _WORSE[place]:
            lost = sum(self._trial) - len(self._trial) * self._usual
            share = _SHARE_UP if self.number > self._kept else _SHARE_DOWN
            failures = min(self._failures[self.number] + 1, _MOST_FAILURES)
            self._failures[self.number] = failures
            self._due[self.number] = self._now + failures * max(_SHORTEST_WAIT, lost / share)
            self.number = self._kept


def _typical(seconds: Iterable[float]) -> float:
    # The mean, since the sum is what counts; but a single long step may be of the system.
    rising = sorted(seconds)
    kept = rising[:-1] or rising
    return sum(kept) / len(kept)
