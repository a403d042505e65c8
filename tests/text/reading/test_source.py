"""A file is the same text in memory and on disk, whatever its form; records are kept apart."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pytest

from rnn_magics.errors import CorpusError
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.formats import packed
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.reading import sources
from rnn_magics.text.reading.several import find_sources
from rnn_magics.text.reading.source import LargeFile
from rnn_magics.text.reading.stream import StreamedText

RECORDS = [
    {"text": "床前明月光", "n": 1},
    {"text": "Don't stop.\nNever", "n": 2},
    {"text": "", "n": 3},
    {"text": "Überall", "n": 4},
] * 5
TEXTS = [record["text"] for record in RECORDS]
LINES = "\n".join(json.dumps(record) for record in RECORDS) + "\n"
BOOK = "Call me Ishmael.\nSome years ago\n" * 9
WHOLE = (
    "Title: M\n*** START OF THE PROJECT GUTENBERG EBOOK M ***\n\n"
    f"{BOOK}\n*** END OF THE PROJECT GUTENBERG EBOOK M ***\nLicence"
)


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def csv_of(separator: str) -> bytes:
    rows = [f'{n}{separator}"{text}"' for n, text in enumerate(TEXTS)]
    return "\n".join([f"n{separator}text", *rows]).encode()


BOOK_ONLY = BOOK.rstrip("\n")
FILES: dict[str, tuple[bytes, FileConfig, list[str]]] = {
    "a.txt": (BOOK.encode(), FileConfig(), [BOOK]),
    "a.txt.gz": (gzip.compress(BOOK.encode()), FileConfig(), [BOOK]),
    "a.bz2": (bz2.compress(BOOK.encode()), FileConfig(), [BOOK]),
    "a.xz": (lzma.compress(BOOK.encode()), FileConfig(), [BOOK]),
    "b.jsonl": (LINES.encode(), FileConfig(), TEXTS),
    "b.jsonl.gz": (gzip.compress(LINES.encode()), FileConfig(field="text"), TEXTS),
    "b.log": (LINES.encode(), FileConfig("jsonl", "text"), TEXTS),
    "c.json": (json.dumps(RECORDS).encode(), FileConfig(), TEXTS),
    "c.csv": (csv_of(","), FileConfig(field="text"), TEXTS),
    "c.tsv": (csv_of("\t"), FileConfig(), TEXTS),
    "d.zip": (
        zipped({"b.jsonl": LINES.encode(), "a.txt": BOOK.encode(), "0.txt": b""}),
        FileConfig(),
        ["", BOOK, *TEXTS],
    ),
    "m.txt": (WHOLE.encode(), FileConfig(gutenberg=True), [BOOK_ONLY]),
    "m.txt.gz": (gzip.compress(WHOLE.encode()), FileConfig(gutenberg=True), [BOOK_ONLY]),
    "raw.json": (b'["a", "b"]', FileConfig("raw"), ['["a", "b"]']),
}


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """From now on every file is a large one, and its blocks are small."""
    monkeypatch.setattr(sources, "STREAM_BYTES", 0)
    monkeypatch.setattr(packed, "BLOCK_BYTES", 41)
    return monkeypatch


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_same_in_memory_and_on_disk(
    name: str, tmp_path: Path, on_disk: pytest.MonkeyPatch
) -> None:
    data, how, records = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    text = "\n".join(records)
    corpus = Corpus.load(path, files=how)
    assert isinstance(corpus.data, StreamedText)
    assert "".join(corpus.data.pieces()) == text
    assert list(find_sources([path], how=how).records()) == records
    on_disk.undo()
    in_memory = Corpus.load(path, files=how)
    assert in_memory.data == text
    assert list(find_sources([path], how=how).records()) == records
    assert in_memory.fingerprint == corpus.fingerprint
    assert (corpus.files, in_memory.files) == (how, how)


def test_a_table_is_the_same_in_memory_and_on_disk(
    tmp_path: Path, on_disk: pytest.MonkeyPatch
) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[parquet]'")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet.gz").write_bytes(gzip.compress(data))
    (tmp_path / "t.zip").write_bytes(zipped({"t.parquet": data}))
    for name in ("t.parquet", "t.parquet.gz", "t.zip"):
        assert list(find_sources([tmp_path / name]).records()) == TEXTS
        assert isinstance(find_sources([tmp_path / name]).sources[0], LargeFile)
    on_disk.undo()
    for name in ("t.parquet", "t.parquet.gz", "t.zip"):
        assert Corpus.load(tmp_path / name).data == "\n".join(TEXTS)


def test_a_folder_of_all_kinds_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"text": "two"}\n{"text": "three"}')
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one"))
    (tmp_path / "c.zip").write_bytes(zipped({"y.txt": b"five", "x.csv": b"text\nfour\n"}))
    found = find_sources([tmp_path])
    assert list(found.records()) == ["one", "two", "three", "four", "five"]
    assert [source.name for source in found.sources] == ["a", "b", "x", "y"]
    assert found.name == tmp_path.name
    assert Corpus.load(tmp_path).data == "one\ntwo\nthree\nfour\nfive"


def test_files_of_an_archive_are_named_by_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "books.zip"
    path.write_bytes(zipped({"a.txt": b"one", "b.md": b"two", "in/c.txt": b"three"}))
    assert Corpus.load(path / "*.txt").data == "one\nthree"
    assert Corpus.load(path / "in").data == "three"
    corpus = Corpus.load([path / "b.md", path / "a.txt"])
    assert (corpus.data, corpus.name) == ("two\none", "b+a")
    assert corpus.origin == f"{path / 'b.md'}, {path / 'a.txt'}"
    with pytest.raises(CorpusError, match=r"books.zip/d' fits no file of the archive"):
        Corpus.load(path / "d")


def test_a_file_in_an_archive_is_named_in_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "books.zip"
    path.write_bytes(zipped({"a.txt": b"fine", "b.txt": b"caf\xe9 au lait"}))
    for spec in (path, path / "*.txt", path / "b.txt"):
        with pytest.raises(CorpusError) as caught:
            Corpus.load(spec)
        assert str(caught.value).startswith(f"'{path}/b.txt' is not utf-8: byte 0xe9 at offset 3;")
    assert Corpus.load(path, encoding="cp1252").data == "fine\ncafé au lait"


def test_how_a_file_is_read_is_part_of_what_it_is(
    tmp_path: Path, on_disk: pytest.MonkeyPatch
) -> None:
    assert on_disk
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "one", "b": "two"}\n')
    ways = [FileConfig(field="a"), FileConfig(field="b"), FileConfig("raw")]
    corpora = [Corpus.load(path, files=how) for how in ways]
    assert len({str(corpus.data.identity) for corpus in corpora}) == 3  # type: ignore[union-attr]
    assert ["".join(c.tokens()) for c in corpora] == ["one", "two", path.read_text()]


def test_what_has_no_header_is_read_whole_and_said(
    tmp_path: Path, on_disk: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text(WHOLE)
    (tmp_path / "b.txt").write_text("no header\n")
    how = FileConfig(gutenberg=True)
    said = f"{tmp_path / 'b.txt'} has no header of Project Gutenberg, so nothing was taken off"
    assert Corpus.load(tmp_path, files=how).notes[1:] == (said,)
    on_disk.undo()
    corpus = Corpus.load(tmp_path, files=how)
    assert corpus.notes[1:] == (said,)
    assert corpus.data == f"{BOOK_ONLY}\nno header\n"


def test_records_have_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}')
    with pytest.raises(CorpusError, match=r"a\.jsonl' has records; leave it out"):
        Corpus.load(tmp_path / "a.jsonl", files=FileConfig(gutenberg=True))


def test_a_file_that_changed_between_two_readings_is_refused(
    tmp_path: Path, on_disk: pytest.MonkeyPatch
) -> None:
    assert on_disk
    path = tmp_path / "a.jsonl"
    path.write_text('"one"\n"two"')
    found = find_sources([path])
    path.write_text('"one"\n"two"\n"three"')
    with pytest.raises(CorpusError, match="has changed since it was read; type %corpus again"):
        list(found.records())


def test_a_corpus_in_memory_is_cleaned_again_from_its_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('"The TIME"\n"Machine"')
    corpus = Corpus.load(path)
    assert corpus.read_as(CorpusConfig(lower=True)).data == "the time\nmachine"
