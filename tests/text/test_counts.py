from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.text import counts
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.counts import TextCounts, count_text, count_words
from rnn_magics.text.vocab import Vocab, VocabConfig

VOCAB = Vocab.from_corpus(Corpus.from_text("ab \n", CorpusConfig(valid=0.0)))


@given(st.text("ab \n", min_size=2), st.sampled_from([1, 2, 3, 1 << 20]))
def test_words_that_begin_after_the_first_character_are_counted(text: str, length: int) -> None:
    begun = not text[0].isspace()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "_SLICE", length)
        assert count_words(np.array(VOCAB[list(text)]), VOCAB) == len(text.split()) - begun


def test_unknown_tokens_and_words_are_counted() -> None:
    assert count_text(np.array(VOCAB[list("a bx b")]), VOCAB) == TextCounts(pytest.approx(1 / 6), 2)


def test_words_are_counted_of_characters_alone() -> None:
    corpus = Corpus.from_text("one two one", CorpusConfig(valid=0.0))
    words = Vocab.from_corpus(corpus, VocabConfig("word"))
    assert count_text(np.array([1, 0, 2, 0]), words) == TextCounts(0.5, None)
    assert count_text(np.array([], np.uint8), words) == TextCounts(0.0, None)
