"""A run goes on with the tokens of the new text that its vocabulary lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.decoding.generate import generate
from rnn_magics.errors import RNNMagicsError, StorageError, TrainingError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.run_notes import run_notes
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.contents.parts import PARTS
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import save_run
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.tasks.made_up import task_corpus
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.further.new_tokens import grow_vocab
from rnn_magics.training.further.train_further import train_further
from rnn_magics.training.history import Growth
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

WINDOWS = BatchConfig("seq", batch_size=2, num_steps=6)
ONCE = TrainConfig(epochs=1, threads=1)
STILL = TrainConfig(epochs=1, threads=1, optimizer="sgd", lr=1e-30)  # moves no weight
FIRST = "to be or not to be, that is the question. " * 8
NEXT = "what a zebra was to be, he knew not. " * 8 + "X"


def run_of(text: str, config: VocabConfig | None = None, **model: object) -> Run:
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.0), name="first")
    batches = make_batches(corpus, Vocab.from_corpus(corpus, config), WINDOWS)
    small = {"cell": "gru", "num_hiddens": 8, **model}
    return train(batches, ModelConfig(**small), ONCE, name="first")  # type: ignore[arg-type]


def text_of(text: str) -> Corpus:
    return Corpus.from_text(text, CorpusConfig(valid=0.0), name="next")


@pytest.fixture(scope="module")
def first() -> Run:
    return run_of(FIRST)


def test_every_index_stays_and_new_ones_come_last(first: Run) -> None:
    assert first.vocab is not None
    larger, growth = grow_vocab(first.vocab, text_of(NEXT))
    known = len(first.vocab)
    assert larger.to_tokens(list(range(known))) == first.vocab.to_tokens(list(range(known)))
    assert larger.to_tokens(list(range(known, len(larger)))) == ["w", "z", "k", "X"]  # by number
    lacking = sum(NEXT.count(token) for token in "wzkX")
    assert growth == Growth(4, lacking / len(NEXT), 0.0)
    assert Vocab.from_json(larger.to_json()) == larger
    again, none = grow_vocab(larger, text_of(NEXT))
    assert (again, none) == (larger, Growth(0, 0.0, 0.0))
    assert grow_vocab(larger, text_of(f"{NEXT}Y"))[0].added == (*"wzkX", "Y")


@pytest.mark.parametrize("token", ["char", "word", "grapheme"])
def test_tokens_are_those_of_the_vocabulary(token: str) -> None:
    config = VocabConfig(token=token, min_freq=2)
    further = train_further(run_of(FIRST, config), text_of(NEXT), config=ONCE, add_tokens=True)
    assert further.vocab is not None
    assert ("zebra" if token == "word" else "z") in further.vocab
    assert "X" not in further.vocab  # it occurs once
    assert further.train_counts is not None
    (life,) = further.earlier
    assert life.growth is not None
    assert life.growth.unk_after == pytest.approx(further.train_counts.unk_share)
    assert life.growth.unk_before > life.growth.unk_after > 0


@pytest.mark.parametrize("model", [{}, {"tie": True}, {"embedding_size": 4, "num_layers": 2}])
def test_what_was_learnt_stays(model: dict[str, object]) -> None:
    before = run_of(FIRST, **model)
    further = train_further(before, text_of(NEXT), config=STILL, add_tokens=True)
    assert before.vocab is not None
    assert further.vocab is not None
    ids = torch.from_numpy(before.vocab.indices(list(FIRST)))[None]
    assert torch.equal(ids, torch.from_numpy(further.vocab.indices(list(FIRST)))[None])
    with torch.no_grad():
        was, now = before.model(ids)[0], further.model(ids)[0][..., : len(before.vocab)]
    torch.testing.assert_close(now, was, rtol=0, atol=1e-6)
    assert before.model.vocab_size == len(before.vocab)  # the run itself has not grown


def test_the_same_seed_grows_the_same(first: Run) -> None:
    one, two = (train_further(first, text_of(NEXT), config=ONCE, add_tokens=True) for _ in "12")
    for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert torch.equal(a, b)
    other = train_further(
        first, text_of(NEXT), config=TrainConfig(epochs=1, threads=1, seed=1), add_tokens=True
    )
    assert not torch.equal(one.model.output.bias, other.model.output.bias)


def test_it_is_told_and_written(first: Run, tmp_path: Path) -> None:
    further = train_further(first, text_of(NEXT), config=ONCE, add_tokens=True)
    (told,) = [note for note in run_notes(further) if "went on from" in note]
    share = f"{sum(NEXT.count(t) for t in 'wzkX') / len(NEXT):.1%}"
    assert "its vocabulary grew by 4 tokens" in told
    assert f"{share} of the training text were unknown before, 0.0% are since" in told
    assert generate(further, "z").unknown == ()  # type: ignore[attr-defined]
    assert load_run(save_run(further, tmp_path / "grown.safetensors")).earlier == further.earlier
    loaded = load_run(tmp_path / "grown.safetensors")
    assert loaded.vocab == further.vocab
    assert PARTS["vocab"].write(further)["format"] == 2
    assert PARTS["vocab"].write(first)["format"] == 1


def test_a_grown_one_is_resumed(first: Run, tmp_path: Path) -> None:
    config, corpus = TrainConfig(epochs=2, threads=1), text_of(NEXT)
    whole = train_further(first, corpus, config=config, add_tokens=True)

    def stop(run: Run, state: object) -> object:
        keep = Checkpointing(str(tmp_path / "kept"), every="1steps")(run, state)  # type: ignore[arg-type]

        def listen(event: object) -> None:
            keep(event)  # type: ignore[arg-type]
            if run.steps == 3:
                raise KeyboardInterrupt

        return listen

    with pytest.raises(KeyboardInterrupt):
        train_further(first, corpus, config=config, add_tokens=True, watch=stop)  # type: ignore[arg-type]
    resumed = resume_run(tmp_path / "kept", corpus)
    assert resumed.vocab == whole.vocab
    assert resumed.earlier == whole.earlier
    for a, b in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    "added", ["z", [], ["z", "z"], ["t"], [["z"]], [{"tuple": 3}], {"z": 1}, [float("nan")]]
)
def test_additions_that_are_not_valid_are_refused(first: Run, added: object) -> None:
    plain = PARTS["vocab"].write(first)
    with pytest.raises(StorageError, match=r"^[^\n]+$"):
        PARTS["vocab"].read({**plain, "format": 2, "added": added})
    PARTS["vocab"].read({**plain, "format": 2, "added": ["z"]})


def test_what_cannot_grow_is_refused() -> None:
    with_bytes = run_of(FIRST, VocabConfig(token="byte"))
    with pytest.raises(TrainingError, match=r"^a vocabulary of byte can write every text, [^\n]+$"):
        train_further(with_bytes, text_of(NEXT), add_tokens=True)
    task = task_corpus("copy")
    batches = make_batches(task, Vocab.from_corpus(task), WINDOWS)
    of_task = train(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=1, max_tokens=50))
    with pytest.raises(TrainingError, match=r"^'task:recall' has the tokens of its levels [^\n]+$"):
        train_further(of_task, task_corpus("recall"), add_tokens=True)
    with pytest.raises(RNNMagicsError, match=r"^[^\n]+$"):  # a text for a run of given tokens
        train_further(of_task, text_of(NEXT), add_tokens=True)
