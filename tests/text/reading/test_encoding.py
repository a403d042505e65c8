"""Encodings: a byte order mark is never text, and the advice of a refusal works as it stands."""

from __future__ import annotations

import codecs
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading.advice import SAMPLE
from rnn_magics.text.reading.encoding import decode

GERMAN = "Die Wellen waren grün, und das Fräulein fuhr über die Straße nach München.\n"
FRENCH = "C\u2019est déjà l\u2019été, dit\u2011on\n".replace("\u2011", "-")
RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастлива по-своему.\n"
SIMPLIFIED = "床前明月光，疑是地上霜。举头望明月，低头思故乡。\n"
TRADITIONAL = "床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。\n"
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n"
KOREAN = "나는 오늘 학교에 갔다. 그리고 친구를 만났다.\n"
MIXED = "The time machine, 时间机器, by H. G. Wells: a story in English and 中文.\n"
WRITTEN = [
    ("cp1252", "It\u2019s a tale of \u201c1890\u201d.\n"),
    ("cp1252", "It\u2019s a tale.\n"),
    ("cp1252", FRENCH),
    ("latin-1", GERMAN),
    ("cp1251", RUSSIAN),
    ("koi8-r", RUSSIAN),
    ("koi8-r", "Привет, мир!\n"),
    ("gbk", SIMPLIFIED),
    ("gb18030", MIXED),
    ("gbk", "你好，世界\n"),
    ("big5", TRADITIONAL),
    ("big5", "你好，世界\n"),
    ("shift_jis", JAPANESE),
    ("euc_jp", JAPANESE),
    ("euc_kr", KOREAN),
    ("iso8859-2", "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i praw.\n"),
    *((f"utf-16-{order}", text) for order in ("le", "be") for text in (GERMAN, SIMPLIFIED)),
    *((f"utf-16-{order}", text) for order in ("le", "be") for text in (RUSSIAN, KOREAN)),
    ("utf-16-le", "The time\n"),
    ("utf-16-le", "मैं रोज़ सुबह पार्क में टहलने जाता हूँ।\n"),
    ("utf-16-be", "Привет, мир!\n"),
    ("utf-32-le", GERMAN),
]


def advised(message: str) -> str:
    """Return the encoding that a refusal advises first, as it is typed."""
    words = shlex.split(message[message.index("--encoding") :].partition(" (")[0])
    return words[words.index("--encoding") + 1]


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize(("encoding", "text"), WRITTEN)
def test_the_advice_reads_the_text(encoding: str, text: str, times: int) -> None:
    data = (times * text).encode(encoding)
    with pytest.raises(CorpusError) as refused:
        decode(data, None, "x.txt")
    said = str(refused.value)
    assert "\n" not in said
    assert decode(data, advised(said), "x.txt") == times * text


@pytest.mark.parametrize(("encoding", "text"), WRITTEN)
def test_a_text_of_another_encoding_than_was_typed_gets_advice_too(
    encoding: str, text: str
) -> None:
    data = (4 * text).encode(encoding)
    with pytest.raises(CorpusError) as refused:
        decode(data, "ascii", "x.txt")
    assert decode(data, advised(str(refused.value)), "x.txt") == 4 * text


def test_the_advice_shows_what_it_makes_of_the_text() -> None:
    with pytest.raises(CorpusError) as refused:
        decode(FRENCH.encode("cp1252"), None, "x.txt")
    assert "--encoding cp1252 (C\u2019est déjà" in str(refused.value)


def test_a_byte_far_behind_the_beginning_is_advised_on() -> None:
    data = b"plain ascii\n" * (3 * SAMPLE // 12) + SIMPLIFIED.encode("gbk")
    with pytest.raises(CorpusError) as refused:
        decode(data, None, "x.txt")
    assert decode(data, advised(str(refused.value)), "x.txt").endswith(SIMPLIFIED)


def test_utf8_is_advised_where_it_is_utf8() -> None:
    with pytest.raises(CorpusError, match=r"is not ascii: .*; try --encoding utf-8$"):
        decode("naïve".encode(), "ascii", "x.txt")


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0\xff\xfe\x01",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\x005\xd1\xdc\xe4",
        bytes(range(256)) * 3,
        b"a line of a log\0and the rest of it, where a zero got in\n" * 9,
    ],
)
def test_a_binary_file_is_given_no_encoding(data: bytes) -> None:
    with pytest.raises(CorpusError, match=r"is a binary file \(zero .*\); give a text file$"):
        decode(data, None, "x")


MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-8-sig": codecs.BOM_UTF8,
    "utf-16": codecs.BOM_UTF16_BE,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32": codecs.BOM_UTF32_LE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
    "gb18030": "\ufeff".encode("gb18030"),
}
PLAIN = {"utf-8-sig": "utf-8", "utf-16": "utf-16-be", "utf-32": "utf-32-le"}


@pytest.mark.parametrize("encoding", MARKED)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=9))
def test_no_typed_encoding_keeps_a_byte_order_mark(encoding: str, text: str) -> None:
    text = text.removeprefix("\ufeff")
    data = MARKED[encoding] + text.encode(PLAIN.get(encoding, encoding))
    assert decode(data, encoding, "x") == text


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-be", "gb18030", "utf-8"])
@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE])
def test_a_byte_order_mark_that_contradicts_is_named(mark: bytes, encoding: str) -> None:
    right = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le"}.get(mark, "utf-32-le")
    data = mark + "grün".encode(right)
    if encoding == right:
        assert decode(data, encoding, "x") == "grün"
        return
    with pytest.raises(CorpusError, match="begins with the byte order mark of") as refused:
        decode(data, encoding, "x")
    assert decode(data, advised(str(refused.value)), "x") == "grün"


def test_each_file_of_several_is_judged_by_itself(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(codecs.BOM_UTF8 + "grün".encode())
    (tmp_path / "b.txt").write_bytes(codecs.BOM_UTF16_LE + "blau".encode("utf-16-le"))
    paths = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert Corpus.load(paths).data == "grün\nblau"


def test_a_legacy_encoding_of_what_is_utf8_is_doubted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("grün", encoding="utf-8")
    (doubt,) = Corpus.load(str(path), encoding="latin-1").notes
    assert re.search(r"but it is valid UTF-8: --encoding utf-8 if it is garbled$", doubt)
    path.write_text("green", encoding="utf-8")
    assert Corpus.load(str(path), encoding="latin-1").notes == ()
