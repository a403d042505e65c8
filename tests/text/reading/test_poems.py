"""The Tang poems: how files of the collection become a text, and where they are found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rnn_magics.errors import CorpusError
from rnn_magics.text.characters import HAN
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading import poems, sources
from rnn_magics.text.reading.download import Download, DownloadConfig
from rnn_magics.text.reading.sources import read_source


def text_of(*poem: list[str]) -> str:
    return poems.text_of([json.dumps([{"paragraphs": lines} for lines in poem]).encode()])


@pytest.mark.parametrize(
    ("paragraphs", "text"),
    [
        (["床前明月光，疑是地上霜。", "舉頭望明月。"], "床前明月光\n疑是地上霜\n舉頭望明月\n"),
        (["問春桂：桃李正芬華！"], "問春桂\n桃李正芬華\n"),
        (["水急客舟（一作「行」）疾，山花拂面香。"], "水急客舟疾\n山花拂面香\n"),
        (["[爽]節在重九，", "童子解吟《長恨曲》？"], "爽節在重九\n童子解吟長恨曲\n"),
    ],
)
def test_each_verse_is_a_line_without_marks(paragraphs: list[str], text: str) -> None:
    assert text_of(paragraphs) == text


@pytest.mark.parametrize("verse", ["冰□已鏤津，", "妖韶援綠{𥫗/戢}。", "破顏看鵲喜/。", "。", ""])
def test_a_poem_with_a_gap_or_without_a_verse_is_left_out(verse: str) -> None:
    assert text_of(["一。"], ["春眠。", verse] if verse.strip("。") else [verse], ["二。"]) == (
        "一\n\n二\n"
    )


@pytest.fixture(scope="module")
def tang(data_folder: Path) -> Path:
    if not (data_folder / "tang").is_dir():
        pytest.skip("RNN_MAGICS_DATA names no folder with tang/poet.tang.0.json")
    return data_folder / "tang"


def test_the_poems_are_what_was_published(tang: Path) -> None:
    source = read_source("tang_poems")
    assert source.origin == str(tang)
    assert len(source.text) == 670_411
    assert source.text.startswith("秦川雄帝宅\n函谷壯皇居\n綺殿千尋起\n")
    assert re.fullmatch(rf"(?:[{HAN}]+\n\n?)+", source.text)
    every = source.text.rstrip("\n").split("\n\n")
    assert len(every) == 10_008 - 27
    verses = [len(verse) for poem in every for verse in poem.split("\n")]
    assert (len(verses), verses.count(5), verses.count(7)) == (105_103, 80_146, 17_643)
    assert Corpus.load("tang_poems").name == "tang_poems"


def test_only_what_is_missing_is_downloaded(
    tang: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "tang").mkdir(parents=True)
    first, *others = poems.SHA256
    (tmp_path / "data" / "tang" / first).write_bytes((tang / first).read_bytes())
    monkeypatch.setenv("RNN_MAGICS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(sources, "cache_folder", lambda: tmp_path / "cache")
    asked: list[str] = []

    def fetch(url: str, config: DownloadConfig) -> Download:
        asked.append(url)
        data = (tang / url.rpartition("/")[2]).read_bytes()
        return Download(data, config.sha256 or "", "text/plain")

    monkeypatch.setattr(sources, "download", fetch)
    for _ in range(2):
        assert len(read_source("tang_poems").text) == 670_411
    assert asked == [poems.ADDRESS + name for name in others]
    assert all(url.isascii() for url in asked)


def test_without_a_network_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Download:
        msg = "no route"
        raise CorpusError(msg)

    monkeypatch.setenv("RNN_MAGICS_DATA", str(tmp_path))
    monkeypatch.setattr(sources, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(sources, "download", fail)
    with pytest.raises(CorpusError) as caught:
        read_source("tang_poems")
    assert str(caught.value) == (
        "tang_poems cannot be downloaded (no route); put tang/poet.tang.0.json into a"
        " folder and set RNN_MAGICS_DATA to it, or use %corpus python_docs (no download)"
    )


def test_a_file_that_was_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tang").mkdir()
    (tmp_path / "tang" / "poet.tang.0.json").write_text("[]")
    monkeypatch.setenv("RNN_MAGICS_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match=r"is not the published tang_poems \(its sha256 differs"):
        read_source("tang_poems")
