"""A trained model meets other tokens: it is refused in a line, whatever the sizes are."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.score import score_text
from rnn_magics.errors import BatchError, DecodingError, StorageError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig, RNNModel, copy_model
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import reopen
from rnn_magics.text.agreement import disagreement
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run
from tests.notebook.conftest import SAMPLE, Notebook

SIZE = BatchConfig("seq", 2, 4)
SMALL = ModelConfig(num_hiddens=4)
ONCE = TrainConfig(epochs=1, device="cpu", threads=1)


def batches_of(text: str, config: VocabConfig | None = None) -> Batches:
    corpus = Corpus.from_text(text * 9, CorpusConfig(valid=0.2))
    return make_batches(corpus, Vocab.from_corpus(corpus, config), SIZE)


@pytest.fixture(scope="module")
def run() -> Run:
    return train(batches_of("abcabd "), SMALL, ONCE, name="abc")


OTHERS = {
    "other tokens": batches_of("xyzxyw "),
    "another order": batches_of("bacbad "),
    "one token": batches_of("abcabe "),
    "another size": batches_of("abcabdef "),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_model_is_not_trained_further_on_other_tokens(run: Run, other: str) -> None:
    before = [p.clone() for p in run.model.parameters()]
    with pytest.raises(TrainingError) as refused:
        train(OTHERS[other], run.model, ONCE)
    said = str(refused.value)
    assert "\n" not in said
    assert "the model was trained with other tokens than those of the minibatches: index" in said
    assert said.endswith(
        "make them with the vocabulary of its run: make_batches(corpus, run.vocab)"
    )
    assert all(torch.equal(a, b) for a, b in zip(before, run.model.parameters(), strict=True))


def test_what_the_message_says_to_type_works(run: Run) -> None:
    corpus = Corpus.from_text("cba dba " * 9)
    assert train(make_batches(corpus, run.vocab, SIZE), copy_model(run.model), ONCE).reason


@pytest.mark.parametrize(
    "again",
    [
        copy_model,
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: model.double().float(),
    ],
)
def test_a_copy_of_a_model_knows_its_tokens(run: Run, again: object) -> None:
    assert callable(again)
    with pytest.raises(TrainingError, match="other tokens"):
        train(OTHERS["another order"], again(run.model), ONCE)


def test_a_loaded_model_knows_its_tokens(run: Run, tmp_path: Path) -> None:
    loaded = load_run(save_run(run, tmp_path / "abc.safetensors"))
    with pytest.raises(TrainingError, match="other tokens"):
        train(OTHERS["another order"], loaded.model, ONCE)


def test_a_model_without_a_record_is_trained_and_then_has_one() -> None:
    batches = OTHERS["other tokens"]
    model = RNNModel(SMALL, batches.vocab_size)
    train(batches, model, ONCE)
    assert model.vocab is batches.vocab
    with pytest.raises(TrainingError, match="other tokens"):
        train(OTHERS["another order"], model, ONCE)


def test_bare_indices_mean_nothing_that_could_differ(run: Run) -> None:
    bare = Batches(torch.arange(60) % run.model.vocab_size, SIZE)
    model = copy_model(run.model)
    train(bare, model, ONCE)
    assert model.vocab is run.vocab


def test_a_model_is_not_read_with_the_vocabulary_of_another(run: Run) -> None:
    other = OTHERS["another order"].vocab
    mixed = SimpleNamespace(model=run.model, vocab=other)
    for read in (generate, score_text):
        with pytest.raises(DecodingError, match="other tokens than those of this vocabulary: ind"):
            read(mixed, "abc")
    with pytest.raises(BatchError, match="was trained with other tokens than the run has now"):
        evaluate_text(replace(run, vocab=other), Corpus.from_text("abc abc"))


def test_a_run_goes_on_with_its_own_tokens_only(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepEnd) and event.step == 2:
            raise KeyboardInterrupt

    watch = Checkpointing(str(tmp_path / "run"), every="1steps")
    with pytest.raises(KeyboardInterrupt):
        train(batches_of("abcabd "), SMALL, ONCE, watch=watch, listeners=[stop])
    with pytest.raises(StorageError, match=r"index \d was '.' and is now '.' \(\d of 6 tokens di"):
        reopen(tmp_path / "run", OTHERS["another order"])


def test_the_doctor_names_the_tokens_that_differ(trained: Notebook) -> None:
    trained.variables["other"] = trained.text.swapcase()
    trained.run(f"%corpus --data other\n%vocab\n{SAMPLE}")
    assert "index 1 was ' '" not in trained.refused("%rnn doctor")
    assert "was 'e' and is now 'E'" in trained.refused("%rnn doctor")


WORDS = st.lists(st.sampled_from([*"abcde", 1, 1.0, True, (1,), None, "1"]), max_size=9)


@given(WORDS, WORDS)
def test_vocabularies_agree_where_each_index_is_the_same_token(
    one: list[object], other: list[object]
) -> None:
    mine, theirs = Vocab(one), Vocab(other)
    tokens = [vocab.to_tokens(list(range(len(vocab)))) for vocab in (mine, theirs)]
    same = [[(type(token), token) for token in each] for each in tokens]
    assert (disagreement(mine, theirs) == "") is (same[0] == same[1])
    assert disagreement(None, mine) == disagreement(mine, None) == ""


def test_a_long_token_does_not_flood_the_message() -> None:
    said = disagreement(Vocab(["x" * 20_000]), Vocab(["y" * 20_000]))
    assert len(said) < 200
