"""Downloads: within limits, and from nowhere that the user did not mean."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.text.corpus import Corpus
from rnn_magics.text.reading import connection, sources
from rnn_magics.text.reading.addresses import is_inside, is_literally_local
from rnn_magics.text.reading.download import DownloadConfig, download, keep
from tests.text.hostile import NAMED, hostile_server

QUICK = DownloadConfig(max_download=1, max_download_time=1)
PATIENT = DownloadConfig(max_download=1, max_download_time=60)
ENDLESS = {"/drip", "/drip-heads", "/silent"}  # only the deadline ends them


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with hostile_server() as address:
        yield address


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")


@pytest.mark.parametrize("path", NAMED)
def test_a_hostile_answer_is_a_named_error(server: str, path: str) -> None:
    with pytest.raises(CorpusError) as caught:
        download(server + path, QUICK if path in ENDLESS else PATIENT)
    assert NAMED[path] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["/good", "/packed", "/down?0"])
def test_a_good_answer_comes_with_its_sha256(server: str, path: str) -> None:
    got = download(server + path)
    assert got.data in {b"a good text", b"arrived"}
    assert got.sha256 == hashlib.sha256(got.data).hexdigest()
    assert not got.is_page


def test_five_redirects_are_followed_and_no_sixth(server: str) -> None:
    assert download(f"{server}/down?5").data == b"arrived"
    with pytest.raises(CorpusError, match="more than 5 times"):
        download(f"{server}/down?6")


def test_the_sha256_may_be_written_in_capitals(server: str) -> None:
    sha256 = hashlib.sha256(b"a good text").hexdigest().upper()
    assert download(f"{server}/good", DownloadConfig(sha256=sha256)).sha256 == sha256.lower()


@pytest.mark.parametrize("word", ["", "abc", "g" * 64, "../" + "0" * 61, "0" * 63 + "\n"])
def test_a_sha256_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="sha256 must be 64 hexadecimal digits"):
        DownloadConfig(sha256=word)


@pytest.mark.parametrize("sources", [["a.txt"], ["http://a/b", "http://a/c"]])
def test_a_sha256_goes_with_one_address(sources: list[str]) -> None:
    with pytest.raises(CorpusError, match="--sha256 checks one download: name exactly one"):
        Corpus.load(sources, download=DownloadConfig(sha256="0" * 64))


def test_a_web_page_is_called_so(server: str) -> None:
    said, page = Corpus.load(f"{server}/page").notes
    assert "has 11 bytes; to require exactly these next time: --sha256 " in said
    assert "is a web page (text/html): its tags are part of the text" in page
    (only,) = Corpus.load(f"{server}/good").notes
    assert "sha256" in only


def test_what_to_know_of_a_download_is_said_beside_a_large_file(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.txt"
    path.write_text("a large text")
    monkeypatch.setattr(sources, "STREAM_BYTES", 0)
    corpus = Corpus.load([str(path), f"{server}/good"])
    assert corpus.on_disk
    _, note = corpus.notes
    assert "has 11 bytes; to require exactly these next time: --sha256 " in note


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let a name mean these addresses, look-up by look-up; returns the names asked."""
    waiting, asked = list(answers), []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if not host.endswith(".example"):
            return list(real(host, port, *args, **kwargs))
        asked.append(host)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in waiting.pop(0)]

    monkeypatch.setattr(connection.socket, "getaddrinfo", look_up)
    return asked


def test_a_name_with_one_address_inside_is_refused(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.rpartition(":")[2]
    resolve(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(CorpusError, match=r"'inside.example' is 127.0.0.1, an address of this"):
        download(f"http://inside.example:{port}/good", PATIENT)


def test_a_name_is_looked_up_once_and_that_answer_is_used(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second look-up would give another address: the trick is called DNS rebinding.
    port = int(server.rpartition(":")[2])
    asked = resolve(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    tried: list[Any] = []

    class Refusing(socket.socket):
        def connect(self, address: Any) -> None:
            tried.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(connection.socket, "socket", Refusing)
    with pytest.raises(CorpusError, match="cannot be reached"):
        download(f"http://rebind.example:{port}/good", PATIENT)
    assert tried == [("93.184.215.14", port)]
    assert asked == ["rebind.example"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%1",
        "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
    ],
)  # fmt: skip
def test_an_address_inside(address: str) -> None:
    assert is_inside(address)
    assert is_literally_local(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet(address: str) -> None:
    assert not is_inside(address)
    assert not is_literally_local(address)


@pytest.mark.parametrize("host", ["localhost.example", "2130706433", "0x7f.1", "", None])
def test_a_host_that_is_not_literally_local(host: str | None) -> None:
    assert not is_literally_local(host)


def test_what_is_kept_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cache" / "entry"
    keep(b"first", path)

    def fail(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fail)
        with pytest.raises(OSError):  # noqa: PT011  (any)
            keep(b"second", path)
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]
