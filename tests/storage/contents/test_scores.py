"""The best weights in files and folders: a resumed training has those of an unbroken one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_magics.batching import Batches
from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig, weights
from rnn_magics.storage import container
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.container import Contents
from rnn_magics.storage.contents.training_state import capture, restore
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import packed, save_run, unpacked
from rnn_magics.storage.resume import reopen, resume_run
from rnn_magics.storage.run_folder import RunFolder, kept_runs
from rnn_magics.training import loop
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, Evaluated, Evaluating, Event, StepEnd
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.run import Run
from rnn_magics.training.scoring.record import ScoreBetween
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.device_step import DeviceStep

MODEL = ModelConfig(cell="gru", num_hiddens=6, num_layers=2, dropout=0.3)
# The learning rate is so high that the held-out score rises again.
CONFIG = TrainConfig(
    epochs=4,
    lr=0.15,
    schedule="constant",
    warmup=0,
    threads=1,
    seed=5,
    weights="best",
    score_every=100,
)


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def whole() -> dict[TrainConfig, Run]:
    return {}


def unbroken(whole: dict[TrainConfig, Run], batches: Batches, config: TrainConfig = CONFIG) -> Run:
    """Return the run that nothing interrupted; each is trained once."""
    if config not in whole:
        whole[config] = train(batches, MODEL, config, name="whole")
    return whole[config]


def killing(when: Callable[[Event], bool]) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if when(event):
            raise KilledError

    return listen


def killed(batches: Batches, folder: Path, when: Callable[[Event], bool], every: str) -> None:
    watch = Checkpointing(str(folder), every=every)
    with pytest.raises(KilledError):
        train(batches, MODEL, CONFIG, listeners=[killing(when)], watch=watch, name="whole")


def stopped(
    batches: Batches, folder: Path, when: Callable[[Event], bool], times: int = 1
) -> tuple[Run, TrainState]:
    run, state = begin(batches, MODEL, CONFIG, "whole")
    keep = Checkpointing(str(folder), every="7 steps")(run, state)
    asked: list[str] = []
    for event in iter_train(run, state, partial(next_of, asked)):
        keep(event)
        if when(event):
            asked.extend(["stopped"] * times)
    run.model.eval()
    return run, state


def next_of(asked: list[str]) -> str | None:
    return asked.pop() if asked else None


def assert_same(run: Run, other: Run) -> None:
    for (name, mine), theirs in zip(
        weights(run.model).items(), weights(other.model).values(), strict=True
    ):
        assert mine.equal(theirs), name
    assert run.weights_from == other.weights_from
    for name in ("train_bits", "valid_bits", "grad_norm"):
        assert getattr(run.history, name) == getattr(other.history, name), name
    told = [[(s.steps, s.tokens, s.nats) for s in each.between] for each in (run, other)]
    assert told[0] == told[1]
    assert (run.steps, run.reason, run.scored) == (other.steps, other.reason, other.scored)
    assert run.which_weights == other.which_weights


def at_score(number: int, kind: type[Event] = Evaluated) -> Callable[[Event], bool]:
    seen: list[Event] = []

    def when(event: Event) -> bool:
        if isinstance(event, kind):
            seen.append(event)
        return isinstance(event, kind) and len(seen) == number

    return when


def test_the_best_of_this_training_is_neither_the_first_nor_the_last(
    whole: dict[TrainConfig, Run], batches: Batches
) -> None:
    run = unbroken(whole, batches)
    steps = [score.steps for score in run.record.scores]
    assert run.weights_from in steps[1:-1]
    assert len(run.between) > len(run.history)


@pytest.mark.parametrize("every", ["1 step", "7 steps", "1 epoch"])
@pytest.mark.parametrize("number", [1, 3, 5, 9, 12, 15])
def test_killed_between_a_score_and_the_next_checkpoint(
    whole: dict[TrainConfig, Run], batches: Batches, tmp_path: Path, number: int, every: str
) -> None:
    killed(batches, tmp_path / "run", at_score(number), every)
    assert_same(resume_run(tmp_path / "run", batches), unbroken(whole, batches))
    assert_same(load_run(tmp_path / "run"), unbroken(whole, batches))


@pytest.mark.parametrize("number", [2, 6, 13])
@pytest.mark.parametrize("kind", [Evaluating, StepEnd, EpochEnd])
def test_killed_at_a_step_within_a_score_or_after_an_epoch(
    whole: dict[TrainConfig, Run], batches: Batches, tmp_path: Path, number: int, kind: type[Event]
) -> None:
    # "1 step": the checkpoint of a step stands before the score that is due after it.
    number = min(number, 3) if kind is EpochEnd else number
    killed(batches, tmp_path / "run", at_score(number, kind), "1 step")
    assert_same(resume_run(tmp_path / "run", batches), unbroken(whole, batches))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", [Evaluating, Evaluated, StepEnd, EpochEnd])
@pytest.mark.parametrize("number", [1, 4, 9, 13])
def test_stopped_anywhere(
    whole: dict[TrainConfig, Run],
    batches: Batches,
    tmp_path: Path,
    number: int,
    kind: type[Event],
    times: int,
) -> None:
    number = min(number, 3) if kind is EpochEnd else number
    run, _ = stopped(batches, tmp_path / "run", at_score(number, kind), times)
    assert run.reason == "stopped"
    loaded = load_run(tmp_path / "run")
    assert_same(loaded, run)  # what was shown is what is in the folder
    assert_same(resume_run(tmp_path / "run", batches), unbroken(whole, batches))


def test_stopped_and_killed_again_and_again(
    whole: dict[TrainConfig, Run], batches: Batches, tmp_path: Path
) -> None:
    stopped(batches, tmp_path / "run", at_score(3, StepEnd))
    for number in (2, 3, 4):
        with pytest.raises(KilledError):
            resume_run(tmp_path / "run", batches, listeners=[killing(at_score(number))])
    assert_same(resume_run(tmp_path / "run", batches), unbroken(whole, batches))


def test_patience_goes_on_counting(
    whole: dict[TrainConfig, Run], batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, patience=4, epochs=20)
    monkeypatch.setitem(globals(), "CONFIG", config)
    run = unbroken(whole, batches, config)
    assert run.reason == "patience"
    assert run.record.scores[-5].steps == run.weights_from
    number = len(run.record.scores) - 2
    killed(batches, tmp_path / "run", at_score(number), "3 steps")
    assert_same(resume_run(tmp_path / "run", batches), run)
    with pytest.raises(StorageError, match="has ended as planned"):
        reopen(tmp_path / "run", batches)


def test_a_step_that_runs_behind_the_host_keeps_the_same(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "choose_step", DeviceStep)
    run = unbroken({}, batches)
    killed(batches, tmp_path / "run", at_score(8), "5 steps")
    assert_same(resume_run(tmp_path / "run", batches), run)


def test_a_file_says_which_weights_it_has(
    whole: dict[TrainConfig, Run], batches: Batches, tmp_path: Path
) -> None:
    run = unbroken(whole, batches)
    loaded = load_run(save_run(run, tmp_path / "best"))
    assert_same(loaded, run)
    assert loaded.scored == run.scored
    assert loaded.scored is not None
    assert loaded.scored.is_present
    assert run.which_weights in repr(loaded)


def test_a_folder_lists_the_best_score(batches: Batches, tmp_path: Path) -> None:
    run = train(batches, MODEL, CONFIG, watch=Checkpointing(str(tmp_path / "run")))
    (kept,) = kept_runs(tmp_path)
    assert kept.scored == run.scored
    assert kept.valid_perplexity == run.valid_perplexity
    assert f"(best, after {kept.scored.when.removeprefix('after ')})" in str(kept.scored)  # type: ignore[union-attr]


def test_the_best_of_a_run_that_was_killed_can_be_loaded(batches: Batches, tmp_path: Path) -> None:
    found: dict[int, dict[str, torch.Tensor]] = {}
    last = at_score(35, StepEnd)
    run, state = begin(batches, MODEL, CONFIG, "whole")
    keep = Checkpointing(str(tmp_path / "run"), every="1 step")(run, state)
    for event in iter_train(run, state):
        keep(event)
        if isinstance(event, Evaluated):
            found[event.steps] = {n: v.clone() for n, v in weights(run.model).items()}
        if last(event):
            break  # the process is gone
    best = load_run(tmp_path / "run", epoch="best")
    assert best.weights_from == state.best.steps  # type: ignore[union-attr]
    assert best.weights_from in found
    assert best.weights_from != best.steps
    for name, value in weights(best.model).items():
        assert value.equal(found[best.weights_from][name])
    as_it_was = load_run(tmp_path / "run")
    assert as_it_was.weights_from is None
    assert as_it_was.steps == best.steps


def test_the_best_of_a_run_that_keeps_its_last_weights_is_that_of_an_epoch(
    batches: Batches, tmp_path: Path
) -> None:
    config = replace(CONFIG, weights="last", score_every=None)
    run = train(batches, MODEL, config, watch=Checkpointing(str(tmp_path / "run")))
    assert run.weights_from is None
    best = load_run(tmp_path / "run", epoch="best")
    assert len(best.history) == run.record.best.epoch < 4  # type: ignore[union-attr]
    assert best.scored is not None
    assert best.scored.is_present


def test_a_run_without_a_score_has_no_best(batches: Batches, tmp_path: Path) -> None:
    bare = Batches(batches.ids, batches.config)
    config = TrainConfig(epochs=1, threads=1)
    train(bare, MODEL, config, watch=Checkpointing(str(tmp_path / "run")))
    with pytest.raises(StorageError, match="has no held-out score, so none of its weights is best"):
        load_run(tmp_path / "run", epoch="best")


def _no_weights(contents: Contents) -> None:
    for name in [name for name in contents.tensors if name.startswith("training.best.")]:
        del contents.tensors[name]
        return


def _other_shape(contents: Contents) -> None:
    name = next(name for name in contents.tensors if name.startswith("training.best."))
    contents.tensors[name] = contents.tensors[name][:1]


def _text(contents: Contents) -> None:
    contents.document["best"]["nats"] = "low"


def _more(contents: Contents) -> None:
    contents.document["best"]["colour"] = 1


def _word(contents: Contents) -> None:
    contents.document["best"]["is_in_model"] = 1


@pytest.mark.parametrize("spoil", [_no_weights, _other_shape, _text, _more, _word])
def test_what_does_not_fit_is_refused(batches: Batches, spoil: Callable[[Contents], None]) -> None:
    run, state = begin(batches, MODEL, CONFIG)
    for event in iter_train(run, state):
        if isinstance(event, Evaluated):
            break
    contents = capture(state, "")
    contents = Contents(dict(contents.document), dict(contents.tensors))
    contents.document["best"] = dict(contents.document["best"])
    _, fresh = begin(batches, MODEL, CONFIG)
    restore(fresh, contents)  # as it is, it fits
    spoil(contents)
    _, fresh = begin(batches, MODEL, CONFIG)
    with pytest.raises(StorageError, match=r"best weights do not match|training\.best"):
        restore(fresh, contents)


@pytest.mark.parametrize(
    ("between", "why"),
    [
        ([], "between is not a list"),
        ({}, "between is not a list"),
        ([{"epoch": 1}], "between lacks 'steps'"),
        ([{"epoch": 1, "steps": 2, "tokens": 3, "seconds": 1.0, "nats": 1}], "not a list of num"),
        (
            [{"epoch": 1, "steps": 2, "tokens": 3, "seconds": 1.0, "nats": 1.0, "x": 1}],
            "between has 'x'",
        ),
    ],
)
def test_scores_that_are_no_scores_are_refused(run: Run, between: Any, why: str) -> None:
    contents = container.unpack(packed(run))
    contents.document["between"] = between
    with pytest.raises(StorageError, match=why):
        unpacked(contents)


def test_a_score_that_is_no_number_is_kept(run: Run, tmp_path: Path) -> None:
    run.between = [ScoreBetween(1, 3, 96, 0.5, math.nan), ScoreBetween(1, 6, 192, 0.7, math.inf)]
    loaded = load_run(save_run(run, tmp_path / "run"))
    assert repr(loaded.between) == repr(run.between)


def test_a_file_without_the_new_fields_has_the_last_weights(run: Run, tmp_path: Path) -> None:
    path = save_run(run, tmp_path / "run")
    contents = container.read(path)
    for name in ("score_every", "patience", "weights"):
        del contents.document["config"]["train"][name]
    assert not {"between", "test"} & contents.document.keys()
    assert "weights_from" not in contents.document["run"]
    read, _ = unpacked(contents)
    assert read.config == run.config
    assert read.weights_from is None


def test_a_checkpoint_without_a_best_goes_on(batches: Batches) -> None:
    config = replace(CONFIG, weights="last", score_every=None)
    run, state = begin(batches, MODEL, config)
    events = iter_train(run, state)
    while not isinstance(next(events), EpochEnd):
        pass
    contents = capture(state, "")
    del contents.document["best"]
    _, fresh = begin(batches, MODEL, config)
    restore(fresh, contents)
    assert fresh.best is None


def test_the_folder_of_such_a_run_holds_its_steps(batches: Batches, tmp_path: Path) -> None:
    train(batches, MODEL, CONFIG, watch=Checkpointing(str(tmp_path / "run")))
    run, training = RunFolder(tmp_path / "run").newest()
    assert training.document["best"]["is_in_model"]
    last = {n: v for n, v in training.tensors.items() if n.startswith("training.last.")}
    assert last.keys() == {f"training.last.{name}" for name in weights(run.model)}
