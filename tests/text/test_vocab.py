"""Vocab: the map between tokens and indices."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.errors import VocabError
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.tokenizers import TOKENIZERS
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus

plain_tokens = st.text(max_size=4) | st.integers() | st.floats(allow_nan=False)
tokens = st.recursive(plain_tokens, lambda t: st.lists(t, max_size=3).map(tuple), max_leaves=6)


def test_the_most_frequent_token_comes_first_ties_by_first_appearance() -> None:
    vocab = Vocab("dcbabca")  # a, b, c twice, d once; c stands before b and a
    assert vocab.to_tokens(list(range(5))) == ["<unk>", "c", "b", "a", "d"]
    assert vocab.token_freqs == [("c", 2), ("b", 2), ("a", 2), ("d", 1)]


@given(st.lists(st.sampled_from("abcdefg")))
def test_every_token_has_one_index_by_falling_frequency(text: list[str]) -> None:
    vocab = Vocab(text)
    assert len(vocab) == len(set(text)) + 1
    assert [vocab[token] for token, _ in vocab.token_freqs] == list(range(1, len(vocab)))
    assert dict(vocab.token_freqs) == Counter(text)
    keys = [(-count, text.index(token)) for token, count in vocab.token_freqs]
    assert keys == sorted(keys)


def test_tokens_become_indices_one_or_many() -> None:
    vocab = Vocab("aab")
    assert vocab["a"] == 1
    assert vocab["?"] == vocab.unk == 0
    assert vocab[["a", "b", "?"]] == vocab["a", "b", "?"] == [1, 2, 0]
    assert vocab[[["a"], ["b", "b"]]] == [[1], [2, 2]]
    assert "a" in vocab
    assert "?" not in vocab


@pytest.mark.parametrize("many", [[1, 2], (1, 2), np.array([1, 2]), torch.tensor([1, 2])])
def test_indices_become_tokens_one_or_many(many: Any) -> None:
    vocab = Vocab("aab")
    assert vocab.to_tokens(2) == "b"
    assert vocab.to_tokens(many) == ["a", "b"]
    assert vocab.to_tokens([[0], [1, 2]]) == [["<unk>"], ["a", "b"]]


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_outside_is_named(index: int) -> None:
    with pytest.raises(VocabError, match=f"index {index} is outside this vocabulary of 3 tokens"):
        Vocab("aab").to_tokens(index)


def test_rare_tokens_become_unknown_but_stay_counted() -> None:
    vocab = Vocab("aaabbc", VocabConfig(min_freq=2))
    assert len(vocab) == 3
    assert vocab[["a", "b", "c"]] == [1, 2, 0]
    assert vocab.token_freqs == [("a", 3), ("b", 2), ("c", 1)]


def test_the_size_counts_the_unknown_token() -> None:
    vocab = Vocab("aaabbc", VocabConfig(max_size=3))
    assert vocab.to_tokens([0, 1, 2]) == ["<unk>", "a", "b"]
    assert len(Vocab("aaabbc", VocabConfig(max_size=1))) == 1


def test_reserved_tokens_come_after_the_unknown_one() -> None:
    vocab = Vocab("abb", VocabConfig(reserved=("<pad>", "a")))
    assert vocab.to_tokens(list(range(4))) == ["<unk>", "<pad>", "a", "b"]


@pytest.mark.parametrize("reserved", [("<pad>", "<pad>", "<pad>"), ("<unk>", "<unk>", "a")])
def test_a_token_reserved_twice_has_one_index(reserved: tuple[str, ...]) -> None:
    vocab = Vocab("a", VocabConfig(reserved=reserved))
    assert all(token in vocab for token in [*reserved, "a"])
    assert len(vocab) == len({"<unk>", "a", *reserved})


@pytest.mark.parametrize("max_size", [1, 2])
def test_reserved_tokens_that_do_not_fit_are_refused(max_size: int) -> None:
    with pytest.raises(VocabError, match=f"--max-size {max_size} leaves no room"):
        Vocab("aab", VocabConfig(max_size=max_size, reserved=("<pad>", "<bos>")))


def test_reserved_tokens_may_fill_the_vocabulary() -> None:
    vocab = Vocab("aab", VocabConfig(max_size=3, reserved=("<pad>", "<bos>")))
    assert vocab.to_tokens([1, 2]) == ["<pad>", "<bos>"]


def test_an_unknown_token_in_the_text_is_index_zero() -> None:
    vocab = Vocab(["a", "<unk>", "<unk>", "b"])
    assert vocab["<unk>"] == 0
    assert vocab.token_freqs == [("a", 1), ("b", 1)]


def test_only_the_training_part_is_counted() -> None:
    corpus = Corpus.from_text("aabbz", CorpusConfig(valid=0.2))
    assert "z" not in Vocab.from_corpus(corpus)


@pytest.mark.parametrize(
    ("corpus", "token", "said"),
    [
        (Corpus.from_text("...one", CorpusConfig(d2l=True)), "word", "has 1 training token "),
        (Corpus.from_text("ab", CorpusConfig(valid=0.9)), "char", "has 1 training token "),
        (Corpus.from_text("  "), "word", r"has 0 training tokens \(word\)"),
    ],
)
def test_fewer_than_two_training_tokens_are_refused(corpus: Corpus, token: str, said: str) -> None:
    with pytest.raises(VocabError, match=said):
        Vocab.from_corpus(corpus, VocabConfig(token=token))


def test_the_shares_of_unknown_tokens_are_on_record() -> None:
    corpus = Corpus.from_text("aaabbc" + "azzz", CorpusConfig(valid=0.4))
    encoded = encode_corpus(corpus, Vocab.from_corpus(corpus, VocabConfig(min_freq=2)))
    assert encoded.train.tolist() == [1, 1, 1, 2, 2, 0]
    assert encoded.valid.tolist() == [1, 0, 0, 0]
    assert encoded.train_unk_share == pytest.approx(1 / 6)
    assert encoded.valid_unk_share == 0.75


def test_the_share_of_unknown_tokens_in_nothing_is_zero() -> None:
    corpus = Corpus.from_text("abc")
    assert encode_corpus(corpus, Vocab.from_corpus(corpus)).valid_unk_share == 0.0


def test_tuples_can_be_tokens() -> None:
    vocab = Vocab([(1, 2), (1, 2), (3,)])
    assert vocab[1, 2] == 1
    assert vocab[[(1, 2), (3,), (9,)]] == [1, 2, 0]


def test_a_prefix_of_given_tokens_is_read_by_their_text() -> None:
    corpus = Corpus.from_tokens([10, 2.5, (1, 2), 10])
    vocab = Vocab.from_corpus(corpus)
    assert vocab.split("10 2.5 77") == [10, 2.5, "77"]


def test_vocabularies_are_equal_when_they_map_alike() -> None:
    assert Vocab("aab") == Vocab("aabb", VocabConfig())
    assert Vocab("aab") != Vocab("abb")
    assert Vocab("aab") != Vocab("aab", VocabConfig(token="word"))
    assert Vocab("aab") != ["<unk>", "a", "b"]


def test_repr_shows_the_size_and_the_first_tokens() -> None:
    assert repr(Vocab("aab")) == "Vocab(3 char tokens: '<unk>', 'a', 'b')"
    assert repr(Vocab("abcdefg")).endswith("'e', ...)")


@given(
    st.lists(tokens, max_size=12),
    st.integers(1, 3),
    st.none() | st.integers(4, 9),
    st.lists(st.sampled_from(["<pad>", "a", "{x}"]), max_size=3).map(tuple),
    st.sampled_from([None, *TOKENIZERS]),
)
def test_a_vocabulary_survives_json(
    text: list[Any],
    min_freq: int,
    max_size: int | None,
    reserved: tuple[str, ...],
    token: str | None,
) -> None:
    if token is not None and TOKENIZERS[token].alphabet:
        max_size = None  # there would be no room for its bytes
    config = VocabConfig(token=token, min_freq=min_freq, max_size=max_size, reserved=reserved)
    vocab = Vocab(text, config)
    again = Vocab.from_json(vocab.to_json())
    assert again == vocab
    assert again.config == config
    assert again.token_freqs == vocab.token_freqs
    assert again[text] == vocab[text]
    kinds = [type(token) for token, _ in vocab.token_freqs]
    assert [type(token) for token, _ in again.token_freqs] == kinds


@pytest.mark.parametrize(
    "token",
    ["\ud83d\ude00", "😀", "\ud800", math.inf, -math.inf, (1, ("\ud83d\ude00", None)), -0.0],
)
def test_every_token_comes_back_as_it_was(token: Any) -> None:
    text = Vocab([token, token, "a"]).to_json()
    assert text.isascii()
    assert "Infinity" not in text
    ((again, count), _) = Vocab.from_json(text).token_freqs
    assert (repr(again), type(again), count) == (repr(token), type(token), 2)


def test_a_token_without_a_text_form_cannot_be_written() -> None:
    with pytest.raises(
        VocabError,
        match=r"token frozenset.* is a frozenset, which a file cannot hold; use text, numbers",
    ):
        Vocab([frozenset()]).to_json()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=8,
)
tokenlike = json_values | st.fixed_dictionaries({"tuple": json_values})
documents = st.fixed_dictionaries(
    {"format": st.sampled_from([1, 2]) | json_values},
    optional={
        "learnt": json_values | st.lists(st.sampled_from(["t h", "th e", "x", "a  b", "Ġ t"])),
        "config": json_values
        | st.fixed_dictionaries(
            {},
            optional={
                "token": json_values | st.sampled_from(list(TOKENIZERS)),
                "min_freq": json_values | st.integers(1, 3),
                "max_size": json_values | st.integers(1, 3),
                "reserved": json_values | st.lists(st.text(max_size=2) | json_values, max_size=3),
            },
        ),
        "token_freqs": json_values
        | st.lists(st.tuples(tokenlike, st.integers(-1, 3) | json_values), max_size=4),
    },
)


@given(st.text() | json_values.map(json.dumps) | documents.map(json.dumps))
@example("[" * 100_000)
@example("9" * 10_000)
@example('{"format": 1, "config": {"reserved": [["a"]]}, "token_freqs": []}')
@example('{"format": 1, "config": {"max_size": 1' + "0" * 400 + '}, "token_freqs": []}')
@example('{"format": 1, "config": {}, "token_freqs": [["a", 1], ["a", 1]]}')
@example('{"format": 1, "config": {}, "token_freqs": [[["a"], 1]]}')
@example('{"format": 1, "config": {}, "token_freqs": [["a", true]]}')
@example('{"format": 1, "config": {}, "token_freqs": [["a", 1, 2]]}')
def test_malformed_json_raises_nothing_but_a_vocab_error(text: str) -> None:
    try:
        vocab = Vocab.from_json(text)
    except VocabError:
        return
    assert Vocab.from_json(vocab.to_json()).token_freqs == vocab.token_freqs


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "config": {}, "token_freqs": []}',
        '{"format": 1, "config": {}}',
        '{"format": 1, "config": {"colour": 1}, "token_freqs": []}',
        '{"format": 1, "config": {}, "token_freqs": [["a", 0]]}',
        '{"format": 1, "config": {}, "token_freqs": [["a", 1], ["a", 2]]}',
        '{"format": 1, "config": {}, "token_freqs": [["a", true]]}',
        '{"format": 1, "config": {}, "token_freqs": [["a", 1], ["b", 2]]}',
        '{"format": 1, "config": {}, "token_freqs": [[{"tuple": "ab"}, 1]]}',
        '{"format": 1, "config": {}, "token_freqs": [[{"tuple": [], "x": 1}, 1]]}',
        '{"format": 1, "config": {}, "token_freqs": [[{"characters": [1]}, 1]]}',
        '{"format": 1, "config": {}, "token_freqs": [[{"float": "1.5"}, 1]]}',
        '{"format": 1, "config": [], "token_freqs": []}',
    ],
)
def test_what_is_no_vocabulary_is_refused(text: str) -> None:
    with pytest.raises(VocabError, match="not a vocabulary of rnn_magics"):
        Vocab.from_json(text)
