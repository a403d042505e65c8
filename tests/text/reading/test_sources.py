"""Sources: bytes of all kinds become text, or one clear line."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rnn_magics import files
from rnn_magics.errors import CorpusError
from rnn_magics.text.formats.formats import FileConfig
from rnn_magics.text.reading import sources
from rnn_magics.text.reading.download import Download, DownloadConfig
from rnn_magics.text.reading.encoding import decode
from rnn_magics.text.reading.several import find_sources
from rnn_magics.text.reading.sources import BUILTINS, read_source


def zipped(files: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()


PAGES = {
    "/a/story.txt": "Überall\r\nwar Licht".encode(),
    "/latin.txt": "Überall".encode("latin-1"),
    "/big.txt": b"x" * 5_000,
    "/gbk.txt": "床前明月光".encode("gbk"),
    "/quoted.txt": "It\u2019s".encode("cp1252"),
    "/marked.txt": codecs.BOM_UTF8 + "Überall".encode(),
    "/utf8.txt": "Überall".encode(),
    "/packed.txt.gz": gzip.compress("Überall".encode()),
    "/unpacked.txt.gz": "Überall".encode(),
    "/bomb.gz": gzip.compress(b"a" * 5_000),
    "/lines.jsonl": b'{"text": "one", "n": 1}\n{"text": "two", "n": 2}\n',
    "/page": b"<!DOCTYPE html><html><body><p>one <b>two</b></body></html>",
    "/books.zip": zipped({"b.txt": "two", "a.jsonl": '"one"\n"and"'}),
}
TYPES = {
    "/gbk.txt": 'text/plain; charset="GB2312"',
    "/quoted.txt": "text/plain;charset=ISO-8859-1",
    "/marked.txt": "text/plain; charset=iso-8859-1",
    "/utf8.txt": "text/plain; charset=no-such",
    "/page": "text/html",
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = PAGES.get(self.path.partition("?")[0])
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        if self.path in TYPES:
            self.send_header("Content-Type", TYPES[self.path])
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", "utf-8"),
    ],
)
def test_a_byte_order_mark_says_the_encoding(mark: bytes, encoding: str) -> None:
    text = "naïve 时间 \U0001f600"
    assert decode(mark + text.encode(encoding), None, "x") == text


def test_line_ends_become_newlines() -> None:
    assert decode(b"a\r\nb\rc\nd\r\n\r\n", None, "x") == "a\nb\nc\nd\n\n"


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_bytes("床前明月光".encode("gb18030"))
    assert read_source(str(path), "gb18030").text == "床前明月光"


@pytest.mark.parametrize("head", [b"", codecs.BOM_UTF8])
def test_bytes_that_are_not_utf8_are_named_with_their_offset(head: bytes) -> None:
    data = head + b"plain \xc3\xa9 then \xff\xfe"
    place = data.index(b"\xff")
    with pytest.raises(CorpusError, match=f"byte 0xff at offset {place};.*--encoding cp1252"):
        decode(data, None, "x.txt")


@pytest.mark.parametrize("data", [b"\x7fELF\0\0\xff\xff", b"text\0text"])
def test_a_binary_file_is_called_so(data: bytes) -> None:
    with pytest.raises(CorpusError, match=r"binary file \(zero \w+ at offset \d+\)") as caught:
        decode(data, None, "prog")
    assert f"offset {data.index(0)}" in str(caught.value)


@pytest.mark.parametrize("encoding", ["no-such", "", "hex"])
def test_an_unknown_encoding_is_named(encoding: str) -> None:
    with pytest.raises(CorpusError, match=f"unknown encoding '{encoding}'"):
        decode(b"abc", encoding, "x")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf\0", "ascii", "idna", "utf-7"])
def test_a_truncated_or_odd_encoding_is_a_corpus_error(encoding: str) -> None:
    with pytest.raises(CorpusError):
        decode(b"+\xff.", encoding, "x")


def test_a_file_is_read_with_its_name_and_path(tmp_path: Path) -> None:
    path = tmp_path / "my story.v2.txt"
    path.write_text("{once} $upon", encoding="utf-8")
    source = read_source(str(path))
    assert (source.text, source.name, source.origin) == ("{once} $upon", "my story.v2", str(path))


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.txt").write_text("hello")
    assert read_source("~/a.txt").text == "hello"


def test_the_home_of_nobody_is_a_corpus_error() -> None:
    with pytest.raises(CorpusError, match="no_such_user_of_this_machine"):
        read_source("~no_such_user_of_this_machine/a.txt")


def test_a_directory_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is a folder; name one text file in it"):
        read_source(str(tmp_path))


def test_a_missing_file_is_named_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError) as caught:
        read_source("gone.txt")
    assert str(caught.value) == f"there is no file 'gone.txt' in {str(Path.cwd())!r}"


def test_a_file_that_may_not_be_read_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("hush")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(CorpusError, match="cannot be read: permission denied"):
        read_source(str(path))


def test_a_refusal_of_the_system_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "secret.txt").write_text("hush")
    monkeypatch.setattr(files, "open_file", refuse)
    with pytest.raises(CorpusError, match=r"secret.txt' cannot be read: permission denied$"):
        read_source(str(tmp_path / "secret.txt"))


@pytest.mark.parametrize("spec", ["a\0b.txt", "x" * 5_000 + ".txt"])
def test_an_impossible_path_is_a_corpus_error(spec: str) -> None:
    with pytest.raises(CorpusError):
        read_source(spec)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(CorpusError) as caught:
        read_source("time_machin")
    message = str(caught.value)
    assert message.startswith("unknown corpus 'time_machin'; did you mean 'time_machine'?")
    assert "python_docs, python_source, tang_poems, time_machine, tiny_shakespeare" in message


@pytest.mark.parametrize("spec", ["ftp://host/a.txt", "file:///etc/hosts", "s3://bucket/key"])
def test_other_schemes_are_refused(spec: str) -> None:
    with pytest.raises(CorpusError, match="only http:// and https://"):
        read_source(spec)


def test_a_url_is_downloaded_and_named_after_its_file(server: str) -> None:
    source = read_source(f"{server}/a/story.txt?raw=1")
    assert (source.text, source.name) == ("Überall\nwar Licht", "story")
    assert source.origin == f"{server}/a/story.txt?raw=1"


def test_a_download_is_decoded_as_asked(server: str) -> None:
    assert read_source(f"{server}/latin.txt", "latin-1").text == "Überall"
    with pytest.raises(CorpusError, match="is not utf-8: byte 0xdc at offset 0"):
        read_source(f"{server}/latin.txt")


@pytest.mark.parametrize(
    ("page", "text", "said"),
    [
        ("gbk", "床前明月光", "is read as gb18030, since its server says charset=gb2312"),
        ("quoted", "It\u2019s", "is read as cp1252, since its server says charset=iso-8859-1"),
        ("marked", "Überall", "to require exactly these next time"),
        ("utf8", "Überall", "to require exactly these next time"),
    ],
)
def test_a_server_says_the_encoding_unless_a_mark_does(
    server: str, page: str, text: str, said: str
) -> None:
    source = read_source(f"{server}/{page}.txt")
    assert source.text == text
    assert said in source.notes[-1]


def test_a_typed_encoding_counts_for_more_than_that_of_a_server(server: str) -> None:
    assert read_source(f"{server}/quoted.txt", "cp1251").text == "It\u2019s"
    assert read_source(f"{server}/utf8.txt", "utf-8").text == "Überall"


def test_a_pinned_download_from_the_cache_is_read_as_its_server_said(
    server: str, own_cache: Path
) -> None:
    pinned = DownloadConfig(sha256=hashlib.sha256(PAGES["/gbk.txt"]).hexdigest())
    first = read_source(f"{server}/gbk.txt", config=pinned)
    assert read_source(f"{server}/gone.txt", config=pinned).text == first.text == "床前明月光"
    assert len(list((own_cache / "downloads").iterdir())) == 2


@pytest.mark.parametrize("name", ["packed.txt.gz", "unpacked.txt.gz", "packed.txt.gz?raw=1"])
def test_a_packed_download_is_unpacked_unless_the_server_did(server: str, name: str) -> None:
    source = read_source(f"{server}/{name}")
    assert (source.text, source.name) == ("Überall", name.partition(".")[0])


def test_the_sha256_is_that_of_what_was_sent(server: str, own_cache: Path) -> None:
    data = PAGES["/packed.txt.gz"]
    pinned = DownloadConfig(sha256=hashlib.sha256(data).hexdigest())
    assert read_source(f"{server}/packed.txt.gz", config=pinned).text == "Überall"
    (kept,) = (own_cache / "downloads").iterdir()
    assert kept.read_bytes() == data


def test_a_download_that_unpacks_to_too_much_is_refused(server: str) -> None:
    how = FileConfig(max_unpacked=0.004)
    with pytest.raises(
        CorpusError, match=r"bomb.gz' is larger than 0.004 MB, unpacked; allow more"
    ):
        read_source(f"{server}/bomb.gz", how=how)


def test_a_download_has_records_and_an_archive_several_files(server: str) -> None:
    assert list(read_source(f"{server}/lines.jsonl").records()) == ["one", "two"]
    found = find_sources([f"{server}/books.zip"])
    assert list(found.records()) == ["one", "and", "two"]
    assert found.name == "books"
    assert [source.name for source in found.sources] == ["a", "b"]
    with pytest.raises(CorpusError, match="--field is for files with records"):
        find_sources([f"{server}/utf8.txt"], how=FileConfig(field="text"))


def test_a_page_says_that_it_is_one_and_how_to_take_its_tags_off(server: str) -> None:
    source = read_source(f"{server}/page")
    assert source.text.endswith("</html>")
    assert source.notes[1].endswith("its tags are part of the text; --as text takes them off")
    pytest.importorskip("inscriptis", reason="not installed: pip install '.[markup]'")
    plain = read_source(f"{server}/page", how=FileConfig("text"))
    assert plain.text.strip() == "one two"
    assert len(plain.notes) == 1


def test_a_missing_page_is_named_with_its_status(server: str) -> None:
    with pytest.raises(CorpusError, match=r"gone\.txt': the server answered 404"):
        read_source(f"{server}/gone.txt")


def test_a_download_has_a_largest_size(server: str) -> None:
    with pytest.raises(CorpusError, match=r"is larger than 0.004999 MB; .* give its path"):
        read_source(f"{server}/big.txt", config=DownloadConfig(max_download=0.004999))
    fits = DownloadConfig(max_download=0.005)
    assert len(read_source(f"{server}/big.txt", config=fits).text) == 5_000


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://[", "https://", "http://.x/y"])
def test_an_address_that_leads_nowhere_is_a_corpus_error(url: str) -> None:
    with pytest.raises(CorpusError, match="cannot be reached"):
        read_source(url)


def test_the_python_docs_need_no_file() -> None:
    source = read_source("python_docs")
    assert source.name == "python_docs"
    assert len(source.text) > 200_000
    assert "\r" not in source.text


def test_a_public_text_is_found_in_the_data_folders(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_MAGICS_DATA", os.pathsep.join([str(tmp_path), "", str(data_folder)]))
    source = read_source("time_machine")
    assert len(source.text.encode()) == 178_979
    assert source.origin == str(data_folder / "timemachine.txt")
    assert len(read_source("tiny_shakespeare").text) == 1_115_394


@pytest.mark.parametrize(
    ("name", "filename"),
    [("time_machine", "timemachine.txt"), ("tiny_shakespeare", "tinyshakespeare.txt")],
)
def test_a_public_text_that_was_changed_is_refused(
    name: str, filename: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / filename).write_text("not what was published")
    monkeypatch.setenv("RNN_MAGICS_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match=rf"is not the published {name} \(its sha256 differs\)"):
        read_source(name)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNN_MAGICS_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr(sources, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_without_a_network_one_line_says_what_to_do(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Download:
        msg = "no route"
        raise CorpusError(msg)

    monkeypatch.setattr(sources, "download", fail)
    with pytest.raises(CorpusError) as caught:
        read_source("time_machine")
    assert str(caught.value) == (
        "time_machine cannot be downloaded (no route); put timemachine.txt into a"
        " folder and set RNN_MAGICS_DATA to it, or use %corpus python_docs (no download)"
    )
    assert not own_cache.exists()


def test_a_public_text_is_downloaded_once_and_again_when_the_cache_was_spoilt(
    data_folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (data_folder / "timemachine.txt").read_bytes()
    asked: list[DownloadConfig] = []

    def fetch(_url: str, config: DownloadConfig) -> Download:
        asked.append(config)
        return Download(data, config.sha256 or "", "text/plain")

    monkeypatch.setattr(sources, "download", fetch)
    for _ in range(2):
        assert read_source("time_machine").name == "time_machine"
    assert [config.sha256 for config in asked] == [BUILTINS["time_machine"].sha256]  # type: ignore[attr-defined]
    (kept,) = own_cache.iterdir()
    kept.write_bytes(data[:-1])
    assert len(read_source("time_machine").text.encode()) == 178_979
    assert len(asked) == 2
    assert kept.read_bytes() == data


def test_a_pinned_download_comes_from_the_cache(server: str, own_cache: Path) -> None:
    data = PAGES["/a/story.txt"]
    pinned = DownloadConfig(sha256=hashlib.sha256(data).hexdigest())
    first = read_source(f"{server}/a/story.txt", config=pinned)
    assert "sha256" in first.notes[0]
    (kept,) = (own_cache / "downloads").iterdir()
    assert kept.read_bytes() == data
    again = read_source(f"{server}/gone.txt", config=pinned)  # the same bytes by any name
    assert (again.text, again.notes) == (first.text, ())
    kept.write_bytes(b"another text")
    with pytest.raises(CorpusError, match="404"):
        read_source(f"{server}/gone.txt", config=pinned)


def test_a_download_with_another_sha256_is_not_kept(server: str, own_cache: Path) -> None:
    with pytest.raises(CorpusError, match=r"has sha256 \w{64}, not 0{64}; nothing was kept; if"):
        read_source(f"{server}/a/story.txt", config=DownloadConfig(sha256="0" * 64))
    assert not own_cache.exists()
