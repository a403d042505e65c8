"""Statistics: n-grams, Zipf's law, coverage; and the figures published for The Time Machine."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.statistics import (
    TextStatistics,
    count_ngrams,
    coverage,
    fit_zipf,
    text_statistics,
)
from rnn_magics.text.vocab import Vocab, VocabConfig


@pytest.fixture
def time_machine(data_folder: Path) -> Corpus:
    config = CorpusConfig(d2l=True, valid=0)
    return Corpus.load(str(data_folder / "timemachine.txt"), config)


@pytest.fixture
def words(time_machine: Corpus) -> TextStatistics:
    return text_statistics(time_machine, "word")


def test_the_time_machine_has_3221_lines(time_machine: Corpus) -> None:
    lines = time_machine.data.split("\n")  # type: ignore[union-attr]
    assert len(lines) == 3221
    assert lines[0] == "the time machine by h g wells"


def test_the_time_machine_has_170580_characters_of_27_kinds(time_machine: Corpus) -> None:
    tokens = time_machine.tokens("char")
    assert (len(tokens), len(Vocab.from_corpus(time_machine))) == (170580, 28)


def test_the_words_of_the_time_machine_have_the_indices_of_the_book(time_machine: Corpus) -> None:
    vocab = Vocab.from_corpus(time_machine, VocabConfig(token="word"))
    first = ["<unk>", "the", "i", "and", "of", "a", "to", "was", "in", "that"]
    assert vocab.to_tokens(list(range(10))) == first
    lines = time_machine.data.split("\n")  # type: ignore[union-attr]
    assert vocab[vocab.split(lines[0])] == [1, 19, 50, 40, 2183, 2184, 400]
    assert vocab[vocab.split(lines[10])] == [
        *(2186, 3, 25, 1044, 362, 113, 7, 1421, 3, 1045, 1),
    ]


def test_the_time_machine_has_as_many_words_and_types_as_published(
    time_machine: Corpus, words: TextStatistics
) -> None:
    assert len(time_machine.tokens("word")) == 32_775
    assert [len(table.counts) for table in words.ngrams] == [4_579, 20_234, 29_882]
    assert [int(table.counts.sum()) for table in words.ngrams] == [32_775, 32_774, 32_773]


@pytest.mark.parametrize(
    ("n", "published"),
    [
        (
            1,
            "the 2261, i 1267, and 1245, of 1155, a 816, to 695, was 552, in 541, that 443, my 440",
        ),
        (
            2,
            (
                "of-the 309, in-the 169, i-had 130, i-was 112, and-the 109, the-time 102, it-was"
                " 99, to-the 85, as-i 78, of-a 73"
            ),
        ),
        (
            3,
            (
                "the-time-traveller 59, the-time-machine 30, the-medical-man 24, it-seemed-to 16,"
                " it-was-a 15, here-and-there 15, seemed-to-me 14, i-did-not 14, i-saw-the 13,"
                " i-began-to 13"
            ),
        ),
    ],
)
def test_the_ten_most_frequent_ngrams_are_the_published_ones(
    words: TextStatistics, n: int, published: str
) -> None:
    top = words.ngrams[n - 1].most_common(10, words.vocab)
    assert ", ".join(f"{'-'.join(ngram)} {count}" for ngram, count in top) == published


def test_the_slopes_of_zipf_are_the_published_ones(words: TextStatistics) -> None:
    assert [fit and round(fit.slope, 3) for fit in words.fits] == [-1.032, -0.676, -0.460]
    assert all(fit and fit.ranks == (1, 1000) for fit in words.fits)


@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 4))
def test_ngrams_are_counted_as_a_counter_counts_them(ids: list[int], n: int) -> None:
    table = count_ngrams(np.array(ids, np.int64), n)
    counted = Counter(zip(*(ids[shift:] for shift in range(n)), strict=False))
    found = zip(map(tuple, table.ngrams.tolist()), table.counts.tolist(), strict=True)
    assert list(found) == counted.most_common()  # ties by first appearance, too
    assert table.n == n


def test_long_ngrams_over_a_large_vocabulary_do_not_collide() -> None:
    ids = np.random.default_rng(0).integers(0, 2**31, 500)
    table = count_ngrams(ids, 6)
    assert len(table.counts) == 495
    assert sorted(map(tuple, table.ngrams.tolist())) == sorted(
        tuple(ids[i : i + 6].tolist()) for i in range(495)
    )


@given(st.floats(-2, -0.1), st.floats(1, 1e6), st.integers(2, 50))
def test_a_table_that_follows_zipf_gives_its_slope_back(
    slope: float, height: float, num: int
) -> None:
    counts = height * np.arange(1, num + 1) ** slope
    fit = fit_zipf(counts, 1, 1000)  # type: ignore[arg-type]
    assert fit.slope == pytest.approx(slope, abs=1e-6)
    assert fit(3) == pytest.approx(height * 3**slope, rel=1e-6)
    assert fit.ranks == (1, num)


def test_zipf_holds_for_words_and_not_for_characters(time_machine: Corpus) -> None:
    assert [fit and fit.holds for fit in text_statistics(time_machine, "word").fits] == [True] * 3
    characters, *_ = text_statistics(time_machine, "char").fits
    assert characters is not None
    assert not characters.holds


@pytest.mark.parametrize("name", ["python_docs", "python_source"])
def test_zipf_holds_for_the_words_that_come_with_python(name: str) -> None:
    corpus = Corpus.load(name, CorpusConfig(valid=0))
    # Each version of Python has its own texts: of 3.13's documents the trigrams do not fit a line.
    assert [fit and fit.holds for fit in text_statistics(corpus, "word").fits][:2] == [True] * 2
    assert [fit and fit.holds for fit in text_statistics(corpus, "char").fits][:2] == [False] * 2


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=50))
def test_the_miss_is_the_worst_ratio_of_line_and_count(counts: list[int]) -> None:
    counts.sort(reverse=True)
    fit = fit_zipf(counts)
    ratios = [fit(rank) / count for rank, count in enumerate(counts, start=1)]
    assert 10**fit.miss == pytest.approx(max(*ratios, 1 / min(ratios)), rel=1e-6)


def test_only_the_ranks_asked_for_are_fitted() -> None:
    counts = [1000, 10, 5, 2.5, 1.25]
    fit = fit_zipf(counts, 2, 3)  # type: ignore[arg-type]
    assert fit.ranks == (2, 3)
    assert fit.slope == pytest.approx(np.log(0.5) / np.log(3 / 2))


@pytest.mark.parametrize("counts", [[], [5]])
def test_a_line_needs_two_points(counts: list[int]) -> None:
    with pytest.raises(CorpusError, match=f"at least two types to fit, not {len(counts)}"):
        fit_zipf(counts)


def test_coverage_is_the_share_of_the_most_frequent() -> None:
    assert coverage([6, 3, 1], [0, 1, 2, 3, 99]) == [0.0, 0.6, 0.9, 1.0, 1.0]
    assert coverage([], [1]) == [0.0]


def test_the_rate_of_unknown_words_is_that_of_a_vocabulary_so_large() -> None:
    letters = "abcdefghijklmnopqrst"
    train = "".join(letter * (30 - place) for place, letter in enumerate(letters))
    held_out = "abcjklz" * 10
    text, share = train + held_out, len(held_out) / len(train + held_out)
    corpus = Corpus.from_text(text, CorpusConfig(valid=share + 1e-9))
    found = text_statistics(corpus)
    assert found.sizes == (10, 20)
    assert found.covered == pytest.approx((sum(range(21, 31)) / len(train), 1.0))
    for size, rate in zip(found.sizes, found.oov_rates or (), strict=True):
        known = set(letters[:size])
        assert rate == pytest.approx(sum(c not in known for c in held_out) / len(held_out))


def test_nothing_held_out_has_no_rate_of_unknown_words() -> None:
    assert text_statistics(Corpus.from_text("abab")).oov_rates is None


def test_too_few_types_have_no_fit() -> None:
    found = text_statistics(Corpus.from_text("aaaa"))
    assert found.fits == (None, None, None)
    pairs = itertools.pairwise(found.ngrams)
    assert all(len(a.counts) == len(b.counts) == 1 for a, b in pairs)
