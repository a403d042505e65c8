"""Downloads: the bytes behind a URL, within limits, and only from where the user meant.

A server may be hostile: it may redirect into the private network, never end, send a byte now and
then, or send a little that unpacks to a lot. Every hop is checked at the IP address that is
connected to, so a name that changes its address in between gains nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from rnn_magics.errors import ConfigError, CorpusError
from rnn_magics.language import marked, say
from rnn_magics.options import Options, Range, Spelling, option
from rnn_magics.text.reading.addresses import is_literally_local, parts, port_of

if TYPE_CHECKING:
    import requests

MAX_REDIRECTS = 5
_MEGABYTE = 1_000_000
_SILENCE_SECONDS = 30
_BLOCK_BYTES = 1 << 14  # compressed; they unpack to at most about a thousand times as many
_WHOLE = 200  # the only HTTP status of a complete text
_SAYS_SO = range(400, 600)  # statuses that announce an error themselves
_ENCODINGS = ("", "identity", "gzip", "deflate")


@dataclass(frozen=True, repr=False)
class DownloadConfig(Options):
    """The limits of a download, and the sha256 that it must have."""

    sha256: str | None = option(
        None,
        "the sha256 that the download must have, in hex",
        label="Download: SHA-256",
        spelling=Spelling(metavar="HEX"),
    )
    max_download: float = option(
        100.0,
        "largest download in MB, unpacked",
        within=Range(0, 1e6, open_left=True),
        label="Download: most megabytes",
    )
    max_download_time: float = option(
        300.0,
        "seconds after which a download is given up",
        within=Range(0, 1e6, open_left=True),
        label="Download: most seconds",
    )

    def __post_init__(self) -> None:
        """Check each value, and the form of the sha256."""
        super().__post_init__()
        if self.sha256 is None:
            return
        if re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256) is None:
            raise ConfigError(
                say("sha256 must be 64 hexadecimal digits, not {sha256!r}", sha256=self.sha256)
            )
        object.__setattr__(self, "sha256", self.sha256.lower())


@dataclass(frozen=True)
class Download:
    """The result of a download.

    Parameters
    ----------
    data
        Its bytes, unpacked.
    sha256
        The sha256 of the data, in hex.
    content_type
        The type that the server gave, e.g. ``text/plain``; empty if it gave none.
    charset
        The encoding that the server gave, e.g. ``gbk``; empty if it gave none.
    """

    data: bytes
    sha256: str
    content_type: str
    charset: str = ""

    @property
    def is_page(self) -> bool:
        """Whether the server says that it is a web page."""
        return self.content_type in {"text/html", "application/xhtml+xml"}


def download(url: str, config: DownloadConfig | None = None) -> Download:
    """Download a URL.

    Parameters
    ----------
    url
        An ``http://`` or ``https://`` address. It may lead to this machine or into a private
        network only if its host is written as such an IP address, or as ``localhost``.
    config
        The limits, and the expected sha256.

    Raises
    ------
    CorpusError
        When the address, or one that it redirects to, cannot or may not be read, when a limit is
        exceeded, or when the sha256 is not the expected one.
    """
    config = config or DownloadConfig()
    fetch = _Fetch(url, config)
    answer: queue.SimpleQueue[Download | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            answer.put(fetch.run())
        except Exception as error:  # noqa: BLE001  (raised again by the caller)
            answer.put(error)

    # On a thread: neither the look-up of a name nor a slow trickle of bytes has a time limit.
    threading.Thread(target=work, name="rnn download", daemon=True).start()
    try:
        got = answer.get(timeout=config.max_download_time)
    except queue.Empty:
        raise CorpusError(
            say(
                "{url!r} took longer than {seconds:g} s; allow more with --max-download-time"
                " SECONDS, or download it yourself and give its path",
                url=url,
                seconds=config.max_download_time,
            )
        ) from None
    finally:
        fetch.leave()  # ends a thread that still reads
    if isinstance(got, Exception):
        raise _explained(url, got) from None
    if config.sha256 not in {None, got.sha256}:
        raise CorpusError(
            say(
                "{url!r} has sha256 {got}, not {wanted}; nothing was kept; if this is the text"
                " you want, give its sha256",
                url=url,
                got=got.sha256,
                wanted=config.sha256,
            )
        )
    return got


def keep(data: bytes, path: Path) -> None:
    """Write a download to the cache: the complete file under its name, or nothing.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".download-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


class _Fetch:
    # One download: its hops, their sockets, its bytes.

    def __init__(self, url: str, config: DownloadConfig) -> None:
        self._url, self._config = url, config
        self._until = time.monotonic() + config.max_download_time
        self._sockets: list[socket.socket] = []  # duplicates, to end a read from another thread
        self._opened: list[socket.socket] = []
        self._lock = threading.Lock()
        self._left = False

    def run(self) -> Download:
        from rnn_magics.text.reading.connection import OneHop  # noqa: PLC0415  (a download needs requests)

        try:
            with OneHop() as session:
                response = self._follow(session)
                with contextlib.closing(response):
                    data = self._body(response)
        finally:
            self._close()
        said = response.headers.get("Content-Type", "")
        kind = said.partition(";")[0].strip().lower()
        return Download(data, hashlib.sha256(data).hexdigest(), kind, _charset(said))

    def _close(self) -> None:
        # urllib3 leaks the socket of a response that it refuses, e.g. one with two lengths.
        for opened in self._opened:
            if (handle := opened.detach()) != -1:
                socket.close(handle)

    def leave(self) -> None:
        """Close every connection, which also ends a read that is waiting on one."""
        with self._lock:
            self._left = True
            for held in self._sockets:
                with contextlib.suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)
                held.close()
            self._sockets = []

    def _follow(self, session: requests.Session) -> requests.Response:
        from rnn_magics.text.reading.connection import CheckedAdapter  # noqa: PLC0415

        typed = parts(self._url)
        trusted = (typed.hostname, port_of(typed)) if is_literally_local(typed.hostname) else None
        adapter = CheckedAdapter(trusted, self._hold)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            response = session.get(
                url,
                stream=True,
                allow_redirects=False,
                timeout=min(_SILENCE_SECONDS, self._config.max_download_time),
                headers={"Accept-Encoding": "gzip"},
            )
            if response.status_code == _WHOLE:
                return response
            response.close()
            if not response.is_redirect:
                text = (
                    marked("{url!r}: the server answered {status}")
                    if response.status_code in _SAYS_SO
                    else marked(
                        "{url!r}: the server answered {status}; only {whole} means a complete text"
                    )
                )
                raise CorpusError(say(text, url=url, status=response.status_code, whole=_WHOLE))
            url = urljoin(url, response.headers["Location"])
            parts(url)
        raise CorpusError(
            say("{url!r} redirects more than {most} times", url=self._url, most=MAX_REDIRECTS)
        )

    def _hold(self, connected: socket.socket) -> None:
        self._opened.append(connected)
        with self._lock:
            if self._left:
                connected.close()
            else:
                self._sockets.append(connected.dup())

    def _body(self, response: requests.Response) -> bytes:
        most = int(self._config.max_download * _MEGABYTE)
        packed = response.headers.get("Content-Encoding", "").strip().lower()
        if packed not in _ENCODINGS:
            raise CorpusError(
                say(
                    "{url!r} is packed as {packed!r}, which rnn_magics does not unpack; download"
                    " it yourself and give the path of the unpacked file",
                    url=self._url,
                    packed=packed,
                )
            )
        said = response.headers.get("Content-Length", "0")
        if not (said.isascii() and said.isdigit()):
            raise CorpusError(
                say(
                    "{url!r}: the server gives a length of {said!r}, which is not a number of"
                    " bytes; download it elsewhere and give its path",
                    url=self._url,
                    said=said,
                )
            )
        if len(said) > 18 or int(said) > most:  # noqa: PLR2004  (digits; no memory has more bytes)
            raise CorpusError(self._too_large())
        data = bytearray()
        for block in response.iter_content(_BLOCK_BYTES):
            data += block
            if len(data) > most:
                raise CorpusError(self._too_large())
            if time.monotonic() > self._until:  # the caller has given up
                break
        return bytes(data)

    def _too_large(self) -> str:
        return say(
            "{url!r} is larger than {most:g} MB; allow more with --max-download MB, or download it"
            " yourself and give its path",
            url=self._url,
            most=self._config.max_download,
        )


def _charset(content_type: str) -> str:
    header = Message()  # headers of mail have the same form
    header["Content-Type"] = content_type
    said = header.get_param("charset", "")
    return said.strip().lower() if isinstance(said, str) else ""


def _explained(url: str, error: Exception) -> CorpusError:
    import requests  # noqa: PLC0415

    for cause in _causes(error):
        if isinstance(cause, CorpusError):  # raised by a connection, and wrapped on the way
            return cause
    text = marked("{url!r} cannot be reached ({kind}); download it elsewhere and give its path")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        text = marked(
            "{url!r} arrived only in part: the server closed the connection before the end; try"
            " again"
        )
    elif isinstance(error, requests.exceptions.ContentDecodingError):
        text = marked("{url!r} cannot be unpacked; download it elsewhere and give its path")
    elif isinstance(error, MemoryError):
        text = marked("{url!r} does not fit into memory; download it yourself and give its path")
    return CorpusError(say(text, url=url, kind=type(error).__name__))


def _causes(error: BaseException) -> Iterator[BaseException]:
    # requests keeps the error of urllib3 as an argument, and urllib3 that of the connection.
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        reason = getattr(found, "reason", None)
        waiting += [*found.args, reason, found.__cause__, found.__context__]
