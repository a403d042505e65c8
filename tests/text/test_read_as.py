"""A text is read as that of a run was: whole, or a part of one, such as a prefix."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.text.cleaning import CorpusConfig, clean
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import TextReading, corpus_as, part_as
from rnn_magics.text.vocab import Vocab, encode_corpus

FLAGS = ("lower", "letters_only", "d2l")
CLEANINGS = [
    CorpusConfig(**{flag: bool(bits >> place & 1) for place, flag in enumerate(FLAGS)})
    for bits in range(8)
]
TEXTS = st.text(st.sampled_from("aB \n.,'é9_Ω\t\u0301的"), max_size=12)


@pytest.mark.parametrize("cleaning", CLEANINGS)
@given(TEXTS)
def test_a_part_is_cleaned_as_it_is_in_the_middle_of_a_text(
    cleaning: CorpusConfig, text: str
) -> None:
    whole = clean(f"x{text}x", cleaning)
    if cleaning.d2l:
        whole = whole.replace("\n", "")  # no token of the book
    assert f"x{part_as(TextReading(cleaning), text)}x" == whole


@pytest.mark.parametrize("cleaning", CLEANINGS)
@given(TEXTS)
def test_a_part_that_was_read_is_read_as_it_is(cleaning: CorpusConfig, text: str) -> None:
    reading = TextReading(cleaning)
    once = part_as(reading, text)
    assert part_as(reading, once) == once


def test_what_is_read_alike_has_no_unknown_tokens() -> None:
    text = "The Time Traveller (for so it will be convenient to speak of him)\n" * 20
    for cleaning in CLEANINGS:
        corpus = Corpus.from_text(text, cleaning)
        vocab = Vocab.from_corpus(corpus)
        tokens = vocab.split(part_as(TextReading.of(corpus), "The Time (for "))
        assert all(token in vocab for token in tokens), cleaning


def test_reserved_tokens_and_unk_are_whole() -> None:
    reading = TextReading(CorpusConfig(letters_only=True, lower=True))
    assert part_as(reading, "<BOS>The <unk>, <bos>", ["<BOS>"]) == "<BOS>the <unk> bos "


def test_the_last_letter_of_a_word_keeps_its_form() -> None:
    reading = TextReading(CorpusConfig(letters_only=True, lower=True))
    assert part_as(reading, "ΟΔΟΣ") == "οδος"


@pytest.mark.parametrize("cleaning", CLEANINGS)
@pytest.mark.parametrize("there", CLEANINGS[:2])
def test_a_corpus_is_cleaned_as_another_was(cleaning: CorpusConfig, there: CorpusConfig) -> None:
    text = "The Time Traveller: 9 of them.\n" * 40
    corpus = Corpus.from_text(text, replace(there, valid=0.2, max_tokens=500))
    read = corpus_as(TextReading(cleaning), corpus)
    assert read.data == clean(clean(text, there), cleaning)
    assert (read.config.valid, read.config.max_tokens) == (0.2, 500)
    assert read is corpus_as(TextReading(replace(cleaning, valid=0.5)), corpus)  # kept
    vocab = Vocab.from_corpus(read)
    assert encode_corpus(read, vocab).valid_unk_share == 0.0


def test_nothing_changes_where_nothing_is_known_or_there_is_no_text() -> None:
    corpus = Corpus.from_text("The Time")
    tokens = Corpus.from_tokens(["A", "b", "C"])
    lower = TextReading(CorpusConfig(lower=True))
    assert corpus_as(None, corpus) is corpus
    assert corpus_as(lower, tokens) is tokens
    assert part_as(None, "The  ") == "The  "


def test_a_reading_is_said_as_it_is_typed() -> None:
    assert str(TextReading(CorpusConfig(letters_only=True, valid=0.3), "cp1252")) == (
        "--letters-only --encoding cp1252"
    )
