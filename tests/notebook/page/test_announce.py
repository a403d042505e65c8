"""What the JupyterLab extension is told of the runs, and what it may ask for."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.page.announce import RUNS, Announcer
from rnn_magics.notebook.session.session import Session
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin

PATIENCE = 60  # seconds until a test gives up
ENDLESS = TrainConfig(epochs=1_000_000)


class FakeComm:
    """Keeps what is sent, as strict JSON."""

    def __init__(self) -> None:
        self.sent: queue.Queue[dict[str, Any]] = queue.Queue()
        self.hear: Callable[[dict[str, Any]], None] = lambda _message: None
        self.closed = False

    def on_msg(self, hear: Callable[[dict[str, Any]], None]) -> None:
        self.hear = hear

    def send(self, data: dict[str, Any]) -> None:
        self.sent.put(json.loads(json.dumps(data, allow_nan=False)))

    def close(self) -> None:
        self.closed = True

    def ask(self, **data: Any) -> None:
        self.hear({"content": {"data": data}})

    def next(self, kind: str) -> dict[str, Any]:
        while (message := self.sent.get(timeout=PATIENCE))["type"] != kind:
            pass
        return message

    def until(self, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        while not wanted(runs := self.next("runs")["runs"]):
            pass
        return runs


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    yield made
    jobs = list(made.jobs.values())
    made.reset()
    for job in jobs:
        if job.is_alive:
            job.wait(PATIENCE)


@pytest.fixture
def comm() -> FakeComm:
    return FakeComm()


@pytest.fixture
def announcer(session: Session, comm: FakeComm) -> Iterator[Announcer]:
    made = Announcer(session, comm)
    yield made
    made.close()


def kept(session: Session, batches: Batches, config: TrainConfig, name: str = "tiny") -> Job:
    run, state = begin(batches, ModelConfig(num_hiddens=8), config, name)
    job = Job(run, state, lambda _event: None)
    session.keep(run, job)
    return job


def test_an_empty_session_is_told_once(announcer: Announcer, comm: FakeComm) -> None:
    announcer.changed()
    assert comm.next("runs") == {"type": "runs", "version": 1, "runs": []}
    announcer.changed()
    comm.ask(type="hello")
    assert comm.next("runs")["runs"] == []
    assert comm.sent.empty()


def test_a_run_is_told_from_its_beginning_to_its_end(
    announcer: Announcer, comm: FakeComm, session: Session, batches: Batches
) -> None:
    job = kept(session, batches, TrainConfig(epochs=3))
    announcer.follow(job, background=True)
    job.start()
    (last,) = comm.until(lambda runs: bool(runs) and runs[0]["phase"] == "ended")
    assert (last["name"], last["epoch"], last["num_epochs"]) == ("tiny", 3, 3)
    assert (last["reason"], last["eta"]) == ("epochs", None)
    assert last["options"] == {"num_hiddens": "8", "epochs": "3"} | last["options"]
    steps = len(job.run.curve.loss)
    assert last["series"]["loss"][-1][0] == steps
    assert [step for step, _ in last["series"]["valid"]] == [steps // 3, steps * 2 // 3, steps]
    assert last["valid_nats"] == last["series"]["valid"][-1][1]


def test_a_training_moves_and_obeys(
    announcer: Announcer, comm: FakeComm, session: Session, batches: Batches
) -> None:
    job = kept(session, batches, ENDLESS)
    announcer.follow(job, background=True)
    job.start()
    (first,) = comm.until(lambda runs: bool(runs) and runs[0]["phase"] == "training")
    comm.until(lambda runs: runs[0]["epoch"] > first["epoch"] and runs[0]["series"] is not None)
    comm.ask(type="pause", run="tiny", id=1)
    assert comm.next("answer") == {"type": "answer", "id": 1, "said": ""}
    comm.until(lambda runs: runs[0]["phase"] == "paused")
    comm.ask(type="resume", run="tiny", id=2)
    comm.until(lambda runs: runs[0]["phase"] == "training")
    comm.ask(type="stop", run="tiny", id=3)
    (last,) = comm.until(lambda runs: runs[0]["phase"] == "ended")
    assert last["reason"] == "stopped"


@pytest.mark.parametrize(
    ("order", "run", "said"),
    [
        ("stop", "other", "no run 'other'"),
        ("stop", "tiny", "run 'tiny' has already ended: there is nothing to pause, resume or stop"),
        ("erase", "tiny", "does not know"),
        ("stop", None, "does not know"),
        ("_work", "tiny", "does not know"),
    ],
)
def test_what_cannot_be_done_is_said(
    announcer: Announcer,
    comm: FakeComm,
    session: Session,
    batches: Batches,
    order: str,
    run: Any,
    said: str,
) -> None:
    job = kept(session, batches, TrainConfig(epochs=1))
    announcer.follow(job, background=True)
    job.start()
    job.wait(PATIENCE)
    comm.ask(type=order, run=run, id=7)
    assert said in comm.next("answer")["said"]


def test_a_curve_is_sent_anew_only_to_a_page_that_is(
    announcer: Announcer, comm: FakeComm, session: Session, batches: Batches
) -> None:
    first = kept(session, batches, TrainConfig(epochs=1), "a")
    announcer.follow(first, background=True)
    first.start()
    comm.until(lambda runs: bool(runs) and runs[0]["phase"] == "ended")
    second = kept(session, batches, TrainConfig(epochs=1), "b")
    announcer.follow(second, background=True)
    old, new = comm.next("runs")["runs"]
    assert old["series"] is None
    assert new["series"] is not None
    comm.ask(type="hello")
    assert all(run["series"] for run in comm.next("runs")["runs"])


def test_an_older_namesake_goes_on_under_its_new_name(
    announcer: Announcer, comm: FakeComm, session: Session, batches: Batches
) -> None:
    for _ in range(2):
        announcer.follow(kept(session, batches, ENDLESS), background=True)
    runs = comm.until(lambda runs: len(runs) == 2)
    assert {run["name"] for run in runs} == {"tiny", "tiny~1"}


def test_a_run_that_fails_by_a_listener_is_told_as_failed(
    announcer: Announcer, comm: FakeComm, session: Session, batches: Batches
) -> None:
    def fail(_event: object) -> None:
        msg = "\x1b[31mno more"
        raise ValueError(msg)

    run, state = begin(batches, ModelConfig(num_hiddens=8), ENDLESS, "tiny")
    job = Job(run, state, fail)
    session.keep(run, job)
    announcer.follow(job, background=True)
    job.start()
    job.wait(PATIENCE)
    announcer.changed()
    (last,) = comm.until(lambda runs: bool(runs) and runs[0]["reason"] == "failed")
    assert last["phase"] == "ended"
    assert last["message"] == r"ValueError: \x1b[31mno more"


def test_a_new_loading_takes_up_what_trains(
    announcer: Announcer, comm: FakeComm, session: Session, batches: Batches
) -> None:
    job = kept(session, batches, ENDLESS)
    announcer.follow(job, background=True)
    job.start()
    announcer.close()
    assert comm.closed
    again = FakeComm()
    second = Announcer(session, again)
    (first,) = again.until(lambda runs: bool(runs) and runs[0]["phase"] == "training")
    again.until(lambda runs: runs[0]["epoch"] > first["epoch"])
    second.close()


def test_a_terminal_has_nobody_to_tell(notebook: Any) -> None:
    assert not hasattr(notebook.shell, "_rnn_magics_announcer")
    assert RUNS == "rnn_magics.runs"


def test_a_page_tells_its_language(session: Session, comm: FakeComm) -> None:
    told: list[str] = []
    made = Announcer(session, comm, told.append)
    comm.ask(type="language", language="zh_CN")
    made.close()
    assert told == ["zh_CN"]
