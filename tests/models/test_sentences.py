"""n-gram models of sentences, beside dictionaries of tuples."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_magics.errors import ModelError
from rnn_magics.models.ngram import MAX_ORDER
from rnn_magics.models.sentences import fit_sentences, sentence_log_probs
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.vocab import Ids, Vocab
from tests.models.kneser_ney import marked, of_sentences

SIZE = 7


def texts(num: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(st.integers(0, SIZE - 2), max_size=9), min_size=num, max_size=25)


LONG = [0, 1, 2, 0, 1]  # so that there is an n-gram of each order


@settings(deadline=None, max_examples=150)
@given(texts(0), texts(1), st.integers(1, 6))
def test_log_probs_are_those_of_dictionaries(
    train: list[list[int]], held_out: list[list[int]], order: int
) -> None:
    train = [*train, LONG]
    reference = of_sentences(train, SIZE, order)
    expected = [prob for sentence in held_out for prob in reference.probs(marked(sentence))]
    found = sentence_log_probs(fit_sentences(train, SIZE, order), held_out)
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-9)


@settings(deadline=None, max_examples=60)
@given(texts(0), st.lists(st.integers(0, SIZE - 1), max_size=6), st.integers(1, 5))
def test_words_and_the_end_share_the_whole(
    train: list[list[int]], words: list[int], order: int
) -> None:
    model = fit_sentences([*train, LONG], SIZE, order)
    distribution = model.distribution(np.array([SIZE + 1, *words]))
    assert len(distribution) == SIZE + 1
    assert distribution.sum() == pytest.approx(1)


def test_the_order_of_the_sentences_means_nothing() -> None:
    sentences = [[0, 1, 2], [2, 1], [], [3, 0, 1, 2]]
    here, there = (fit_sentences(text, SIZE, 4) for text in (sentences, sentences[::-1]))
    for sentence in sentences:
        np.testing.assert_allclose(
            sentence_log_probs(here, [sentence]), sentence_log_probs(there, [sentence])
        )


def test_a_frequent_first_word_keeps_its_count() -> None:
    # 0 begins 20 sentences and 1 begins one: continuation counts would make them alike.
    train = [[0, 2]] * 20 + [[1, 2]]
    model = fit_sentences(train, SIZE, 3)
    zero, one = (math.exp(model.log_prob(np.array([SIZE + 1]), word)) for word in (0, 1))
    assert zero > 10 * one


def test_each_word_and_each_end_is_predicted() -> None:
    model = fit_sentences([LONG], SIZE, 2)
    assert len(sentence_log_probs(model, [[0, 1], [], [2]])) == 6
    assert len(sentence_log_probs(model, [])) == 0


def test_sentences_without_an_ngram_are_refused() -> None:
    with pytest.raises(ModelError, match="longest of 2 sentences has 4 tokens with"):
        fit_sentences([[1], [0, 1]], SIZE, 5)
    with pytest.raises(ModelError, match="longest of 0 sentences"):
        fit_sentences([], SIZE, 1)


@pytest.fixture(scope="module")
def shakespeare(data_folder: Path) -> tuple[Vocab, list[Ids], list[Ids]]:
    """Return the words of the lines that have any; the last tenth of the lines is held out."""
    del data_folder  # found by name
    text = Corpus.load("tiny_shakespeare").data.lower()
    lines = [words for line in text.splitlines() if (words := re.findall("[a-z']+", line))]
    num_train = int(len(lines) * 0.9)
    vocab = Vocab(word for line in lines[:num_train] for word in line)
    ids = [vocab.indices(line) for line in lines]
    return vocab, ids[:num_train], ids[num_train:]


# lmplz and query of KenLM 0.3.0 on the same lines, words never seen as <unk>; each single
# log-probability agreed to 3e-6, which is how its files are rounded. Its query reads no order 1.
KENLM = [350.93100, 334.86800, 333.71303, 333.64254]


@pytest.mark.parametrize(("order", "perplexity"), list(enumerate(KENLM, start=2)))
def test_tiny_shakespeare_has_the_perplexity_that_kenlm_gives_it(
    shakespeare: tuple[Vocab, list[Ids], list[Ids]], order: int, perplexity: float
) -> None:
    vocab, train, held_out = shakespeare
    log_probs = sentence_log_probs(fit_sentences(train, len(vocab), order), held_out)
    assert len(log_probs) == 22020
    assert math.exp(-log_probs.mean()) == pytest.approx(perplexity, rel=1e-6)


@pytest.mark.parametrize("order", [0, MAX_ORDER + 1])
def test_an_order_out_of_range_is_refused(order: int) -> None:
    with pytest.raises(ModelError, match=f"from 1 to {MAX_ORDER}, not {order}"):
        fit_sentences([LONG], SIZE, order)
