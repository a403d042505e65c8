"""Files of runs whose tokens are bytes, learnt pieces or grapheme clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.errors import StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage import container
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.model_file import packed, save_run, unpacked
from rnn_magics.storage.resume import resume_run
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, StepEnd
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

TEXT = "The thermometer \u4f60\u597d, they think: e\u0301.\r\n" * 40
MODEL = ModelConfig(num_hiddens=4, scratch=True)
CONFIG = TrainConfig(epochs=2, threads=1, device="cpu")


def batches_of(token: str) -> Batches:
    corpus = Corpus.from_text(TEXT, CorpusConfig(valid=0.2))
    vocab = Vocab.from_corpus(
        corpus, VocabConfig(token=token, max_size=300 if token == "bpe" else None)
    )
    return make_batches(corpus, vocab, BatchConfig("seq", 4, 8))


@pytest.fixture(scope="module", params=["bpe", "byte", "grapheme"])
def run(request: pytest.FixtureRequest) -> Run:
    return train(batches_of(request.param), MODEL, CONFIG)


def test_a_run_comes_back_with_what_its_tokenizer_has_learnt(run: Run, tmp_path: Path) -> None:
    again = load_run(save_run(run, tmp_path / "run"))
    assert run.vocab is not None
    assert again.vocab == run.vocab
    assert again.vocab.learnt == run.vocab.learnt
    assert (run.vocab.learnt is not None) is (run.vocab.token == "bpe")
    assert again.valid_counts == run.valid_counts
    assert again.valid_counts is not None
    assert again.valid_counts.size is not None
    config = DecodingConfig(length=40)
    assert generate(again, "The ", config).text == generate(run, "The ", config).text


def test_an_older_version_refuses_the_file_by_its_format(run: Run) -> None:
    document = container.unpack(packed(run)).document
    assert (document["format"], document["vocab"]["format"]) == (2, 2)


def test_a_run_that_needs_nothing_new_has_format_1() -> None:
    document = container.unpack(packed(train(batches_of("char"), MODEL, CONFIG))).document
    assert (document["format"], document["vocab"]["format"]) == (1, 1)
    assert "learnt" not in document["vocab"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 1}, "format is 1, and what is in it is of format 2"),
        ({"vocab": {"format": 1}}, "does not fit its tokenizer"),
        ({"vocab": {"learnt": None}}, "does not fit its tokenizer"),
        ({"vocab": {"learnt": [1]}}, "no list of texts"),
        ({"vocab": {"learnt": ["t h", "x"]}}, "no pair of tokens"),
        ({"counts": {"valid": {"unk_share": 0.0, "num_words": None, "size": {}}}}, "lacks"),
    ],
)
def test_a_damaged_file_of_format_2_is_refused(change: dict[str, Any], why: str) -> None:
    contents = container.unpack(packed(train(batches_of("bpe"), MODEL, CONFIG)))
    document = dict(contents.document)
    for key, value in change.items():
        document[key] = {**document[key], **value} if isinstance(value, dict) else value
    with pytest.raises(StorageError, match=why):
        unpacked(container.Contents(document, contents.tensors))


def break_off(event: Event) -> None:
    if isinstance(event, StepEnd) and event.epoch == 2 and event.step == 3:
        raise KeyboardInterrupt


def test_a_run_of_learnt_pieces_that_is_resumed_is_the_unbroken_one(tmp_path: Path) -> None:
    whole = train(batches_of("bpe"), MODEL, CONFIG)
    watch = Checkpointing(str(tmp_path / "run"))
    with pytest.raises(KeyboardInterrupt):
        train(batches_of("bpe"), MODEL, CONFIG, watch=watch, listeners=[break_off])
    resumed = resume_run(str(tmp_path / "run"), batches_of("bpe"))  # its pieces are learnt anew
    assert resumed.vocab == whole.vocab
    assert resumed.history.valid_bits == whole.history.valid_bits
    for mine, theirs in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
