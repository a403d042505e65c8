"""The hub: an actor on the machine of the notebook, through which workers and notebook talk.

Neither waits for the other. A worker puts an update down, and takes the answer to the one before;
the notebook takes what lies there. An actor of no CPU is cheap, and being pinned to the machine
of the notebook it is lost only with it. All that passes is bytes, so the hub starts without torch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MOST_WAITING = 2  # updates; a notebook that takes none is paused, and then the workers wait, too


@dataclass(frozen=True)
class Answer:
    """What a worker hears from the hub.

    Parameters
    ----------
    orders
        The orders that it has not carried out, each with its number.
    must_wait
        Whether the notebook has not taken what lies there.
    """

    orders: tuple[tuple[int, bytes], ...]
    must_wait: bool


class Hub:
    """What lies between workers and notebook; an actor of Ray."""

    def __init__(self) -> None:
        self._updates: deque[bytes] = deque()
        self._orders: list[tuple[int, bytes]] = []
        self._last: bytes | None = None
        self._failure = ""
        self._lives = 0

    def put(self, update: bytes | None, heard: int, *, is_whole: bool = False) -> Answer:
        """Put an update down, and hear what is asked.

        Parameters
        ----------
        update
            The pickle of an `Update`; None only to ask.
        heard
            The number of the last order that has been carried out.
        is_whole
            Whether a worker can go on from this update.
        """
        if update is not None:
            self._updates.append(update)
        if is_whole:
            self._last = update
        orders = tuple((number, order) for number, order in self._orders if number > heard)
        return Answer(orders, len(self._updates) > MOST_WAITING)

    def begin(self, rank: int) -> bytes | None:
        """Return the update that a group of workers goes on from; None for the first group."""
        self._lives += rank == 0
        return self._last

    def fail(self, why: str) -> None:
        """Note an error that would come again."""
        self._failure = self._failure or why

    def take(self) -> tuple[list[bytes], int, str]:
        """Take the updates; return with them how many groups have begun, and an error."""
        taken = list(self._updates)
        self._updates.clear()
        return taken, self._lives, self._failure

    def order(self, number: int, order: bytes) -> None:
        """Ask the workers for something."""
        self._orders.append((number, order))
