"""The test part is scored once, with the weights that the run has at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.scores.evaluation import evaluate, perplexity
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import EpochEnd, Evaluated, Evaluating, Event, StepEnd
from rnn_magics.training.loop import begin, iter_train, train
from rnn_magics.training.run import Run
from rnn_magics.training.scoring import held_out
from tests.conftest import TEXT

SMALL = ModelConfig(num_hiddens=8, dropout=0.2)
CONFIG = TrainConfig(epochs=4, lr=0.6, schedule="constant", warmup=0, threads=1, seed=0)


@pytest.fixture
def batches() -> Batches:
    corpus = Corpus.from_text(TEXT, CorpusConfig(valid=0.3, test=0.2), name="tiny")
    return make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig(batch_size=4, num_steps=8))


def stopping(run_and_state: tuple[Run, object], times: int) -> list[Event]:
    run, state = run_and_state
    asked: list[str] = []

    def ask() -> str | None:
        return asked.pop() if asked else None

    events = []
    for event in iter_train(run, state, ask):  # type: ignore[arg-type]
        events.append(event)
        if isinstance(event, StepEnd) and (event.epoch, event.step) == (2, 3):
            asked.extend(["stopped"] * times)
    return events


@pytest.mark.parametrize("weights", ["last", "best"])
def test_it_is_scored_once_at_the_end(
    batches: Batches, monkeypatch: pytest.MonkeyPatch, weights: str
) -> None:
    texts: list[int] = []
    iter_evaluate = held_out.iter_evaluate

    def counted(model: object, ids: torch.Tensor, steps: int) -> object:
        texts.append(len(ids))
        return iter_evaluate(model, ids, steps)  # type: ignore[arg-type]

    monkeypatch.setattr(held_out, "iter_evaluate", counted)
    run = train(batches, SMALL, replace(CONFIG, weights=weights))
    assert texts == [len(batches.valid)] * 4 + [len(batches.test)]
    assert run.test is not None
    assert run.test.num_tokens == len(batches.test)
    assert run.test.nats == evaluate(run.model, batches.test).nats
    scores = run.history.valid_bits
    is_earlier = scores[-1] > min(scores)  # which depends on the rounding of the CPU
    assert (run.weights_from is not None) is (weights == "best" and is_earlier)


def test_what_is_in_it_changes_nothing_else(batches: Batches) -> None:
    other = Batches(
        batches.ids, batches.config, vocab=batches.vocab, valid=batches.valid, test=[0, 1, 0, 2]
    )
    config = replace(CONFIG, weights="best", patience=2, score_every=100)
    one, two = (train(each, SMALL, config) for each in (batches, other))
    assert one.test is not None
    assert two.test is not None
    assert one.test.nats != two.test.nats
    assert one.history.valid_bits == two.history.valid_bits
    assert one.weights_from == two.weights_from
    for mine, theirs in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert mine.equal(theirs)


def test_a_stop_scores_it_and_a_second_one_does_not(batches: Batches) -> None:
    found = []
    for times in (1, 2):
        run, state = begin(batches, SMALL, CONFIG)
        events = stopping((run, state), times)
        assert run.reason == "stopped"
        assert run.test is not None
        found.append(run.test.nats)
        assert isinstance(events[-2], Evaluating if times == 1 else EpochEnd)
    assert found[0] == pytest.approx(evaluate_of(batches))
    assert found[1] is None


def evaluate_of(batches: Batches) -> float:
    run, state = begin(batches, SMALL, CONFIG)
    for event in iter_train(run, state):
        if isinstance(event, StepEnd) and (event.epoch, event.step) == (2, 3):
            break
    return evaluate(run.model, batches.test).nats


def test_a_run_that_never_took_a_step_scores_nothing(batches: Batches) -> None:
    run, state = begin(batches, SMALL, replace(CONFIG, lr=1e30, optimizer="sgd", clip=None))
    state.model.output.weight.data.fill_(float("nan"))
    events = list(iter_train(run, state))
    assert run.reason == "non_finite"
    assert run.test is not None
    assert run.test.nats is None
    assert not any(isinstance(event, Evaluated) for event in events)


def test_files_keep_it(batches: Batches, tmp_path: Path) -> None:
    run = train(batches, SMALL, CONFIG)
    loaded = load_run(save_run(run, tmp_path / "run"))
    assert run.test is not None
    assert loaded.test == run.test
    assert loaded.test.perplexity == perplexity(run.test.nats or 0)
    assert loaded.test.counts is not None
    assert loaded.test.counts.size is not None
    assert loaded.reading is not None
    assert loaded.reading.cleaning.test == 0.2


def test_a_resumed_run_scores_it_at_its_end(batches: Batches, tmp_path: Path) -> None:
    whole = train(batches, SMALL, CONFIG)
    run, state = begin(batches, SMALL, CONFIG)
    keep = Checkpointing(str(tmp_path / "run"))(run, state)
    asked: list[str] = []
    next_of: Callable[[], str | None] = lambda: asked.pop() if asked else None  # noqa: E731
    for event in iter_train(run, state, next_of):
        keep(event)
        if isinstance(event, StepEnd) and (event.epoch, event.step) == (2, 3):
            asked.append("stopped")
    assert run.test is not None
    assert whole.test is not None
    assert run.test.nats not in (None, whole.test.nats)
    assert load_run(tmp_path / "run").test == run.test
    assert resume_run(tmp_path / "run", batches).test == whole.test


def test_another_test_part_is_another_training(batches: Batches, tmp_path: Path) -> None:
    run, state = begin(batches, SMALL, CONFIG)
    keep = Checkpointing(str(tmp_path / "run"))(run, state)
    for event in iter_train(run, state):
        keep(event)
        if isinstance(event, StepEnd):
            break
    keep._claim.release()  # type: ignore[attr-defined]
    other = Batches(
        batches.ids,
        batches.config,
        vocab=batches.vocab,
        corpus=batches.corpus,
        valid=batches.valid,
    )
    with pytest.raises(StorageError, match="was trained on other tokens"):
        resume_run(tmp_path / "run", other)
