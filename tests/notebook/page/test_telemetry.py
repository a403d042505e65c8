"""What the dashboard shows is what the run reports."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.page.telemetry import Telemetry
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, Event, StepEnd, TrainEnd
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.run import Run
from rnn_magics.training.scoring import held_out
from rnn_magics.training.steps import step

SMALL = ModelConfig(num_hiddens=8)


class Ticks:
    """A clock that advances by so many seconds whenever it is read."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._now = seconds, 0.0

    def perf_counter(self) -> float:
        self._now += self._seconds
        return self._now


def followed(batches: Batches, config: TrainConfig, every: int = 1) -> tuple[Run, list[dict]]:
    """Train, and return what was shown after each event; only every so many steps are told."""
    run, state = begin(batches, SMALL, config, "tiny")
    telemetry, shown = Telemetry(run), []
    for event in iter_train(run, state):
        if not isinstance(event, StepEnd) or event.step % every == 0:
            telemetry(event)
            payload = json.loads(json.dumps(telemetry.payload(), allow_nan=False))
            shown.append({"event": event, **payload})
            assert_true_to(event, telemetry, payload)
    assert telemetry.curve.to_dict() == run.curve.to_dict()
    return run, shown


def assert_true_to(event: Event, telemetry: Telemetry, payload: dict) -> None:
    if isinstance(event, StepEnd):
        now = payload["now"]
        assert (now["epoch"], now["step"]) == (event.epoch, event.step)
        assert now["train_nats"] == event.epoch_loss.item()
        _, losses, _, _ = telemetry.curve.loss.points()
        assert losses[-1] == event.loss.item()
        assert now["total_steps"] == len(losses)
        _, norms, _, _ = telemetry.curve.grad_norm.points()
        clipped = int((norms > 1).sum())  # the bound of these runs, if they have one
        assert payload["clipping"] in (None, {"clipped": clipped, "steps": len(norms)})
        assert telemetry.done == now["done"]
    if isinstance(event, EpochEnd):
        assert payload["epochs"][-1]["train_nats"] == pytest.approx(event.train_nats)
        assert payload["epochs"][-1]["valid_nats"] == pytest.approx(event.valid_nats)
        assert len(payload["epochs"]) == event.epoch
    if isinstance(event, TrainEnd):
        assert (payload["phase"], payload["reason"]) == ("ended", event.reason)


@pytest.mark.parametrize("every", [1, 3, 1000])
def test_every_step_is_in_the_curve_however_few_are_told(batches: Batches, every: int) -> None:
    run, shown = followed(batches, TrainConfig(epochs=3), every)
    assert len(run.curve.loss) == 3 * (len(run.curve.loss) // 3) > 20
    assert shown[-1]["phase"] == "ended"


def test_the_time_left_falls_to_nothing(batches: Batches) -> None:
    _, shown = followed(batches, TrainConfig(epochs=2))
    left = [(s["now"]["eta"], s["now"]["seconds"]) for s in shown if s["now"]]
    first, last = left[0], left[-1]
    assert last[0] == pytest.approx(0, abs=1e-9)
    steps = shown[-1]["now"]["total_steps"]
    assert first[0] == pytest.approx(first[1] * (steps - 1), rel=1e-6)


def test_the_nearest_limit_tells_the_time_left(batches: Batches) -> None:
    _, shown = followed(batches, TrainConfig(epochs=1000, max_tokens=1000))
    assert shown[-1]["now"]["eta"] < shown[-1]["now"]["seconds"]


def test_the_time_left_until_a_limit_counts_the_evaluation(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "time", Ticks(1.0))
    monkeypatch.setattr(held_out, "time", Ticks(20.0))  # a slice of the held-out text
    run, state = begin(batches, SMALL, TrainConfig(epochs=1000, max_time=200.0), "tiny")
    telemetry, left, expected = Telemetry(run), [], []
    for event in iter_train(run, state):
        telemetry(event)
        if isinstance(event, StepEnd):
            left.append(telemetry.payload()["now"]["eta"])
            expected.append(max(200.0 - state.train_seconds - state.evaluation_seconds, 0.0))
    assert left == pytest.approx(expected, abs=1e-9)
    assert state.evaluation_seconds > 4 * state.train_seconds
    assert run.reason == "max_time"


def test_a_paused_run_says_so(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1), "tiny")
    telemetry = Telemetry(run)
    assert telemetry.payload(paused=True)["phase"] == "paused"
    for event in iter_train(run, state):
        telemetry(event)
    assert telemetry.payload(paused=True)["phase"] == "ended"


def test_numbers_that_json_lacks_are_null(batches: Batches) -> None:
    run, _ = begin(batches, SMALL, TrainConfig(epochs=1), "tiny")
    run.history.append(EpochEnd(1, True, math.inf, None, 1.0, 1.0, math.nan, math.inf, 0.0))
    run.curve.extend(*(values for values in np_tensors([math.inf], [1.0])))
    run.curve.end_epoch(1.0)
    (epoch,) = json.loads(json.dumps(Telemetry(run).payload(), allow_nan=False))["epochs"]
    assert epoch["train_nats"] is epoch["grad_norm"] is epoch["grad_norm_max"] is None


def np_tensors(*lists: list[float]) -> list:
    import torch

    return [torch.tensor(values) for values in lists]


def test_a_step_told_late_is_not_taken_in_twice(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=2), "tiny")
    events = list(iter_train(run, state))
    telemetry = Telemetry(run)  # of a run that is ahead of its events
    for event in events:
        telemetry(event)
    np.testing.assert_array_equal(telemetry.curve.loss.points(), run.curve.loss.points())


def test_options_that_are_not_defaults_are_named(batches: Batches) -> None:
    run, _ = begin(batches, SMALL, replace(TrainConfig(), clip=0.5, seed=3), "tiny")
    options = Telemetry(run).payload()["options"]
    assert options == {"num_hiddens": 8, "batch_size": 4, "num_steps": 8, "clip": 0.5, "seed": 3}


def test_a_spike_in_the_first_epoch_is_not_forgotten(batches: Batches) -> None:
    """It was: the last epoch alone was told, rounded to whole percents."""
    run, _ = begin(batches, SMALL, TrainConfig(epochs=2), "tiny")
    for epoch, share in enumerate((1 / 1000, 0.0)):
        norms = [6.9 if step < 1000 * share else 0.1 for step in range(1000)]
        run.curve.extend(*np_tensors(norms, norms))
        run.curve.end_epoch(float(epoch))
        run.history.append(EpochEnd(epoch + 1, True, 1.0, 1.0, 1.0, 1.0, 0.1, 6.9, share))
    assert Telemetry(run).payload()["clipping"] == {"clipped": 1, "steps": 2000}


def test_a_steered_clip_is_judged_from_its_step_on(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=2, clip=1e-6), "tiny")
    telemetry, told = Telemetry(run), []
    for event in iter_train(run, state):
        telemetry(event)
        if isinstance(event, StepEnd):
            if state.total_steps == 4:
                run.steer(replace(run.config.train, clip=1e6), 4)
            told.append(telemetry.payload()["clipping"]["clipped"])
    assert told[:6] == [1, 2, 3, 4, 4, 4]
    assert set(told[6:]) == {4}
