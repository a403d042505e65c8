from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_magics.errors import BatchError, ConfigError
from rnn_magics.models.ngram import fit_ngram
from rnn_magics.scores.ladder import BaselineConfig, fit_ladder
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab, encode_corpus

TEXT = "the cat sat on the mat and the dog sat on the log. " * 30


@pytest.mark.parametrize(("order", "orders"), [("3", [3]), ("1-6", [1, 2, 3, 4, 5, 6])])
def test_an_order_is_one_or_a_range(order: str, orders: list[int]) -> None:
    assert list(BaselineConfig(order).orders) == orders


@pytest.mark.parametrize("order", ["0", "0-3", "5-2", "1-13", "x", "", "1-", "-1", "1,2", "2.5"])
def test_an_order_that_makes_no_sense_is_refused(order: str) -> None:
    with pytest.raises(ConfigError, match="a range from 1 to 12"):
        BaselineConfig(order)


def test_a_rung_is_the_model_of_its_order_on_the_same_split() -> None:
    corpus = Corpus.from_text(TEXT, CorpusConfig(valid=0.2))
    vocab = Vocab.from_corpus(corpus)
    encoded = encode_corpus(corpus, vocab)
    ladder = fit_ladder(corpus, vocab, BaselineConfig("2-3"))
    assert [rung.order for rung in ladder] == [2, 3]
    model = fit_ngram(encoded.train, len(vocab), 3)
    rung = ladder[1]
    assert rung.valid_perplexity == pytest.approx(np.exp(-model.log_probs(encoded.valid).mean()))
    assert rung.train_perplexity == pytest.approx(np.exp(-model.log_probs(encoded.train).mean()))
    assert ladder.num_valid_tokens == len(encoded.valid) - 1
    assert ladder.uniform == len(vocab)
    assert ladder.best is min(ladder, key=lambda r: r.valid_perplexity or math.inf)
    assert "order 3: held out" in repr(ladder)


def test_without_held_out_text_only_the_counted_text_is_scored() -> None:
    corpus = Corpus.from_text(TEXT, CorpusConfig(valid=0.0))
    ladder = fit_ladder(corpus, Vocab.from_corpus(corpus), BaselineConfig("1-2"))
    assert [rung.valid_perplexity for rung in ladder] == [None, None]
    assert ": held out" not in repr(ladder)


def test_a_text_shorter_than_the_order_is_refused() -> None:
    corpus = Corpus.from_text("abc", CorpusConfig(valid=0.0))
    with pytest.raises(BatchError, match="3 tokens; order 6 needs at least 7"):
        fit_ladder(corpus, Vocab.from_corpus(corpus))
