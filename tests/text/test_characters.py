"""Marks and joiners belong to the character before them, in every script of Unicode."""

from __future__ import annotations

import re
import sys
import unicodedata
from itertools import accumulate

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_magics.text import characters
from rnn_magics.text.cleaning import CorpusConfig, clean
from rnn_magics.text.tokenizers import TOKENIZERS, split_words

ALL = [chr(code) for code in range(sys.maxunicode + 1)]
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"

# What Unicode joins to a character before or after it, without being a mark: skin tones, tags, a
# few letters. Joined to a letter, they are not ours to keep.
OTHER = regex.compile(r"[\p{GCB=EX}\p{GCB=SM}\p{GCB=PP}--[\p{M}\u200c\u200d]]", regex.V1)
some = st.characters(categories=["L", "M", "N", "P", "S", "Zs"]).filter(
    lambda character: not OTHER.match(character)
)
telling = st.sampled_from("a\u0939\u093f\u0301\u200c\u200d\u0e01 9._\n\U0001f1e9\u4e2d'")
emoji = st.sampled_from(["\U0001f468\u200d", "\U0001f469", "\U0001f44d\U0001f3fd", "\ufe0f\u20e3"])
texts = st.lists(st.one_of(some, telling, emoji), max_size=12).map("".join)


@pytest.mark.parametrize(
    "word",
    [
        "हिन्दी",
        "ภาษาไทยที่",
        "தமிழ்",
        "السَّلَامُ",
        "re\u0301sume\u0301",
        "می\u200cخواهم",
        "ක්\u200dෂ",
        "\U00011103\U00011127",  # Chakma, above U+FFFF
        "don't",
        "e\u0301t\u2019e\u0301",
    ],
)
def test_a_word_is_one_token_and_only_letters_to_cleaning(word: str) -> None:
    assert split_words(f"{word}, {word}") == [word, ",", word]
    letters = re.sub("['\u2019]", " ", word)
    assert clean(f"1. {word}!", CorpusConfig(letters_only=True)) == letters


@pytest.mark.parametrize(
    "emoji",
    [
        FAMILY,
        "\U0001f44d\U0001f3fd",
        "\U0001f1e9\U0001f1ea",
        "\u2764\ufe0f",
        "1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_an_emoji_is_one_token(emoji: str) -> None:
    assert split_words(f"{emoji}{emoji}a {emoji}.") == [emoji, emoji, "a", emoji, "."]


def test_a_chinese_character_keeps_its_mark_when_its_neighbours_are_segmented() -> None:
    marked = "\u6211\u7231\u5317\U000e0100\u4eac"  # the characters of "I love Beijing"
    assert "".join(split_words(marked)) == marked
    assert split_words(marked)[-1] in {"\u5317\U000e0100\u4eac", "\u4eac"}
    assert not any(token.startswith("\U000e0100") for token in split_words(marked))


@given(texts)
@example("a\u0301 \u0301b_\u0301 9\u0301x")
@example(f"{FAMILY}\U0001f1e9\U0001f1ea\U0001f1e9")
def test_no_grapheme_cluster_is_torn_by_words(text: str) -> None:
    seen = re.compile(r"\S")

    def ends(parts: list[str]) -> set[int]:
        return set(accumulate(len(seen.findall(part)) for part in parts))

    tokens = [token for token in split_words(text) if token != "\n"]
    assert "".join(tokens) == "".join(seen.findall(text))
    assert ends(tokens) <= ends(regex.findall(r"\X", text))


@given(texts)
@example("a\u0301 \u0301b_\u0301 9\u0301x")
def test_cleaning_keeps_the_grapheme_clusters_of_letters(text: str) -> None:
    kept = ""
    for cluster in regex.findall(r"\X", text):
        is_letter = re.match(r"[^\W\d_]", cluster)
        # Some marks, such as U+102B, are clusters of their own to Unicode.
        goes_on = kept[-1:].strip() and unicodedata.category(cluster[0])[0] == "M"
        kept += cluster if is_letter or goes_on else " "
    assert clean(text, CorpusConfig(letters_only=True)) == " ".join(kept.split())


@given(texts)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text, CorpusConfig(letters_only=True))
    assert clean(once, CorpusConfig(letters_only=True)) == once


@given(texts)
@example("(\u0301")
@example("\u0301\u4e2d\u0301")
def test_words_with_marks_join_to_a_text_of_the_same_words(text: str) -> None:
    word = TOKENIZERS["word"]
    tokens = [token for token in split_words(text) if not re.search(r"[\d\u4e2d]", token)]
    assert word.split(word.join(tokens)) == tokens


def test_every_mark_is_known_and_every_pictograph() -> None:
    joined = re.compile(characters.joined())
    marks = {character for character in ALL if unicodedata.category(character)[0] == "M"}
    assert {character for character in ALL if joined.match(character)} == marks | set(
        "\u200c\u200d"
    )
    pictograph = re.compile(f"[{characters.PICTOGRAPHS}]")
    drawn = {character for character in ALL if regex.match(r"\p{ExtPict}", character)}
    assert {c for c in drawn if not pictograph.match(c)} == set()
    assert not any(map(str.isspace, filter(pictograph.match, ALL)))


# The tokens of a text in ASCII, as they have always been.
PLAIN = re.compile(r"<unk>|[^\W\d_]+(?:'[^\W\d_]+)*|\d+|\n|[^\w\s]|_")


@given(st.text(st.characters(max_codepoint=127)) | st.text("ab'_ <unk>9.\n"))
def test_a_text_in_ascii_has_the_tokens_it_always_had(text: str) -> None:
    assert split_words(text) == PLAIN.findall(text)
    assert clean(text, CorpusConfig(letters_only=True)) == re.sub(r"[\W\d_]+", " ", text).strip()
