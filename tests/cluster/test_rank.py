from __future__ import annotations

import pickle
from typing import Any

import pytest
import ray
import torch

from rnn_magics.cluster import hub, rank
from rnn_magics.cluster.hub import Hub
from rnn_magics.cluster.rank import Beginning, Link, slowest, work
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import EpochEnd, Evaluated, StepEnd, TrainBegin, TrainEnd
from rnn_magics.training.loop import iter_train
from rnn_magics.training.steps.shared import Orders
from tests.training.steps.test_shared import alone, begun, copied


class Remote:
    """A method of an actor that lives in this process."""

    def __init__(self, method: Any) -> None:
        self.remote = method


class Near:
    """Ray, and a hub, in this process."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.put = Remote(self.hub.put)
        self.begin = Remote(self.hub.begin)
        self.fail = Remote(self.hub.fail)

    @staticmethod
    def get(answer: Any) -> Any:
        return answer


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(rank.time, "monotonic", found)
    monkeypatch.setattr(rank.time, "sleep", lambda _seconds: None)
    return found


def test_steps_are_told_ten_times_a_second_and_everything_else_always(clock: Clock) -> None:
    near, (run, state) = Near(), begun(epochs=2)
    link = Link(near, near, run, state, 0)
    steps = 0
    told = []
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            clock.now += 0.01
            steps += 1
        link.tell(event)
        told += [pickle.loads(update) for update in near.hub.take().updates]
    kinds = [type(update.event) for update in told]
    assert kinds.count(TrainBegin) == kinds.count(TrainEnd) == 1
    assert kinds.count(Evaluated) == 2
    assert 0 < kinds.count(StepEnd) <= steps / 9
    wholes = [update.training for update in told if isinstance(update.event, StepEnd | TrainEnd)]
    assert all(wholes)  # one can go on from each


def test_a_large_model_is_told_of_less_often(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    near, (run, state) = Near(), begun(epochs=1)
    link = Link(near, near, run, state, 0)
    put = near.hub.put

    def slow(*words: Any, **more: Any) -> Any:
        clock.now += 0.05
        return put(*words, **more)

    monkeypatch.setattr(near, "put", Remote(slow))
    told = []
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            clock.now += 0.1
            link.tell(event)
            told += near.hub.take().updates
    assert len(told) == 2  # of 71 steps in 7.1 seconds: each costs 1% of the time between


def test_orders_are_carried_out_in_turn_and_known_by_their_number(clock: Clock) -> None:
    near, (run, state) = Near(), begun()
    link = Link(near, near, run, state, 0)
    asked = [Orders(stop=Ending.STOPPED), Orders(steer=(0.1, None))]
    for number, order in enumerate(asked, 1):
        near.hub.order(number, pickle.dumps(order))
    found = []
    for _ in range(6):
        clock.now += 0.2
        found.append(link.orders())
    assert [order for order in found if order != Orders()] == asked
    again = Link(near, near, run, state, 1)  # a worker that takes the place of another
    clock.now += 0.2
    again.orders()
    clock.now += 0.2
    assert again.orders() == asked[1]


def test_a_worker_waits_while_nobody_takes_what_it_tells(clock: Clock) -> None:
    near, (run, state) = Near(), begun()
    link = Link(near, near, run, state, 0)
    for event in list(iter_train(run, state))[:1] * 3:
        link.tell(event)
    clock.now += 0.2
    assert link.orders().wait
    near.hub.take()
    waits = []
    for _ in range(3):
        clock.now += 0.2
        waits.append(link.orders().wait)
    assert waits[-1] is False


def broken(_module: object, _inputs: object) -> None:
    msg = "broken"
    raise ValueError(msg)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ([10.0, 9.0, 11.0], ""),
        ([0.1, 0.4], ""),  # not worth telling
        ([10.0], ""),
        ([10.0, 35.0], "worker 2 of 2 took 3.5 times as long as the others for its rows, and all"),
        ([30.0, 9.0, 10.0], "worker 1 of 3 took 3.2 times"),
    ],
)
def test_a_slow_worker_is_named(seconds: list[float], said: str) -> None:
    told = slowest(seconds)
    assert told.startswith(said)
    assert bool(told) == bool(said)


class Alone:
    """A group of one."""

    rank, size = 0, 1

    def add_up(self, numbers: torch.Tensor) -> None:
        """The sum of one."""

    def take_first(self, numbers: torch.Tensor) -> None:
        """The first of one."""


def test_an_error_that_would_come_again_is_told_and_the_group_is_not_begun_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near, begin = Near(), begun()
    begin[1].model.register_forward_pre_hook(broken)
    monkeypatch.setattr(ray, "get", near.get)
    monkeypatch.setattr(rank, "TorchGroup", Alone)
    work(Beginning(pickle.dumps(begin), near, 1, "en"))
    assert near.hub.take().failure == "ValueError: broken"


def test_one_worker_trains_and_the_next_group_goes_on_from_its_last_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near, begin = Near(), begun(epochs=2)
    monkeypatch.setattr(hub, "MOST_WAITING", 10_000)  # nobody takes anything until it has ended
    monkeypatch.setattr(ray, "get", near.get)
    monkeypatch.setattr(rank, "TorchGroup", Alone)
    work(Beginning(pickle.dumps(begin), near, 1, "en"))
    told = [pickle.loads(update) for update in near.hub.take().updates]
    assert isinstance(told[0].event, TrainBegin)
    assert isinstance(told[-1].event, TrainEnd)
    run, state = copied(begin)
    told[-1].training.give(run, state)
    assert "in each of 1 workers" in run.place
    whole = alone(begin)
    assert all(map(torch.equal, state.learning, whole[1].learning))

    middle = next(update for update in told if isinstance(update.event, EpochEnd))
    near.hub.put(pickle.dumps(middle), 0, is_whole=True)
    near.hub.take()
    work(Beginning(pickle.dumps(begin), near, 1, "en"))
    taken = near.hub.take()
    again = [pickle.loads(update) for update in taken.updates]
    assert taken.lives == 2
    assert not any(isinstance(update.event, TrainBegin) for update in again)
    again[-1].training.give(run, state)
    assert all(map(torch.equal, state.learning, whole[1].learning))
