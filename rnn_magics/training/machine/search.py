"""A search for the fastest number of threads that never ends, since a machine changes.

It is told how long each step took and, where the system knows it, how many cores were idle. It says
how many threads the next step gets. It knows nothing of threads, clocks or systems.

Now and then it tries a neighbour for a few steps, and keeps what is faster. Beside busy processes
every trial of more threads costs, and none shows how fast they are, since such steps differ by far.
So a number is tried often only if something speaks for it: idle cores, or what is known of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from statistics import fmean

# Seconds. Shorter steps are put together to a piece: a system takes a core away for as long.
_PIECE = 0.02
_KNOWN = 30  # pieces of each number tell how fast it is
_NEWEST = 5  # pieces tell whether the machine has changed
_FEWEST = 2  # pieces before a trial
_CHANGED = 1.4  # by so many times as long as before, or as short
# After each piece of a trial, a neighbour that takes so many times as long is given up. What is
# left after the last one is kept.
_WORSE = (1.5, 1.35, 1.25, 1.2, 0.95)
# Of the time at most so much is lost in trials that failed: of what something speaks for, of what
# nothing speaks for, and of more threads when nobody knows.
_LIKELY, _UNLIKELY, _UNKNOWN = 0.1, 0.01, 0.03
_ROOM = 0.5  # idle cores for each more thread speak for more


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
        self._steps, self._seconds = 0, 0.0  # of the piece that has just begun
        self._known = {number: deque[float](maxlen=_KNOWN) for number in candidates}
        self._trial: list[float] = []
        self._began = 0.0  # the trial
        self._ended = dict.fromkeys(candidates, float("-inf"))  # the last trial of each number
        self._lost = dict.fromkeys(candidates, 0.0)  # seconds, in that trial
        self._idle: float | None = None
        # Whether a trial of more threads went as was to be expected, with idle cores and without:
        # cores may be idle that are not for us, and busy ones may give way.
        self._is_believed = {True: True, False: True}

    def took(self, seconds: float) -> None:
        """Hear how long the step took that was the last one to use `number`."""
        self._now += seconds
        self._seconds += seconds
        self._steps += 1
        if self._seconds < _PIECE:
            return
        piece = self._seconds / self._steps
        self._steps, self._seconds = 0, 0.0
        self._known[self.number].append(piece)
        if self.number == self._kept:
            self._watch()
        else:
            self._try(piece)

    def saw(self, idle: float | None) -> None:
        """Hear how many cores were idle lately, on average; None if nobody knows."""
        self._idle = idle

    def _watch(self) -> None:
        newest = self._newest()
        change = _typical(newest) / _typical(self._known[self._kept])
        if not 1 / _CHANGED < change < _CHANGED:
            self._know(self._kept, newest)
        if change > _CHANGED:  # fewer threads may be less slow now, whatever was lost with them
            self._lost.update((number, 0.0) for number in self._candidates if number < self._kept)
        number = min(self._neighbours(), key=self._due)
        if len(newest) >= _FEWEST and self._due(number) <= self._now:
            self.number, self._trial, self._began = number, [], self._now

    def _try(self, piece: float) -> None:
        tried, kept, trial = self.number, self._kept, self._trial
        trial.append(piece)
        # Long steps are in the nature of more threads. With fewer, a single one is of the system.
        usual, taken = _typical(self._known[kept]), (_typical if tried < kept else fmean)(trial)
        is_worse = taken > _WORSE[len(trial) - 1] * usual and (tried > kept or len(trial) > 1)
        if not is_worse and len(trial) < len(_WORSE):
            return
        if tried > kept:
            has_room = self._has_room(tried)
            self._is_believed[has_room] = has_room != is_worse
        slower = tried if is_worse else kept
        self._ended[slower] = self._now
        self._lost[slower] = max(_PIECE, abs(1 - usual / taken) * (self._now - self._began))
        if not is_worse or _typical(self._known[tried]) < usual:  # it was so once
            self._know(tried, trial)
        self._kept = self.number = kept if is_worse else tried

    def _neighbours(self) -> Sequence[int]:
        place = self._candidates.index(self._kept)
        return (*self._candidates[max(0, place - 1) : place], *self._candidates[place + 1 :][:1])

    def _due(self, number: int) -> float:
        return self._ended[number] + self._lost[number] / self._share(number)

    def _share(self, number: int) -> float:
        known = self._known[number]
        if known and _typical(known) < _WORSE[-1] * _typical(self._newest()):
            return _LIKELY
        if number < self._kept:
            return _UNLIKELY
        has_room = self._has_room(number)
        if self._idle is None or not self._is_believed[has_room]:
            return _UNKNOWN
        return _LIKELY if has_room else _UNLIKELY

    def _has_room(self, number: int) -> bool:
        return self._idle is not None and self._idle >= _ROOM * (number - self._kept)

    def _newest(self) -> list[float]:
        return [*self._known[self._kept]][-_NEWEST:]

    def _know(self, number: int, pieces: Iterable[float]) -> None:
        known = self._known[number]
        known.clear()
        known.extend(pieces)


def _typical(pieces: Iterable[float]) -> float:
    # The mean, since the sum is what counts; but a single long step may be of the system.
    rising = sorted(pieces)
    return fmean(rising[:-1] or rising)
