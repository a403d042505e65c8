from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.honest import count_words

VOCAB = Vocab.from_corpus(Corpus.from_text("ab \n", CorpusConfig(valid=0.0)))


@given(st.text("ab \n", min_size=2))
def test_words_that_begin_after_the_first_character_are_counted(text: str) -> None:
    begun = not text[0].isspace()
    assert count_words(np.array(VOCAB[list(text)]), VOCAB) == len(text.split()) - begun
