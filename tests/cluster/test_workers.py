"""Workers on a Ray of this machine; it is started once, and each group of workers is costly."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import ray
import torch

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.cluster import conducting, rank, workers
from rnn_magics.cluster.following import Place
from rnn_magics.cluster.hub import Hub
from rnn_magics.cluster.messages import Plan
from rnn_magics.cluster.rank import TorchGroup
from rnn_magics.cluster.workers import Workers
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.resume import reopen
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd, TrainEnd
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.shared import Lockstep, Orders
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
    found = []
    for one in below:
        with suppress(psutil.Error):  # it has just ended
            found += [one] if one.cmdline()[:1] == ["ray::RayTrainWorker"] else []
    return found


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
        workers._require_room(Short(), 2, on_gpus=False)  # type: ignore[arg-type]


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


class Near:
    """Ray in this process: the hub is an object, and one worker a thread."""

    def __init__(self) -> None:
        hub = Hub()
        names = ("put", "begin", "fail", "end", "take", "order", "follow", "beat", "leave")
        self.hub = SimpleNamespace(
            **{name: SimpleNamespace(remote=getattr(hub, name)) for name in names}
        )
        self.exceptions = SimpleNamespace(RayError=ConnectionError)

    @staticmethod
    def get(answer: Any, **_how: Any) -> Any:
        return answer

    @staticmethod
    def kill(_hub: Any) -> None:
        """It is an object of this process."""


class Alone:
    """A group of one."""

    rank, size = 0, 1

    def add_up(self, numbers: torch.Tensor) -> None:
        """The sum of one."""

    def take_first(self, numbers: torch.Tensor) -> None:
        """The first of one."""


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Near:
    """Everything as with Ray, but for Ray."""
    found = Near()

    def launched(_connection: object, number: int, run: Run, state: TrainState) -> Place:
        begun = workers._packed(run, state)

        def conduct() -> None:
            rank.work(rank.Beginning(begun, found.hub, 1, "en"))
            found.hub.end.remote("")

        threading.Thread(target=conduct).start()
        return Place(found, found.hub, number, outlives=False)

    @contextmanager
    def connected(*_address: object, **_more: object) -> Iterator[Any]:
        yield SimpleNamespace(ray=found, num_cpus=8, is_local=True)

    monkeypatch.setattr(workers, "_launched", launched)
    monkeypatch.setattr(workers, "connect", connected)
    monkeypatch.setattr(rank, "TorchGroup", Alone)
    monkeypatch.setattr(ray, "get", found.get)
    return found


LONG = {"epochs": 100_000, "schedule": "constant"}


@pytest.mark.usefixtures("near")
def test_another_learning_rate_is_heard_and_comes_back() -> None:
    run, state = copied(begun(**LONG))
    stop: list[str] = []
    rates = []
    for event in Workers(1).trains(run, state, lambda: stop.pop() if stop else None):
        if isinstance(event, StepEnd):
            rates.append(event.lr)
            if len(rates) == 2:
                run.steer(replace(run.config.train, lr=0.5), state.total_steps)
                run.steer(replace(run.config.train, clip=None), state.total_steps)
            if rates[-1] == 0.5:
                stop.append("stopped")
    assert rates[:2] == [0.01, 0.01]
    assert rates[-1] == 0.5
    assert run.config.train.peak_lr == 0.5
    assert run.config.train.clip is None
    assert [(steering.lr, steering.clip) for steering in run.steered][-1] == (0.5, None)
    assert run.reason == Ending.STOPPED


@pytest.mark.usefixtures("near")
def test_who_takes_nothing_is_paused_and_the_workers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bool] = []
    orders = rank.Link.orders

    def listening(self: rank.Link) -> Orders:
        found = orders(self)
        heard.append(found.wait)
        return found

    monkeypatch.setattr(rank.Link, "orders", listening)
    run, state = copied(begun(**LONG))
    training = Workers(1).trains(run, state)
    assert len(list(islice(training, 3))) == 3
    while not (heard and heard[-1]):  # nobody takes anything until it waits
        time.sleep(0.01)
    before = run.steps
    assert len(list(islice(training, 8))) == 8  # and then it goes on
    assert run.steps > before
    training.close()


@pytest.mark.usefixtures("near")
def test_an_error_of_a_worker_is_one_line_and_the_weights_stay() -> None:
    run, state = copied(begun())
    before = [p.clone() for p in state.learning]
    state.model.register_forward_pre_hook(broken)
    with pytest.raises(TrainingError) as error:
        list(Workers(1).trains(run, state))
    assert f"{error.value}" == (
        "the worker has ended before the training (ValueError: broken); the model has the weights"
        " after step 0"
    )
    assert all(map(torch.equal, state.learning, before))


def broken(_module: object, _inputs: object) -> None:
    msg = "broken"
    raise ValueError(msg)


def test_the_text_itself_does_not_travel() -> None:
    corpus = Corpus.from_text("tick tock " * 90, CorpusConfig(valid=0.2))
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig(batch_size=2))
    run, state = begin(batches, ModelConfig(num_hiddens=4))
    there = pickle.loads(workers._packed(run, state))[1]
    assert there.batches.corpus is None
    assert there.batches.vocab == batches.vocab
    assert torch.equal(there.batches.ids, batches.ids)
    assert state.batches.corpus is corpus


@pytest.mark.usefixtures("near")
def test_as_the_drive_of_a_run_it_tells_every_listener() -> None:
    batches = begun()[1].batches
    told: list[Event] = []
    config = TrainConfig(epochs=2, threads=1)
    run = train(
        batches, ModelConfig(num_hiddens=8), config, drive=Workers(1), listeners=[told.append]
    )
    one = train(batches, ModelConfig(num_hiddens=8), config)
    assert run.history.valid_perplexity == one.history.valid_perplexity
    assert isinstance(told[-1], TrainEnd)
    assert not run.model.training
    # The thread that started the workers would make Ray connect anew, were it to ask it later.
    assert not [each for each in threading.enumerate() if each.name.startswith("workers ")]


class Full:
    """A trainer whose workers do not begin, as on a machine whose disk is full."""

    def fit(self) -> None:
        from ray.train.v2.api.exceptions import ControllerError

        raise ControllerError(
            RuntimeError("The actor is dead because its process died. Worker exit type: SYSTEM")
        )


def test_workers_that_cannot_be_started_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conducting, "_trainer", lambda *_: Full())
    hub = Hub()
    monkeypatch.setattr(ray, "get", lambda answer: answer)
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    near: Any = SimpleNamespace(end=SimpleNamespace(remote=hub.end))
    conducting.conduct(Plan(2, 1, 1, "en"), near)
    taken = hub.take()
    assert taken.is_over
    assert taken.failure == (
        "workers cannot be started: The actor is dead because its process died; is a disk or the"
        " memory of a machine full?"
    )


def test_workers_that_end_once_this_process_has_left_ray_ask_it_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conducting, "_trainer", lambda *_: Full())
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    asked: list[str] = []
    conducting.conduct(
        Plan(2, 1, 1, "en"), SimpleNamespace(end=SimpleNamespace(remote=asked.append))
    )
    assert not asked


@pytest.mark.usefixtures("near")
def test_a_full_disk_ends_no_run_and_what_is_not_kept_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, state = copied(begun(**LONG))
    keep = Checkpointing(str(tmp_path / "kept"), every="50steps")(run, state)
    stop: list[str] = []
    is_full = [False]
    write = os.fsync

    def sync(file: int) -> None:
        if is_full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(file)

    monkeypatch.setattr(os, "fsync", sync)
    said = []
    for event in Workers(1).trains(run, state, lambda: stop.pop() if stop else None):
        keep(event)
        is_full[0] = is_full[0] or len(RunFolder(tmp_path / "kept").steps) > 1
        said += [run.message] if run.message and run.message not in said else []
        if said and isinstance(event, StepEnd) and not stop:
            stop.append("stopped")
    assert run.reason == Ending.STOPPED
    assert run.message.startswith(f"no checkpoint after step {run.steps}: cannot write ")
    assert "do not fit (No space left on device)" in run.message
    is_full[0] = False
    there = reopen(tmp_path / "kept", state.batches)
    assert 50 <= there[1].total_steps < run.steps  # the last that was written
    there[2].claim.release()
