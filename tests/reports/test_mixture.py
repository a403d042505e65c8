"""A run mixed with counts of its text."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import BatchError, CorpusError, ModelError
from rnn_magics.models.interpolation import interpolate
from rnn_magics.models.ngram import fit_ngram
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.mixture import evaluate_mixture
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.scores.evaluation import token_log_probs
from rnn_magics.text import statistics
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, encode_corpus
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

LINES = "the time traveller came back\nand the medical man smiled\n" * 10
TEXT = Corpus.from_text(LINES, CorpusConfig(valid=0.2), name="tiny")


def run_on(corpus: Corpus, model: ModelConfig | None = None) -> Run:
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    config = TrainConfig(epochs=2, device="cpu")
    return train(batches, model or ModelConfig(num_hiddens=8), config, name="small")


@pytest.fixture(scope="module")
def run() -> Run:
    return run_on(TEXT)


def test_each_row_is_what_it_says(run: Run) -> None:
    found = evaluate_mixture(run, TEXT, 3)
    assert run.vocab is not None
    encoded = encode_corpus(TEXT, run.vocab)
    counted = fit_ngram(encoded.train, len(run.vocab), 3).log_probs(encoded.valid)
    ids = torch.from_numpy(np.asarray(encoded.valid, np.int64))
    own = token_log_probs(run.model, ids).numpy()
    alone = evaluate_text(run, TEXT)
    assert found.run.score.nats == pytest.approx(alone.score.nats, abs=1e-9)
    assert replace(found.run, score=alone.score) == alone
    assert found.ngram.score.nats == pytest.approx(-counted.mean())
    both = interpolate(own, counted)
    assert found.mixture.score.nats == pytest.approx(both.nats)
    assert found.weight == both.weight
    assert {row.score.num_tokens for row in found.rows} == {len(encoded.valid) - 1}


def test_it_is_told_in_a_table(run: Run) -> None:
    head, *rows, over = repr(evaluate_mixture(run, TEXT, 3)).split("\n")
    assert head.split("  ")[0] == "tiny (held-out part)"
    assert [row.split("  ")[0] for row in rows] == ["small", "3-gram", "small + 3-gram"]
    assert rows[0].split()[1] == f"{evaluate_text(run, TEXT).perplexity:.3f}"
    assert over.startswith("over 111 tokens, state carried; the weight of the 3-gram begins")


def test_bare_tokens_are_mixed_too() -> None:
    numbers = Corpus.from_tokens([n % 7 for n in range(200)], CorpusConfig(valid=0.2), name="n")
    found = evaluate_mixture(run_on(numbers), numbers, 2)
    assert found.run.num_words is None
    assert math.isfinite(found.mixture.perplexity)


def test_another_text_is_refused(run: Run) -> None:
    other = Corpus.from_text(LINES[1:], CorpusConfig(valid=0.2), name="other")
    with pytest.raises(BatchError, match="was not trained on 'other'"):
        evaluate_mixture(run, other, 3)


def test_another_split_of_the_text_is_refused(run: Run) -> None:
    more = Corpus.from_text(LINES, CorpusConfig(valid=0.5), name="tiny")
    with pytest.raises(BatchError, match="split or shortened in another way"):
        evaluate_mixture(run, more, 3)


def test_nothing_held_out_is_refused() -> None:
    whole = Corpus.from_text(LINES, CorpusConfig(valid=0.0), name="whole")
    with pytest.raises(BatchError, match="nothing is held out of 'whole'"):
        evaluate_mixture(run_on(whole), whole, 3)


def test_a_model_that_sees_the_future_is_refused() -> None:
    both = run_on(TEXT, ModelConfig(num_hiddens=4, bidirectional=True))
    with pytest.raises(BatchError, match="bidirectional"):
        evaluate_mixture(both, TEXT, 3)


@pytest.mark.parametrize("order", [0, 13, 10_000])
def test_an_order_out_of_range_is_refused(run: Run, order: int) -> None:
    with pytest.raises(ModelError, match="from 1 to 12"):
        evaluate_mixture(run, TEXT, order)


def test_a_text_too_long_to_count_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MAX_COUNTED", 100)
    with pytest.raises(CorpusError, match="training tokens"):
        evaluate_mixture(run, TEXT, 3)
