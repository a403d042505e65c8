"""Trials in worker processes: the same trials, whatever becomes of a worker."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from rnn_magics.batching import Batches
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.models.cells import CELLS, RNNCell
from rnn_magics.sweeps.agenda import task_of
from rnn_magics.sweeps.config import SweepConfig
from rnn_magics.sweeps.events import Events, SweepEvent, TrialBegin, TrialScored, never
from rnn_magics.sweeps.folder import Made, SweepFolder
from rnn_magics.sweeps.loop import resume_sweep, sweep
from rnn_magics.sweeps.running import Task
from rnn_magics.sweeps.space import Space
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Outcome, Trial
from rnn_magics.sweeps.workers import pool
from rnn_magics.sweeps.workers.messages import (
    Asked,
    Begin,
    Ended,
    Hold,
    Ready,
    Stop,
    Told,
    Verdict,
)
from rnn_magics.sweeps.workers.process import Desk
from rnn_magics.sweeps.workers.worker import Worker
from tests.sweeps.conftest import make
from tests.sweeps.test_loop import SPACE, told

# Without pruning the trials do not depend on which of them ends first.
CONFIG = SweepConfig(trials=4, search="random", prune="none", confirm=1, save_every="7steps")


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> SweepRuns:
    folder = tmp_path_factory.mktemp("sweeps") / "whole"
    return sweep(make(test=0.1), SPACE, CONFIG, folder=folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_workers_make_the_same_trials_although_one_is_killed(
    tmp_path: Path, one_by_one: SweepRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[pool.Worker] = []
    made = pool.Worker

    class Watched(made):  # type: ignore[misc, valid-type]
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            workers.append(self)

    monkeypatch.setattr(pool, "Worker", Watched)
    killed: list[int] = []

    def kill(event: SweepEvent) -> None:
        if isinstance(event, TrialScored) and len(event.trial.scores) == 4 and not killed:
            (worker,) = (w for w in workers if w.task and w.task.trial is event.trial)
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    found = sweep(
        make(test=0.1), SPACE, CONFIG, folder=tmp_path / "two", workers=2, listeners=[kill]
    )
    assert len(killed) == 1
    assert told(found) == told(one_by_one)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_worker_that_keeps_dying_ends_the_sweep_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pool.Worker

    class Dying(made):  # type: ignore[misc, valid-type]
        def begin(self, task: Any) -> None:
            super().begin(task)
            os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(pool, "Worker", Dying)
    with pytest.raises(TrainingError, match="the worker of trial 0 was killed 3 times"):
        sweep(make(), SPACE, CONFIG, folder=tmp_path / "two", workers=1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_worker_that_is_killed_while_it_is_idle_gets_no_trial() -> None:
    team = pool.Pool(make(), 1, lambda _trial, _curve: False)
    try:
        (dead,) = team.workers
        os.kill(dead.pid, signal.SIGKILL)
        while dead.is_alive:
            list(team.hear())
        list(team.hear())  # of its end nobody is told
        team.begin(SimpleNamespace(trial=SimpleNamespace(number=0)))  # type: ignore[arg-type]
        (fresh,) = team.workers
        assert fresh is not dead
        assert fresh.is_alive
        assert team.busy == [fresh]
    finally:
        team.close()


def test_workers_stop_and_their_trials_go_on(tmp_path: Path, one_by_one: SweepRuns) -> None:
    seen = [0]

    def drive(_made: SweepRuns, events: Callable[[Any], Iterator[SweepEvent]]) -> None:
        for event in events(lambda: seen[0] >= 5):
            seen[0] += isinstance(event, TrialScored)

    stopped = sweep(make(test=0.1), SPACE, CONFIG, folder=tmp_path / "two", workers=2, drive=drive)
    assert "stopped" in stopped.message
    found = resume_sweep(tmp_path / "two", make(test=0.1), workers=2)
    assert told(found) == told(one_by_one)


CHILD = """
import os, signal, sys
import psutil
from rnn_magics import sweep
from tests.sweeps.conftest import make
from tests.sweeps.test_loop import SPACE
from tests.sweeps.workers.test_pool import CONFIG
left = [6]

def die(_event):
    left[0] -= 1
    if left[0] == 0:
        print(*(worker.pid for worker in psutil.Process().children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

sweep(make(test=0.1), SPACE, CONFIG, folder=sys.argv[1], workers=2, listeners=[die])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_workers_end_with_the_sweep_that_was_killed(tmp_path: Path, one_by_one: SweepRuns) -> None:
    child = [sys.executable, "-c", CHILD, str(tmp_path / "two")]
    ended = subprocess.run(child, stdout=subprocess.PIPE, check=False)
    assert ended.returncode == -signal.SIGKILL
    workers = [int(pid) for pid in ended.stdout.split()]
    assert len(workers) == 2
    for pid in workers:
        with suppress(psutil.NoSuchProcess):
            while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
    found = resume_sweep(tmp_path / "two", make(test=0.1), workers=2)
    assert told(found) == told(one_by_one)


def test_a_cell_of_this_process_is_unknown_to_workers(tmp_path: Path) -> None:
    class MyCell(RNNCell):
        """One of my own."""

    CELLS["mine"] = MyCell  # taken out again by the fixture of all tests
    with pytest.raises(ConfigError, match="'mine' is registered in this process only"):
        sweep(make(), Space(cell="gru,mine"), folder=tmp_path / "two", workers=2)
    with pytest.raises(ConfigError, match="workers must be at least 1, not 0"):
        sweep(make(), Space(cell="gru,rnn"), folder=tmp_path / "two", workers=0)
    assert not (tmp_path / "two").exists()


def test_workers_wait_while_the_sweep_is_paused(
    tmp_path: Path, one_by_one: SweepRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []
    made = pool.Worker

    class Watched(made):  # type: ignore[misc, valid-type]
        def hold(self, *, is_paused: bool) -> None:
            held.append(is_paused)
            super().hold(is_paused=is_paused)

    monkeypatch.setattr(pool, "Worker", Watched)
    scored, left = [0], [30]

    def paused() -> bool:
        left[0] -= scored[0] > 0
        return scored[0] > 0 and left[0] > 0

    def drive(_made: SweepRuns, events: Events) -> None:
        for event in events(never, paused):
            scored[0] += isinstance(event, TrialScored)

    found = sweep(make(test=0.1), SPACE, CONFIG, folder=tmp_path / "two", workers=2, drive=drive)
    assert held == [True, True, False, False]
    assert told(found) == told(one_by_one)


def test_a_worker_that_is_held_waits_after_its_step_until_it_may_go_on(
    tmp_path: Path, small: Batches
) -> None:
    said: queue.SimpleQueue[Any] = queue.SimpleQueue()
    desk = Desk(said.put)
    for message in (Hold(is_paused=True), small, Begin(one_task(tmp_path))):
        desk.take(message)
    threading.Thread(target=desk.serve, daemon=True).start()
    assert isinstance(said.get(timeout=60).event, TrialBegin)
    assert said.empty()
    desk.take(Hold(is_paused=False))
    while not isinstance(heard := said.get(timeout=60), Ended):
        if isinstance(heard, Asked):
            desk.take(Verdict(is_pruned=False))
    assert heard.trial.outcome == Outcome.DONE


def test_a_worker_that_is_held_can_be_stopped(tmp_path: Path, small: Batches) -> None:
    said: queue.SimpleQueue[Any] = queue.SimpleQueue()
    desk = Desk(said.put)
    for message in (Hold(is_paused=True), small, Begin(one_task(tmp_path))):
        desk.take(message)
    threading.Thread(target=desk.serve, daemon=True).start()
    assert isinstance(said.get(timeout=60).event, TrialBegin)
    desk.take(Stop())
    while not isinstance(ended := said.get(timeout=60), Ended):
        pass
    assert ended.trial.outcome is None  # it can go on


def one_task(folder: Path) -> Task:
    config = SweepConfig(trials=1, search="random", prune="none", save_every="7steps")
    place = SweepFolder(folder / "one")
    base = Made.of(SPACE, config, make()).base
    made = SweepRuns(place, SPACE, config, base)
    trial = Trial(0, {"num_hiddens": 4, "lr": 0.01, "cell": "rnn"}, str(folder / "one" / "0"))
    return task_of(made, trial)


def test_those_that_are_ready_take_the_trials_of_those_that_are_not() -> None:
    class Made(Worker):
        is_alive = True

        def __init__(self, heard: Any) -> None:
            super().__init__(heard)
            self.is_ready, self.told = False, []  # type: ignore[var-annotated]

        def close(self) -> None:
            self.is_ready = False

        def _tell(self, message: Any) -> None:
            self.told.append(message)

    def task(number: int) -> Any:
        return SimpleNamespace(trial=Trial(number, {}, ""))

    team = pool.Pool(make(), 2, lambda _trial, _curve: False, Made)
    first, second = team.workers
    team.begin(task(0))
    team.begin(task(1))
    team.hold(is_paused=True)
    assert (first.told, second.told) == ([], [])  # type: ignore[attr-defined]
    second._heard(second, Ready())
    assert list(team.hear()) == []
    assert second.told == [Hold(is_paused=True), Begin(second.task)]  # type: ignore[attr-defined, arg-type]
    second._heard(second, Ended(second.task.trial))  # type: ignore[union-attr]
    assert [event.trial.number for event in team.hear()] == [1]
    second._heard(second, Told(TrialBegin(Trial(0, {}, "elsewhere"))))
    (begun,) = team.hear()
    assert begun.trial.folder == ""  # that of the sweep
    assert (first.task, second.task.trial.number) == (None, 0)  # type: ignore[union-attr]
    team.begin(task(2))
    team.stop()
    ended = [event for _ in range(3) for event in team.hear()]
    assert [event.trial.number for event in ended] == [2]  # nothing of it had begun
    assert second.told[-1] == Stop()  # type: ignore[attr-defined]
    team.close()
