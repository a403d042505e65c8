"""Tokenizers: text to tokens, and back."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.tokenizers import TOKENIZERS, glue_words, split_words


@given(st.text())
def test_characters_join_to_the_text_they_came_from(text: str) -> None:
    char = TOKENIZERS["char"]
    assert char.join(char.split(text)) == text


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop, they’re 42!", ["Don't", "stop", ",", "they’re", "42", "!"]),
        ("a\n\nb", ["a", "\n", "\n", "b"]),
        ("x_1", ["x", "_", "1"]),
        ("<unk> <b>", ["<unk>", "<", "b", ">"]),
        ("'quoted'", ["'", "quoted", "'"]),
        ("naïve Ελλάδα", ["naïve", "Ελλάδα"]),
        ("  \t ", []),
        ("...", [".", ".", "."]),
    ],
)
def test_words_numbers_marks_and_line_ends_are_tokens(text: str, tokens: list[str]) -> None:
    assert split_words(text) == tokens


@pytest.mark.parametrize(
    "text",
    [
        "Hello, world! (yes, really) she said: no.",
        "first line\nsecond line;\n\nthird [line]",
        "a 100% “quoted” word…",
    ],
)
def test_well_set_text_comes_back_as_it_was(text: str) -> None:
    word = TOKENIZERS["word"]
    assert word.join(word.split(text)) == text


@given(st.text("abcXYZ 019.,;:!?()[]'’“”\n_-", max_size=40))
def test_joined_words_split_into_the_same_words(text: str) -> None:
    word = TOKENIZERS["word"]
    tokens = word.split(text)
    assert word.split(word.join(tokens)) == tokens


@given(st.text("ab \n.'9"))
def test_no_letter_or_mark_is_lost(text: str) -> None:
    assert "".join(split_words(text)).replace(" ", "") == text.replace(" ", "")


def test_chinese_characters_need_no_segmenter() -> None:
    assert TOKENIZERS["char"].split("我爱北京") == ["我", "爱", "北", "京"]


def test_chinese_words_are_segmented_by_jieba() -> None:
    assert split_words("我爱北京，hello 3") == ["我", "爱", "北京", "，", "hello", "3"]


def test_chinese_words_join_without_spaces() -> None:
    word = TOKENIZERS["word"]
    assert word.join(word.split("我爱北京。")) == "我爱北京。"


def test_without_jieba_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(CorpusError, match=r"pip install 'rnn_magics\[chinese\]'.*--token char"):
        split_words("我爱北京")
    assert split_words("no Chinese here") == ["no", "Chinese", "here"]


@pytest.mark.parametrize(
    ("previous", "token", "piece"),
    [
        (None, "a", "a"),
        ("a", "b", " b"),
        ("a", ",", ","),
        ("(", "b", "b"),
        ("a", "(", " ("),
        ("a", "\n", "\n"),
        ("\n", "b", "b"),
        ("北京", "a", "a"),
        ("a", "北京", "北京"),
    ],
)
def test_glue_puts_spaces_between_words_only(previous: str | None, token: str, piece: str) -> None:
    assert glue_words(previous, token) == piece


def test_given_tokens_are_joined_by_spaces() -> None:
    assert TOKENIZERS["given"].join([1, (2, 3), "x"]) == "1 (2, 3) x"
