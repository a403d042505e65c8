"""Numbering equals the plain definition: a list of tokens, a Counter, a dict."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.indexing import numbering, words
from rnn_magics.text.indexing.ids import id_type
from rnn_magics.text.indexing.numbering import PIECE, at_breaks
from rnn_magics.text.indexing.words import WordNumberer
from rnn_magics.text.reserved import kept_whole
from rnn_magics.text.tokenizers import TOKENIZERS, UNK, Tokenizer, split_words
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus

# What a tokenizer may stumble over: apostrophes, marks, numbers, line ends of all kinds, white
# space beyond ASCII, combining marks, Han, astral letters, lone surrogates, zero characters.
SNIPPETS = [
    *("a", "b", "Ab", "don't", "'", "\u2019", "o'\u2019x", "_", "9", "\u00b2", "\u0663", ".", ","),
    *("<unk>", "<un", "k>", "<pad>", " ", "  ", "\n", "\r\n", "\t", "\x1c", "\x85", "\u00a0"),
    *("\u2003", "\u3000", "\u2028", "e\u0301", "\u0301", "我爱北京", "，", "。", "\U00020000"),
    *("\U0001d4d0", "\U0001f600", "\ud800", "\udfff", "\0", "\uffff", "\U0010ffff", "\u0130"),
    *("\u200c", "\u200d", "\u0939\u093f", "\U0001f3fd", "\U0001f1e9", "\ufe0f", "\U000e0100"),
]
texts = st.lists(st.sampled_from(SNIPPETS), min_size=2, max_size=40).map("".join) | st.text(
    min_size=2, max_size=30
)
configs = st.builds(
    CorpusConfig,
    d2l=st.booleans(),
    valid=st.sampled_from([0.0, 0.3]),
    max_tokens=st.none() | st.integers(1, 30),
)


@pytest.fixture(params=[1, 7, PIECE])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many characters are numbered at once; the memo of words is small and often full."""
    monkeypatch.setattr(numbering, "PIECE", request.param)
    monkeypatch.setattr(words, "_MEMO_WORDS", 3)
    monkeypatch.setattr(words, "_SLOTS", 2)
    number: int = request.param
    return number


def plainly(tokens: list[Any], num_train: int, config: VocabConfig) -> tuple[Any, list[int]]:
    """Return the counts of a vocabulary and the indices of all tokens, as the book defines them."""
    counts = Counter(tokens[:num_train])
    counts.pop(UNK, None)
    freqs = counts.most_common()
    kept = [token for token, count in freqs if count >= config.min_freq]
    names = list(dict.fromkeys([UNK, *config.reserved, *kept]))[: config.max_size]
    index = {token: place for place, token in enumerate(names)}
    return freqs, [index.get(token, 0) for token in tokens]


def parts_of(corpus: Corpus, config: VocabConfig) -> list[list[Any]]:
    """Return the tokens of the training part and of the held-out part, as they are defined."""
    if isinstance(corpus.data, tuple):
        texts: list[Any] = [corpus.data]
    else:
        at, size = 0, corpus.cut.characters
        while size is not None and len(counted(corpus, at)) < size:
            at += 1
        tokenizer = TOKENIZERS[config.token or "char"]
        split = (kept_whole(tokenizer, config.reserved) or tokenizer).split
        halves = [corpus.data] if size is None else [corpus.data[:at], corpus.data[at:]]
        lines = [half.split("\n") if corpus.config.d2l else [half] for half in halves]
        texts = [[token for line in half for token in split(line)] for half in lines]
    if len(texts) == 2:
        return texts
    kept = list(texts[0][: corpus.config.max_tokens])
    num_train = len(kept) - int(len(kept) * corpus.held_out_share)
    return [kept[:num_train], kept[num_train:]]


def counted(corpus: Corpus, end: int) -> str:
    text = str(corpus.data)[:end]
    return text.replace("\n", "") if corpus.config.d2l else text


def assert_plain(corpus: Corpus, config: VocabConfig) -> None:
    train, valid = parts_of(corpus, config)
    tokens, num_train = train + valid, len(train)
    assert corpus.tokens(config.token, config.reserved) == tokens
    if num_train < 2:
        return
    freqs, ids = plainly(tokens, num_train, config)
    vocab = Vocab.from_corpus(corpus, config)
    assert vocab.token_freqs == freqs
    assert [type(token) for token, _ in vocab.token_freqs] == [type(token) for token, _ in freqs]
    encoded = encode_corpus(corpus, vocab)
    assert encoded.train.tolist() == ids[:num_train]
    assert encoded.valid.tolist() == ids[num_train:]
    assert encoded.train.dtype == encoded.valid.dtype == id_type(len(vocab))


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize("token", ["char", "word"])
@given(
    texts,
    configs,
    st.builds(
        VocabConfig,
        min_freq=st.integers(1, 2),
        max_size=st.none() | st.integers(4, 7),
        reserved=st.sampled_from(
            [(), ("a",), ("<pad>",), ("b\n", "a b"), ("b9", "9", "<un"), ("k>a", "\u0301", "。我")]
        ),
    ),
)
@example("\0\n\0 a", CorpusConfig(), VocabConfig())
@example("a\n\nb \n", CorpusConfig(d2l=True), VocabConfig())
def test_numbers_are_those_of_a_counter_and_a_dict(
    token: str, text: str, cleaning: CorpusConfig, vocabulary: VocabConfig
) -> None:
    cleaned = "".join(text)
    try:
        corpus = Corpus.from_text(cleaned, cleaning)
    except Exception:  # noqa: BLE001  (nothing is left of it)
        return
    assert_plain(corpus, VocabConfig.from_dict({**vocabulary.to_dict(), "token": token}))


@pytest.mark.usefixtures("piece")
@given(st.lists(st.integers(0, 5) | st.sampled_from(["a", (1, 2), 1.0, UNK]), min_size=2))
def test_given_tokens_are_numbered_as_a_dict_does(tokens: list[Any]) -> None:
    assert_plain(Corpus.from_tokens(tokens), VocabConfig())


@pytest.mark.usefixtures("piece")
def test_a_tokenizer_of_ones_own_is_numbered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = Tokenizer(lambda text: [text[i : i + 2] for i in range(0, len(text), 2)], max, "pairs")
    monkeypatch.setitem(TOKENIZERS, "pairs", pairs)
    for d2l in (False, True):
        corpus = Corpus.from_text("abcab\nbcabca\nb", CorpusConfig(d2l=d2l))
        assert_plain(corpus, VocabConfig(token="pairs"))


def test_a_tokenizer_that_was_replaced_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus.from_text("a b a b")
    assert corpus.numbered("word").size == 4
    monkeypatch.setitem(TOKENIZERS, "word", Tokenizer(list, max, "characters"))
    assert corpus.numbered("word").size == 7


def test_indices_are_those_of_the_tokenizer_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus.from_text("ab ab")
    vocab = Vocab(["a", "b"], VocabConfig(token="word"))
    assert encode_corpus(corpus, vocab).train.tolist() == [0, 0]
    monkeypatch.setitem(TOKENIZERS, "word", Tokenizer(list, max, "characters"))
    assert encode_corpus(corpus, vocab).train.tolist() == [1, 2, 0, 1, 2]


def test_what_is_worked_out_from_a_corpus_goes_with_it() -> None:
    corpus = Corpus.from_text("a b a b")
    vocab = Vocab.from_corpus(corpus)
    encoded = encode_corpus(corpus, vocab)
    assert encode_corpus(corpus, vocab) is encoded
    assert encode_corpus(corpus, Vocab.from_corpus(corpus)) is not encoded
    assert encode_corpus(corpus, vocab) is not encoded  # only those of the newest stay
    kept = [weakref.ref(corpus.numbered()), weakref.ref(encode_corpus(corpus, vocab))]
    gc.collect()
    assert None not in [found() for found in kept]
    del corpus
    gc.collect()
    assert [found() for found in kept] == [None, None]


def test_a_text_is_split_into_words_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def split(text: str) -> list[str]:
        calls.append(text)
        return text.split()

    monkeypatch.setitem(TOKENIZERS, "words", Tokenizer(split, max, "words"))
    corpus = Corpus.from_text("a b a b")
    vocab = Vocab.from_corpus(corpus, VocabConfig(token="words"))
    first = encode_corpus(corpus, vocab)
    assert encode_corpus(corpus, vocab) is first
    other = encode_corpus(corpus, Vocab("b", VocabConfig(token="words")))
    assert other.train.tolist() == [0, 1, 0, 1]
    assert calls == ["a b a b"]


def test_white_space_is_the_same_for_pieces_and_for_words() -> None:
    # The numberer of words relies on it: what `str.split` drops is no token, and no more.
    for code in range(0x110000):
        character = chr(code)
        assert (not character.split()) == (not split_words(character) or character == "\n")


@given(texts, st.integers(1, 9))
def test_a_text_cut_at_its_breaks_has_the_same_words(text: str, size: int) -> None:
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    cut = list(at_breaks(pieces, TOKENIZERS["word"].breaks))
    assert "".join(cut) == text
    assert [word for piece in cut for word in split_words(piece)] == split_words(text)
    assert list(at_breaks(pieces, None)) == [text]


@pytest.mark.parametrize("letter", ["a", "é", "\U0001d4d0", "\ud800"])
def test_words_that_differ_only_at_one_end_are_told_apart(letter: str) -> None:
    # The table of words compares sixteen bytes: lengths around eight and sixteen, both ends.
    found = [letter * length for length in range(1, 20)]
    found += [f"{letter * 15}b", f"b{letter * 15}", f"{letter * 7}b", f"b{letter * 7}", "ab", "b"]
    text = " ".join([*found, *reversed(found)])
    assert_plain(Corpus.from_text(text), VocabConfig(token="word"))
    assert_plain(Corpus.from_text(" ".join(f"{word}." for word in found)), VocabConfig())


def test_a_piece_of_nothing_has_no_tokens() -> None:
    numberer = WordNumberer(split_words)
    assert [len(numberer.feed(piece)) for piece in ("", " ", "\t  ", "a")] == [0, 0, 0, 1]


def test_the_memo_of_words_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_MEMO_CHARACTERS", 10)
    numberer = WordNumberer(split_words)
    for start in range(0, 60, 3):
        text = f"x{start} y, {start}"
        before = len(numberer.types)
        assert [numberer.types[number] for number in numberer.feed(text)] == split_words(text)
        assert len(numberer.types) > before
        assert numberer._memo.characters <= 20


@pytest.mark.parametrize(
    ("num_types", "kind"),
    [
        *((1, np.uint8), (256, np.uint8), (257, np.int16), (2**15, np.int16)),
        *((2**15 + 1, np.int32), (2**31, np.int32), (2**31 + 1, np.int64)),
    ],
)
def test_indices_take_the_smallest_type_that_torch_can_gather(num_types: int, kind: Any) -> None:
    assert id_type(num_types) is kind
    ids = torch.from_numpy(np.array([num_types - 1], kind))
    assert ids[torch.tensor([[0]])].long().item() == ids.max().item() == num_types - 1


@pytest.mark.parametrize(
    ("token", "alphabet"),  # no words of Han: jieba's own dictionary is larger than the text
    [
        ("char", "abcdefghijk \n"),
        ("char", "日本語の文字は多い、\n。 "),
        ("word", "abcdefghijk \n"),
    ],
)
def test_memory_stays_below_four_bytes_for_each_character(token: str, alphabet: str) -> None:
    letters = np.random.default_rng(0).choice(list(alphabet), 2_000_000)
    text = "".join(letters.tolist())
    del letters
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.1))
    config = VocabConfig(token=token, max_size=1000)
    tracemalloc.start()
    vocab = Vocab.from_corpus(corpus, config)
    encode_corpus(corpus, vocab)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    types = len(vocab.token_freqs)
    assert peak < 4 * len(text) + 300 * types  # what each distinct token needs is no text
