"""What each worker does: it runs the loop of training in lockstep with the others."""

from __future__ import annotations

import pickle
import statistics
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from rnn_magics.cluster.messages import Answer
from rnn_magics.cluster.update import Training, Update
from rnn_magics.language import marked, say, speak
from rnn_magics.models.recurrent import Share
from rnn_magics.training.events import (
    Compiling,
    Evaluating,
    Event,
    Measuring,
    StepEnd,
    TrainBegin,
    TrainEnd,
)
from rnn_magics.training.loop import iter_train
from rnn_magics.training.machine.threads import ThreadChoice
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.shared import Lockstep, Orders
from rnn_magics.training.steps.step import try_step

_SECONDS_BETWEEN_UPDATES = 0.1
_SHARE_FOR_UPDATES = 1 / 100  # of the time, so that a large model is told of less often
_SECONDS_TO_WAIT = 0.05
_REPEATS = 5
_SLOW = 2  # this many times as long as the others
_WORTH_TELLING = 5.0  # seconds
_UNCHANGED = (Compiling, Measuring, Evaluating)  # events before which no step was taken


class LostWorkerError(Exception):
    """Another worker has gone; the group begins anew, from the last update."""


@contextmanager
def _noticing_who_has_gone() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        msg = f"{error}"
        raise LostWorkerError(msg) from None


class TorchGroup:
    """The workers, which `torch.distributed` has brought together."""

    @property
    def rank(self) -> int:
        """The number of this worker."""
        return dist.get_rank()

    @property
    def size(self) -> int:
        """How many workers there are."""
        return dist.get_world_size()

    def add_up(self, numbers: Tensor) -> None:
        """Replace numbers by their sum over all workers."""
        with _noticing_who_has_gone():
            dist.all_reduce(numbers)

    def take_first(self, numbers: Tensor) -> None:
        """Replace numbers by those of rank 0."""
        with _noticing_who_has_gone():
            dist.broadcast(numbers, 0)


@dataclass(frozen=True)
class Beginning:
    """What all workers begin from.

    Parameters
    ----------
    begun
        The pickle of the run and its state. The hub knows how far they have come since.
    hub
        The actor.
    threads
        How many threads each worker may use.
    language
        In which notes and messages are said.
    """

    begun: Any
    hub: Any
    threads: int
    language: str


def work(beginning: Beginning) -> None:
    """Train as one of the workers; Ray Train calls this in each of them."""
    import ray  # noqa: PLC0415  (an optional extra)

    group = TorchGroup()
    try:
        _train(ray, beginning, group)
    except (LostWorkerError, ray.exceptions.RayError):
        raise  # Ray Train starts the group anew
    except Exception as error:  # noqa: BLE001  (would come again, so the run ends)
        ray.get(beginning.hub.fail.remote(f"{type(error).__name__}: {error}"))


def _train(ray: Any, beginning: Beginning, group: TorchGroup) -> None:
    speak(beginning.language)
    torch.set_num_threads(beginning.threads)
    run, state = pickle.loads(ray.get(beginning.begun))  # noqa: S301  (our own)
    kept: bytes | None = ray.get(beginning.hub.begin.remote(group.rank))
    last: Update | None = None if kept is None else pickle.loads(kept)  # noqa: S301  (our own)
    if last is not None and last.training is not None:
        last.training.give(run, state)
    _require_same_place(state, group)
    compared = "" if last is not None else _compared(run, state, group)
    if compared and run.device.device.type == "cpu":
        run.threads = ThreadChoice(beginning.threads, compared)
        compared = ""
    link = Link(ray, beginning.hub, run, state, 0 if last is None else last.heard)
    lockstep = Lockstep(run, state, group, link.orders, note=compared)
    for event in iter_train(run, state, lockstep.asked, lockstep.make_step):
        if isinstance(event, TrainEnd) and not run.message:
            run.message = slowest(lockstep.seconds.tolist())
            event = replace(event, message=run.message)  # noqa: PLW2901  (what is told instead)
        if group.rank == 0 and not (last is not None and isinstance(event, TrainBegin)):
            link.tell(event)
    if group.rank == 0:
        link.close()


def slowest(seconds: Sequence[float]) -> str:
    """Say which worker kept the others waiting, if one did; else nothing.

    Parameters
    ----------
    seconds
        How long each took for its rows of all minibatches.
    """
    most = max(seconds)
    others = statistics.median(sorted(seconds)[:-1] or [most])
    if most < _SLOW * others or most < _WORTH_TELLING:
        return ""
    return say(
        "worker {number} of {workers} took {times:.1f} times as long as the others for its rows,"
        " and all waited for it",
        number=seconds.index(most) + 1,
        workers=len(seconds),
        times=most / others,
    )


def _require_same_place(state: TrainState, group: TorchGroup) -> None:
    # All have asked the hub before one of them tells it anything new.
    here = torch.tensor([state.total_steps, state.epoch], dtype=torch.float64)
    least = here.clone()
    group.add_up(least)
    if not torch.equal(least, here * group.size):
        raise LostWorkerError


def _compared(run: Run, state: TrainState, group: TorchGroup) -> str:
    # Says how a step of one worker compares with one of all, since small models gain nothing.
    state.model.make_ready()
    epoch, precision = state.begin_epoch(), run.config.train.precision
    share = Share.of(state.batches.config.batch_size, group.rank, group.size)
    device = state.batches.ids.device
    numbers = torch.zeros(sum(part.numel() for part in state.learning), device=device)
    alone, shared = [], []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        if group.rank == 0:
            try_step(state, epoch, precision)
            numbers[0].item()  # a GPU has computed when a number has come from it
        alone.append(time.perf_counter() - begun)
        group.take_first(torch.zeros(1))  # so that nobody computes beside rank 0
        begun = time.perf_counter()
        try_step(state, epoch, precision, share.rows)
        group.add_up(numbers)
        numbers[0].item()
        shared.append(time.perf_counter() - begun)
    one, all_of_them = (statistics.median(seconds) * 1000 for seconds in (alone, shared))
    text = (
        marked(
            "in each of {workers} workers, {all:.2g} ms a step; one worker: {one:.2g} ms, faster"
        )
        if one < all_of_them
        else marked("in each of {workers} workers, {all:.2g} ms a step; one worker: {one:.2g} ms")
    )
    return say(text, workers=group.size, all=all_of_them, one=one)


class Link:
    """What the worker with rank 0 says to the hub, and hears from it.

    Parameters
    ----------
    ray, hub
        The module and the actor.
    run, state
        The training.
    heard
        The number of the last order that was carried out.
    """

    def __init__(self, ray: Any, hub: Any, run: Run, state: TrainState, heard: int) -> None:
        self._ray, self._hub, self._run, self._state, self._heard = ray, hub, run, state, heard
        self._sent = self._told = self._cost = 0.0
        self._told_steps: int | None = None
        self._pending: Any = None
        self._orders: deque[tuple[int, bytes]] = deque()
        self._must_wait = False

    def tell(self, event: Event) -> None:
        """Tell of an event, but of steps and of slices of a score at most ten times a second."""
        now = time.monotonic()
        pause = max(_SECONDS_BETWEEN_UPDATES, self._cost / _SHARE_FOR_UPDATES)
        if isinstance(event, StepEnd | Evaluating) and now - self._told < pause:
            return
        steps, training = self._state.total_steps, None
        if self._told_steps != steps or not isinstance(event, _UNCHANGED):
            training, self._told_steps = Training.of(self._run, self._state), steps
        self._send(Update(event, training, self._heard))
        self._told = time.monotonic()
        self._cost = self._told - now

    def orders(self) -> Orders:
        """Return the next order; at most ten times a second the hub is asked."""
        if time.monotonic() - self._sent >= _SECONDS_BETWEEN_UPDATES:
            self._send(None)
        if self._orders:
            self._heard, order = self._orders.popleft()
            asked: Orders = pickle.loads(order)  # noqa: S301  (our own)
            return asked
        if self._must_wait:
            time.sleep(_SECONDS_TO_WAIT)
            return Orders(wait=True)
        return Orders()

    def close(self) -> None:
        """Wait until all has arrived."""
        self._hear()

    def _send(self, update: Update | None) -> None:
        self._hear()  # the answer to what was sent before; it has long arrived
        whole = update is not None and update.training is not None
        told = None if update is None else pickle.dumps(update, protocol=5)
        first = update is not None and isinstance(update.event, TrainBegin)
        self._pending = self._hub.put.remote(told, self._heard, is_whole=whole, is_first=first)
        self._sent = time.monotonic()

    def _hear(self) -> None:
        if self._pending is None:
            return
        answer: Answer = self._ray.get(self._pending)
        self._pending, self._must_wait = None, answer.must_wait
        known = {number for number, _ in self._orders}
        self._orders.extend(
            (number, order)
            for number, order in answer.orders
            if number > self._heard and number not in known
        )
