from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_magics.errors import ModelError
from rnn_magics.models.ngram import MAX_ORDER, NgramModel, fit_add_k, fit_ngram, uniform_model
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, encode_corpus
from tests.models import kneser_ney

sequences = st.lists(st.integers(0, 5), min_size=12, max_size=120)


@settings(deadline=None, max_examples=60)
@given(sequences, sequences, st.integers(1, 5))
def test_log_probs_are_those_of_a_plain_implementation(
    train: list[int], text: list[int], order: int
) -> None:
    model = fit_ngram(np.array(train), 7, order)
    expected = np.log(kneser_ney.of_text(train, 7, order).probs(text))
    np.testing.assert_allclose(model.log_probs(np.array(text)), expected, rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(sequences, sequences, st.integers(1, 5))
def test_the_distribution_sums_to_one_and_agrees_with_the_log_probs(
    train: list[int], text: list[int], order: int
) -> None:
    model = fit_ngram(np.array(train), 7, order)
    ids = np.array(text)
    log_probs = model.log_probs(ids)
    for place in range(1, len(ids), 5):
        distribution = model.distribution(ids[:place])
        assert distribution.sum() == pytest.approx(1)
        assert math.log(distribution[ids[place]]) == pytest.approx(log_probs[place - 1])


def test_a_pair_that_was_not_seen_is_possible_in_a_series_of_few_levels() -> None:
    # The counts of its pairs say that those of three and more need no discount at all.
    generator = np.random.default_rng(4)
    wave = 5 + 10 / 3 * np.sin(np.arange(2000) / 9) + generator.normal(size=2000)
    ids = np.clip(wave.astype(int), 0, 9)
    model = fit_ngram(ids, 10, 2)
    assert min(model.distribution(np.array([level])).min() for level in range(10)) > 0


def test_tokens_before_the_beginning_are_context_only() -> None:
    train, text = np.arange(60) % 7, np.arange(20) % 7
    model = fit_ngram(train, 8, 3)
    np.testing.assert_allclose(model.log_probs(text, 5), model.log_probs(text)[4:])


@settings(deadline=None, max_examples=40)
@given(sequences, sequences, st.integers(1, 5))
def test_one_log_prob_and_the_perplexity_are_those_of_the_log_probs(
    train: list[int], text: list[int], order: int
) -> None:
    model, ids = fit_ngram(np.array(train), 7, order), np.array(text)
    log_probs = model.log_probs(ids)
    assert model.log_prob(ids[:5], text[5]) == pytest.approx(log_probs[4])
    assert model.log_prob(ids[:0], text[0]) == pytest.approx(model.log_probs(ids, 0)[0])
    assert model.perplexity(ids) == pytest.approx(math.exp(-log_probs.mean()))


def test_one_token_has_no_perplexity() -> None:
    with pytest.raises(ModelError, match="1 token; a perplexity needs at least two"):
        uniform_model(4).perplexity(np.array([0]))


@pytest.mark.parametrize("order", [0, -1, MAX_ORDER + 1])
def test_an_order_out_of_range_is_refused(order: int) -> None:
    with pytest.raises(ModelError, match=f"from 1 to {MAX_ORDER}, not {order}"):
        fit_ngram(np.arange(100) % 5, 5, order)


def test_a_text_shorter_than_an_ngram_is_refused() -> None:
    with pytest.raises(ModelError, match="3 tokens, too few for n-grams of order 4"):
        fit_ngram(np.array([1, 2, 3]), 5, 4)


@pytest.fixture(scope="module")
def shakespeare(data_folder: Path) -> tuple[Vocab, np.ndarray, np.ndarray]:
    del data_folder  # found by name
    corpus = Corpus.load("tiny_shakespeare", CorpusConfig(valid=0.1))
    vocab = Vocab.from_corpus(corpus)
    encoded = encode_corpus(corpus, vocab)
    return vocab, encoded.train, encoded.valid


# The reference page, nats per character, printed to three decimals.
NATS = [3.347, 2.484, 2.038, 1.719, 1.561, 1.523, 1.517, 1.519]


@pytest.mark.parametrize(("order", "nats"), list(enumerate(NATS, start=1)))
def test_tiny_shakespeare_has_the_published_nats(
    shakespeare: tuple[Vocab, np.ndarray, np.ndarray], order: int, nats: float
) -> None:
    vocab, train, valid = shakespeare
    model: NgramModel = fit_ngram(train, len(vocab), order)
    assert -model.log_probs(valid).mean() == pytest.approx(nats, rel=1e-3)


def test_the_time_machine_has_the_published_perplexity(data_folder: Path) -> None:
    del data_folder
    config = CorpusConfig(lower=True, letters_only=True, valid=0.1)
    corpus = Corpus.load("time_machine", config)
    vocab = Vocab.from_corpus(corpus)
    encoded = encode_corpus(corpus, vocab)
    model = fit_ngram(encoded.train, len(vocab), 7)
    assert math.exp(-model.log_probs(encoded.valid).mean()) == pytest.approx(3.689, rel=1e-3)


@settings(deadline=None, max_examples=40)
@given(sequences, sequences, st.integers(1, 4), st.floats(0.01, 5))
def test_add_k_is_what_a_counter_says(
    train: list[int], text: list[int], order: int, k: float
) -> None:
    grams = Counter(tuple(train[i : i + order]) for i in range(len(train) - order + 1))
    contexts: Counter[tuple[int, ...]] = Counter()
    for gram, count in grams.items():
        contexts[gram[:-1]] += count
    found = fit_add_k(np.array(train), 7, order, k).log_probs(np.array(text), order)
    windows = [tuple(text[i - order + 1 : i + 1]) for i in range(order, len(text))]
    expected = [math.log((grams[w] + k) / (contexts[w[:-1]] + 7 * k)) for w in windows]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_guessing_gives_each_token_the_same() -> None:
    np.testing.assert_allclose(uniform_model(4).log_probs(np.array([0, 1, 2])), -math.log(4))


@pytest.mark.parametrize("k", [0.0, -1.0, math.inf, math.nan])
def test_a_k_that_makes_no_sense_is_refused(k: float) -> None:
    with pytest.raises(ModelError, match="k must be a finite number above 0"):
        fit_add_k(np.arange(100) % 5, 5, 2, k)
