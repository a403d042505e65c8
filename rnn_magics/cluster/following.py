"""A run on workers, as the kernel that follows it sees it: the one that began it, or another."""

from __future__ import annotations

import atexit
import pickle
import threading
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from rnn_magics.cluster.messages import Taken, Whole
from rnn_magics.cluster.update import Update
from rnn_magics.errors import TrainingError
from rnn_magics.language import say, say_number
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, TrainEnd
from rnn_magics.training.loop import StopReason
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.shared import Orders

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_BETWEEN_SIGNS = 1.0
_SECONDS_TO_END = 20.0
_SECONDS_TO_LEAVE = 3.0


@dataclass(frozen=True)
class Place:
    """Where a run lies.

    Parameters
    ----------
    ray, hub
        The module and the actor.
    number
        How many workers there are.
    outlives
        Whether hub and workers stay when this process ends.
    conductor
        The thread that starts the workers, if it is one of this process.
    me
        How the hub knows who follows the run.
    """

    ray: Any
    hub: Any
    number: int
    outlives: bool
    conductor: threading.Thread | None = None
    me: str = field(default_factory=lambda: uuid.uuid4().hex)


class Following:
    """Takes what the workers tell into a run and its state, and passes on what the user wants.

    Parameters
    ----------
    place
        Where the run lies.
    run, state
        The run and its state; with every event they become those of this event.
    should_stop
        As for `iter_train`.
    """

    def __init__(
        self, place: Place, run: Run, state: TrainState, should_stop: StopReason | None
    ) -> None:
        self._place, self._ray, self._hub = place, place.ray, place.hub
        self._run, self._state, self._should_stop = run, state, should_stop
        self._known: TrainConfig = run.config.train
        self._me = place.me
        self._ordered = 0
        self._lives = 1
        self._is_gone = threading.Event()  # the process ends
        self._is_left = threading.Event()  # and the run has been left to itself
        self._is_lost = False  # to another kernel

    def events(self, whole: Whole | None = None) -> Iterator[Event]:
        """Yield events until the run has ended.

        Parameters
        ----------
        whole
            Where the run is, if this kernel has taken it over; the run and its state are there.

        Raises
        ------
        TrainingError
            If the workers end before the training does, or another kernel takes the run over. The
            run and its state are then those of the last event.
        """
        with self._signs_of_life() if self._place.outlives else nullcontext():
            try:
                if whole is None:
                    self._ray.get(self._hub.follow.remote(self._me))
                elif (yield from self._caught_up(whole)):
                    return
                yield from self._told()
            finally:
                self._let_go()

    def _caught_up(self, whole: Whole) -> Generator[Event, None, bool]:
        # Tells what a display needs to begin with, and returns whether that is all.
        self._ordered = whole.ordered
        if whole.first is not None:
            first: Update = pickle.loads(whole.first)  # noqa: S301  (our own workers)
            yield first.event
        if whole.last is None:
            return False
        last: Update = pickle.loads(whole.last)  # noqa: S301  (our own workers)
        if not isinstance(last.event, TrainEnd):
            return False
        yield last.event
        return True

    def _let_go(self) -> None:
        if self._is_lost:
            return
        if self._is_gone.is_set():
            with suppress(Exception):
                self._ray.get(self._hub.leave.remote(self._me), timeout=_SECONDS_TO_LEAVE)
            self._is_left.set()
            return
        self._order(Orders(stop=Ending.INTERRUPTED))
        self._order(Orders(stop=Ending.INTERRUPTED))
        self._wait_for_workers()
        with suppress(Exception):
            self._ray.kill(self._hub)  # and with it all that it has started
        if self._place.conductor is not None:
            self._place.conductor.join(_SECONDS_TO_LEAVE)

    def _wait_for_workers(self) -> None:
        until = time.monotonic() + _SECONDS_TO_END
        while not self._take().is_over and time.monotonic() < until:
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _take(self) -> Taken:
        try:
            taken: Taken = self._ray.get(self._hub.take.remote(self._me))
        except self._ray.exceptions.RayError as error:
            return Taken(failure=" ".join(f"{error}".split()), is_over=True)
        return taken

    def _told(self) -> Iterator[Event]:
        while not self._is_gone.wait(_SECONDS_BETWEEN_LOOKS):
            taken = self._take()
            if not taken.is_mine:
                self._is_lost = True
                text = say("another kernel follows run {name!r} now", name=self._run.name)
                raise TrainingError(text)
            self._lives = max(taken.lives, 1)
            for told in taken.updates:
                update: Update = pickle.loads(told)  # noqa: S301  (our own workers)
                yield from self._taken(update)
                if isinstance(update.event, TrainEnd):
                    return
                self._ask()
            self._ask()
            if taken.failure or taken.is_over:
                raise TrainingError(self._ended_early(taken.failure))

    def _taken(self, update: Update) -> Iterator[Event]:
        event, is_steered = update.event, update.heard < self._ordered
        if isinstance(event, TrainEnd):  # the workers end, too, before the run is said to
            self._wait_for_workers()
        if update.training is not None:
            update.training.give(self._run, self._state, is_steered_here=is_steered)
            if not is_steered:
                self._known = self._run.config.train
        if isinstance(event, TrainEnd) and self._lives > 1 and not self._run.message:
            self._run.message = say_number(
                self._lives - 1,
                "a worker was lost {number} time; the others went on from the last update",
                "a worker was lost {number} times; the others went on from the last update",
            )
            event = replace(event, message=self._run.message)
        yield event

    def _ask(self) -> None:
        # What the user has done meanwhile becomes an order.
        if self._should_stop is not None and (reason := self._should_stop()) is not None:
            if self._is_gone.is_set():
                return  # it is not the user who stops a run because the process ends
            self._order(Orders(stop=Ending.named(reason)))
        train = self._run.config.train
        if train is not self._known:
            self._known = train
            self._order(Orders(steer=(train.peak_lr, train.clip)))

    def _order(self, order: Orders) -> None:
        self._ordered += 1
        with suppress(Exception):  # a hub that is gone is noticed where it is asked
            self._hub.order.remote(self._ordered, pickle.dumps(order), self._me)

    def _ended_early(self, why: str) -> str:
        what = say_number(
            self._place.number,
            "the worker has ended before the training",
            "the {number} workers have ended before the training",
        )
        return say(
            "{what} ({why}); the model has the weights after step {steps:,}",
            what=what,
            why=why or say("no reason given"),
            steps=self._state.total_steps,
        )

    @contextmanager
    def _signs_of_life(self) -> Iterator[None]:
        # A thread, since the one that trains takes nothing while the run is paused.
        is_over = threading.Event()

        def give() -> None:
            while not is_over.wait(_SECONDS_BETWEEN_SIGNS):
                with suppress(Exception):
                    self._hub.beat.remote(self._me)

        giver = threading.Thread(target=give, name=f"signs {self._run.name}", daemon=True)
        giver.start()
        atexit.register(self._leave)
        try:
            yield
        finally:
            is_over.set()
            atexit.unregister(self._leave)
            # A call of it once this process has left the cluster would make Ray connect anew.
            giver.join(_SECONDS_TO_LEAVE)

    def _leave(self) -> None:
        # The process ends, but not the run. This comes before the `Job` would stop it.
        self._is_gone.set()
        self._is_left.wait(_SECONDS_TO_LEAVE)
