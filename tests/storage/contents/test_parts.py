"""The curve and the steering of a run come back from a file as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.run_report import report_run
from rnn_magics.scores.ladder import Ladder, Rung
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.contents.parts import PARTS
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.series.levels import LevelsConfig
from rnn_magics.text.series.read import read_series
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import begin, iter_train, train

SMALL = ModelConfig(num_hiddens=4)


def test_curve_and_steering_come_back(batches: Batches, tmp_path: Path) -> None:
    run = train(batches, SMALL, TrainConfig(epochs=2))
    run.steer(replace(run.config.train, lr=0.01, clip=None), 7)
    save_run(run, tmp_path / "run.safetensors")
    loaded = load_run(tmp_path / "run.safetensors")
    assert loaded.curve.to_dict() == run.curve.to_dict()
    assert len(loaded.curve.loss) > 10
    assert loaded.steered == run.steered


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_comes_back_as_itself(batches: Batches, ending: Ending) -> None:
    run, _ = begin(batches, SMALL)
    run.reason = ending
    plain = json.loads(json.dumps(PARTS["run"].write(run)))
    assert plain["reason"] == ending.name.lower()
    assert PARTS["run"].read(plain)["reason"] is ending
    with pytest.raises(StorageError, match=r"^run\.reason: 'bored' is not one of epochs, [^\n]*$"):
        PARTS["run"].read({**plain, "reason": "bored"})


def test_the_counts_of_both_parts_come_back(tmp_path: Path) -> None:
    corpus = Corpus.from_text("the time traveller came back\n" * 20, CorpusConfig(valid=0.2))
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    run = train(batches, SMALL, TrainConfig(epochs=1))
    save_run(run, tmp_path / "run.safetensors")
    loaded = load_run(tmp_path / "run.safetensors")
    assert report_run(loaded) == report_run(run)
    assert (loaded.train_counts, loaded.valid_counts) == (run.train_counts, run.valid_counts)
    assert loaded.valid_counts is not None
    assert loaded.valid_counts.num_words


@pytest.mark.parametrize(
    "plain",
    [
        {},
        [],
        {"test": {"unk_share": 0.0, "num_words": 1}},
        {"train": {"unk_share": 0, "num_words": 1}},
        {"train": {"unk_share": 1.5, "num_words": 1}},
        {"train": {"unk_share": "nan", "num_words": 1}},
        {"train": {"unk_share": 0.0, "num_words": -1}},
        {"train": {"unk_share": 0.0, "num_words": True}},
        {"train": {"unk_share": 0.0}},
        {"train": {"unk_share": 0.0, "num_words": None, "more": 1}},
        {"valid": None},
    ],
)
def test_damaged_counts_are_refused(plain: Any) -> None:
    with pytest.raises(StorageError):
        PARTS["counts"].read(plain)


@pytest.mark.parametrize(
    "damage",
    [
        {"stride": 3},
        {"stride": -1},
        {"points": [[1.0]]},
        {"points": "x"},
        {"rest": [None]},
        {"rest": ["x"]},
        {"rest": [1]},
        {"stride": 1.0},
        {"stride": True},
        {"points": [["1.0", 1.0, 1.0]]},
        {"points": [1.0, 1.0, 1.0]},
        {"more": 1},
    ],
)
def test_a_damaged_curve_is_refused(batches: Batches, damage: dict[str, Any]) -> None:
    run = train(batches, SMALL, TrainConfig(epochs=1))
    plain = json.loads(json.dumps(PARTS["curve"].write(run)))
    plain["loss"] |= damage
    with pytest.raises(StorageError):
        PARTS["curve"].read(plain)


@pytest.mark.parametrize(
    "plain",
    [
        {},
        [],
        [1],
        [{"step": 1, "lr": 1, "clip": 1.0}],
        [{"step": 1, "lr": 0.1}],
        [{"step": 1, "lr": "fast", "clip": 1.0}],
    ],
)
def test_damaged_steering_is_refused(plain: Any) -> None:
    with pytest.raises(StorageError):
        PARTS["steered"].read(plain)


def test_the_curve_of_a_resumed_run_is_one_line(batches: Batches, tmp_path: Path) -> None:
    config = TrainConfig(epochs=3)
    whole = train(batches, SMALL, config)
    run, state = begin(batches, SMALL, config)
    keep = Checkpointing(str(tmp_path / "run"), every="1steps")(run, state)
    taken = 0

    def count(event: Event) -> None:
        nonlocal taken
        taken += isinstance(event, StepEnd)

    half_way = len(whole.curve.loss) // 2  # in the midst of the second epoch
    for event in iter_train(run, state, lambda: "stopped" if taken == half_way else None):
        count(event)
        keep(event)
    resumed = resume_run(tmp_path / "run", batches)
    curves = [run.curve.to_dict() for run in (whole, resumed)]
    ends = [[step for step, _ in curve.pop("epochs")] for curve in curves]
    assert curves[0] == curves[1]
    assert ends[0] == ends[1]


def test_the_ladder_comes_back(batches: Batches, tmp_path: Path) -> None:
    run = train(batches, SMALL, TrainConfig(epochs=1))
    rungs = (Rung(1, 15.0, 16.5), Rung(2, 7.0, None), Rung(3, float("inf"), 9.0))
    run.ladder = Ladder(rungs, 28, 99)
    save_run(run, tmp_path / "run.safetensors")
    assert load_run(tmp_path / "run.safetensors").ladder == run.ladder


@pytest.mark.parametrize(
    "damage",
    [
        {"rungs": []},
        {"rungs": [[1, 2.0]]},
        {"rungs": [["1", 2.0, 3.0]]},
        {"rungs": [[1, "2.0", 3.0]]},
        {"rungs": [[1, 2.0, True]]},
        {"rungs": [[99, 2.0, 3.0]]},
        {"uniform": -1},
        {"more": 1},
    ],
)
def test_a_damaged_ladder_is_refused(damage: dict[str, Any]) -> None:
    plain = {**Ladder((Rung(1, 2.0, 3.0),), 28, 99).to_dict(), **damage}
    with pytest.raises(StorageError):
        PARTS["ladder"].read(plain)


def test_the_levels_of_a_series_come_back(tmp_path: Path) -> None:
    corpus = read_series([i % 7 / 3 for i in range(200)], LevelsConfig(levels=4))
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    run = train(batches, SMALL, TrainConfig(epochs=1))
    save_run(run, tmp_path / "run.safetensors")
    loaded = load_run(tmp_path / "run.safetensors")
    assert loaded.reading == run.reading
    assert loaded.reading is not None
    assert loaded.reading.levels is not None
    assert len(loaded.reading.levels) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"edges": [0.0, 1.0]},
        {"edges": [0.0, 2.0, 1.0]},
        {"edges": [0.0, "inf", 1.0]},
        {"edges": [0, 1, 2]},
        {"edges": "0 1 2"},
        {"values": [0.0, "nan"]},
        {"bins": 7},
        {"more": 7},
    ],
)
def test_damaged_levels_are_refused(change: dict[str, Any]) -> None:
    levels = {"edges": [0.0, 1.0, 2.0], "values": [0.5, 1.5], "bins": "uniform"}
    cleaning = CorpusConfig().to_dict()
    plain = {"cleaning": cleaning, "encoding": None, "levels": levels}
    assert PARTS["reading"].read(plain)["reading"].levels.value(1) == 1.5
    with pytest.raises(StorageError, match=r"^reading\.levels[^\n]*$"):
        PARTS["reading"].read({**plain, "levels": {**levels, **change}})


@pytest.mark.usefixtures("two_cores")
def test_a_run_that_has_not_begun_has_no_number_of_threads(
    batches: Batches, tmp_path: Path
) -> None:
    run, _ = begin(batches, SMALL)
    save_run(run, tmp_path / "run.safetensors")
    assert load_run(tmp_path / "run.safetensors").threads is None
