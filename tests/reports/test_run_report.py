"""Overfitting is said: by the run, its report, its comparison with baselines, and the doctor."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.digits import rounded
from rnn_magics.inspection.doctor import diagnose
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.reports.baselines import compare_with_baselines
from rnn_magics.reports.run_report import report_run
from rnn_magics.scores.ladder import fit_ladder
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.history import History
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

TINY = (
    "the time traveller for so it will be convenient to speak of him was expounding a recondite"
    " matter to us his grey eyes shone and twinkled and his usually pale face was flushed"
)


def history(train_bits: list[float], valid_bits: list[float | None]) -> History:
    return History(
        train_perplexity=[2**bits for bits in train_bits],
        train_bits=train_bits,
        valid_perplexity=[None if bits is None else 2**bits for bits in valid_bits],
        valid_bits=valid_bits,
    )


@pytest.fixture(scope="module")
def overfitted() -> tuple[Run, Batches]:
    corpus = Corpus.from_text(TINY, CorpusConfig(valid=0.3), name="tiny")
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab, BatchConfig("seq", 2, 8))
    config = TrainConfig(epochs=25, lr=0.02, threads=1)
    run = train(batches, ModelConfig(num_hiddens=48), config, name="small")
    run.ladder = fit_ladder(corpus, vocab)
    return run, batches


def test_the_end_names_the_best_epoch(overfitted: tuple[Run, Batches]) -> None:
    run, _ = overfitted
    scores = [value for value in run.history.valid_perplexity if value is not None]
    best = min(scores)
    words = f"best {rounded(best)} after epoch {scores.index(best) + 1}, memorising since"
    assert len(scores) == 25
    assert best < 0.7 * scores[-1]
    assert words in repr(run)
    assert words.replace("best", "Best held-out perplexity") in repr(report_run(run))


def test_the_verdict_is_on_the_best_epoch_and_says_what_followed(
    overfitted: tuple[Run, Batches],
) -> None:
    run, _ = overfitted
    turn = run.history.turn
    assert turn is not None
    found = compare_with_baselines(run)
    unigram = next(mark.perplexity for mark in found.marks if "unigram" in mark.name)
    last = run.valid_perplexity
    assert last is not None
    assert turn.best.perplexity < unigram < last  # it had learnt more than it now shows
    assert found.words.startswith(f"best held-out perplexity {turn.best}: ")
    assert found.words.endswith(f"; memorising since, now {rounded(last)}")
    assert "how frequent each token is" not in found.words


def test_the_doctor_finds_it(overfitted: tuple[Run, Batches]) -> None:
    run, batches = overfitted
    problems = diagnose(run.model, batches, run.history).problems
    assert list(problems) == ["overfitting"]
    assert run.history.turn is not None
    assert str(run.history.turn.best) in problems["overfitting"]
    assert diagnose(run.model, batches).problems == {}  # a module alone does not say


def test_a_run_that_still_learns_is_not_called_overfitted(batches: Batches) -> None:
    run = train(batches, ModelConfig(num_hiddens=8), TrainConfig(epochs=4, threads=1))
    assert run.history.turn is None
    assert "best" not in repr(run)
    assert "memorising" not in repr(report_run(run))
    assert diagnose(run.model, batches, run.history).problems == {}


@pytest.mark.parametrize(
    ("train_bits", "valid_bits", "words"),
    [
        ([3.0, 2.0, 1.0], [4.0, 3.0, 3.5], "best 8.000 after epoch 2, memorising since"),
        ([3.0, 2.0, 2.5], [4.0, 3.0, 3.5], "best 8.000 after epoch 2, worse since"),
        ([3.0, 2.0, 1.0], [4.0, 3.0, 3.05], ""),  # by chance
        ([3.0, 2.0, 1.0], [4.0, 3.0, math.inf], "best 8.000 after epoch 2, memorising since"),
        ([3.0, 2.0, 1.0], [4.0, 3.0, math.nan], "best 8.000 after epoch 2, memorising since"),
        ([3.0, 2.0, 1.0], [None, 3.0, None], ""),
        ([3.0, 2.0, 1.0], [3.0, 3.5, None], "best 8.000 after epoch 1, memorising since"),
        ([3.0], [math.nan], ""),
        ([], [], ""),
    ],
)
def test_a_turn_is_where_the_held_out_perplexity_was_lowest(
    train_bits: list[float], valid_bits: list[float | None], words: str
) -> None:
    assert str(history(train_bits, valid_bits).turn or "") == words


@given(st.lists(st.none() | st.floats(0.0, 900.0) | st.sampled_from([math.inf, math.nan])))
def test_there_is_a_turn_when_the_last_score_is_clearly_above_the_best(
    valid_bits: list[float | None],
) -> None:
    bits = [min(b, 900.0) if b is not None and not math.isnan(b) else b for b in valid_bits]
    known = [math.inf if math.isnan(b) else b for b in bits if b is not None]
    turn = history([1.0] * len(bits), bits).turn
    risen = (
        bool(known) and known[-1] != min(known) and (known[-1] - min(known)) * math.log(2) > 0.05
    )
    assert (turn is not None) == risen
    if turn is not None:
        assert turn.best.bits == min(known)
        assert not turn.is_memorising  # the training perplexity stood still
