"""What is copied, against a search of every place."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics import Corpus, CorpusConfig, DecodingConfig, Generation, Vocab, VocabConfig
from rnn_magics.inspection.novelty import (
    _longest_apart,
    copied_lengths,
    measure_novelty,
    ordinary_length,
)


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


@given(SMALL, SMALL, st.integers(1, 12))
def test_what_is_ordinary_is_the_longest_match_of_a_stretch(
    train: list[int], valid: list[int], size: int
) -> None:
    found = ordinary_length(np.array(train), np.array(valid), size)
    size = min(size, len(valid))
    starts = range(0, len(valid) - size + 1, size)
    stretches = [valid[start : start + size] for start in starts]
    longest = sorted(max(slowly(train, s, place) for place in range(size)) for s in stretches)
    assert found == longest[min(len(longest) - 1, int(np.ceil(0.95 * (len(longest) - 1))))]


@pytest.mark.parametrize("num", [0, 1, 9, 100])
def test_without_a_held_out_part_the_end_of_the_text_is_compared(num: int) -> None:
    nothing = np.empty(0, np.int64)
    assert ordinary_length(np.zeros(num, np.int64), nothing, 5) == min(5, num // 10)
    assert ordinary_length(np.arange(num), nothing, 5) == 0


def test_what_the_author_repeats_anyway_is_not_marked() -> None:
    """A licence that stands in every file is copied by everybody."""
    licence = "permission is hereby granted, free of charge"
    chapters = [f"{name * 9}\n{licence}\n" for name in "abcdefghijklmnopqrst"]
    secret = "the only line of its kind in the whole text"
    text = "".join([secret, "\n", *chapters])
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.3))
    vocab = Vocab.from_corpus(corpus)
    copied = f"xyxy {licence} yxyx {secret} and no more of it"
    found = measure_novelty(written(list(copied), copied), corpus, vocab)
    assert found.ordinary >= len(licence)
    assert [span.text.strip("\n") for span in found.spans] == []
    longer = f"xyxy {licence} yxyx {secret}\n{chapters[0]}"
    found = measure_novelty(written(list(longer), longer), corpus, vocab)
    assert [span.text for span in found.spans] == [f"{secret}\n{chapters[0]}"]


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
    letters = "abcdefghijklmnopqrstuvwxyz"
    corpus = Corpus.from_text(f"{letters}{letters[::-1]}", CorpusConfig(valid=0.5))
    vocab = Vocab.from_corpus(corpus)
    tokens = list("lmnopqrstuvwxyzzyxwvutsrq")  # goes across the split
    (span,) = measure_novelty(written(tokens, ""), corpus, vocab).spans
    assert (span.begin, span.end) == (0, 15)
