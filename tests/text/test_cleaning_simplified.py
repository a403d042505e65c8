"""``--simplified``: traditional characters become simplified ones, in a text and in its parts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text import cleaning
from rnn_magics.text.cleaning import CorpusConfig, clean, clean_pieces
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.read_as import TextReading, part_as
from rnn_magics.text.reading import sources

SIMPLIFIED = CorpusConfig(simplified=True)


def test_without_opencc_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencc", None)
    monkeypatch.setattr(cleaning, "_converter", cleaning._converter.__wrapped__)
    with pytest.raises(CorpusError) as caught:
        Corpus.from_text("秦川雄帝宅", SIMPLIFIED)
    assert str(caught.value) == "--simplified needs OpenCC: pip install 'rnn_magics[chinese]'"


def test_given_tokens_are_not_simplified() -> None:
    with pytest.raises(CorpusError, match=r"cleaning is for text; leave out --simplified$"):
        Corpus.from_tokens(["壯", "皇"], SIMPLIFIED)


@pytest.fixture(scope="module")
def opencc() -> None:
    pytest.importorskip("opencc", reason="needs OpenCC: pip install 'rnn_magics[chinese]'")


@pytest.mark.usefixtures("opencc")
def test_characters_are_simplified_and_the_rest_stays() -> None:
    assert clean("函谷壯皇居 ABC\ud83d。\n乾坤，乾燥", SIMPLIFIED) == (
        "函谷壮皇居 ABC\ud83d。\n乾坤，干燥"  # OpenCC knows words, too
    )
    both = CorpusConfig(simplified=True, lower=True, letters_only=True)
    assert clean("函谷壯皇居, ABC", both) == "函谷壮皇居 abc"


@pytest.mark.usefixtures("opencc")
@given(st.text(st.sampled_from("壯乾燥坤頭髮發後 a\n，"), max_size=20), st.integers(1, 7))
def test_it_does_not_matter_where_a_text_is_cut(text: str, size: int) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert "".join(clean_pieces(pieces, SIMPLIFIED)) == clean(text, SIMPLIFIED)


@pytest.mark.usefixtures("opencc")
def test_a_large_file_and_a_prefix_are_simplified_as_the_text_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "verses.txt"
    file.write_text("函谷壯皇居，\n" * 30, encoding="utf-8")
    whole = Corpus.load(str(file), SIMPLIFIED)
    assert part_as(TextReading.of(whole), "壯皇") == "壮皇"
    assert str(TextReading.of(whole)) == "--simplified"
    monkeypatch.setattr(sources, "STREAM_BYTES", 100)
    monkeypatch.setattr("rnn_magics.text.indexing.on_disk.cache_folder", lambda: tmp_path / "cache")
    streamed = Corpus.load(str(file), SIMPLIFIED)
    assert streamed.on_disk
    assert streamed.tokens() == whole.tokens() == list("函谷壮皇居，\n" * 30)
