from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.models.rnn_model import ModelConfig, RNNModel
from rnn_magics.reports.series import expected_ahead, values_of
from rnn_magics.reports.texts import evaluate_text
from rnn_magics.scores.series import SeriesErrors, origins
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.series.levels import LevelsConfig, Series
from rnn_magics.text.series.read import read_series
from rnn_magics.text.vocab import Vocab, VocabConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

WAVE = np.tile([0.0, 1.0, 2.0, 3.0, 2.0, 1.0], 300)
CORPUS = read_series(WAVE, LevelsConfig(levels=4), name="wave")


def run_on(corpus: Corpus, epochs: int = 10, **options: Any) -> Run:
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 4, 20))
    config = TrainConfig(epochs=epochs, lr=0.02, device="cpu")
    return train(batches, ModelConfig(num_hiddens=12, **options), config, name="mine")


@pytest.fixture(scope="module")
def run() -> Run:
    return run_on(CORPUS)


def test_a_run_stands_beside_the_rules(run: Run) -> None:
    found = evaluate_text(run, CORPUS)
    assert isinstance(found.further, SeriesErrors)
    names = [row.name for row in found.further.rows]
    assert names == ["mine", "mean", "persistence", "linear, 4 values"]
    assert found.further["mine"].perplexity == found.perplexity
    assert found.further.steps == (1, 4, 16, 64)
    assert found.further["mine"].errors[64] < found.further["persistence"].errors[64] / 2
    assert repr(found).endswith(repr(found.further))


def test_one_step_ahead_is_the_mean_of_the_predicted_levels(run: Run) -> None:
    assert run.vocab is not None
    assert isinstance(CORPUS.behind, Series)
    ids = torch.tensor(run.vocab[list(CORPUS.data)])
    places, _ = origins(len(WAVE), CORPUS.cut.num_train(len(WAVE)))
    worth = torch.from_numpy(values_of(run.vocab, CORPUS.behind.levels))
    assert worth[0].isnan()
    found = expected_ahead(run.model, ids, places, 1, worth)[:, 0]
    with torch.no_grad():
        logits, _ = run.model(ids[None])  # the whole series in one pass
    chances = logits[0, places, 1:].double().softmax(-1)  # without <unk>
    assert found == pytest.approx((chances @ worth[1:]).numpy(), abs=1e-5)


def test_k_steps_ahead_is_the_mean_over_the_futures_of_a_chain() -> None:
    # Without recurrent weights a model is a Markov chain, whose futures are known.
    model = RNNModel(ModelConfig("rnn", num_hiddens=16), 5, torch.Generator().manual_seed(1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8)
        model.rnn.cells[0].weight_hh.zero_()
        logits, _ = model(torch.arange(5)[:, None])
    chain = logits[1:, 0, 1:].double().softmax(-1)  # (4, 4): index 0 is never drawn
    worth = torch.tensor([float("nan"), -1.0, 0.0, 2.0, 5.0], dtype=torch.float64)
    ids = torch.tensor([1, 2, 3, 4] * 40)
    places = np.arange(10, 138)
    found = expected_ahead(model, ids, places, 3, worth)
    for step in (1, 2, 3):
        exact = torch.linalg.matrix_power(chain, step) @ worth[1:]
        for token in (1, 2, 3, 4):
            mine = found[ids[places].numpy() == token, step - 1].mean()
            assert mine == pytest.approx(float(exact[token - 1]), abs=1e-5 if step == 1 else 0.2)


def test_futures_come_from_a_generator_of_their_own(run: Run) -> None:
    first = evaluate_text(run, CORPUS)
    before = torch.random.get_rng_state()
    assert evaluate_text(run, CORPUS).further == first.further
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_series_is_measured_in_the_levels_of_the_run(run: Run) -> None:
    other = read_series(WAVE * 1.2, LevelsConfig(levels=9), CorpusConfig(valid=0.5), name="other")
    found = evaluate_text(run, other)
    assert found.unk_share == 0
    assert isinstance(found.further, SeriesErrors)
    assert found.further["mine"].errors[1] < 1


@pytest.mark.parametrize(
    "corpus",
    [
        read_series(WAVE, LevelsConfig(levels=4), CorpusConfig(valid=0.0)),
        Corpus.from_tokens(CORPUS.data, CorpusConfig(valid=0.1)),
    ],
    ids=["nothing held out", "tokens without values"],
)
def test_where_there_is_nothing_to_look_ahead_to_the_score_stands_alone(
    run: Run, corpus: Corpus
) -> None:
    found = evaluate_text(run, corpus)
    assert found.further is None
    assert found.perplexity < 1.5


def test_a_bidirectional_model_does_not_look_ahead() -> None:
    assert evaluate_text(run_on(CORPUS, 1, bidirectional=True), CORPUS).further is None


def test_rare_levels_that_are_no_tokens_are_never_drawn() -> None:
    x = np.concatenate((WAVE[:700], [9.0], WAVE[700:]))
    corpus = read_series(x, LevelsConfig(levels=10))
    batches = make_batches(
        corpus, Vocab.from_corpus(corpus, VocabConfig(min_freq=2)), BatchConfig("seq", 4, 20)
    )
    run = train(batches, ModelConfig(num_hiddens=4), TrainConfig(epochs=1, device="cpu"))
    found = evaluate_text(run, corpus)
    assert isinstance(found.further, SeriesErrors)
    assert np.isfinite(list(found.further[run.name].errors.values())).all()
