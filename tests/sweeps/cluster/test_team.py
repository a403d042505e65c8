"""Trials on a Ray cluster of two "machines": the same trials, whatever becomes of one of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from rnn_magics.cluster.connection import ray_or
from rnn_magics.errors import ConfigError, StorageError, TrainingError
from rnn_magics.sweeps.cluster import team
from rnn_magics.sweeps.events import Events, SweepEvent, TrialScored
from rnn_magics.sweeps.loop import resume_sweep, sweep
from rnn_magics.sweeps.sweep import SweepRuns
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


def test_more_workers_than_cpus_are_refused_and_nothing_is_started(
    machines: Machines, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="the cluster has 2 CPUs, and so many workers at most"):
        sweep(make(), SPACE, CONFIG, folder=tmp_path / "one", workers=3, cluster=machines.address)
    assert not (tmp_path / "one").exists()


def test_a_folder_that_a_machine_does_not_see_is_refused_and_nothing_is_started(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "_question", lambda: lambda _path: False)
    with pytest.raises(TrainingError, match=r"^machine \S+ has no folder .* name it with --folder"):
        sweep(make(), SPACE, CONFIG, folder=tmp_path / "one", cluster=machines.address)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(team.atomic, "write", refusing)
    with pytest.raises(StorageError, match="cannot write to"):
        sweep(make(), SPACE, CONFIG, folder=tmp_path / "one", cluster=machines.address)


def refusing(*_given: Any) -> None:
    raise PermissionError(13, "Permission denied")


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

    def drive(_made: SweepRuns, events: Events) -> None:
        for _ in events(lambda: scored[0] >= 8):
            pass

    stopped = sweep(
        make(test=0.1),
        SPACE,
        CONFIG,
        folder="two",
        cluster=machines.address,
        listeners=[harm],
        drive=drive,
    )
    assert "stopped" in stopped.message

    def lose(event: SweepEvent) -> None:
        if isinstance(event, TrialScored) and scored[0] >= 8:
            scored[0] = 0
            machines.lose_one()

    found = resume_sweep("two", make(test=0.1), cluster=machines.address, listeners=[lose])
    assert scored == [0]
    assert told(found) == told(one_by_one)
    assert [trial.number for trial in found.trials] == list(range(5))
    assert all(trial.folder.startswith("two") for trial in found.trials)
