"""Several sources become one text: paths, folders and patterns, in a known order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_magics.errors import CorpusError
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading import several, sources

FILES = {
    "b.txt": "second",
    "a.txt": "first",
    "c.md": "third",
    ".hidden.txt": "hidden",
    "below/d.txt": "fourth",
    "below/further/e.txt": "fifth",
    "odd[1].txt": "brackets",
}


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "books" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "books"


@pytest.mark.parametrize(
    ("source", "lines", "name"),
    [
        ("books", ["first", "second", "third", "brackets"], "books"),
        ("books/", ["first", "second", "third", "brackets"], "books"),
        (Path("books"), ["first", "second", "third", "brackets"], "books"),
        ("books/*.txt", ["first", "second", "brackets"], "books/*.txt"),
        ("books/[ab].txt", ["first", "second"], "books/[ab].txt"),
        ("books/odd[1].txt", ["brackets"], "odd[1]"),  # a file of that very name
        ("books/**/*.txt", ["first", "second", "fourth", "fifth", "brackets"], "books/**/*.txt"),
        (["books/b.txt", Path("books/a.txt")], ["second", "first"], "b+a"),
        (("books/b.txt", "books/below"), ["second", "fourth"], "b+d"),
        (iter(["books/c.md"]), ["third"], "c"),
    ],
)
def test_what_people_hand_over_is_read_in_order(
    books: Path, source: Any, lines: list[str], name: str
) -> None:
    assert books.is_dir()
    corpus = Corpus.load(source)
    assert (corpus.data, corpus.name) == ("\n".join(lines), name)


def test_a_folder_is_named_by_where_it_is(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(books)
    assert Corpus.load(".").name == "books"


def test_one_line_says_what_was_read(books: Path) -> None:
    corpus = Corpus.load(["books/*.txt", "books/below/**/*.txt"])
    assert corpus.notes == (f"5 texts, {len(corpus):,} characters: a, b, odd[1] and 2 more",)
    assert corpus.name == "a+b+odd[1] and 2 more"
    assert corpus.origin.endswith(" and 2 more")
    assert Corpus.load(str(books / "a.txt")).notes == ()


def test_a_file_that_is_read_twice_is_named(books: Path) -> None:
    path = str(books / "a.txt")
    assert Corpus.load([path, "books/b.txt", path]).notes[1] == f"{path} is read 2 times"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("books/*.csv", "'books/*.csv' fits no file (looked for from "),
        ("books/empty", "'books/empty' has no files; files in folders below it are named by"),
        (["books/a.txt", "books/gone.txt"], "there is no file 'books/gone.txt' in "),
        ([], "an empty list names no text; name one, or leave it out for the built-in text"),
        (["books/a.txt", None], "source 2 is a NoneType; a source is a name, a path or an address"),
        (["books/a.txt", ""], "source 2 is empty; name a text, a path or an address"),
        ("books/bad", "'books/bad/b.bin' is a binary file (zero character at offset 1)"),
        ("books/bad/*", "'books/bad/b.bin' is a binary file (zero character at offset 1)"),
    ],
)
def test_what_cannot_be_read_is_named(books: Path, source: Any, said: str) -> None:
    (books / "empty").mkdir()
    (books / "bad").mkdir()
    (books / "bad" / "a.txt").write_text("text")
    (books / "bad" / "b.bin").write_bytes(b"\1\0\2")
    with pytest.raises(CorpusError) as refused:
        Corpus.load(source)
    assert said in str(refused.value).replace(str(books), "books")


def test_too_many_files_are_refused(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "_MOST_FILES", 2)
    assert Corpus.load(str(books / "[ab].txt")).data == "first\nsecond"
    with pytest.raises(CorpusError, match="stands for more than 2 files; name fewer, or join"):
        Corpus.load(str(books))


def test_small_files_that_are_large_together_stay_on_disk(
    books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Corpus.load(str(books))
    monkeypatch.setattr(sources, "STREAM_BYTES", len(whole.data) - 4)
    on_disk = Corpus.load(str(books))
    assert on_disk.on_disk
    assert (on_disk.fingerprint, len(on_disk)) == (whole.fingerprint, len(whole))
    assert (on_disk.notes, on_disk.name) == (whole.notes, whole.name)


NAMES = st.text(
    st.sampled_from("ab[]*?! .-é\N{CJK UNIFIED IDEOGRAPH-4E2D}"), min_size=1, max_size=6
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(NAMES.filter(str.strip), min_size=1, max_size=6))
def test_files_of_any_name_are_read_as_they_are_named(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    kept = [name for name in sorted(names) if name.strip(".")]
    for place, name in enumerate(kept):
        (folder / name).write_text(f"text {place}", encoding="utf-8")
    paths = [folder / name for name in kept]
    texts = [f"text {place}" for place in range(len(kept))]
    if kept:
        assert Corpus.load(paths).data == "\n".join(texts)
    shown = [text for name, text in zip(kept, texts, strict=True) if not name.startswith(".")]
    if shown:
        assert Corpus.load(folder).data == "\n".join(shown)
