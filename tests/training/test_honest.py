from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import BatchError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.text.vocab import Vocab
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.honest import count_words, evaluate_text, evaluate_texts
from rnn_magics.training.loop import train
from rnn_magics.training.run import Run

VOCAB = Vocab.from_corpus(Corpus.from_text("ab \n", CorpusConfig(valid=0.0)))


@given(st.text("ab \n", min_size=2))
def test_words_that_begin_after_the_first_character_are_counted(text: str) -> None:
    begun = not text[0].isspace()
    assert count_words(np.array(VOCAB[list(text)]), VOCAB) == len(text.split()) - begun


TEXT = Corpus.from_text("the time traveller came back\n" * 20, CorpusConfig(valid=0.2), name="tiny")
OTHER = Corpus.from_text("another text?", CorpusConfig(valid=0.0), name="other")
TOKENS = Corpus.from_tokens(range(50), name="numbers")


def run_on(corpus: Corpus, name: str) -> Run:
    batches = make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig("seq", 2, 5))
    config = TrainConfig(epochs=1, device="cpu")
    return train(batches, ModelConfig(num_hiddens=4), config, name=name)


@pytest.fixture(scope="module")
def chars() -> Run:
    return run_on(TEXT, "chars")


@pytest.fixture(scope="module")
def numbers() -> Run:
    return run_on(TOKENS, "numbers")


def test_a_matrix_has_a_row_for_each_run_and_a_column_for_each_text(chars: Run) -> None:
    second = run_on(TEXT, "second")
    found = evaluate_texts([chars, second], [TEXT, OTHER])
    pairs = [(run, text) for run in (chars, second) for text in (TEXT, OTHER)]
    assert list(found) == [evaluate_text(run, text) for run, text in pairs]
    assert len(found) == 4
    assert found[1] is found.rows[0][1]
    shown = repr(found).split("\n")
    assert shown[0].split("  ")[0] == "perplexity"
    assert "tiny (held-out part)" in shown[0]
    assert "other (whole text)" in shown[0]
    assert shown[1].split() == ["chars", *(f"{cell.perplexity:.3f}" for cell in found.rows[0])]
    assert shown[5].split() == ["second", *(f"{cell.score.bits:.3f}" for cell in found.rows[1])]
    assert shown[11].split() == ["second", *(f"{cell.unk_share:.2%}" for cell in found.rows[1])]
    assert shown[12].endswith("state carried")


def test_a_measure_that_no_text_has_is_left_out(numbers: Run) -> None:
    assert "per word" not in repr(evaluate_texts([numbers], [TOKENS, TOKENS]))


def test_a_text_of_another_kind_is_refused(chars: Run, numbers: Run) -> None:
    with pytest.raises(BatchError, match=r"'chars' reads text .char tokens., but 'numbers' is"):
        evaluate_texts([chars], [OTHER, TOKENS])
    with pytest.raises(BatchError, match=r"'numbers' reads given tokens .*, but 'other' is text;"):
        evaluate_text(numbers, OTHER)


def test_a_tokenizer_that_is_gone_is_named(chars: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TOKENIZERS, "char")
    with pytest.raises(BatchError, match="'char', which is no tokenizer here"):
        evaluate_text(chars, OTHER)


def test_an_empty_matrix_is_refused(chars: Run) -> None:
    with pytest.raises(BatchError, match="not 1 runs and 0 texts"):
        evaluate_texts([chars], [])
