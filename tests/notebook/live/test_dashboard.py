"""The dashboard shows what happens, obeys, and leaves what a saved notebook can show."""

from __future__ import annotations

import json
import math
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rnn_magics.batching import Batches
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.notebook.live import dashboard as module
from rnn_magics.notebook.live import sample_text
from rnn_magics.notebook.live.dashboard import Dashboard
from rnn_magics.notebook.page.view import LIVE_MIME
from rnn_magics.reports.run_payload import RUN_MIME
from rnn_magics.scores.ladder import Ladder, Rung
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.run import Run

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

SMALL = ModelConfig(num_hiddens=8)
PATIENCE = 60


@pytest.fixture(autouse=True)
def _every_event_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_STEPS_TOLD", 0.0)
    monkeypatch.setattr(sample_text, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(sample_text, "_SHARE", 1.0)


def followed(batches: Batches, config: TrainConfig, *, figure: bool = True) -> Dashboard:
    run, state = begin(batches, SMALL, config, "tiny")
    made = Dashboard(run, figure=figure)
    for event in iter_train(run, state):
        made(event)
        assert_shown(made, run, event)
    return made


def assert_shown(made: Dashboard, run: Run, _event: Event) -> None:
    shown = made.widget.run
    json.dumps(shown, allow_nan=False)
    assert len(shown["epochs"]) == len(run.history)
    assert shown["reason"] == run.reason
    steps = 0 if shown["now"] is None else shown["now"]["total_steps"]
    assert len(made.widget.loss) == len(made.widget.grad_norm) == 16 * steps
    if steps:
        end, *_ = struct.unpack("<4f", made.widget.loss[-16:])
        assert end == steps


@pytest.mark.usefixtures("notebook")
def test_the_view_follows_the_run(batches: Batches, shown: list[dict[str, Any]]) -> None:
    made = followed(batches, TrainConfig(epochs=3))
    assert made.widget.run["phase"] == "ended"
    assert len(made.widget.run["sample"]) > 80
    view, table, *updates = shown
    assert "application/vnd.jupyter.widget-view+json" in view["data"]
    assert table["data"]["text/plain"].startswith("tiny: gru, 8 hidden units")
    assert all(update["update"] for update in updates)


@pytest.mark.usefixtures("notebook")
def test_a_saved_notebook_has_a_picture_and_words(
    batches: Batches, shown: list[dict[str, Any]]
) -> None:
    followed(batches, TrainConfig(epochs=2))
    latest = {output["transient"]["display_id"]: output["data"] for output in shown}
    picture, words = latest.values()
    assert picture["image/png"]
    assert "+ training   x held out" in picture["text/plain"]
    assert picture[RUN_MIME]["series"]["loss"]
    assert picture[RUN_MIME]["done"] == 1
    samples = picture[RUN_MIME]["samples"]
    assert [sample["epoch"] for sample in samples] == [1, 2]
    assert all(len(sample["text"]) > 20 for sample in samples)
    assert LIVE_MIME in words  # where our extension draws the card, these words are in it
    assert "widget-view" not in json.dumps([*picture])
    assert "held-out ppl" in words["text/plain"]
    assert "ended: all epochs done" in words["text/plain"]


@pytest.mark.usefixtures("notebook")
def test_no_picture_is_drawn_where_none_is_wished(
    batches: Batches, shown: list[dict[str, Any]]
) -> None:
    followed(batches, TrainConfig(epochs=1), figure=False)
    assert not any("image/png" in output["data"] for output in shown)


@pytest.mark.usefixtures("notebook")
def test_looking_changes_nothing(batches: Batches) -> None:
    config = TrainConfig(epochs=2)
    unseen = train(batches, SMALL, config)
    seen = followed(batches, config)._run
    for a, b in zip(unseen.model.parameters(), seen.model.parameters(), strict=True):
        assert a.equal(b)


@pytest.fixture
def steered(notebook: Notebook, batches: Batches) -> Iterator[Dashboard]:
    assert notebook
    run, state = begin(batches, SMALL, TrainConfig(epochs=10**6), "tiny")
    made = Dashboard(run, figure=False)
    made.job = Job(run, state, made)
    made.job.start()
    yield made
    made.job.stop()
    made.job.wait(PATIENCE)


def ask(made: Dashboard, **command: Any) -> str:
    before = made.widget.answered
    made.obey(command)
    assert made.widget.answered == before + 1
    return str(made.widget.answer)


def test_commands_are_obeyed_and_answered(steered: Dashboard) -> None:
    job = steered.job
    assert job is not None
    assert ask(steered, type="pause") == "pauses after the current step"
    assert job.is_paused
    job.between_steps(lambda: None)
    assert steered.widget.run["phase"] == "paused"
    said = ask(steered, type="steer", lr=0.25, clip=None)
    assert said.startswith("learning rate 0.25 and no clip from step ")
    assert (steered.widget.run["lr"], steered.widget.run["clip"]) == (0.25, None)
    assert ask(steered, type="resume") == "training continues"
    assert not job.is_paused
    assert ask(steered, type="stop").startswith("stops")
    job.wait(PATIENCE)
    assert steered.widget.run["reason"] == "stopped"
    assert 0 < steered._telemetry.done < 0.5
    assert not steered.widget.refused
    assert ask(steered, type="pause") == "the run has ended"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ({"type": "steer", "lr": -1}, "lr must be in (0, 3e+38], not -1.0"),
        ({"type": "steer", "lr": "<b>"}, "lr must be a number, not '<b>'"),
        ({"type": "steer", "epochs": 3}, "steer: 'epochs' is not one of lr, clip"),
        ({"type": "explode"}, "the view sent a command that this version does not know"),
        ({"type": ["stop"]}, "the view sent a command that this version does not know"),
        ({}, "the view sent a command that this version does not know"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    steered: Dashboard, command: dict[str, Any], said: str
) -> None:
    steered.obey(command)
    assert steered.widget.answer.startswith(said)
    assert steered.widget.refused == (command.get("type") == "steer")
    assert not steered._run.steered
    assert steered.job is not None
    assert steered.job.is_alive


@pytest.mark.usefixtures("notebook")
def test_a_prediction_is_taken_before_the_training_begins(batches: Batches) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1), "tiny")
    made = Dashboard(run, figure=False)
    assert made.widget.run["may_predict"]
    said = ask(made, type="predict", perplexity=9)
    assert (said, made.widget.refused) == ("your prediction: held-out perplexity 9.000", False)
    assert made.widget.run["predicted_nats"] == pytest.approx(math.log(9))
    for event in iter_train(run, state):
        made(event)
    assert not made.widget.run["may_predict"]
    assert ask(made, type="predict", perplexity=3) == (
        "the held-out text has been scored: too late to predict"
    )
    assert made.widget.refused
    assert run.predicted == 9.0
    assert any(note.startswith("You predicted 9.000") for note in made.widget.run["notes"])


@pytest.mark.parametrize("value", [None, "4", 0.5, [4]])
def test_a_prediction_that_is_no_perplexity_is_refused(steered: Dashboard, value: Any) -> None:
    said = ask(steered, type="predict", perplexity=value)
    assert steered.widget.refused
    assert said.startswith("a perplexity must be at least 1, not")
    assert steered._run.predicted is None


def test_a_message_that_is_no_command_is_answered_too(steered: Dashboard) -> None:
    steered.obey("stop")
    assert steered.widget.answered == 1


@pytest.mark.usefixtures("notebook")
def test_baselines_that_come_late_stand_in_the_picture(
    batches: Batches, shown: list[dict[str, Any]]
) -> None:
    run, state = begin(batches, SMALL, TrainConfig(epochs=1), "tiny")
    come = threading.Event()

    def ladder() -> None:
        come.wait(PATIENCE)
        run.ladder = Ladder((Rung(1, 15.0, 16.0),), 28, len(batches.valid) - 1)

    made = Dashboard(run, figure=False, ladder=ladder)
    for event in iter_train(run, state):
        made(event)
    assert "unigram" not in shown[-1]["data"]["text/plain"]
    come.set()
    made.wait()
    words = [output["data"]["text/plain"] for output in shown]
    assert any("unigram (16.000)" in text for text in words)


@pytest.mark.usefixtures("notebook")
def test_the_card_is_there_while_threads_are_measured(
    batches: Batches, two_cores: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    phases: list[str] = []
    show = Dashboard._show

    def note(made: Dashboard) -> None:
        show(made)
        phases.append(f"{made.widget.run['phase']} {len(two_cores)}")

    monkeypatch.setattr(Dashboard, "_show", note)
    written_out = replace(SMALL, scratch=True)  # the threads of another follow the machine
    run, state = begin(batches, written_out, TrainConfig(epochs=1), "tiny")
    made = Dashboard(run, figure=False)
    made.job = Job(run, state, made)
    made.job.start()
    made.job.wait(PATIENCE)
    made.wait()
    assert phases[0] == "measuring 0"
    assert phases[1] == f"training {len(two_cores)}"
