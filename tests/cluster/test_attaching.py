"""A run of a cluster outlives the kernel that began it, and another kernel follows it."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
import torch

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.cluster import attaching, following, rank, workers
from rnn_magics.cluster.attaching import attach, attach_run
from rnn_magics.cluster.connection import Connection
from rnn_magics.cluster.following import Following, Place
from rnn_magics.cluster.hub import MOST_WAITING, Hub
from rnn_magics.cluster.messages import HUB, NAMESPACE, Plan, Stay
from rnn_magics.errors import ConfigError, StorageError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.resume import reopen
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd, TrainBegin, TrainEnd
from rnn_magics.training.loop import begin
from rnn_magics.training.steps.shared import Orders
from tests.training.steps.test_shared import Begun, alone, begun, copied

ROOT = Path(__file__).parents[2]
LIFE = """
import pickle, sys, time
from pathlib import Path
from rnn_magics.cluster.workers import Workers
from rnn_magics.training.events import StepEnd

run, state = pickle.loads(Path(sys.argv[1]).read_bytes())
for event in Workers(2, sys.argv[2]).trains(run, state):
    if isinstance(event, StepEnd) and run.steps > 20:
        print("begun", flush=True)
        time.sleep(600)  # takes nothing, as in a pause, so the workers wait
"""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Ray that lives longer than those who connect to it."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    monkeypatch.setenv("RAY_TRAIN_V2_ENABLED", "1")
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    yield found.address
    ray.shutdown()
    found.shutdown()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray itself
def test_a_run_whose_kernel_was_killed_ends_as_one_that_was_not(
    cluster: str, tmp_path: Path
) -> None:
    run, state = begun(epochs=4)
    state.model.double()
    (tmp_path / "begun").write_bytes(pickle.dumps((run, state)))
    command = [sys.executable, "-c", LIFE, str(tmp_path / "begun"), cluster]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as life:
        assert life.stdout is not None
        assert life.stdout.readline() == "begun\n"
        with pytest.raises(TrainingError, match=r"^another kernel follows run 'gru': stop or"):
            attach_run("gru", cluster=cluster)
        life.send_signal(signal.SIGKILL)
    told: list[Event] = []
    found = attach_run(cluster=cluster, listeners=[told.append])
    whole, there, _ = alone((run, state))
    assert found.reason == whole.reason == "epochs"
    assert found.steps == whole.steps
    for mine, theirs in zip(found.model.parameters(), there.model.parameters(), strict=True):
        assert mine.dtype == torch.float64
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-9)
    pairs = zip(found.history.valid_perplexity, whole.history.valid_perplexity, strict=True)
    assert all(mine == pytest.approx(theirs, abs=1e-9) for mine, theirs in pairs)
    assert len(found.curve.loss) == len(whole.curve.loss)
    assert isinstance(told[0], TrainBegin)
    assert isinstance(told[-1], TrainEnd)
    with pytest.raises(TrainingError, match=r"^no run is on the cluster at "):  # nothing is left
        attach_run(cluster=cluster)


class Near:
    """A cluster in this process: hubs are objects, and the one worker of a run is a thread."""

    exceptions = SimpleNamespace(RayError=ConnectionError)

    def __init__(self) -> None:
        self.hubs: dict[str, Hub] = {}
        self.killed: list[Any] = []
        self.threads: list[threading.Thread] = []
        self.util = SimpleNamespace(list_named_actors=self.named)

    def named(self, *, all_namespaces: bool) -> list[dict[str, str]]:
        assert all_namespaces
        others = [{"namespace": "theirs", "name": f"{HUB}a"}, {"namespace": NAMESPACE, "name": "b"}]
        return others + [{"namespace": NAMESPACE, "name": f"{HUB}{name}"} for name in self.hubs]

    def get_actor(self, name: str, *, namespace: str) -> Any:
        assert namespace == NAMESPACE
        return self.actor(self.hubs[name.removeprefix(HUB)])

    @staticmethod
    def actor(hub: Hub) -> Any:
        names = [name for name in dir(hub) if not name.startswith("_")]
        return SimpleNamespace(
            **{name: SimpleNamespace(remote=getattr(hub, name)) for name in names}
        )

    @staticmethod
    def get(answer: Any, **_how: Any) -> Any:
        return answer

    def kill(self, hub: Any) -> None:
        self.killed.append(hub)
        self.hubs.clear()

    def begin(self, name: str, kernel: Begun, *, is_over: bool = False) -> Place:
        """Let a run begin whose kernel has gone."""
        stop = pickle.dumps(Orders(stop=Ending.STOPPED))
        hub = self.hubs[name] = Hub(Stay(stop, patience=20, alone=1e6, kept=1e7))
        hub._begun, hub._plan = workers._packed(*kernel), Plan(1, 1, 1, "en")
        actor = self.actor(hub)

        def conduct() -> None:
            rank.work(rank.Beginning(hub._begun, actor, 1, "en"))
            hub.end()

        self.threads.append(threading.Thread(target=conduct))
        self.threads[-1].start()
        if is_over:
            self.threads[-1].join()
        return Place(self, actor, 1, outlives=True)


class Alone:
    """A group of one."""

    rank, size = 0, 1

    def add_up(self, numbers: torch.Tensor) -> None:
        """The sum of one."""

    def take_first(self, numbers: torch.Tensor) -> None:
        """The first of one."""


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Iterator[Near]:
    """Everything as with Ray, but for Ray."""
    found = Near()

    @contextmanager
    def connected(*_address: object, **_more: object) -> Iterator[Connection]:
        yield Connection(found, "a:1", is_local=False)

    monkeypatch.setattr(attaching, "connect", connected)
    monkeypatch.setattr(attaching, "_SECONDS_FOR_A_SIGN", 0.3)
    monkeypatch.setattr(attaching, "_SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(rank, "TorchGroup", Alone)
    monkeypatch.setattr(ray, "get", found.get)
    yield found
    for hub in found.hubs.values():
        hub.follow("")
        hub.order(1000, pickle.dumps(Orders(stop=Ending.INTERRUPTED)))
        hub.order(1001, pickle.dumps(Orders(stop=Ending.INTERRUPTED)))
    for thread in found.threads:
        thread.join()


LONG = {"epochs": 100_000, "schedule": "constant"}


def test_of_a_run_that_ended_meanwhile_there_is_the_result(near: Near) -> None:
    kernel = begun(epochs=2)
    near.begin("gru", kernel, is_over=True)
    told: list[Event] = []
    run = attach_run("gru", listeners=[told.append])
    whole, there, _ = alone(kernel)
    assert [type(event) for event in told] == [TrainBegin, TrainEnd]
    assert run.reason == "epochs"
    assert run.history.valid_perplexity == whole.history.valid_perplexity
    assert all(map(torch.equal, run.model.parameters(), there.model.parameters()))
    assert len(near.killed) == 1


def test_who_attaches_may_steer_and_stop(near: Near) -> None:
    near.begin("gru", begun(**LONG))
    found = attach(None)
    stop: list[str] = []
    rates = []
    for event in found.trains(found.run, found.state, lambda: stop.pop() if stop else None):
        if isinstance(event, StepEnd):
            rates.append(event.lr)
            if len(rates) == 2:
                steered = replace(found.run.config.train, lr=0.5)
                found.run.steer(steered, found.state.total_steps)
            if rates[-1] == 0.5:
                stop.append("stopped")
    assert found.run.reason == Ending.STOPPED
    assert found.run.config.train.peak_lr == 0.5
    assert near.killed


def test_a_kernel_that_ends_leaves_the_run_and_the_next_goes_on(near: Near) -> None:
    kernel = begun(**LONG)
    place = near.begin("gru", kernel)
    first = Following(place, *copied(kernel), None)
    events = first.events()
    assert len(list(islice(events, 3))) == 3
    first._leave()  # as at exit, whatever a job then asks for
    assert len(list(events)) <= MOST_WAITING  # what it had taken already
    assert not near.killed
    assert not near.hubs["gru"].known().is_followed
    second = attach(None)
    training = second.trains(second.run, second.state, lambda: None)
    before = second.run.steps
    assert any(second.run.steps > before + 10 for _ in training)
    training.close()  # as when a cell fails: nothing trains unseen
    assert near.killed


def test_a_kernel_learns_that_another_follows_its_run(near: Near) -> None:
    kernel = begun(**LONG)
    run, state = copied(kernel)
    events = Following(near.begin("gru", kernel), run, state, None).events()
    next(events)
    near.hubs["gru"].take_over("another")
    with pytest.raises(TrainingError, match=r"^another kernel follows run 'gru' now$"):
        list(events)
    assert not near.killed


def test_whom_one_may_attach_to_is_said(near: Near) -> None:
    with pytest.raises(TrainingError, match=r"^no run is on the cluster at a:1$"):
        attach(None)
    near.begin("gru", begun(**LONG))
    near.begin("lstm", begun(epochs=1), is_over=True)
    several = r"^several runs can be attached \(gru, training; lstm, ended\): name one$"
    with pytest.raises(TrainingError, match=several):
        attach(None)
    with pytest.raises(TrainingError, match=r"^no run 'rnn' is on the cluster at a:1 .runs: gru"):
        attach("rnn")
    hub, is_over = near.hubs["gru"], threading.Event()
    hub.follow("me")

    def live() -> None:
        while not is_over.wait(0.05):
            hub.beat("me")

    thread = threading.Thread(target=live)
    thread.start()
    with pytest.raises(TrainingError, match=r"^another kernel follows run 'gru'"):
        attach("gru")
    is_over.set()
    thread.join()
    assert hub.known().is_followed  # it was alive a moment ago, but gives no sign any more
    assert attach("gru").run.name == "gru"


def texts() -> tuple[Corpus, Begun]:
    corpus = Corpus.from_text("tick tock " * 90, CorpusConfig(valid=0.2))
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig(batch_size=2))
    return corpus, begin(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=2, threads=1))


def test_the_text_of_a_run_comes_back_and_another_is_refused(near: Near) -> None:
    corpus, kernel = texts()
    near.begin("gru", kernel, is_over=True)
    other = Corpus.from_text("something else " * 90, CorpusConfig(valid=0.2))
    with pytest.raises(TrainingError, match=r"^run 'gru' is trained on .*, and the corpus here"):
        attach("gru", other)
    assert not near.hubs["gru"].known().is_followed
    assert attach("gru").state.batches.corpus is None
    near.hubs["gru"].leave(near.hubs["gru"]._follower)
    again = Corpus.from_text("tick tock " * 90, CorpusConfig(valid=0.2))
    assert attach("gru", again).state.batches.corpus is again
    assert corpus is not again


@pytest.fixture
def kept(near: Near, tmp_path: Path) -> Path:
    """The folder of a run whose kernel has gone, and that has ended meanwhile."""
    run, state = begun(epochs=3)
    folder = tmp_path / "kept"
    keep: Any = Checkpointing(str(folder))(run, state)
    keep(TrainBegin(3, 71, 42))
    near.begin("gru", (run, state), is_over=True)
    keep._claim.release()  # as the end of a process does
    return folder


def test_a_run_with_checkpoints_is_kept_on(near: Near, kept: Path) -> None:
    run = attach_run("gru")
    assert near.killed
    with pytest.raises(StorageError, match="has ended as planned"):
        reopen(kept, begun()[1].batches)
    (newest, *_) = sorted(kept.glob("step-*"), reverse=True)
    assert int(newest.stem.removeprefix("step-")) == run.steps


def test_a_folder_in_use_is_refused_and_the_run_stays(near: Near, kept: Path) -> None:
    from rnn_magics.storage.claim import Claim

    claim = Claim(kept)
    with pytest.raises(StorageError, match="in use"):
        attach("gru")
    claim.release()
    assert not near.hubs["gru"].known().is_followed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: folder.rename(folder.with_name("moved")), "is not its folder"),
        (lambda folder: (folder / "history.jsonl").write_text('{"end":"x"}\n'), "it was resumed"),
    ],
)
def test_a_folder_that_has_gone_its_own_way_is_left_alone(
    near: Near, kept: Path, change: Callable[[Path], object], said: str
) -> None:
    change(kept)
    found = attach("gru")
    assert said in found.note
    assert found.listeners == ()
    assert near.hubs


def test_what_is_no_cluster_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no Ray cluster answers at 127.0.0.1:1"):
        attach(None, cluster="127.0.0.1:1")


def test_a_paused_kernel_gives_signs_of_life(near: Near, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_SECONDS_BETWEEN_SIGNS", 0.01)
    kernel = begun(**LONG)
    events = Following(near.begin("gru", kernel), *copied(kernel), None).events()
    next(events)
    before = near.hubs["gru"].known().signs
    until = time.monotonic() + 10
    while near.hubs["gru"].known().signs < before + 3:
        assert time.monotonic() < until
        time.sleep(0.01)
    events.close()
