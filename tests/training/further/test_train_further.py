"""A model goes on from where a run left it, on its own text or on another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.errors import StorageError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.run_notes import run_notes
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.contents.parts import PARTS
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.endings import Ending
from rnn_magics.training.further.train_further import train_further
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

WINDOWS = BatchConfig("seq", batch_size=2, num_steps=8)
SMALL = ModelConfig("gru", num_hiddens=8)
OTHER = "he saw the TIME and the zebra for so it would be\n" * 8


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    text = "The time traveller for so it will be convenient to speak of him\n" * 6
    return Corpus.from_text(text, CorpusConfig(lower=True, valid=0.2), name="first")


@pytest.fixture(scope="module")
def first(corpus: Corpus) -> Run:
    batches = make_batches(corpus, Vocab.from_corpus(corpus), WINDOWS)
    return train(batches, SMALL, TrainConfig(epochs=2, threads=1), name="first")


@pytest.fixture(scope="module")
def other() -> Corpus:
    return Corpus.from_text(OTHER, CorpusConfig(valid=0.2), name="other")


def weights(run: Run) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in run.model.parameters()]


def same(one: list[torch.Tensor], two: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_it_begins_with_the_weights_and_leaves_the_run_alone(first: Run, other: Corpus) -> None:
    before, history = weights(first), first.history.to_dict()
    # So small a rate moves no weight that it began with.
    still = train_further(first, other, config=TrainConfig(epochs=1, lr=1e-30, optimizer="sgd"))
    assert same(weights(still), before)
    moved = train_further(first, other, config=TrainConfig(epochs=1))
    assert not same(weights(moved), before)
    assert same(weights(first), before)
    assert first.history.to_dict() == history


def test_the_text_is_read_as_that_of_the_run(first: Run, other: Corpus) -> None:
    further = train_further(first, other, config=TrainConfig(epochs=1))
    assert further.vocab is first.vocab
    assert further.config.batching == WINDOWS
    assert further.reading is not None
    assert further.reading.cleaning.lower  # as the first text was
    assert further.corpus is not None
    assert further.corpus[0] == "other"
    assert further.train_counts is not None
    assert further.train_counts.unk_share > 0  # of the zebra's z


def test_both_lives_are_told(first: Run, other: Corpus) -> None:
    second = train_further(first, other, config=TrainConfig(epochs=1), name="second")
    third = train_further(second, other, config=TrainConfig(epochs=3), name="third")
    assert [life.name for life in third.earlier] == ["first", "second"]
    life = third.earlier[0]
    assert (life.corpus, life.steps, life.tokens) == (first.corpus, first.steps, first.tokens)
    assert life.history == first.history
    assert life.history is not first.history
    assert life.perplexity == first.valid_perplexity
    assert len(third.history) == 3
    told = [note for note in run_notes(third) if "went on from" in note]
    assert len(told) == 1
    assert f"first (first, 2 epochs, held-out perplexity {first.valid_perplexity:.3f})" in told[0]
    assert "second (other, 1 epoch, " in told[0]
    assert not [note for note in run_notes(first) if "went on from" in note]


def test_a_run_of_bare_indices_goes_on_with_indices(batches: Batches) -> None:
    bare = Batches(batches.ids, batches.config)
    run = train(bare, SMALL, TrainConfig(epochs=1))
    corpus = Corpus.from_text("a text of its own, long enough to be cut " * 20)
    with pytest.raises(TrainingError, match=r"^run 'gru' was trained on bare indices[^\n]*$"):
        train_further(run, corpus)
    assert [life.name for life in train(bare, run, TrainConfig(epochs=1)).earlier] == ["gru"]


def test_a_file_has_both_lives(first: Run, other: Corpus, tmp_path: Path) -> None:
    second = train_further(first, other, config=TrainConfig(epochs=1), name="second")
    nowhere = replace(second, earlier=[replace(second.earlier[0], corpus=None, perplexity=None)])
    for number, run in enumerate((second, nowhere)):
        save_run(run, tmp_path / f"{number}.safetensors")
        assert load_run(tmp_path / f"{number}.safetensors").earlier == run.earlier
    save_run(first, tmp_path / "first.safetensors")
    assert load_run(tmp_path / "first.safetensors").earlier == []


@pytest.mark.parametrize(
    "change", [{"name": 3}, {"steps": -1}, {"history": {}}, {"perplexity": "x"}, {"more": 1}]
)
def test_a_life_that_is_not_valid_is_refused(
    first: Run, other: Corpus, change: dict[str, object]
) -> None:
    second = train_further(first, other, config=TrainConfig(epochs=1))
    (plain,) = PARTS["earlier"].write(second)
    assert PARTS["earlier"].read([plain]) == {"earlier": second.earlier}
    with pytest.raises(StorageError, match=r"^[^\n]+$"):
        PARTS["earlier"].read([{**plain, **change}])
    with pytest.raises(StorageError, match="earlier is not a list"):
        PARTS["earlier"].read([])


def test_a_resumed_one_equals_the_unbroken_one(first: Run, other: Corpus, tmp_path: Path) -> None:
    config = TrainConfig(epochs=3, threads=1)
    whole = train_further(first, other, config=config)
    steps = 0

    def stop(run: Run, state: object) -> object:
        watch = Checkpointing(str(tmp_path / "kept"), every="1steps")(run, state)  # type: ignore[arg-type]

        def listen(event: object) -> None:
            nonlocal steps
            watch(event)  # type: ignore[arg-type]
            steps += type(event).__name__ == "StepEnd"
            if steps == 5:
                raise KeyboardInterrupt

        return listen

    with pytest.raises(KeyboardInterrupt):
        train_further(first, other, config=config, watch=stop)  # type: ignore[arg-type]
    resumed = resume_run(tmp_path / "kept", other)  # read as it was, with the first vocabulary
    assert resumed.reason == Ending.EPOCHS
    assert resumed.earlier == whole.earlier
    assert same(weights(resumed), weights(whole))
