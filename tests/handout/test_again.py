"""A script reads a file again as it was read, or says that it cannot."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.handout.again import read_again
from rnn_magics.text.cleaning import CorpusConfig
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.formats.formats import FileConfig

TEXT = "Überall\nwar Licht"
LINES = '{"text": "One, two", "n": 1}\n\n{"text": "Überall", "n": 2}\n'
ROWS = 'n,text\n1,"One, two"\n2,Überall\n'
FILES: dict[str, tuple[bytes, FileConfig]] = {
    "a.txt": (TEXT.encode(), FileConfig()),
    "a.txt.gz": (gzip.compress(TEXT.encode()), FileConfig()),
    "a.txt.bz2": (bz2.compress(TEXT.encode("utf-16")), FileConfig()),
    "a.txt.xz": (lzma.compress(TEXT.encode()), FileConfig()),
    "b.jsonl": (LINES.encode(), FileConfig()),
    "b.jsonl.gz": (gzip.compress(LINES.encode()), FileConfig(field="text")),
    "b.log": (LINES.encode(), FileConfig("jsonl", "text")),
    "one.jsonl": (b'{"body": "a"}\n{"body": "b"}', FileConfig()),
    "lines.json": (b'["one", "two"]', FileConfig()),
    "c.json": (json.dumps([{"text": 'a "b"', "x": 1}]).encode(), FileConfig(field="text")),
    "d.csv": (ROWS.encode(), FileConfig(field="text")),
    "d.tsv": (b"text\tn\nOne\t1\n", FileConfig()),
    "raw.json": (b'["one", "two"]', FileConfig("raw")),
}


@pytest.mark.parametrize("name", FILES)
def test_the_text_is_that_of_the_run(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    data, how = FILES[name]
    path.write_bytes(data)
    encoding = "utf-16" if "bz2" in name else None
    corpus = Corpus.load(path, CorpusConfig(), encoding=encoding, files=how)
    source = read_again(corpus.origin, str(corpus.data), corpus.config, corpus.files)
    assert source is not None
    names: dict[str, Any] = {"Path": Path, "json": json, "csv": csv}
    exec(source, names | {"gzip": gzip, "bz2": bz2, "lzma": lzma}, names)
    assert names["text"] == corpus.data


@pytest.mark.parametrize(
    ("name", "data", "how"),
    [
        ("a.jsonl", b'{"a": {"b": "x"}}\n{"a": {"b": "y"}}', FileConfig(field="a.b")),
        ("a.json", b'[{"a": ["x", "y"]}]', FileConfig(field="a")),
        ("a.csv", b"a;b\nxx;yy\n", FileConfig(field="b")),
        ("a.jsonl", b'{"a": "x\\r\\ny"}', FileConfig()),
        ("a.txt", b"*** START OF THE PROJECT GUTENBERG\nxx", FileConfig(gutenberg=True)),
    ],
)
def test_what_a_few_lines_cannot_read_is_left_to_the_caller(
    name: str, data: bytes, how: FileConfig, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    corpus = Corpus.load(path, files=how)
    assert read_again(corpus.origin, str(corpus.data), corpus.config, corpus.files) is None


def test_a_file_that_is_gone_or_damaged_is_left_to_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    assert read_again(str(path), "text", CorpusConfig(), FileConfig()) is None
    path.write_bytes(b"\x1f\x8b no more")
    assert read_again(str(path), "text", CorpusConfig(), FileConfig()) is None
