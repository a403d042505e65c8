"""The hub: an actor on the machine of the notebook, through which workers and notebook talk.

Neither waits for the other. A worker puts an update down, and takes the answer to the one before;
the notebook takes what lies there. An actor of no CPU is cheap, and being pinned to the machine
of the notebook it is lost only with it. All that passes is bytes, so the hub starts without torch.

On a cluster the hub outlives the notebook, and with it all that it has started: the workers go on
while nobody follows them, and another kernel finds the hub by its name.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rnn_magics.cluster.messages import Answer, Known, Plan, Stay, Taken, Whole, last_line

MOST_WAITING = 2  # updates; a notebook that takes none is paused, and then the workers wait, too
_SECONDS_BETWEEN_LOOKS = 60.0


class Hub:
    """What lies between workers and notebook; an actor of Ray.

    Parameters
    ----------
    stay
        How long it stays when nobody follows the run; None where it ends with the notebook.
    clock
        Tells the seconds.
    """

    def __init__(
        self, stay: Stay | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stay, self._clock = stay, clock
        self._updates: deque[bytes] = deque()
        self._orders: list[tuple[int, bytes]] = []
        self._first: bytes | None = None
        self._last: bytes | None = None
        self._failure = ""
        self._lives = 0
        self._follower, self._signs, self._seen = "", 0, clock()
        self._is_over = self._is_dismissed = False
        self._plan: Plan | None = None
        self._begun: Any = None
        self._conductor: Any = None
        self._conducting: Any = None

    def launch(self, begun: bytes, plan: Plan) -> None:
        """Start the workers from here, so that they outlive the notebook.

        Parameters
        ----------
        begun
            The pickle of the run and its state.
        plan
            How they are started.
        """
        import ray  # noqa: PLC0415  (not needed where the notebook starts them)

        context = ray.get_runtime_context()
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            context.get_node_id(), soft=False
        )
        # What this actor owns goes when it goes: an actor, and whatever that has started.
        self._begun = ray.put(begun)
        self._plan = replace(plan, begun=[self._begun])
        self._conductor = (
            ray.remote(num_cpus=0)(Conductor).options(scheduling_strategy=here).remote()
        )
        self._conducting = self._conductor.conduct.remote(self._plan, context.current_actor)
        if self._stay is not None:
            threading.Thread(target=self._leave_in_time, daemon=True).start()

    def put(
        self, update: bytes | None, heard: int, *, is_whole: bool = False, is_first: bool = False
    ) -> Answer:
        """Put an update down, and hear what is asked.

        Parameters
        ----------
        update
            The pickle of an `Update`; None only to ask.
        heard
            The number of the last order that has been carried out.
        is_whole
            Whether a worker can go on from this update.
        is_first
            Whether it tells that training begins.
        """
        is_alone = self._is_alone
        if is_alone and is_whole:
            self._updates.clear()  # whoever comes needs only the last
        if update is not None and (is_whole or not is_alone):
            self._updates.append(update)
        if is_whole:
            self._last = update
        if is_first:
            self._first = update
        orders = tuple((number, order) for number, order in self._orders if number > heard)
        return Answer(orders, len(self._updates) > MOST_WAITING and not is_alone)

    def begin(self, rank: int) -> bytes | None:
        """Return the update that a group of workers goes on from; None for the first group."""
        self._lives += rank == 0
        return self._last

    def fail(self, why: str) -> None:
        """Note an error that would come again."""
        self._failure = self._failure or why

    def end(self, why: str = "") -> None:
        """Note that the workers have ended, and why, if it was not the end of the training."""
        self._is_over = True
        if why:
            self.fail(why)

    def take(self, follower: str = "") -> Taken:
        """Take the updates.

        Parameters
        ----------
        follower
            Who asks.
        """
        if follower != self._follower:
            return Taken(is_mine=False)
        self.beat(follower)
        self._look_after_workers()
        taken = tuple(self._updates)
        self._updates.clear()
        return Taken(taken, self._lives, self._failure, self._is_over)

    def order(self, number: int, order: bytes, follower: str = "") -> None:
        """Ask the workers for something."""
        if follower == self._follower:
            self._orders.append((number, order))

    def beat(self, follower: str) -> None:
        """Hear that the follower is alive, though it may take nothing for now."""
        if follower == self._follower:
            self._signs, self._seen = self._signs + 1, self._clock()

    def known(self) -> Known:
        """Say who one may attach to."""
        self._look_after_workers()
        number = 0 if self._plan is None else self._plan.number
        is_followed = bool(self._follower) and not self._is_alone
        return Known(number, self._signs, is_followed, self._is_over)

    def whole(self) -> Whole:
        """Return all that a kernel needs to take the run over."""
        import ray  # noqa: PLC0415  (see `launch`)

        return replace(self._reached, begun=ray.get(self._begun))

    def take_over(self, follower: str) -> Whole:
        """Belong to another kernel from here on, and return where the run is."""
        self.follow(follower)
        self._updates.clear()  # the last of them is returned
        return self._reached

    def follow(self, follower: str) -> None:
        """Belong to this kernel from here on."""
        self._follower = follower
        self.beat(follower)

    def leave(self, follower: str) -> None:
        """Hear that the kernel ends, and go on without it."""
        if follower == self._follower:
            self._follower = ""

    def judge(self) -> bool:
        """Stop a run that nobody has followed for long; return whether to go, with all there is."""
        if self._stay is None:
            return False
        alone = self._clock() - self._seen
        if alone > self._stay.alone and not self._is_dismissed:
            self._is_dismissed = True
            number = self._orders[-1][0] + 1 if self._orders else 1
            self._orders.append((number, self._stay.farewell))
        return alone > self._stay.kept

    @property
    def _reached(self) -> Whole:
        ordered = self._orders[-1][0] if self._orders else 0
        return Whole(b"", self._first, self._last, ordered)

    @property
    def _is_alone(self) -> bool:
        if self._stay is None:
            return False
        return not self._follower or self._clock() - self._seen > self._stay.patience

    def _look_after_workers(self) -> None:
        if self._conducting is None or self._is_over:
            return
        import ray  # noqa: PLC0415  (see `launch`)

        if ray.wait([self._conducting], timeout=0)[0]:
            why = ""
            try:
                ray.get(self._conducting)
            except ray.exceptions.RayError as error:
                why = last_line(error)
            self.end(why)

    def _leave_in_time(self) -> None:
        while not self.judge():
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        os._exit(0)  # only so a thread ends an actor


class Conductor:
    """Has the workers of a run train; an actor of Ray, so that all it leaves ends with it."""

    def conduct(self, plan: Plan, hub: Any) -> None:
        """Return when they have ended."""
        from rnn_magics.cluster.conducting import conduct  # noqa: PLC0415  (not in the hub: torch)

        conduct(plan, hub)
