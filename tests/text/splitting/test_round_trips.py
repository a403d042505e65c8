"""Bytes, learnt pieces and grapheme clusters give every text back."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError, VocabError
from rnn_magics.text.corpus import Corpus, CorpusConfig
from rnn_magics.text.splitting import bpe
from rnn_magics.text.splitting.bytewise import BYTES, as_token
from rnn_magics.text.splitting.tokenizer import LAST_TOKENS
from rnn_magics.text.tokenizers import TOKENIZERS, Tokenizer
from rnn_magics.text.vocab import Vocab, VocabConfig, encode_corpus

WHOLE = ("bpe", "byte", "grapheme")
LEARNT_FROM = (
    "The thermometer, they think, is 21.5 \u00b0C: \u4f60\u597d, \u4f60\u597d!\n\tthe end\r\n" * 9
)
ANY = st.text(st.characters(exclude_categories=()))  # lone surrogates, too
LIKELY = st.text("Th e\n\r\t.5\u4f60\u597d\u00e9\u0301\u2028\U0001f44d\U0001f3fd\ud800\udc80<unk>")


@cache
def vocab_of(token: str, size: int | None = None) -> Vocab:
    config = CorpusConfig(valid=0)
    return Vocab.from_corpus(
        Corpus.from_text(LEARNT_FROM, config), VocabConfig(token=token, max_size=size)
    )


@pytest.mark.parametrize("token", WHOLE)
@given(ANY | LIKELY)
@example("\ud83d\ude00 \udced\udca0\udc80")
def test_any_text_comes_back(token: str, text: str) -> None:
    vocab = vocab_of(token)
    tokens = vocab.split(text)
    assert vocab.tokenizer.join(tokens) == text
    assert not text or all(tokens)


@pytest.mark.parametrize("token", WHOLE)
@given(ANY | LIKELY, st.integers(0, 1000))
def test_text_is_written_a_token_at_a_time(token: str, text: str, at: int) -> None:
    vocab = vocab_of(token)
    tokens = vocab.split(text)
    cut = at % (len(tokens) + 1)
    added = vocab.tokenizer.added
    before = tokens[:cut]
    pieces = added(before) + added(tokens[cut:], before[-LAST_TOKENS:])
    assert len(pieces) == len(tokens)
    if text.encode("utf-8", "replace").decode() == text:  # no half of a surrogate pair
        assert "".join(pieces) == text


@pytest.mark.parametrize("token", ["bpe", "byte"])
@given(ANY)
def test_no_text_has_an_unknown_token(token: str, text: str) -> None:
    vocab = vocab_of(token)
    assert 0 not in vocab[vocab.split(text)]
    assert len(vocab) >= 257


@given(st.binary())
def test_every_sequence_of_bytes_is_one_token_and_back(data: bytes) -> None:
    byte = TOKENIZERS["byte"]
    assert byte.encoded(as_token(data)) == data
    assert b"".join(map(byte.encoded, (BYTES[each] for each in data))) == data


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\xe4\xbd\xa0", "\u4f60"),
        (b"a\xe4b", "a\ufffdb"),
        (b"\xff\xfea", "\ufffd\ufffda"),
        (b"ok \xe4\xbd", "ok "),  # it may still become a character
        (b"\xed\xa0\x80", "\ud800"),
    ],
)
def test_bytes_that_are_no_text_are_shown(data: bytes, shown: str) -> None:
    byte = TOKENIZERS["byte"]
    assert byte.join([BYTES[each] for each in data]) == shown


def test_a_character_is_written_with_its_last_byte() -> None:
    tokens = TOKENIZERS["byte"].split("a\u4f60b")
    assert TOKENIZERS["byte"].added(tokens) == ["a", "", "", "\u4f60", "b"]
    assert TOKENIZERS["byte"].added(tokens[3:], tokens[:3]) == ["\u4f60", "b"]


@given(ANY | LIKELY)
def test_a_grapheme_is_what_unicode_calls_one(text: str) -> None:
    assert TOKENIZERS["grapheme"].split(text) == regex.findall(r"\X", text)


def test_pieces_are_learnt_from_the_training_part_alone() -> None:
    text = "abab " * 300 + "xyxy " * 100
    learnt = Vocab.from_corpus(
        Corpus.from_text(text, CorpusConfig(valid=0.25)), VocabConfig(token="bpe", max_size=300)
    )
    assert "abab" in learnt
    assert "abab" in "".join(str(token) for token in learnt.to_tokens([1, 2, 3]))
    assert not any("xy" in str(token) for token in learnt.to_tokens([*range(len(learnt))]))


@pytest.mark.parametrize("max_tokens", [None, 400])
def test_what_is_cut_off_is_not_learnt_from(max_tokens: int | None) -> None:
    text = "abab " * 100 + "xyxy " * 100
    config = CorpusConfig(valid=0.5, max_tokens=max_tokens)
    learnt = Vocab.from_corpus(Corpus.from_text(text, config), VocabConfig(token="bpe"))
    assert not any("xy" in str(token) for token in learnt.to_tokens([*range(len(learnt))]))


def test_the_size_is_the_largest_size() -> None:
    assert len(vocab_of("bpe", 262)) == 262
    assert len(vocab_of("bpe", 257)) == 257
    assert [len(token) for token in vocab_of("bpe", 257).split("the")] == [1, 1, 1]
    assert len(vocab_of("bpe")) < 512  # no more pairs occur twice


@pytest.mark.parametrize("token", ["bpe", "byte"])
@pytest.mark.parametrize(("reserved", "least"), [((), 257), (("<a>", "<b>"), 259)])
def test_a_size_below_the_bytes_is_refused(
    token: str, reserved: tuple[str, ...], least: int
) -> None:
    corpus = Corpus.from_text("some text")
    config = VocabConfig(token=token, max_size=least - 1, reserved=reserved)
    with pytest.raises(VocabError, match=rf"--max-size {least - 1} has no room .* {least}$"):
        Vocab.from_corpus(corpus, config)
    config = VocabConfig(token=token, max_size=least, reserved=reserved)
    assert len(Vocab.from_corpus(corpus, config)) == least


def test_a_rare_pair_is_not_merged() -> None:
    corpus = Corpus.from_text("ab " * 5 + "cd " * 2, CorpusConfig(valid=0))
    assert "cd" in "".join(map(str, Vocab.from_corpus(corpus, VocabConfig(token="bpe"))._tokens))
    config = VocabConfig(token="bpe", min_freq=3)
    named = Vocab.from_corpus(corpus, config).to_tokens([*range(5)])
    assert " cd" not in named
    assert " ab" in named


@pytest.mark.parametrize("d2l", [False, True])
@pytest.mark.parametrize("reserved", [(), ("<eos>", "The")])
@pytest.mark.parametrize("token", WHOLE)
def test_numbers_are_those_of_the_tokens(token: str, reserved: tuple[str, ...], d2l: bool) -> None:  # noqa: FBT001
    text = "The <eos>\r\nThermo \u4f60\u597d <eos> e\u0301 \ud800.\n" * 40
    corpus = Corpus.from_text(text, CorpusConfig(valid=0.3, d2l=d2l))
    vocab = Vocab.from_corpus(corpus, VocabConfig(token=token, reserved=reserved))
    parts = corpus.split(token, reserved, vocab.learnt)
    at = corpus.cut.characters
    data, plain = str(corpus.data), []
    halves = [data[:at], data[at:]]
    if d2l:
        end = next(i for i in range(len(data)) if len(data[:i].replace("\n", "")) == at)
        halves = [data[:end], data[end:]]
    for half in halves:
        lines = half.split("\n") if d2l else [half]
        plain.append([token for line in lines for token in vocab.split(line)])
    assert list(parts) == plain
    encoded = encode_corpus(corpus, vocab)
    assert encoded.train.tolist() == vocab[plain[0]]
    assert encoded.valid.tolist() == vocab[plain[1]]
    assert (0 in encoded.train) is False
    assert set(reserved) & {*plain[0]} == ({*reserved} if not d2l else set())


@given(LIKELY)
def test_a_text_cut_after_its_line_ends_has_the_same_pieces(text: str) -> None:
    vocab = vocab_of("bpe")
    *ended, last = text.split("\n")
    pieces = [*(f"{line}\n" for line in ended), last]
    assert [token for piece in pieces for token in vocab.split(piece)] == vocab.split(text)


def test_what_was_learnt_is_the_same_again() -> None:
    again = vocab_of.__wrapped__("bpe")
    assert again == vocab_of("bpe")
    assert again is not vocab_of("bpe")
    assert again.learnt == vocab_of("bpe").learnt
    assert again.tokenizer is vocab_of("bpe").tokenizer


def test_no_piece_reaches_beyond_a_word_or_a_line() -> None:
    tokens = [str(token) for token in vocab_of("bpe").to_tokens([*range(1, 257)])]
    for token in tokens:
        assert token == "\n" or "\n" not in token
        assert " " not in token[1:].strip() or token.isspace()
    assert any(len(token) > 3 for token in tokens)


def test_a_tokenizer_that_learns_does_not_split_before() -> None:
    with pytest.raises(CorpusError, match="make a vocabulary first"):
        Corpus.from_text("some text").tokens("bpe")


@pytest.mark.parametrize("learnt", [("t h", "th x y"), ("th e",), ("t  h",), ("",)])
def test_what_is_no_pair_is_refused(learnt: tuple[str, ...]) -> None:
    with pytest.raises(VocabError, match="no pair of tokens that were learnt before"):
        bpe.bpe(learnt)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(CorpusError, match=r"pip install 'rnn_magics\[bpe\]'"):
        Vocab.from_corpus(Corpus.from_text("some text"), VocabConfig(token="bpe"))


def test_neither_package_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from rnn_magics.text.vocab import *; from rnn_magics.text.corpus import *;"
        "Vocab.from_corpus(Corpus.from_text('a b c'), VocabConfig(token='word'));"
        "print({'tokenizers', 'regex'} & {*sys.modules})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "set()"


def test_a_tokenizer_of_ones_own_may_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_magics.text.tokenizers import Learning

    def learn(pieces: Any, size: int, _min_freq: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys("".join(pieces)))[:size]

    def made(learnt: tuple[str, ...]) -> Tokenizer:
        return Tokenizer(lambda text: [c for c in text if c in learnt], lambda _p, t: t, "known")

    mine = Tokenizer(list, lambda _p, t: t, "known", breaks="", learning=Learning(learn, made))
    monkeypatch.setitem(TOKENIZERS, "known", mine)
    corpus = Corpus.from_text("abcabc" * 2 + "xyz", CorpusConfig(valid=0.2))
    vocab = Vocab.from_corpus(corpus, VocabConfig(token="known", max_size=3))
    assert vocab.learnt == ("a", "b")
    assert vocab.split("abcxyz") == ["a", "b"]
    assert Vocab.from_json(vocab.to_json()) == vocab
    assert all(a != b for a, b in pairwise(vocab.split("ab" * 4)))
