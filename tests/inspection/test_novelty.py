"""What is copied, against a search of every place."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics import Corpus, CorpusConfig, DecodingConfig, Generation, Vocab, VocabConfig
from rnn_magics.inspection.novelty import _longest_apart, copied_lengths, measure_novelty


def slowly(train: list[int], written: list[int], place: int) -> int:
    def shared(start: int) -> int:
        pairs = zip(train[start:], written[place:], strict=False)
        return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))

    return max(map(shared, range(len(train))))


SMALL = st.lists(st.integers(0, 2), min_size=1, max_size=30)
WIDE = st.lists(st.sampled_from([0, 1, 255, 256, 65536]), min_size=1, max_size=30)


@given(st.one_of(st.tuples(SMALL, SMALL), st.tuples(WIDE, WIDE)))
def test_every_match_is_the_longest_there_is(texts: tuple[list[int], list[int]]) -> None:
    train, written = texts
    lengths, sources = copied_lengths(np.array(train), np.array(written))
    for place, (length, source) in enumerate(zip(lengths, sources, strict=True)):
        assert length == slowly(train, written, place)
        assert train[source : source + length] == written[place : place + length]


@given(st.lists(st.integers(0, 9), max_size=40))
def test_the_longest_spans_that_do_not_overlap_are_taken(lengths: list[int]) -> None:
    within = [min(length, len(lengths) - i) for i, length in enumerate(lengths)]
    taken: set[int] = set()
    expected = []
    for begin in sorted(range(len(within)), key=lambda place: -within[place]):
        places = set(range(begin, begin + within[begin]))
        if len(places) >= 2 and not places & taken:
            taken |= places
            expected.append(begin)
    assert _longest_apart(np.array(within, np.int64), 2) == sorted(expected)


def written(tokens: list[str], text: str) -> Generation:
    return Generation(text, "", tokens, [0.0] * len(tokens), None, (), DecodingConfig())


def test_a_copied_line_is_found_with_its_number() -> None:
    text = "one line of text\nanother line is here\nthe third line ends it\n"
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.0))
    vocab = Vocab.from_corpus(corpus)
    copy = "zzz another line is here"
    found = measure_novelty(written(list(copy), copy), corpus, vocab)
    (span,) = found.spans
    assert (span.text, span.line) == ("another line is here", 2)
    assert span.line_text == "another line is here"
    assert span.source == text.index(span.text)
    assert found.pieces == [("zzz ", None), ("another line is here", 0)]
    assert found.shares[1] == pytest.approx(3 / 24)  # z is new
    assert found.longest is span


def test_words_and_the_lines_of_the_book() -> None:
    text = "The first line.\n\nAnd a second line, it is longer.\n"
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.0, d2l=True))
    vocab = Vocab.from_corpus(corpus, VocabConfig("word"))
    tokens = ["second", "line", "it", "is", "first"]
    found = measure_novelty(written(tokens, " ".join(tokens)), corpus, vocab)
    (span,) = found.spans
    assert (span.text, span.line, span.source) == ("second line it is", 3, 5)
    assert found.shares[2] == pytest.approx(1 / 4)
    assert found.shares[1] == 0


def test_given_tokens_have_places_but_no_lines() -> None:
    corpus = Corpus.from_tokens(range(40), CorpusConfig(valid=0.0))
    vocab = Vocab.from_corpus(corpus)
    found = measure_novelty(written(list(range(5, 12)), ""), corpus, vocab)
    assert [(s.source, len(s), s.line) for s in found.spans] == [(5, 7, None)]


def test_the_held_out_part_is_not_searched() -> None:
    corpus = Corpus.from_text("abcdefghijklmnopqrstuvwxyz" * 2, CorpusConfig(valid=0.5))
    vocab = Vocab.from_corpus(corpus)
    tokens = list("wxyzabcdefghijklmno")  # goes across the split
    assert measure_novelty(written(tokens, ""), corpus, vocab).longest.begin == 4
