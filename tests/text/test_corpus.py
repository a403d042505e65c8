"""Corpus: cleaning, the split, and what a corpus can be made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.batching import BatchConfig, make_batches
from rnn_magics.errors import BatchError, CorpusError, VocabError
from rnn_magics.text.corpus import Corpus, CorpusConfig, clean
from rnn_magics.text.vocab import Vocab


def test_d2l_cleaning_works_line_by_line() -> None:
    text = "The Time Machine, by H. G. Wells [1898]\n\n  I\u00e9 2x--\n"
    assert clean(text, CorpusConfig(d2l=True)) == "the time machine by h g wells\n\ni x"


def test_d2l_line_ends_are_no_tokens() -> None:
    corpus = Corpus.from_text("One two\nthree!", CorpusConfig(d2l=True))
    assert corpus.tokens("word") == ["one", "two", "three"]
    assert "".join(corpus.tokens("char")) == "one twothree"


def test_letters_only_keeps_letters_of_all_scripts() -> None:
    config = CorpusConfig(letters_only=True)
    assert clean("  Ça va? 42 _時間_, да!\n", config) == "Ça va 時間 да"


def test_lower_only_lowers() -> None:
    assert clean("Ab\nC 1!", CorpusConfig(lower=True)) == "ab\nc 1!"


def test_nothing_is_cleaned_unasked() -> None:
    text = " {a} $b \\ 'c' <i>\t\n"
    assert clean(text, CorpusConfig()) == text


@given(st.text())
def test_d2l_text_has_only_letters_and_single_spaces(text: str) -> None:
    cleaned = clean(text, CorpusConfig(d2l=True))
    assert set(cleaned) <= set("abcdefghijklmnopqrstuvwxyz \n")
    assert "  " not in cleaned
    assert all(line == line.strip() for line in cleaned.split("\n"))


@given(
    st.lists(st.integers(), min_size=2, max_size=60),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.integers(1, 70),
)
def test_the_split_is_the_text_in_two_pieces(
    tokens: list[int], valid: float, max_tokens: int | None
) -> None:
    corpus = Corpus.from_tokens(tokens, CorpusConfig(valid=valid, max_tokens=max_tokens))
    kept = corpus.tokens()
    train, held_out = corpus.split()
    assert train + held_out == kept == tokens[:max_tokens]
    assert len(held_out) == int(len(kept) * valid)


@pytest.mark.parametrize(("length", "held_out"), [(999, 0), (1000, 100), (1234, 123)])
def test_a_tenth_is_held_out_of_texts_that_are_long_enough(length: int, held_out: int) -> None:
    corpus = Corpus.from_text("ab" * (length // 2) + "c" * (length % 2))
    assert len(corpus.split()[1]) == held_out


def test_nothing_is_held_out_when_asked() -> None:
    corpus = Corpus.from_text("ab" * 1000, CorpusConfig(valid=0))
    assert corpus.split()[1] == []


def test_the_default_share_is_the_same_for_every_tokenizer() -> None:
    corpus = Corpus.from_text("word " * 500)  # 2,500 characters, 500 words
    assert corpus.held_out_share == 0.1
    assert len(corpus.split("char")[1]) == 250
    assert len(corpus.split("word")[1]) == 50


def test_the_default_share_is_that_of_the_shortened_text() -> None:
    corpus = Corpus.from_text("ab" * 1000, CorpusConfig(max_tokens=999))
    assert corpus.held_out_share == 0.0
    assert len(corpus.split()[0]) == 999


def test_several_sources_are_joined_by_a_line_end(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(name)
    paths = [str(tmp_path / "one.txt"), str(tmp_path / "two.txt")]
    corpus = Corpus.load(paths)
    assert (corpus.data, corpus.name, corpus.origin) == ("one\ntwo", "one+two", ", ".join(paths))
    assert Corpus.load(paths, name="mine").name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "'x' has no characters after cleaning"), ("1a2", "'x' has only one character after")],
)
def test_a_text_too_short_for_a_model_is_refused(text: str, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        Corpus.from_text(text, CorpusConfig(letters_only=True), name="x")


MIXED = "The time machine, \u65f6\u95f4\u673a\u5668 na\u00efve.\n" * 20  # 5 of 23 letters


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (MIXED, 5 / 23),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 ab" * 20, 3 / 5),  # a mark is no letter
        ("plain text, 12 \u201cquotes\u201d \U0001f600\n" * 20, 0),
    ],
)
def test_a_corpus_knows_what_share_of_its_letters_the_books_cleaning_removed(
    text: str, share: float
) -> None:
    corpus = Corpus.from_text(text, CorpusConfig(d2l=True), name="x")
    assert corpus.letters_removed == pytest.approx(share)
    said = f"--d2l keeps the letters a to z alone: {share:.0%} of the letters of 'x' are gone"
    assert corpus.losses.startswith(said if share else "")
    assert bool(corpus.losses) == bool(share)
    for kept in (CorpusConfig(), CorpusConfig(letters_only=True, lower=True)):
        assert Corpus.from_text(text, kept).letters_removed == 0


@given(st.text(st.sampled_from("ab \n1.\u00e9\u65f6\u0939\u093f\u0301"), max_size=40))
def test_the_share_of_letters_removed_is_that_of_counting_them(text: str) -> None:
    letters = [c for c in text if c.isalpha()]
    removed = [c for c in letters if not c.isascii()]
    try:
        corpus = Corpus.from_text(text, CorpusConfig(d2l=True))
    except CorpusError as error:
        assert ("--d2l keeps" in str(error)) == bool(removed)  # noqa: PT017  (of some texts)
        return
    assert corpus.letters_removed == pytest.approx(len(removed) / (len(letters) or 1))


def test_whatever_is_too_short_after_cleaning_says_so_instead_of_asking_for_more_text() -> None:
    chinese = "\u65f6\u95f4\u673a\u5668 a.\n"
    with pytest.raises(CorpusError, match=r"'x' has no characters .*100% of the letters"):
        Corpus.from_text("\u65f6\u95f4", CorpusConfig(d2l=True), name="x")
    corpus = Corpus.from_text(chinese * 2, CorpusConfig(d2l=True), name="x")
    with pytest.raises(BatchError, match="80% of the letters of 'x' are gone"):
        make_batches(corpus, Vocab.from_corpus(corpus), BatchConfig(batch_size=2, num_steps=4))
    corpus = Corpus.from_text(chinese * 2, CorpusConfig(d2l=True, valid=0.5), name="x")
    with pytest.raises(VocabError, match="80% of the letters of 'x' are gone"):
        Vocab.from_corpus(corpus)


@pytest.mark.parametrize(
    ("data", "tokens"),
    [
        ("abc", ["a", "b", "c"]),
        (["ab\n", "c"], ["a", "b", "\n", "c"]),
        (range(3), [0, 1, 2]),
        ([1.5, 2, None], [1.5, 2, None]),
        ([(1, 2), (3,)], [(1, 2), (3,)]),
        (np.arange(3), [0, 1, 2]),
        (np.array(["a", "b"]), ["a", "\n", "b"]),
        (torch.arange(3), [0, 1, 2]),
        (pd.Series([3, 4]), [3, 4]),
    ],
)
def test_a_variable_of_many_kinds_becomes_a_corpus(data: Any, tokens: list[Any]) -> None:
    corpus = Corpus.from_data(data, name="v")
    assert corpus.tokens() == tokens
    assert corpus.origin == "variable v"


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        (None, "None"),
        (float("nan"), "nan"),
        (np.float64("nan"), "nan"),
        (pd.NA, "a NAType"),
        (pd.NaT, "a NaTType"),
        (3, "an int"),
        (2.5, "a float"),
        (b"c", "a bytes"),
        (["c"], "a list"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("kind", [list, tuple, pd.Series])
def test_what_is_no_string_among_strings_is_named(
    odd: Any, what: str, place: int, kind: Callable[[Any], Any]
) -> None:
    lines: list[Any] = ["first", "second"]
    lines.insert(place, odd)
    said = f"^'v': element {place} is ({what}) among strings; drop or replace it"
    with pytest.raises(
        CorpusError, match=said if kind is not pd.Series else "among strings"
    ) as caught:
        Corpus.from_data(kind(lines), name="v")
    assert f"'v': element {place} is " in str(caught.value)
    assert ("--as-tokens" in str(caught.value)) == (what in ("an int", "a float"))
    if what not in ("an int", "a float", "a bytes"):  # these are tokens, if one says so
        with pytest.raises(CorpusError, match=f"element {place} is "):
            Corpus.from_tokens(kind(lines), name="v")


@pytest.mark.parametrize("data", [b"ab", 3, {"a": 1}, None, np.array(3), iter("ab")])
def test_other_variables_are_refused(data: Any) -> None:
    with pytest.raises(CorpusError, match="a corpus is made from a string"):
        Corpus.from_data(data, name="v")


@pytest.mark.parametrize("data", [[], [1], np.empty(0), ""])
def test_a_variable_too_short_is_refused(data: Any) -> None:
    with pytest.raises(CorpusError, match="needs at least two"):
        Corpus.from_data(data)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([1, [2]], "element 1 is a list; tokens must be hashable"),
        (np.eye(2), "element 0 is a list; tokens must be hashable"),
        ([1.0, float("nan")], "element 1 is nan"),
    ],
)
def test_tokens_that_cannot_be_looked_up_are_refused(tokens: Any, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        Corpus.from_data(tokens)


@pytest.mark.parametrize("cleaning", ["lower", "letters_only", "d2l"])
def test_given_tokens_are_not_cleaned(cleaning: str) -> None:
    with pytest.raises(CorpusError, match="cleaning is for text"):
        Corpus.from_tokens(["A", "b"], CorpusConfig.from_dict({cleaning: True}))


def test_given_tokens_are_not_split_again_nor_text_taken_as_given() -> None:
    with pytest.raises(CorpusError, match="is a sequence of tokens; leave out --token char"):
        Corpus.from_tokens([1, 2]).tokens("char")
    with pytest.raises(CorpusError, match="is text; leave out --token given"):
        Corpus.from_text("ab").tokens("given")


def test_the_fingerprint_is_that_of_the_cleaned_text() -> None:
    plain, lowered = Corpus.from_text("ab"), Corpus.from_text("AB", CorpusConfig(lower=True))
    assert plain.fingerprint == lowered.fingerprint
    assert plain.fingerprint == "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603"
    assert plain.fingerprint != Corpus.from_text("ba").fingerprint


def test_fingerprints_tell_numbers_from_words() -> None:
    numbers, words = Corpus.from_tokens([1, 2]), Corpus.from_tokens(["1", "2"])
    assert numbers.fingerprint != words.fingerprint


def test_repr_says_name_size_and_split() -> None:
    corpus = Corpus.from_text("ab" * 600, CorpusConfig(valid=0.25), name="x")
    assert repr(corpus) == "Corpus('x', 1,200 characters, 25% held out)"
    assert repr(Corpus.from_text("ab", name="x")) == "Corpus('x', 2 characters, nothing held out)"
