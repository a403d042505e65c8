"""Files as people have them, on lines: packed, with records, with markup; or one clear line."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_magics.storage.contents.parts import write_parts
from rnn_magics.storage.loading import load_run
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.read_as import TextReading
from tests.notebook.conftest import SAMPLE, TRAIN, Notebook

RECORDS = [{"text": f"the time traveller {n}", "n": n, "all": [n]} for n in range(1, 1300)]


def zipped(files: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped({"a.txt": "secret"}))
    data[data.index(b"PK\3\4") + 6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, with files of all kinds."""
    spoilt = [dict(record) for record in RECORDS]
    del spoilt[1206]["text"]
    contents: dict[str, bytes] = {
        "chats.json": json.dumps(
            [{"who": "a", "said": ["Hi", "there"]}, {"said": ["Ho"]}]
        ).encode(),
        "lines.jsonl": "\n".join(map(json.dumps, RECORDS)).encode(),
        "spoilt.jsonl": "\n".join(map(json.dumps, spoilt)).encode(),
        "two.json": b'{"text": "a"}\n{"text": "b"}',
        "reviews.csv": b'id,review\n1,"Good, so good"\n2,Bad\n',
        "reviews.tsv": b"id\treview\n1\tGood\n",
        "torn.csv": b'id,review\n1,"Good\n',
        "a.txt.gz": gzip.compress(b"one\ntwo"),
        "a.txt.bz2": bz2.compress(b"one\ntwo"),
        "books.zip": zipped({"b.txt": "two", "a.txt": "one", "image.md": "three"}),
        "bomb.gz": gzip.compress(b" " * 3_000_000),
        "bomb.zip": zipped({"a.txt": " " * 3_000_000}),
        "up.zip": zipped({"../up.txt": "harm"}),
        "secret.zip": encrypted(),
        "short.txt.gz": gzip.compress(b"the time traveller " * 99)[:-9],
        "no.zip": b"PK but no more",
        "table.parquet": b"PAR1 and so on",
        "report.pdf": b"%PDF-1.7\n...",
        "letter.docx": zipped({"word/document.xml": "<w/>"}),
        "unnamed": gzip.compress(b"text"),
        "page.html": b"<html><body><p>Hello <b>there</b></p></body></html>",
        "poem.txt": b"no header here\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("a.txt.gz", "one\ntwo"),
        ("a.txt.bz2 a.txt.gz", "one\ntwo\none\ntwo"),
        ("books.zip/*.txt", "one\ntwo"),
        ("chats.json --field said", "Hi\nthere\nHo"),
        ("reviews.csv --field review", "Good, so good\nBad"),
        ("reviews.tsv --field review", "Good"),
        ("two.json --as jsonl", "a\nb"),
        ("two.json --as raw", '{"text": "a"}\n{"text": "b"}'),
        ("*.tsv --field review", "Good"),
        ("poem.txt --gutenberg", "no header here\n"),
    ],
)
def test_a_text_is_read(notebook: Notebook, words: str, text: str) -> None:
    assert notebook.run(f"%corpus {words}").data == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "spoilt.jsonl --field text",
            (
                "record 1,207 of 'spoilt.jsonl' has no field 'text' (it has 'n', 'all'); "
                "name another with --field, or take the record out"
            ),
        ),
        (
            "lines.jsonl --field all",
            (
                "record 1 of 'lines.jsonl': the field 'all' holds a number, not text; "
                "name another with --field, or make a sequence of tokens in Python and use "
                "--data"
            ),
        ),
        (
            "chats.json",
            (
                "record 1 of 'chats.json' has the fields 'who', 'said'; say which one is the "
                "text: --field NAME"
            ),
        ),
        (
            "two.json",
            (
                "'two.json' is not JSON (Extra data: line 2 column 1 (char 14)); if it has a "
                "value on each line: --as jsonl"
            ),
        ),
        (
            "torn.csv --field review",
            (
                "line 2 of 'torn.csv' cannot be read (unexpected end of data); correct it, "
                "or read the file as it is with --as raw"
            ),
        ),
        (
            "bomb.gz --max-unpacked 2",
            "'bomb.gz' is larger than 2 MB, unpacked; allow more with --max-unpacked MB",
        ),
        (
            "bomb.zip --max-unpacked 2",
            "'bomb.zip' is larger than 2 MB, unpacked; allow more with --max-unpacked MB",
        ),
        (
            "up.zip",
            (
                "'up.zip' is not read: '../up.txt' in it is a path that leaves the archive; "
                "unpack it with care, and name its files"
            ),
        ),
        (
            "secret.zip",
            (
                "'secret.zip' is not read: 'a.txt' in it is encrypted; unpack it with its "
                "password, and name its files"
            ),
        ),
        (
            "short.txt.gz",
            (
                "'short.txt.gz' is not a .gz file, or it is damaged (Compressed file ended "
                "before the end-of-stream marker was reached); fetch it again, or unpack it "
                "yourself and name its files"
            ),
        ),
        ("no.zip", "'no.zip' is not a zip archive, or it is damaged (File is not a zip file); "),
        (
            "books.zip/*.doc",
            "'books.zip/*.doc' fits no file of the archive (it has 'a.txt', 'b.txt', 'image.md')",
        ),
        ("report.pdf", "'report.pdf' is a PDF; save it as text first"),
        (
            "letter.docx",
            (
                "'letter.docx' is a zip archive, or a document that is one; save its text, "
                "or name it .zip"
            ),
        ),
        ("unnamed", "'unnamed' is packed with gzip; give it a name that ends in .gz"),
        (
            "a.txt.gz --as pdf",
            (
                "--as: 'pdf' is not one of text, raw, json, jsonl, csv, tsv, parquet, html, "
                "markdown, subtitles"
            ),
        ),
        (
            "poem.txt --field text",
            (
                "--field is for files with records (JSON, CSV, TSV, Parquet) and data sets, "
                "and there is none here; leave it out, or say what the files are with --as"
            ),
        ),
        (
            "python_docs --gutenberg",
            "--gutenberg is for files, downloads and data sets; leave it out of a built-in text",
        ),
        (
            "lines.jsonl --gutenberg",
            "--gutenberg is for books as text, and 'lines.jsonl' has records; leave it out",
        ),
        ("--max-unpacked 0", "--max-unpacked must be in (0, 1e+06], not 0.0"),
        ("--data records --as csv", "--as is for files and downloads; leave it out"),
        ("--data records --gutenberg", "--gutenberg is for files and downloads; leave it out"),
        (
            "--data records",
            (
                "record 1 of 'records' has the fields 'a', 'b'; say which one is the text: "
                "--field NAME"
            ),
        ),
        ("--data records --field c", "record 1 of 'records' has no field 'c' (it has 'a', 'b'); "),
        (
            "--data records --field b",
            "record 1 of 'records': the field 'b' holds a number, not",
        ),
        (
            "--data records --field a --as-tokens",
            "--field is the text of records; for tokens or numbers, name a sequence of them",
        ),
        ("--data text --field a", "'text' is a string, which has no fields; leave --field out"),
        (
            "--data table",
            "'table' is a table; its columns are 'review', 'stars': name one with --field",
        ),
        (
            "--data table --field sta",
            (
                "'table' has no column 'sta'; its columns are 'review', 'stars': name one "
                "with --field"
            ),
        ),
        ("hf:a:b:c:d", "'hf:a:b:c:d' names no data set; type hf:NAME, hf:NAME:SPLIT or"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_changes_nothing(
    notebook: Notebook, words: str, said: str
) -> None:
    pandas = pytest.importorskip("pandas")
    notebook.variables.update(
        records=[{"a": "x", "b": 1}],
        text="a text",
        table=pandas.DataFrame({"review": ["Good", "Bad"], "stars": [5, 1]}),
    )
    notebook.run("%%corpus before\nthe time traveller")
    assert notebook.refused(f"%corpus {words}").startswith(said)


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        (
            "pyarrow.parquet",
            "table.parquet --field text",
            "reading 'table.parquet' needs pyarrow: pip install 'rnn_magics[parquet]'",
        ),
        (
            "datasets",
            "hf:roneneldan/TinyStories:validation",
            (
                "reading 'hf:roneneldan/TinyStories:validation' needs datasets: pip install "
                "'rnn_magics[datasets]'"
            ),
        ),
        (
            "inscriptis",
            "page.html --as text",
            (
                "taking the markup off 'page.html' needs inscriptis: pip install "
                "'rnn_magics[markup]', or read it as it is with --as raw"
            ),
        ),
    ],
)
def test_without_an_extra_a_line_says_how_to_get_it(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, name: str, words: str, said: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    assert notebook.refused(f"%corpus {words}") == said


def test_a_page_is_read_without_its_tags_only_if_asked(notebook: Notebook) -> None:
    pytest.importorskip("inscriptis", reason="not installed: pip install '.[markup]'")
    assert "<b>" in notebook.run("%corpus page.html").data
    assert notebook.run("%corpus page.html --as text").data.strip() == "Hello there"
    assert notebook.run("%corpus page.html --as html").data.strip() == "Hello there"


class Dataset:
    """Stands in for a ``datasets.Dataset``: rows by iteration, no sequence."""

    def __iter__(self) -> Any:
        return iter([{"text": "one", "label": 1}, {"text": "two", "label": 2}])


def test_records_and_columns_of_variables(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(Dataset=Dataset))
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"review": ["Good", "Bad"], "stars": [5, 1]})
    notebook.variables.update(
        rows=Dataset(),
        table=table,
        column=table["review"],
        records=[{"a": {"b": "x"}}, {"a": {"b": "y"}}],
    )
    assert notebook.run("%corpus --data rows").data == "one\ntwo"
    assert notebook.run("%corpus --data rows --field text").data == "one\ntwo"
    assert notebook.run("%corpus --data column").data == "Good\nBad"
    assert notebook.run("%corpus --data table --field review").data == "Good\nBad"
    assert notebook.run("%corpus --data table --field stars").data == (5, 1)
    assert notebook.run("%corpus --data records --field a.b").data == "x\ny"
    assert "label" in notebook.refused("%corpus --data rows --field label")


EXPLAINED: list[tuple[str, str, FileConfig]] = [
    (
        "%corpus lines.jsonl --field text --max-unpacked 5",
        "corpus = Corpus.load('lines.jsonl', files=FileConfig(field='text', max_unpacked=5.0))",
        FileConfig(field="text", max_unpacked=5.0),
    ),
    (
        "%corpus two.json --as jsonl",
        "corpus = Corpus.load('two.json', files=FileConfig(format='jsonl'))",
        FileConfig("jsonl"),
    ),
]


@pytest.mark.parametrize(("line", "call", "how"), EXPLAINED)
def test_explain_shows_the_call_that_reads_the_same(
    notebook: Notebook, line: str, call: str, how: FileConfig
) -> None:
    source = notebook.printed(f"{line} --explain")
    assert call in source
    names: dict[str, Any] = {}
    exec(source, names)
    corpus = notebook.run(line)
    assert names["corpus"] == corpus
    assert corpus.files == how


def test_a_run_reads_the_next_file_as_its_own_was_read(notebook: Notebook, tmp_path: Path) -> None:
    run = notebook.run(f"%corpus lines.jsonl --field text\n%vocab\n{SAMPLE}\n{TRAIN}")
    assert run.reading == TextReading(
        notebook.session.corpus.config, files=FileConfig(field="text")
    )
    assert str(run.reading) == "--field text"
    (tmp_path / "more.jsonl").write_text('{"text": "the time traveller 8", "title": "xyz"}')
    assert notebook.printed("%evaluate_rnn more.jsonl") == (
        "read as the text of run 'gru-1' was: --field text\n"
    )
    assert notebook.run("%evaluate_rnn more.jsonl").unk_share == 0.0
    (tmp_path / "plain.txt").write_text("the time traveller 8")
    assert notebook.printed("%evaluate_rnn plain.txt") == ""  # a text has no fields
    assert notebook.printed("%evaluate_rnn more.jsonl --field title") == ""
    assert notebook.run("%evaluate_rnn more.jsonl --lower").unk_share == 0.0
    assert notebook.printed("%evaluate_rnn more.jsonl --max-unpacked 5") == (
        "read as the text of run 'gru-1' was: --field text\n"
    )
    said = notebook.refused("%evaluate_rnn more.jsonl --as raw")
    assert said.startswith("--field is for files with records")
    said = notebook.refused("%evaluate_rnn chats.json")
    assert said.startswith("record 1 of 'chats.json' has no field 'text' (it has 'who', 'said')")
    assert notebook.printed("%evaluate_rnn python_docs --max-tokens 50") == ""  # nor has this
    kept = notebook.run(f"%save_rnn {tmp_path / 'kept.safetensors'}")
    assert load_run(kept).reading == run.reading


def test_a_run_that_read_plain_text_writes_the_record_that_older_versions_know(
    notebook: Notebook, tmp_path: Path
) -> None:
    run = notebook.run(
        f"%corpus a.txt.gz books.zip/*.txt\n%vocab\n%sample --batch-size 1 --num-steps 2\n{TRAIN}"
    )
    kept = notebook.run(f"%save_rnn {tmp_path / 'kept.safetensors'}")
    assert write_parts(run)["reading"].keys() == {"cleaning", "encoding"}
    assert load_run(kept).reading == run.reading == TextReading(notebook.session.corpus.config)


def test_the_code_of_a_run_reads_its_file_again(notebook: Notebook) -> None:
    run = notebook.run(
        f"%corpus lines.jsonl --field text\n%vocab\n{SAMPLE}\n{TRAIN} --scratch --threads 1"
    )
    script = notebook.run("%rnn code")
    assert 'record["text"] for record in records' in str(script)
    names: dict[str, Any] = {}
    exec(str(script), names)
    assert names["held_out"] == run.valid_perplexity
