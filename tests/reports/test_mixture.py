"""A run that adapts to a text, or is mixed with counts of its own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import BatchError, ConfigError, CorpusError, ModelError
from rnn_magics.models.interpolation import interpolate
from rnn_magics.models.ngram import fit_ngram
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.mixture import SURE, evaluate_mixture
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.scores.adaptive import AdaptConfig, adapt
from rnn_magics.scores.evaluation import token_log_probs
from rnn_magics.text import statistics
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.reading.progress import ReadingProgress
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

LINES = "the time traveller came back\nand the medical man smiled\n" * 10
ALONE = ["small", "small, learning"]
TEXT = Corpus.from_text(LINES, CorpusConfig(valid=0.2), name="tiny")


def run_on(corpus: Corpus, model: ModelConfig | None = None) -> Run:
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    config = TrainConfig(epochs=2, device="cpu")
    return train(batches, model or ModelConfig(num_hiddens=8), config, name="small")


@pytest.fixture(scope="module")
def run() -> Run:
    return run_on(TEXT)


def held_out(run: Run, corpus: Corpus) -> Tensor:
    assert run.vocab is not None
    return torch.from_numpy(np.asarray(encode_corpus(corpus, run.vocab).valid, np.int64))


def counted(run: Run, corpus: Corpus, order: int) -> np.ndarray:
    assert run.vocab is not None
    encoded = encode_corpus(corpus, run.vocab)
    return fit_ngram(encoded.train, len(run.vocab), order).log_probs(encoded.valid)


def test_each_row_is_what_it_says(run: Run) -> None:
    found, counts, ids = evaluate_mixture(run, TEXT, 3), counted(run, TEXT, 3), held_out(run, TEXT)
    own = token_log_probs(run.model, ids).numpy()
    with torch.no_grad():
        greatest = run.model.eval()(ids[None, :-1])[0][0].softmax(-1).amax(-1).numpy()
    alone = evaluate_text(run, TEXT)
    assert found.run.score.nats == pytest.approx(alone.score.nats, abs=1e-9)
    assert replace(found.run, score=alone.score) == alone
    assert found.ngram is not None
    assert found.ngram.score.nats == pytest.approx(-counts.mean())
    both = interpolate(own, counts, kinds=np.searchsorted(SURE, greatest))
    assert found.mixture.score.nats == pytest.approx(both.nats)
    assert found.weight == both.weight
    assert found.learning is None
    assert {row.score.num_tokens for row in found.rows} == {len(ids) - 1}


ADAPTS = AdaptConfig(dynamic=True, dynamic_lr=0.01, dynamic_steps=8, cache=30)


def test_a_run_that_adapts_has_rows_of_its_own(run: Run) -> None:
    before = [weight.clone() for weight in run.model.parameters()]
    found = evaluate_mixture(run, TEXT, 3, ADAPTS)
    adapted = adapt(run.model, held_out(run, TEXT), ADAPTS)
    assert found.learning is not None
    assert found.learning.score.nats == pytest.approx(-adapted.model.log_probs.mean().item())
    assert adapted.cache is not None
    kinds = [
        np.searchsorted(SURE, each.greatest.numpy()) for each in (adapted.model, adapted.cache)
    ]
    both = interpolate(
        adapted.model.log_probs.numpy(),
        adapted.cache.log_probs.numpy(),
        counted(run, TEXT, 3),
        kinds=kinds[0] * (len(SURE) + 1) + kinds[1],
    )
    assert found.mixture.score.nats == pytest.approx(both.nats)
    named = ["small, learning", "cache of 30", "3-gram"]
    assert [name for name, _ in found.weights] == named
    assert [row.run for row in found.rows] == ["small", named[0], "3-gram", " + ".join(named)]
    assert sum(weight for _, weight in found.weights) == pytest.approx(1)
    assert found.run == evaluate_mixture(run, TEXT, 3).run
    assert all(row.bits_per_byte is not None for row in found.rows)
    assert found.learning.bits_per_byte == pytest.approx(found.learning.score.bits)
    assert all(torch.equal(a, b) for a, b in zip(before, run.model.parameters(), strict=True))
    over = repr(found).split("\n")[-1]
    assert "takes a step behind each 8 tokens, at a learning rate of 0.01, and is pulled" in over


@pytest.mark.parametrize(
    ("adapting", "rows"),
    [
        (AdaptConfig(dynamic=True), ["small", "small, learning"]),
        (AdaptConfig(cache=9), ["small", "small + cache of 9"]),
        (replace(ADAPTS, dynamic=True), [*ALONE, "small, learning + cache of 30"]),
    ],
)
def test_other_texts_are_adapted_to_as_well(
    run: Run, adapting: AdaptConfig, rows: list[str]
) -> None:
    other = Corpus.from_text("the man who came back\n" * 9, CorpusConfig(valid=0.0), name="other")
    told: list[ReadingProgress] = []
    found = evaluate_mixture(run, other, adapting=adapting, watch=told.append)
    assert [row.run for row in found.rows] == rows
    assert found.run.score.nats == pytest.approx(evaluate_text(run, other).score.nats, abs=1e-9)
    assert {row.part for row in found.rows} == {"whole text"}
    assert told[-1] == ReadingProgress("other", len(other) - 1, len(other) - 1)
    assert found.mixture is found.rows[-1]
    assert "the weights" in repr(found) or adapting.cache is None


@pytest.mark.parametrize("token", ["char", "bpe"])
def test_documents_and_pieces_are_adapted_to(token: str) -> None:
    config = CorpusConfig(documents="line", valid=0.3)
    names = Corpus.from_text("emma\nolivia\nava\nisabella\nmia\n" * 9, config, name="names")
    vocab = Vocab.from_corpus(names, VocabConfig(token, max_size=264 if token == "bpe" else None))
    batches = make_batches(names, vocab, BatchConfig("seq", 2, 5))
    run = train(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=2, device="cpu"))
    found = evaluate_mixture(run, names, 3, ADAPTS)
    alone = evaluate_text(run, names)
    assert found.run.document_perplexity == pytest.approx(alone.document_perplexity)
    assert found.mixture.bits_per_byte is not None
    assert alone.bits_per_byte is not None
    assert found.mixture.bits_per_byte < alone.bits_per_byte  # the names are the same ones


def test_a_mixture_needs_something_to_mix(run: Run) -> None:
    for adapting in (None, AdaptConfig()):
        with pytest.raises(ConfigError, match="a mixture needs more than the run"):
            evaluate_mixture(run, TEXT, adapting=adapting)


def test_it_is_told_in_a_table(run: Run) -> None:
    head, *rows, over = repr(evaluate_mixture(run, TEXT, 3)).split("\n")
    assert head.split("  ")[0] == "tiny (held-out part)"
    assert [row.split("  ")[0] for row in rows] == ["small", "3-gram", "small + 3-gram"]
    assert rows[0].split()[1] == f"{evaluate_text(run, TEXT).perplexity:.3f}"
    assert over.startswith("over 111 tokens, state carried; the weights begin the same, follow")
    assert over.endswith("and end at 0.00 for small, 1.00 for 3-gram")


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
    for order, adapting in ((3, None), (None, ADAPTS)):
        with pytest.raises(BatchError, match="bidirectional: it sees each token before"):
            evaluate_mixture(both, TEXT, order, adapting)


@pytest.mark.parametrize("order", [0, 13, 10_000])
def test_an_order_out_of_range_is_refused(run: Run, order: int) -> None:
    with pytest.raises(ModelError, match="from 1 to 12"):
        evaluate_mixture(run, TEXT, order)


def test_a_text_too_long_to_count_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MAX_COUNTED", 100)
    with pytest.raises(CorpusError, match="training tokens"):
        evaluate_mixture(run, TEXT, 3)
