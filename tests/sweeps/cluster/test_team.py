"""Trials on a Ray cluster of two "machines": the same trials, whatever becomes of one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from rnn_magics.cluster.connection import ray_or
from rnn_magics.errors import ConfigError, StorageError, TrainingError
from rnn_magics.sweeps.cluster import team
from rnn_magics.sweeps.cluster.actor import Trainer
from rnn_magics.sweeps.events import SweepEvent, TrialScored
from rnn_magics.sweeps.loop import resume_sweep, sweep
from rnn_magics.sweeps.sweep import SweepRuns
from rnn_magics.sweeps.trial import Trial
from rnn_magics.sweeps.workers.messages import Begin, Ready
from tests.sweeps.conftest import make
from tests.sweeps.test_loop import SPACE, told
from tests.sweeps.workers.test_pool import CONFIG

ROOT = Path(__file__).parents[3]


class Machines:
    """A cluster of two machines of one CPU each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.second = self.cluster.add_node(num_cpus=1)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def kill_one_trainer(self) -> None:
        """Kill -9 one of the processes that train."""
        for process in psutil.Process().children(recursive=True):
            if "Trainer" in " ".join(process.cmdline()):
                os.kill(process.pid, signal.SIGKILL)
                return
        pytest.fail("nobody trains")

    def lose_one(self) -> None:
        """Take the second machine away."""
        self.cluster.remove_node(self.second, allow_graceful=False)


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    pytest.importorskip("ray")
    ray_or("--cluster")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(ROOT))  # what is imported here is imported there
        made = Machines()
        yield made
        made.cluster.shutdown()


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> SweepRuns:
    folder = tmp_path_factory.mktemp("sweeps") / "whole"
    return sweep(make(test=0.1), SPACE, CONFIG, folder=folder)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_worker_and_a_lost_machine_change_no_trial(
    machines: Machines, tmp_path: Path, one_by_one: SweepRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a folder without its beginning means this one, there too
    scored = [0]

    def harm(event: SweepEvent) -> None:
        scored[0] += isinstance(event, TrialScored)
        if isinstance(event, TrialScored) and scored[0] == 3:
            machines.kill_one_trainer()
        if isinstance(event, TrialScored) and scored[0] == 10:
            machines.lose_one()

    found = sweep(
        make(test=0.1), SPACE, CONFIG, folder="two", cluster=machines.address, listeners=[harm]
    )
    assert scored[0] > 10
    assert told(found) == told(one_by_one)
    assert [trial.number for trial in found.trials] == list(range(5))
    assert all(trial.folder.startswith("two") for trial in found.trials)


CHILD = """
import os, signal, sys
from rnn_magics import sweep
from tests.sweeps.conftest import make
from tests.sweeps.test_loop import SPACE
from tests.sweeps.workers.test_pool import CONFIG
left = [6]

def die(_event):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

folder, address = sys.argv[1:]
sweep(make(test=0.1), SPACE, CONFIG, folder=folder, cluster=address, listeners=[die])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_sweep_whose_kernel_was_killed_goes_on(
    machines: Machines, tmp_path: Path, one_by_one: SweepRuns
) -> None:
    folder = tmp_path / "cut"
    child = [sys.executable, "-c", CHILD, str(folder), machines.address]
    ended = subprocess.run(child, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    found = resume_sweep(folder, make(test=0.1), cluster=machines.address)
    assert told(found) == told(one_by_one)
    assert [trial.number for trial in found.trials] == list(range(5))
    assert [trial.outcome for trial in found.trials].count(None) == 0


class OneMachine:
    """A Ray that asks a question of the only machine it has, here and now."""

    util = SimpleNamespace(
        scheduling_strategies=SimpleNamespace(NodeAffinitySchedulingStrategy=lambda *_, **__: None)
    )
    exceptions = SimpleNamespace(
        GetTimeoutError=TimeoutError,
        RayError=RuntimeError,
        TaskUnschedulableError=LookupError,
        NodeDiedError=LookupError,
    )

    def nodes(self) -> list[dict[str, Any]]:
        alive = {"Alive": True, "NodeID": "a", "NodeManagerAddress": "10.0.0.7"}
        return [{**alive, "Resources": {"CPU": 2.0}}, {"Alive": False}]

    def remote(self, **_options: Any) -> Any:
        def made(function: Any) -> Any:
            call = SimpleNamespace(remote=function)
            return SimpleNamespace(options=lambda **_: call)

        return made

    def get(self, asked: Any, timeout: float) -> Any:
        del timeout
        return asked


@pytest.fixture
def one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connect(*_given: Any, **_named: Any) -> Iterator[Any]:
        yield SimpleNamespace(ray=OneMachine(), num_cpus=2)

    monkeypatch.setattr(team, "connect", connect)


@pytest.mark.usefixtures("one_machine")
def test_more_workers_than_cpus_are_refused_and_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the cluster has 2 CPUs, and so many workers at most"):
        sweep(make(), SPACE, CONFIG, folder=tmp_path / "one", workers=3, cluster="auto")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("one_machine")
def test_a_folder_that_a_machine_does_not_see_is_refused_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "_question", lambda: lambda _path: False)
    with pytest.raises(TrainingError, match=r"^machine 10.0.0.7 has no folder .* with --folder$"):
        sweep(make(), SPACE, CONFIG, folder=tmp_path / "one", cluster="auto")
    assert list(tmp_path.iterdir()) == []


def refusing(*_given: Any) -> None:
    raise PermissionError(13, "Permission denied")


@pytest.mark.usefixtures("one_machine")
def test_where_nothing_can_be_written_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team.atomic, "write", refusing)
    with pytest.raises(StorageError, match=r"cannot write to .*Permission denied"):
        sweep(make(), SPACE, CONFIG, folder=tmp_path / "one", cluster="auto")


@pytest.mark.usefixtures("one_machine")
@pytest.mark.parametrize(
    ("workers", "most", "number", "cpus"), [(None, None, 2, 1), (1, None, 1, 2), (None, 1, 1, 2)]
)
def test_the_cpus_are_shared_out(
    tmp_path: Path, workers: int | None, most: int | None, number: int, cpus: int
) -> None:
    with team.gather("auto", workers, tmp_path / "new" / "one", most) as made:
        assert (made.number, made.cpus) == (number, cpus)
    assert list(tmp_path.iterdir()) == []


class SlowlyKilled:
    """A Ray whose calls take a moment to notice that their actor was killed."""

    def __init__(self) -> None:
        self.killed = threading.Event()
        self.failed = False

    def remote(self, **_options: Any) -> Any:
        handle = SimpleNamespace(hear=SimpleNamespace(remote=lambda: None))
        made = SimpleNamespace(remote=lambda *_given: handle)
        return lambda _class: SimpleNamespace(options=lambda **_: made)

    def get(self, asked: Any) -> Any:
        del asked
        self.killed.wait()
        time.sleep(0.3)
        self.failed = True
        raise RuntimeError

    def kill(self, _actor: Any) -> None:
        self.killed.set()


def test_a_closed_worker_asks_its_ray_nothing_more() -> None:
    ray, heard = SlowlyKilled(), list[object]()
    actor = team.Actor(ray, None, 1, lambda _one, message: heard.append(message))
    actor.close()
    assert ray.failed
    assert heard == [None]
    assert "sweep-actor" not in {thread.name for thread in threading.enumerate()}


def test_a_machine_that_joins_late_and_has_not_the_folder_says_so(tmp_path: Path) -> None:
    trainer = Trainer(make(), 1)
    trial = Trial(0, {}, str(tmp_path / "elsewhere" / "trial-000"))
    trainer.take(Begin(SimpleNamespace(trial=trial)))  # type: ignore[arg-type]
    ready, ended = trainer.hear()
    assert isinstance(ready, Ready)
    assert "has no folder" in ended.error
    assert trainer._said.empty()
