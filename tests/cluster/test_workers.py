"""Workers on a Ray of this machine; it is started once, and each group of workers is costly."""

from __future__ import annotations

import os
import pickle
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from rnn_magics.cluster import workers
from rnn_magics.cluster.rank import TorchGroup
from rnn_magics.cluster.workers import Workers
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.resume import reopen
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import StepEnd
from rnn_magics.training.loop import iter_train, train
from rnn_magics.training.steps.shared import Lockstep
from tests.training.steps.test_shared import STEPS, alone, begun, copied, losses, until

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray itself
ALL = [(cell, batching) for cell in ("rnn", "gru", "lstm") for batching in ("seq", "random")]


def together(config: dict[str, Any]) -> None:
    """What each worker does: the same trainings one after the other."""
    torch.set_num_threads(1)
    found = {}
    for name, kept in config["begun"].items():
        run, state = pickle.loads(kept)
        lockstep = Lockstep(run, state, TorchGroup())
        events = until(iter_train(run, state, lockstep.asked, lockstep.make_step), STEPS)
        found[name] = losses(list(events))
    if TorchGroup().rank == 0:
        Path(config["into"]).write_bytes(pickle.dumps(found))


@pytest.mark.usefixtures("ray_here")
def test_two_workers_are_one_for_each_cell_and_batching(tmp_path: Path) -> None:
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    # In single precision; `tests/training/steps/test_shared.py` has doubles, without Ray.
    runs = {name: begun(*name, tokens=10_000) for name in ALL}
    kept = {name: pickle.dumps(run) for name, run in runs.items()}
    TorchTrainer(
        together,
        train_loop_config={"begun": kept, "into": str(tmp_path / "found")},
        torch_config=TorchConfig(backend="gloo"),
        scaling_config=ScalingConfig(num_workers=2),
        run_config=RunConfig(name="equal", storage_path=str(tmp_path)),
    ).fit()
    found = pickle.loads((tmp_path / "found").read_bytes())
    for name, run in runs.items():
        _, _, events = alone(run, STEPS)
        torch.testing.assert_close(found[name], losses(events), rtol=0, atol=1e-4)


def ray_workers() -> list[psutil.Process]:
    """The processes of the workers that were started from here."""
    below = psutil.Process().children(recursive=True)
    return [one for one in below if one.cmdline()[:1] == ["ray::RayTrainWorker"]]


@pytest.mark.usefixtures("ray_here")
def test_a_killed_worker_is_replaced_and_the_run_goes_on_and_is_kept(tmp_path: Path) -> None:
    run, state = copied(begun(epochs=2000, schedule="constant", lr=0.001))
    config, folder = run.config.train, tmp_path / "kept"
    killed, stop = [], []
    keep = Checkpointing(str(folder), every="100steps")(run, state)
    steps = [0]
    for event in Workers(2).trains(run, state, lambda: stop.pop() if stop else None):
        keep(event)
        steps.append(run.steps)
        if isinstance(event, StepEnd) and run.steps > 200 and not killed:
            victim = ray_workers()[-1]
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(run.steps)
        if killed and len(killed) == 1 and run.steps > killed[0] + 100:
            killed.append(run.steps)
            stop.append("stopped")
    assert run.reason == Ending.STOPPED
    assert run.message == "a worker was lost 1 time; the others went on from the last update"
    assert steps == sorted(steps)
    assert state.total_steps == run.steps > killed[1]
    assert "in each of 2 workers" in run.place
    whole = alone(begun(epochs=2000, schedule="constant", lr=0.001), run.steps)
    for mine, theirs in zip(state.learning, whole[1].learning, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-3)
    assert config == run.config.train

    again, there, reopened = reopen(folder, state.batches)  # one process goes on from there
    assert there.total_steps == state.total_steps
    assert all(map(torch.equal, there.learning, state.learning))
    reopened.claim.release()
    assert again.reason is None


class Short:
    """A connection to a cluster of one CPU."""

    num_cpus = 1


def test_what_cannot_work_is_refused_before_anything_starts() -> None:
    run, state = copied(begun())
    with pytest.raises(ConfigError, match="8 workers share minibatches of 7 rows"):
        train(state.batches, run, drive=Workers(8))
    with pytest.raises(ConfigError, match="--cluster needs --workers"):
        _ = Workers(cluster="auto").has_effect
    with pytest.raises(ConfigError, match="no Ray cluster answers"):
        Workers(2, "127.0.0.1:1").require()
    with pytest.raises(TrainingError, match="2 workers need a CPU each, and the cluster has 1"):
        workers._require_room(Short(), 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "rows", "said"),
    [
        (1, 8, "1 worker reads all 8 rows of a minibatch"),
        (2, 8, "2 workers read 4 rows each; together a minibatch has 8 rows"),
        (3, 8, "3 workers read 2-3 rows each; together a minibatch has 8 rows"),
    ],
)
def test_the_batch_is_stated(number: int, rows: int, said: str) -> None:
    assert Workers(number).rows(rows) == said
