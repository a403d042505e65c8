"""A training that was cut off goes on as if it had not been, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import ConfigError, StorageError
from rnn_magics.models.rnn_model import ModelConfig, weights
from rnn_magics.storage import atomic
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.container import Contents
from rnn_magics.storage.contents.training_state import capture, restore
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.resume import reopen, resume_run
from rnn_magics.storage.run_folder import RunFolder, checkpoint_epochs, kept_runs
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Vocab
from rnn_magics.training import loop
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, Evaluating, Event, StepEnd
from rnn_magics.training.loop import begin, iter_train, train, train_to_end
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState
from rnn_magics.training.steps.device_step import DeviceStep

MODEL = ModelConfig(cell="gru", num_hiddens=6, num_layers=2, dropout=0.3)
TRAIN = TrainConfig(epochs=3, threads=1, seed=5)
UNTIMED = ("train_perplexity", "valid_perplexity", "train_bits", "grad_norm", "clipped")


class KilledError(Exception):
    """Stands for the end of the process."""


def cut_off(when: Callable[[Event], bool]) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if when(event):
            raise KilledError

    return listen


def at_step(epoch: int, step: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StepEnd) and (event.epoch, event.step) == (epoch, step)


def killed(
    batches: Batches,
    folder: Path,
    when: Callable[[Event], bool],
    model: ModelConfig = MODEL,
    config: TrainConfig = TRAIN,
    every: str = "1step",
) -> None:
    watch = Checkpointing(str(folder), every=every)
    with pytest.raises(KilledError):
        train(batches, model, config, listeners=[cut_off(when)], watch=watch, name="whole")


def assert_same(run: Run, whole: Run) -> None:
    for (name, mine), theirs in zip(
        weights(run.model).items(), weights(whole.model).values(), strict=True
    ):
        assert mine.equal(theirs), name
    for name in UNTIMED:
        assert getattr(run.history, name) == getattr(whole.history, name), name
    assert (run.steps, run.tokens, run.reason) == (whole.steps, whole.tokens, whole.reason)


@pytest.mark.parametrize("batching", ["seq", "random"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mingru", "minlstm"])
def test_it_goes_on_bit_for_bit(
    corpus: Corpus, vocab: Vocab, batching: str, optimizer: str, cell: str, tmp_path: Path
) -> None:
    batches = make_batches(corpus, vocab, BatchConfig(batching, batch_size=4, num_steps=8))
    model, config = replace(MODEL, cell=cell), replace(TRAIN, optimizer=optimizer)
    whole = train(batches, model, config)
    killed(batches, tmp_path / "run", at_step(2, 4), model, config)
    again = make_batches(corpus, vocab, BatchConfig(batching, batch_size=4, num_steps=8))
    resumed = resume_run(tmp_path / "run", again)
    assert_same(resumed, whole)
    assert resumed.name == "whole"
    assert resumed.config == whole.config


@pytest.mark.parametrize("every", ["1 epoch", "3 steps", "1", "0.001s"])
@pytest.mark.parametrize(
    "when",
    [
        at_step(1, 1),
        at_step(1, 10),
        at_step(3, 10),
        lambda event: isinstance(event, Evaluating) and event.epoch == 2,
        lambda event: isinstance(event, EpochEnd) and event.epoch == 2,
        lambda event: isinstance(event, EpochEnd) and event.epoch == 3,
    ],
    ids=["first", "end of epoch", "last", "evaluating", "epoch end", "last epoch end"],
)
def test_wherever_it_is_cut_off(
    batches: Batches, tmp_path: Path, every: str, when: Callable[[Event], bool]
) -> None:
    whole = train(batches, MODEL, TRAIN)
    killed(batches, tmp_path / "run", when, every=every)
    assert_same(resume_run(tmp_path / "run", batches), whole)
    assert_same(load_run(tmp_path / "run"), whole)


@pytest.mark.parametrize("batching", ["seq", "random"])
def test_a_step_that_runs_behind_the_host_goes_on_as_well(
    corpus: Corpus,
    vocab: Vocab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batching: str,
) -> None:
    batches = make_batches(corpus, vocab, BatchConfig(batching, batch_size=4, num_steps=8))
    monkeypatch.setattr(loop, "choose_step", DeviceStep)
    whole = train(batches, MODEL, TRAIN)
    killed(batches, tmp_path / "run", at_step(2, 4))
    assert_same(resume_run(tmp_path / "run", batches), whole)


def test_it_can_be_cut_off_again_and_again(batches: Batches, tmp_path: Path) -> None:
    whole = train(batches, MODEL, TRAIN)
    killed(batches, tmp_path / "run", at_step(1, 3))
    for place in ((1, 7), (1, 10), (2, 1), (3, 9)):
        with pytest.raises(KilledError):
            resume_run(tmp_path / "run", batches, listeners=[cut_off(at_step(*place))])
    assert_same(resume_run(tmp_path / "run", batches), whole)


def test_a_limit_of_tokens_falls_where_it_would_have(batches: Batches, tmp_path: Path) -> None:
    config = replace(TRAIN, max_tokens=15 * 32)
    whole = train(batches, MODEL, config)
    assert (whole.steps, whole.reason) == (15, "max_tokens")
    killed(batches, tmp_path / "run", at_step(2, 5), config=config)
    assert_same(resume_run(tmp_path / "run", batches), whole)


def test_a_run_that_was_stopped_goes_on(batches: Batches, tmp_path: Path) -> None:
    whole = train(batches, MODEL, TRAIN)
    run, state, _ = started(batches, tmp_path / "run", stop_after=14)
    assert (run.reason, len(run.history)) == ("stopped", 2)  # the second epoch was cut short
    assert_same(resume_run(tmp_path / "run", batches), whole)
    assert state.total_steps == 14


def started(batches: Batches, folder: Path, stop_after: int) -> tuple[Run, TrainState, Run]:
    run, state = begin(batches, MODEL, TRAIN, "whole")
    keep = Checkpointing(str(folder), every="5 steps")(run, state)
    for event in iter_train(
        run, state, lambda: "stopped" if state.total_steps >= stop_after else None
    ):
        keep(event)
    return run, state, load_run(folder)


def _fresh_optimizer(state: TrainState) -> None:
    state.optimizer.state.clear()


def _fresh_generator(state: TrainState) -> None:
    state.generator.manual_seed(TRAIN.seed)


def _fresh_dropout(state: TrainState) -> None:
    state.dropout_generator.manual_seed(TRAIN.seed)


def _fresh_cursor(state: TrainState) -> None:
    state.step = 0


def _fresh_hidden(state: TrainState) -> None:
    assert state.current is not None
    for part in state.current.hidden:
        part.zero_()


def _fresh_schedule(state: TrainState) -> None:
    state.total_tokens = 0


@pytest.mark.parametrize(
    "forget",
    [
        _fresh_optimizer,
        _fresh_generator,
        _fresh_dropout,
        _fresh_cursor,
        _fresh_hidden,
        _fresh_schedule,
    ],
)
def test_nothing_of_the_state_may_be_missing(
    batches: Batches, tmp_path: Path, forget: Callable[[TrainState], None]
) -> None:
    config = replace(TRAIN, max_tokens=25 * 32)  # which the learning rate falls with
    whole = train(batches, MODEL, config)
    killed(batches, tmp_path / "run", at_step(2, 4), config=config)
    run, state, _ = reopen(tmp_path / "run", batches)
    assert state.current is not None
    forget(state)
    for _ in iter_train(run, state):
        pass
    pairs = zip(weights(run.model).values(), weights(whole.model).values(), strict=True)
    assert not all(mine.equal(theirs) for mine, theirs in pairs)


def test_the_folder_keeps_the_models_of_the_epochs(batches: Batches, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    whole = train(batches, MODEL, TRAIN, watch=Checkpointing(str(folder)), name="mine")
    assert checkpoint_epochs(folder) == [1, 2, 3]
    first, last = load_run(folder, epoch=1), load_run(folder, epoch=3)
    assert len(first.history) == 1
    assert first.history.train_perplexity == whole.history.train_perplexity[:1]
    assert last.model.output.weight.equal(whole.model.output.weight)
    assert not first.model.output.weight.equal(whole.model.output.weight)
    assert_same(load_run(folder), whole)
    with pytest.raises(StorageError, match=r"does not keep epoch 4; it keeps: 1, 2, 3"):
        load_run(folder, epoch=4)
    with pytest.raises(StorageError, match="is not the folder of a run"):
        checkpoint_epochs(tmp_path)


@pytest.mark.parametrize(
    ("keep", "kept"), [(None, [1, 2, 3]), (100, [1, 2, 3]), (2, [2, 3]), (0, []), (9, [1, 2, 3])]
)
def test_only_so_many_epochs_are_kept(
    batches: Batches, tmp_path: Path, keep: int | None, kept: list[int]
) -> None:
    train(batches, MODEL, TRAIN, watch=Checkpointing(str(tmp_path / "run"), keep=keep))
    assert checkpoint_epochs(tmp_path / "run") == kept


def test_two_checkpoints_stay_and_the_older_serves_when_the_newer_is_damaged(
    batches: Batches, tmp_path: Path
) -> None:
    whole = train(batches, MODEL, TRAIN)
    folder = tmp_path / "run"
    killed(batches, folder, at_step(2, 4))
    newest, older = RunFolder(folder).steps.items()
    assert (newest[0], older[0]) == (14, 13)
    newest[1].write_bytes(newest[1].read_bytes()[:-100])
    loaded = load_run(folder)
    assert loaded.message == "the newest checkpoint cannot be read; this is that of step 13"
    run, state, checkpointing = reopen(folder, batches)
    checkpointing.go_on(run, state)
    assert list(RunFolder(folder).steps) == [13]
    checkpointing.claim.release()
    assert_same(resume_run(folder, batches), whole)
    for path in RunFolder(folder).steps.values():
        path.write_bytes(b"")
    with pytest.raises(StorageError, match="is not a model file"):
        load_run(folder)


def test_the_history_is_one_line(batches: Batches, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed(batches, folder, at_step(2, 4))
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"epoch": 2, "tra')  # cut short
    run = resume_run(folder, batches)
    lines = RunFolder(folder).lines()
    assert [line["epoch"] for line in lines if "epoch" in line] == [1, 2, 3]
    assert [line for line in lines if "epoch" not in line] == [
        {"resumed": 14},
        {"end": "epochs", "steps": 30},
    ]
    told = [line["train_perplexity"] for line in lines if "epoch" in line]
    assert told == run.history.train_perplexity


def test_runs_in_a_folder_are_told_of(batches: Batches, tmp_path: Path) -> None:
    assert kept_runs(tmp_path) == []
    killed(batches, tmp_path / "runs" / "first", at_step(2, 4))
    train(
        batches,
        MODEL,
        TRAIN,
        name="second",
        watch=Checkpointing(str(tmp_path / "runs" / "second")),
    )
    first, second = kept_runs(tmp_path)
    assert (first.name, first.epochs, first.planned, first.state) == ("whole", 1, 3, "not ended")
    assert (second.name, second.epochs, second.state) == ("second", 3, "epochs")
    assert second.architecture == "gru, 6 hidden units"
    assert [kept.name for kept in kept_runs(tmp_path / "runs" / "first")] == ["whole"]
    (second.folder / "run.json").write_text("{}")
    unreadable = kept_runs(tmp_path)[1]
    assert unreadable.folder == second.folder
    assert unreadable.state == "the document lacks 'format'"
    with pytest.raises(StorageError, match="there is no folder"):
        kept_runs(tmp_path / "nowhere")


def test_last_is_the_newest_run(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match="no run is kept in this folder"):
        resume_run("last", batches)
    killed(batches, tmp_path / "first", at_step(1, 4))
    killed(batches, tmp_path / "second", at_step(2, 4))
    run, _, checkpointing = reopen("last", batches)
    assert checkpointing.folder == "second"
    assert len(run.history) == 1


def test_a_folder_with_a_run_is_not_begun_again(batches: Batches, tmp_path: Path) -> None:
    killed(batches, tmp_path / "run", at_step(1, 4))
    with pytest.raises(StorageError, match="holds run 'whole' already; continue it with --resume"):
        train(batches, MODEL, TRAIN, watch=Checkpointing(str(tmp_path / "run")))
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot make the folder"):
        train(batches, MODEL, TRAIN, watch=Checkpointing(str(tmp_path / "file")))


def test_a_run_that_ended_as_planned_is_not_gone_on_with(batches: Batches, tmp_path: Path) -> None:
    train(batches, MODEL, TRAIN, watch=Checkpointing(str(tmp_path / "run")))
    with pytest.raises(StorageError, match=r"as planned \(all epochs done\) after 3 epochs"):
        resume_run(tmp_path / "run", batches)
    with pytest.raises(StorageError, match="is not the folder of a run"):
        resume_run(tmp_path, batches)


def test_other_minibatches_are_one_clear_line(
    corpus: Corpus, vocab: Vocab, batches: Batches, tmp_path: Path
) -> None:
    killed(batches, tmp_path / "run", at_step(1, 4))
    other = make_batches(corpus, vocab, BatchConfig(batch_size=5, num_steps=8))
    with pytest.raises(StorageError, match="type %sample seq --batch-size 4 --num-steps 8"):
        resume_run(tmp_path / "run", other)
    words = Vocab("abc" * 9)
    other = Batches(batches.ids, batches.config, vocab=words, valid=batches.valid)
    with pytest.raises(StorageError, match="has another vocabulary"):
        resume_run(tmp_path / "run", other)
    ids = batches.ids.clone()
    ids[7] += 1
    other = Batches(ids, batches.config, vocab=vocab, corpus=corpus, valid=batches.valid)
    with pytest.raises(StorageError, match="was trained on other tokens, from 'tiny'"):
        resume_run(tmp_path / "run", other)
    other = Batches(batches.ids.long(), batches.config, vocab=vocab, valid=batches.valid)
    resume_run(tmp_path / "run", other)  # the same numbers in a wider type


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_run(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(batches, MODEL, TRAIN)
    write = atomic.write
    seen: list[str] = []

    def full(event: Event) -> None:
        if at_step(1, 5)(event):
            monkeypatch.setattr(atomic, "write", refuse)
        if at_step(2, 5)(event):
            seen.append(run.message)
            monkeypatch.setattr(atomic, "write", write)

    def refuse(path: Path, _data: bytes) -> None:
        msg = f"cannot write {path}"
        raise StorageError(msg)

    run, state = begin(batches, MODEL, TRAIN)
    watch = Checkpointing(str(tmp_path / "run"), every="1step")(run, state)
    train_to_end(run, state, [watch, full])
    assert seen[0].startswith("no checkpoint after step 15: cannot write")
    assert run.message == ""
    assert_same(run, whole)


@pytest.mark.parametrize("every", ["", "0", "often", "-1 step", "1.5 epochs", "0s", "1" * 20])
def test_a_period_that_is_none_is_refused(every: str) -> None:
    with pytest.raises(ConfigError, match="every must be a period such as"):
        Checkpointing("x", every=every)


@pytest.mark.parametrize(
    ("every", "period"),
    [
        ("1", (1, "epoch")),
        ("2 epochs", (2, "epoch")),
        ("500steps", (500, "step")),
        ("1 step", (1, "step")),
        ("30s", (30, "s")),
        ("0.5 s", (0.5, "s")),
    ],
)
def test_periods(every: str, period: tuple[float, str]) -> None:
    assert Checkpointing("x", every=every).period == period


def test_the_run_is_written_down_in_json(batches: Batches, tmp_path: Path) -> None:
    killed(batches, tmp_path / "run", at_step(1, 4))
    document = json.loads((tmp_path / "run" / "run.json").read_text())
    assert document["config"]["model"] == MODEL.to_dict()
    assert document["corpus"]["sha256"] == batches.corpus.fingerprint  # type: ignore[union-attr]


def begun(batches: Batches) -> tuple[Run, TrainState, Contents]:
    run, state = begin(batches, MODEL, TRAIN)
    next(iter_train(run, state))
    return run, state, capture(state, "")


def test_an_epoch_that_carries_nothing_yet_begins_with_zeros(batches: Batches) -> None:
    whole = train(batches, MODEL, TRAIN)
    _, _, contents = begun(batches)
    del contents.tensors["training.hidden.0"]  # as files were written before the first step
    run, state = begin(batches, MODEL, TRAIN)
    restore(state, contents)
    train_to_end(run, state, [])
    assert_same(run, whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: document.pop("tally"), "training lacks 'tally'"),
        (lambda document: document.pop("plan"), "'tally'"),
        (
            lambda document: document["tally"].update(tokens=7),
            "it counts 7 tokens in its current epoch, but 0 steps have 0",
        ),
    ],
)
def test_half_an_epoch_is_refused(
    batches: Batches, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    _, _, contents = begun(batches)
    change(contents.document)
    with pytest.raises(StorageError, match=said):
        restore(begin(batches, MODEL, TRAIN)[1], contents)


def test_a_generator_state_that_is_damaged_is_one_line(batches: Batches) -> None:
    _, state = begin(batches, MODEL, TRAIN)
    contents = capture(state, "")
    contents.tensors["training.generator"] = torch.zeros(5056, dtype=torch.uint8)
    with pytest.raises(StorageError, match="random generator is damaged"):
        restore(state, contents)
