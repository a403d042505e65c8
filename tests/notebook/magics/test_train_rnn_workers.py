"""%train_rnn --workers and %rnn attach: lines and refusals; training is in tests/cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.cluster.workers import Workers
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.magics import rnn
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, TrainEnd
from rnn_magics.training.loop import begin, iter_train
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from tests.notebook.conftest import TRAIN

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


def test_the_line_is_explained_and_nothing_is_started(prepared: Notebook) -> None:
    with prepared.unchanged():
        source = prepared.printed(f"{TRAIN} --workers 2 --cluster auto --explain")
    assert "import ModelConfig, TrainConfig, Workers, train" in source
    assert "drive=Workers(number=2, cluster='auto')" in source


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--workers 3000", "3000 workers share minibatches of"),
        ("--workers 0", "at least 1"),
        ("--workers two", "two"),
        ("--cluster auto", "--cluster needs --workers N"),
        ("--workers 2 --cluster host", "host:port of its head"),
        ("--workers 2 --cluster ray://a:1", "host:port of its head"),
        ("--workers 2 --cluster 127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("--workers 2 --seeds 2", "leave --workers out"),
    ],
)
def test_what_cannot_work_is_one_line_and_nothing_starts(
    prepared: Notebook, line: str, said: str
) -> None:
    with prepared.unchanged():
        told = prepared.refused(f"{TRAIN} {line}")
    assert said in told
    assert "\n" not in told.strip()


def test_the_run_is_trained_by_the_workers_and_told_like_any_other(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Workers] = []

    def trains(self: Workers, *training: Any) -> Any:
        asked.append(self)
        return iter_train(*training)

    monkeypatch.setattr(Workers, "trains", trains)
    told = prepared.printed(f"{TRAIN} --workers 2")
    assert asked == [Workers(2)]
    assert "# 2 workers read" in told
    (run,) = prepared.session.runs.values()
    assert run.reason == "epochs"
    assert run.ladder is not None


class Found:
    """A run that lies on a cluster."""

    def __init__(self, run: Run, state: TrainState) -> None:
        self.run, self.state, self.note = run, state, "it is kept no more"
        self.told: list[Event] = []
        self.listeners = (self.told.append,)
        self.trains = iter_train


def test_attach_brings_a_run_of_a_cluster_into_the_session(
    prepared: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = prepared.session.require_batches()
    found = Found(*begin(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=1), "gru-7"))
    asked: list[Any] = []

    def attach(*given: Any, **more: Any) -> Found:
        asked.append((given, more))
        return found

    monkeypatch.setattr(rnn, "attach", attach)
    told = prepared.printed("%rnn attach gru-7 --cluster a:1")
    assert asked == [(("gru-7", prepared.session.corpus), {"cluster": "a:1"})]
    assert "it is kept no more" in told
    assert prepared.session.runs["gru-7"].reason == "epochs"
    assert isinstance(found.told[-1], TrainEnd)
    assert prepared.session.runs["gru-7"].ladder is not None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%rnn attach --cluster 127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("%rnn attach --cluster host", "host:port of its head"),
        ("%rnn attach a b", "%rnn attach takes at most 1 name"),
        ("%rnn stop --cluster auto", "--cluster is for %rnn attach"),
        ("%rnn --background", "--background is for %rnn attach"),
    ],
)
def test_attach_refuses_in_one_line(prepared: Notebook, line: str, said: str) -> None:
    with prepared.unchanged():
        told = prepared.refused(line)
    assert said in told
    assert "\n" not in told.strip()
