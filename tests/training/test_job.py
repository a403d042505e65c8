"""A run on a worker thread: paused, stopped and looked at while it trains."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig, copy_model
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, Event, StepEnd, TrainBegin, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, train
from rnn_magics.training.state import TrainState

SMALL = ModelConfig(num_hiddens=8, num_layers=2, dropout=0.2)
ENDLESS = TrainConfig(epochs=10**6)
PATIENCE = 60  # seconds until a test gives up; nothing waits so long when it works


def bits(model: nn.Module) -> bytes:
    return b"".join(p.detach().contiguous().numpy().tobytes() for p in model.parameters())


class Started:
    """A job at work, and its state."""

    def __init__(self, batches: Batches, config: TrainConfig, **options: Any) -> None:
        self.run, self.state = begin(batches, SMALL, config)
        self.job = Job(self.run, self.state, **options)
        self.job.start()

    def steps(self) -> int:
        """Return how many steps were taken, asked between two of them."""
        return self.job.between_steps(lambda: self.state.total_steps)

    def end(self) -> None:
        self.job.stop()
        self.job.wait(PATIENCE)
        assert not self.job.is_alive


@pytest.fixture
def endless(batches: Batches) -> Iterator[Started]:
    started = Started(batches, ENDLESS)
    yield started
    started.end()


def test_a_job_trains_as_the_loop_does(batches: Batches) -> None:
    config = TrainConfig(epochs=3)
    started = Started(batches, config)
    events = list(started.job.follow())
    assert isinstance(events[0], TrainBegin)
    assert isinstance(events[1], StepEnd)
    assert sum(isinstance(event, EpochEnd) for event in events) == 3
    assert events[-1] == TrainEnd("epochs", "")
    plain = train(batches, SMALL, config)
    assert bits(started.run.model) == bits(plain.model)
    assert started.run.history.train_perplexity == plain.history.train_perplexity
    assert not started.run.model.training
    assert not started.job.is_alive


def test_another_listener_is_told_the_same(batches: Batches) -> None:
    run, state = begin(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=2), "tiny")
    first: list[Event] = []
    second: list[Event] = []
    job = Job(run, state, first.append)
    job.also(second.append)
    job.start()
    job.wait()
    assert first == second
    assert isinstance(first[-1], TrainEnd)


def test_a_stop_ends_the_run_with_its_reason(endless: Started) -> None:
    endless.steps()
    endless.job.stop("interrupted")
    endless.job.stop()  # the first reason counts
    endless.job.wait(PATIENCE)
    assert not endless.job.is_alive
    assert endless.run.reason == "interrupted"
    assert len(endless.run.history) >= 1
    assert not endless.run.model.training


def test_a_stop_is_told_to_whoever_follows(endless: Started) -> None:
    events: list[Event] = []
    for event in endless.job.follow():
        events.append(event)
        if isinstance(event, StepEnd):
            endless.job.stop()
    assert events[-1] == TrainEnd("stopped", "")


def test_a_paused_run_takes_no_step(endless: Started) -> None:
    endless.job.pause()
    assert endless.job.is_paused
    taken = endless.steps()
    assert [endless.steps() for _ in range(5)] == [taken] * 5
    endless.job.resume()
    assert not endless.job.is_paused
    while endless.steps() == taken:  # goes on, sooner or later
        pass


def test_the_step_at_which_a_run_waits_is_told(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_magics.training.job.SECONDS_BETWEEN_STEPS_TOLD", math.inf)
    run, state = begin(batches, SMALL, ENDLESS)
    told: list[Event] = []

    def pause_at_the_second(event: Event) -> None:
        if isinstance(event, StepEnd) and state.total_steps == 2:
            job.pause()

    job = Job(run, state, told.append, watch=pause_at_the_second)
    job.start()
    while state.total_steps < 2:
        pass
    assert job.between_steps(lambda: state.total_steps) == 2
    assert [event.step for event in told if isinstance(event, StepEnd)] == [2]
    job.stop()
    job.wait(PATIENCE)


def test_a_pause_does_not_change_the_result(batches: Batches) -> None:
    config = TrainConfig(epochs=3)
    started = Started(batches, config)
    for _ in range(3):
        started.job.pause()
        started.job.snapshot()
        started.job.resume()
    started.job.wait(PATIENCE)
    assert started.run.reason == "epochs"
    assert bits(started.run.model) == bits(train(batches, SMALL, config).model)


def test_a_paused_run_can_be_stopped(endless: Started) -> None:
    endless.job.pause()
    endless.steps()
    endless.end()
    assert endless.run.reason == "stopped"
    assert not endless.job.is_paused


def test_a_run_can_be_stopped_before_its_first_step(batches: Batches) -> None:
    run, state = begin(batches, SMALL, ENDLESS)
    job = Job(run, state)
    job.stop()
    job.start()
    job.wait(PATIENCE)
    assert run.reason == "stopped"
    assert state.total_steps <= 1


@pytest.mark.parametrize("paused", [False, True])
def test_a_call_between_steps_runs_on_the_worker(endless: Started, *, paused: bool) -> None:
    if paused:
        endless.job.pause()
    name = endless.job.between_steps(lambda: threading.current_thread().name)
    assert name == "rnn gru"


def test_a_call_between_steps_runs_here_when_the_run_has_ended(endless: Started) -> None:
    endless.end()
    thread = endless.job.between_steps(threading.current_thread)
    assert thread is threading.current_thread()


@pytest.mark.parametrize("when", ["running", "paused", "ended"])
def test_an_error_between_steps_is_the_callers_and_not_the_runs(
    endless: Started, when: str
) -> None:
    if when == "paused":
        endless.job.pause()
    elif when == "ended":
        endless.end()

    def fail() -> None:
        msg = "mine"
        raise KeyError(msg)

    with pytest.raises(KeyError, match="mine"):
        endless.job.between_steps(fail)
    assert endless.job.error is None
    assert endless.job.is_alive is (when != "ended")
    assert endless.steps() >= 0


def test_many_callers_are_all_answered(endless: Started) -> None:
    answers: list[int] = []
    callers = [
        threading.Thread(target=lambda: answers.append(endless.steps()), daemon=True)
        for _ in range(20)
    ]
    for place, caller in enumerate(callers):
        caller.start()
        if place == 10:
            endless.job.stop()
    for caller in callers:
        caller.join(PATIENCE)
    assert len(answers) == 20


def test_a_snapshot_does_not_change_while_the_run_goes_on(endless: Started) -> None:
    snapshot = endless.job.snapshot()
    before = bits(snapshot)
    taken = endless.steps()
    while endless.steps() < taken + 3:
        pass
    endless.end()
    assert bits(snapshot) == before
    assert bits(endless.run.model) != before


def test_a_snapshot_is_the_model_between_two_steps(endless: Started) -> None:
    endless.job.pause()
    snapshot = endless.job.snapshot()
    assert bits(snapshot) == endless.job.between_steps(lambda: bits(endless.run.model))
    assert not snapshot.training
    assert snapshot.config == endless.run.model.config


def test_writing_into_a_snapshot_does_not_reach_the_run(endless: Started) -> None:
    endless.job.pause()
    snapshot = endless.job.snapshot()
    before = bits(endless.run.model)
    with torch.no_grad():
        for parameter in snapshot.parameters():
            parameter.zero_()
    assert bits(endless.run.model) == before


@pytest.mark.parametrize("model", [SMALL, ModelConfig(num_hiddens=8, tie=True)])
def test_copying_a_model_leaves_the_global_generator_alone(
    batches: Batches, model: ModelConfig
) -> None:
    run, _ = begin(batches, model)
    before = torch.get_rng_state()
    copy = copy_model(run.model)
    assert torch.equal(torch.get_rng_state(), before)
    assert bits(copy) == bits(run.model)
    assert (copy.embedding is None) or (copy.output.weight is copy.embedding.weight)


def failing_after(state: TrainState, number: int) -> None:
    def fail(*_: Any) -> None:
        if state.total_steps == number:
            msg = "out of everything"
            raise ArithmeticError(msg)

    state.model.register_forward_pre_hook(fail)


def test_an_error_of_the_worker_reaches_whoever_follows(batches: Batches) -> None:
    run, state = begin(batches, SMALL, ENDLESS)
    failing_after(state, 3)
    job = Job(run, state)
    job.start()
    with pytest.raises(ArithmeticError, match="out of everything"):
        list(job.follow())
    assert run.reason == "failed"
    assert run.message == "ArithmeticError: out of everything"
    assert state.total_steps == 3
    assert not job.is_alive
    assert job.between_steps(lambda: 7) == 7


def test_an_error_of_the_worker_is_on_record_when_nobody_follows(batches: Batches) -> None:
    run, state = begin(batches, SMALL, ENDLESS)
    failing_after(state, 0)
    job = Job(run, state, listener=lambda _event: None)
    job.start()
    job.wait(PATIENCE)
    assert isinstance(job.error, ArithmeticError)
    assert run.reason == "failed"


def test_a_listener_hears_the_events_on_the_worker(batches: Batches) -> None:
    heard: list[tuple[Event, str]] = []

    def listen(event: Event) -> None:
        heard.append((event, threading.current_thread().name))

    started = Started(batches, TrainConfig(epochs=2), listener=listen)
    started.job.wait(PATIENCE)
    assert {name for _, name in heard} == {"rnn gru"}
    assert isinstance(heard[0][0], TrainBegin)
    assert sum(isinstance(event, EpochEnd) for event, _ in heard) == 2
    assert heard[-1][0] == TrainEnd("epochs", "")


def test_a_listener_that_fails_ends_the_run(batches: Batches) -> None:
    def listen(event: Event) -> None:
        msg = f"cannot show a {type(event).__name__}"
        raise OSError(msg)

    started = Started(batches, ENDLESS, listener=listen)
    started.job.wait(PATIENCE)
    assert not started.job.is_alive
    assert started.run.reason == "failed"
    assert started.run.message == "OSError: cannot show a TrainBegin"
    assert started.job.between_steps(lambda: 7) == 7


def test_a_program_ends_while_a_run_is_at_work() -> None:
    program = """
        from rnn_magics.batching import BatchConfig, Batches
        from rnn_magics.models.rnn_model import ModelConfig
        from rnn_magics.training.config import TrainConfig
        from rnn_magics.training.job import Job
        from rnn_magics.training.loop import begin

        batches = Batches(list(range(9)) * 30, BatchConfig("seq", 2, 5))
        run, state = begin(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=10**6))
        job = Job(run, state)
        job.start()
        job.between_steps(lambda: None)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_steered_run_goes_on_with_the_new_rate_and_clip(batches: Batches) -> None:
    told: list[Event] = []
    config = TrainConfig(epochs=10**6, optimizer="sgd", lr=0.5, schedule="constant", clip=1.0)
    started = Started(batches, config, listener=told.append)
    started.steps()
    before = started.job.between_steps(lambda: started.state.total_steps)
    started.job.steer(lr=0.25, clip=None)
    after = started.job.between_steps(lambda: started.state.total_steps)
    rate = started.job.between_steps(lambda: started.state.optimizer.param_groups[0]["lr"])
    while started.steps() == after:
        pass
    rate = started.job.between_steps(lambda: started.state.optimizer.param_groups[0]["lr"])
    started.end()
    (change,) = started.run.steered
    assert before <= change.step <= after
    assert (change.lr, change.clip, rate) == (0.25, None, 0.25)
    assert started.run.config.train == replace(config, lr=0.25, clip=None)
    assert str(change).startswith("learning rate 0.25 and no clip from step ")


def test_what_is_not_said_stays(endless: Started) -> None:
    endless.job.steer(clip=0.5)
    assert endless.run.config.train == replace(ENDLESS, clip=0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"lr": -1.0}, "lr must be"), ({"clip": 0.0}, "clip must be"), ({"seed": 3}, "'seed'")],
)
def test_what_is_out_of_range_changes_nothing(
    endless: Started, changes: dict[str, float], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        endless.job.steer(**changes)
    assert endless.run.config.train == ENDLESS
    assert not endless.run.steered


def test_a_paused_run_can_be_steered(endless: Started) -> None:
    endless.job.pause()
    endless.job.steer(lr=0.01)
    assert endless.job.is_paused
    assert endless.run.config.train.lr == 0.01


def test_a_run_that_has_ended_is_not_steered(batches: Batches) -> None:
    started = Started(batches, TrainConfig(epochs=1))
    started.job.wait(PATIENCE)
    with pytest.raises(TrainingError, match="has ended"):
        started.job.steer(lr=0.1)
    assert not started.run.steered


def test_an_interrupt_as_a_run_begins_starts_it_once(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, state = begin(batches, ModelConfig("rnn", 4), TrainConfig(epochs=1))
    job, go, started = Job(run, state), threading.Event(), []
    really_start = job._thread.start

    def start() -> None:
        # As when the interrupt comes while the new thread has not said yet that it runs.
        started.append(1)
        threading.Thread(target=lambda: (go.wait(60), really_start())).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(job._thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        next(job.follow())
    assert job.is_alive
    go.set()
    *_, last = job.follow()
    assert isinstance(last, TrainEnd)
    assert started == [1]
    assert not job.is_alive


def test_a_job_leaves_the_threads_of_its_caller_alone(
    batches: Batches, two_cores: list[int]
) -> None:
    torch.set_num_threads(1)
    started = Started(batches, TrainConfig(epochs=1, threads=2))
    started.job.wait(PATIENCE)
    assert torch.get_num_threads() == 1
    assert started.job.run.history.threads == [2.0]
    assert two_cores == []
