"""Minibatches of a small text, part of which is held out."""

from __future__ import annotations

import pytest

from rnn_magics.batching import BatchConfig, Batches, make_batches
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from tests.conftest import TEXT


def make(*, valid: float = 0.2, test: float = 0.0, text: str = TEXT) -> Batches:
    corpus = Corpus.from_text(text, CorpusConfig(valid=valid, test=test), name="small")
    return make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))


@pytest.fixture
def small() -> Batches:
    return make()
