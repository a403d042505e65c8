"""How much of a training is over: the schedule, the limits and the events say the same."""

from __future__ import annotations

import itertools

import pytest

from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import SCHEDULES, TrainConfig
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.scoring import held_out
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps import step

SMALL = ModelConfig(num_hiddens=8)
SLICE = 20.0  # seconds; a step takes one


class Ticks:
    """A clock that advances by so many seconds whenever it is read."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._now = seconds, 0.0

    def perf_counter(self) -> float:
        self._now += self._seconds
        return self._now


@pytest.fixture(autouse=True)
def clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the evaluation take most of the time."""
    monkeypatch.setattr(step, "time", Ticks(1.0))
    monkeypatch.setattr(held_out, "time", Ticks(SLICE))


def steps(batches: Batches, config: TrainConfig) -> tuple[TrainState, list[StepEnd], list[float]]:
    """Train; return the steps, and all seconds that had been spent after each."""
    run, state = begin(batches, SMALL, config)
    found, spent = [], []
    for event in iter_train(run, state):
        if isinstance(event, StepEnd):
            found.append(event)
            spent.append(state.train_seconds + state.evaluation_seconds)
    return state, found, spent


def test_seconds_of_evaluation_use_a_limit_of_time_up(batches: Batches) -> None:
    state, found, spent = steps(batches, TrainConfig(epochs=1000, max_time=200.0))
    assert state.evaluation_seconds > 4 * state.train_seconds
    assert len({event.epoch for event in found}) > 1
    assert [event.done for event in found] == [min(seconds / 200, 1) for seconds in spent]
    expected = [max(200 - seconds, 0) for seconds in spent]
    assert [event.seconds_left for event in found] == pytest.approx(expected, abs=1e-9)


def test_the_schedule_goes_by_the_share_that_is_told(batches: Batches) -> None:
    config = TrainConfig(epochs=1000, max_time=200.0, schedule="linear", warmup=0.25, lr=0.02)
    _, found, _ = steps(batches, config)
    pairs = [(a, b) for a, b in itertools.pairwise(found) if a.epoch == b.epoch]
    assert len(pairs) > 10
    for before, event in pairs:
        assert event.lr == 0.02 * SCHEDULES["linear"](before.done, 0.25)


def test_evaluation_to_come_is_in_the_time_left(batches: Batches) -> None:
    _, found, spent = steps(batches, TrainConfig(epochs=4))
    number = len(found) // 4
    assert [event.done for event in found] == pytest.approx(
        [(place + 1) / (4 * number) for place in range(4 * number)]
    )
    half = found[2 * number - 1]
    assert half.done == 0.5
    assert half.seconds_left == spent[2 * number - 1] > half.seconds + SLICE
    assert found[-1].done == 1
    assert found[-1].seconds_left == 0


def test_tokens_tell_where_they_are_the_nearest_limit(batches: Batches) -> None:
    tokens = batches.config.tokens_per_batch
    config = TrainConfig(epochs=1000, max_tokens=5 * tokens - 1, max_time=1e6)
    _, found, _ = steps(batches, config)
    expected = [min((place + 1) * tokens / (5 * tokens - 1), 1) for place in range(5)]
    assert [event.done for event in found] == expected


def test_the_share_never_falls(batches: Batches) -> None:
    config = TrainConfig(epochs=9, max_tokens=60 * batches.config.tokens_per_batch, max_time=400.0)
    _, found, _ = steps(batches, config)
    shares = [event.done for event in found]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1
