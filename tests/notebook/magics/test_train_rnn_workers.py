"""%train_rnn --workers: the line and its refusals; training is in tests/cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.cluster.workers import Workers
from rnn_magics.training.loop import iter_train
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
