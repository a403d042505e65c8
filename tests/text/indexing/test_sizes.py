"""Bits of a text do not depend on how it is cut, and nothing is forgotten for free."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import RNNMagicsError
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.documents import BOS, parted
from rnn_magics.text.indexing import sizes
from rnn_magics.text.indexing.sizes import TextSize, spelled_bits, text_sizes
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.text.vocab import Vocab, VocabConfig, numbered_as

WELL_SET = "The thermometer, they think, is 21 degrees (or so).\nI don't: you see.\n"
NATS_PER_BYTE = 8 * math.log(2)
DOCUMENTS_WELL_SET = ["Emma", "O'Live, 9", "\u4f60\u597d", "e\u0301a b", "a (so) b: c.", "9 9"]
DOCUMENTS = st.text("ab .,9\u4f60\u00e9\u0301\U0001f44d\t", min_size=1, max_size=9)
TEXTS = st.text("ab \n\t.,'9\u4f60\u00e9\u0301\U0001f44d", min_size=20, max_size=60)


def vocab_of(corpus: Corpus, token: str, **more: Any) -> Vocab:
    return Vocab.from_corpus(corpus, VocabConfig(token=token, **more))


def uniform_nats(corpus: Corpus, vocab: Vocab, part: int) -> float:
    """Return what the tokens cost under a uniform model.

    It draws every byte that a token writes uniformly from 256, whatever the tokenizer, and so
    gives a token of n bytes the probability 256 ** -n; one that it does not know costs nothing.
    """
    tokens = corpus.split(vocab.token, vocab.config.reserved, vocab.learnt)[part]
    written = zip(tokens, vocab.tokenizer.added(tokens), strict=True)
    plain = vocab.token in ("byte", "bpe")
    sizes_of = [
        len(vocab.tokenizer.encoded(token) if plain else text.encode("utf-8", "surrogatepass"))
        * (token in vocab)
        for token, text in written
    ]
    return sum(sizes_of[1:]) * NATS_PER_BYTE


@pytest.mark.parametrize("token", ["char", "word", "bpe", "grapheme", "byte"])
def test_bits_per_byte_of_a_uniform_model_do_not_depend_on_the_tokenizer(token: str) -> None:
    text = WELL_SET * 20 if token == "word" else (WELL_SET + "\u4f60\u597d e\u0301\r\n \t\n") * 20
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.4))
    vocab = vocab_of(corpus, token)
    found = text_sizes(corpus, vocab)
    for part, size in enumerate((found.train, found.valid)):
        assert size is not None
        assert size.lost_bits == 0
        assert size.per_byte(uniform_nats(corpus, vocab, part)) == pytest.approx(8, rel=1e-12)
    assert found.valid is not None
    at = corpus.cut.characters
    held_out, first = text[at:], corpus.split(token, (), vocab.learnt)[1][0]
    assert len(held_out) - found.valid.num_characters in (1, len(str(first)))
    length = len(held_out.encode())
    assert length - found.valid.num_bytes == len(vocab.tokenizer.encoded(first))


@pytest.mark.parametrize("token", ["char", "word", "bpe", "grapheme", "byte"])
@given(TEXTS)
def test_what_is_forgotten_costs_more_than_what_is_predicted(token: str, text: str) -> None:
    # A uniform model needs 8 bits a byte: no tokenizer may need fewer.
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.5))
    if len(corpus.split(token if token != "bpe" else "byte")[0]) < 2:
        return
    vocab = vocab_of(corpus, token)
    size = text_sizes(corpus, vocab).valid
    if size is not None and size.num_bytes:
        assert size.per_byte(uniform_nats(corpus, vocab, 1)) >= 8 - 1e-9


@pytest.mark.parametrize("token", ["char", "grapheme"])
def test_an_unknown_token_is_spelled(token: str) -> None:
    corpus = Corpus.from_text("abab" * 6 + "a\u4f60b\u4f60a" + "z", CorpusConfig(valid=0.2))
    size = text_sizes(corpus, vocab_of(corpus, token)).valid
    assert size is not None
    assert size.num_characters == 5
    assert size.num_bytes == len("\u4f60b\u4f60az".encode())
    assert size.lost_bits == pytest.approx(2 * spelled_bits(3) + spelled_bits(1))
    assert spelled_bits(1) == 2 * math.log2(257)


def test_white_space_that_words_do_not_write_is_spelled() -> None:
    train = "one two three\n" * 4
    corpus = Corpus.from_text(f"{train}one  two three \none two", CorpusConfig(valid=23.5 / 79))
    assert corpus.split("word")[1] == ["one", "two", "three", "\n", "one", "two"]
    size = text_sizes(corpus, vocab_of(corpus, "word")).valid
    assert size is not None
    assert size.num_characters == size.num_bytes == len("  two three \none two")
    # Two of five places: two spaces, and one before the line end.
    assert size.lost_bits == pytest.approx(spelled_bits(2) + spelled_bits(1) + math.log2(10))


def test_white_space_at_the_end_is_spelled() -> None:
    corpus = Corpus.from_text("one two one two one two   ", CorpusConfig(valid=0.4))
    size = text_sizes(corpus, vocab_of(corpus, "word")).valid
    assert size is not None
    assert size.num_characters == len(" two   ")
    assert size.lost_bits == pytest.approx(spelled_bits(3) + math.log2(2))


@pytest.mark.parametrize("token", ["char", "word", "byte", "bpe"])
def test_line_ends_are_no_part_of_a_text_of_the_book(token: str) -> None:
    text = "one two\nthree four\n\nfive six\n" * 20
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.5, d2l=True))
    size = text_sizes(corpus, vocab_of(corpus, token)).valid
    assert size is not None
    held_out = text.replace("\n", "")[len(text.replace("\n", "")) // 2 :]
    first = corpus.split("char" if token == "char" else token, (), vocab_of(corpus, token).learnt)[
        1
    ]
    assert size.num_bytes == len(held_out) - len(first[0])
    assert size.lost_bits == 0


def test_given_tokens_have_no_size() -> None:
    corpus = Corpus.from_tokens([1, 2, 3] * 9, CorpusConfig(valid=0.5))
    found = text_sizes(corpus, Vocab.from_corpus(corpus))
    assert (found.train, found.valid) == (None, None)


def test_parts_without_a_predicted_token_have_no_size() -> None:
    corpus = Corpus.from_text("abc", CorpusConfig(valid=0.4))
    found = text_sizes(corpus, Vocab.from_corpus(corpus))
    assert found.train == TextSize(1, 1)
    assert found.valid is None


def test_a_long_training_text_of_words_is_not_walked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    corpus = Corpus.from_text(WELL_SET * 20, CorpusConfig(valid=0.5))
    whole = text_sizes(corpus, vocab_of(corpus, "word"))
    monkeypatch.setattr(sizes, "MOST_MEASURED", 100)
    found = text_sizes(corpus, vocab_of(corpus, "word"))
    assert found.train is None
    assert found.valid == whole.valid
    assert whole.train is not None


def test_a_tokenizer_of_ones_own_is_measured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_magics.text.tokenizers import Tokenizer

    small = Tokenizer(lambda text: list(text.lower()), lambda _p, token: str(token), "small")
    monkeypatch.setitem(TOKENIZERS, "small", small)
    corpus = Corpus.from_text("abcAbcabAb", CorpusConfig(valid=0.5))
    size = text_sizes(corpus, vocab_of(corpus, "small")).valid
    assert size is not None
    assert size.num_bytes == 4  # "c" of the held-out text is its first token
    assert size.lost_bits == pytest.approx(spelled_bits(1) + math.log2(3))


def test_sizes_are_measured_once() -> None:
    corpus = Corpus.from_text(WELL_SET, CorpusConfig(valid=0.5))
    vocab = vocab_of(corpus, "word")
    assert text_sizes(corpus, vocab) is text_sizes(corpus, vocab)
    assert text_sizes(corpus, vocab_of(corpus, "word")) == text_sizes(corpus, vocab)


def test_bits_are_those_of_the_tokens_and_what_is_spelled() -> None:
    size = TextSize(10, 20, 5.0)
    assert size.per_character(15 * math.log(2)) == pytest.approx(2)
    assert size.per_byte(15 * math.log(2)) == pytest.approx(1)
    assert math.isnan(TextSize(0, 0).per_byte(1))
    assert np.isnan(TextSize(0, 0).per_character(1))


def documents_of(text: str, **more: Any) -> Corpus:
    return Corpus.from_text(text, CorpusConfig(documents="line", **more))


def nats_of_documents(corpus: Corpus, vocab: Vocab, part: int) -> float:
    """Return what the tokens of documents cost under the uniform model, the ends being free."""
    tokens = corpus.split(vocab.token, vocab.config.reserved, vocab.learnt)[part]
    plain, cost, before = vocab.token in ("byte", "bpe"), 0, None
    for token in tokens:
        if token == BOS:
            before = None
            continue
        written = vocab.tokenizer.glue(before, token)
        data = vocab.tokenizer.encoded(token) if plain else written.encode("utf-8", "surrogatepass")
        cost += len(data) * (token in vocab)
        before = token
    return cost * NATS_PER_BYTE


@pytest.mark.parametrize("token", ["char", "word", "bpe", "grapheme", "byte"])
@given(st.lists(st.sampled_from(DOCUMENTS_WELL_SET), min_size=9, max_size=30), st.integers(0, 2))
def test_bits_per_byte_of_documents_do_not_depend_on_the_tokenizer(
    token: str, documents: list[str], seed: int
) -> None:
    every = DOCUMENTS_WELL_SET * 2 + documents  # nothing held out is unknown, if not shuffled
    corpus = documents_of("\n".join(every), valid=0.3, seed=seed or None)
    vocab = vocab_of(corpus, token)
    found = text_sizes(corpus, vocab)
    for part, size in enumerate((found.train, found.valid)):
        assert size is not None
        mine = parted(numbered_as(corpus, vocab), corpus.documents)[part]
        assert size.num_characters == sum(map(len, mine))  # all of each, since its mark is read
        assert size.num_bytes == sum(len(each.encode()) for each in mine)
        nats = nats_of_documents(corpus, vocab, part)
        if size.lost_bits == 0:
            assert size.per_byte(nats) == pytest.approx(8, rel=1e-12)
        else:  # a seed may hold out every document with some token
            assert (part, seed > 0, token in ("byte", "bpe")) == (1, True, False)
            assert size.per_byte(nats) > 8


@pytest.mark.parametrize("token", ["char", "word", "bpe", "grapheme", "byte"])
@given(st.lists(DOCUMENTS, min_size=3, max_size=12), st.sampled_from(["line", "blank"]))
def test_no_tokenizer_gains_by_what_it_forgets_of_documents(
    token: str, documents: list[str], kind: str
) -> None:
    text = ("\n" if kind == "line" else "\n\n").join(documents)
    config = CorpusConfig(documents=kind, valid=0.5)
    try:
        corpus = Corpus.from_text(text, config)
        vocab = vocab_of(corpus, token)
    except RNNMagicsError:  # too few documents
        return
    found, held_out = (
        text_sizes(corpus, vocab),
        parted(numbered_as(corpus, vocab), corpus.documents),
    )
    for part, size in enumerate((found.train, found.valid)):
        assert size is not None
        assert size.num_bytes == sum(len(each.encode()) for each in held_out[part])
        assert size.per_byte(nats_of_documents(corpus, vocab, part)) >= 8 - 1e-9


def test_documents_of_words_are_spelled_between_their_words() -> None:
    corpus = documents_of("one two\n" * 4 + " one  two\ntwo \none three", valid=0.45)
    size = text_sizes(corpus, vocab_of(corpus, "word")).valid
    assert size is not None
    assert size.num_characters == len(" one  two" + "two " + "one three")
    # Of six places three: before the first word, between two, after a word. One is unknown.
    spelled = spelled_bits(1) + spelled_bits(2) + spelled_bits(1) + spelled_bits(5)
    assert size.lost_bits == pytest.approx(spelled + math.log2(math.comb(6, 3)))


@pytest.mark.parametrize("token", ["char", "word", "byte"])
def test_documents_beyond_the_limit_have_no_part_in_the_sizes(token: str) -> None:
    corpus = documents_of("one two\n" * 9, valid=0.3, max_tokens=20 if token == "word" else 50)
    vocab = vocab_of(corpus, token)
    found, parts = text_sizes(corpus, vocab), corpus.split(token, vocab.config.reserved)
    for size, tokens in zip((found.train, found.valid), parts, strict=True):
        assert size is not None
        assert size.num_bytes == 7 * (tokens.count(BOS) - 1)
    assert sum(map(len, parts)) <= 50
