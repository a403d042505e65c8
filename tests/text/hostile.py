"""A server on loopback that does what servers should not, for the tests and `make torture`."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Hostile"], None]
STATUSES = (201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 304, 399, 600, 999)
BOMB = gzip.compress(bytes(5_000_000))


class Hostile(BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        try:
            ANSWERS[self.path.partition("?")[0]](self)
        except OSError:  # whoever asked has left
            self.close_connection = True

    def head(self, status: int = 200, **headers: str) -> None:
        """Send a status and headers; an underscore stands for a hyphen."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.server.server_address[1])


def _drip(ask: Hostile) -> None:
    ask.head(Content_Length="1000000")
    while not ask.server.stopped.wait(0.02):  # type: ignore[attr-defined]
        ask.wfile.write(b"x")


def _drip_heads(ask: Hostile) -> None:
    ask.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not ask.server.stopped.wait(0.02):  # type: ignore[attr-defined]
        ask.wfile.write(b"x")


def _silent(ask: Hostile) -> None:
    ask.server.stopped.wait()  # type: ignore[attr-defined]


def _endless(ask: Hostile) -> None:
    ask.head(Transfer_Encoding="chunked")
    while not ask.server.stopped.is_set():  # type: ignore[attr-defined]
        ask.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")


def _body(data: bytes, **headers: str) -> Answer:
    def answer(ask: Hostile) -> None:
        ask.head(**headers)
        ask.wfile.write(data)

    return answer


def _with(status: int) -> Answer:
    def answer(ask: Hostile) -> None:
        empty = status in {204, 304}
        ask.head(status, **({} if empty else {"Content_Length": "4", "Content_Range": "0-3/9"}))
        ask.wfile.write(b"" if empty else b"half")

    return answer


def _to(where: str) -> Answer:
    return lambda ask: ask.head(302, Location=where.replace("PORT", str(ask.port)))


def _count_down(ask: Hostile) -> None:
    left = int(ask.path.partition("?")[2])
    if left:
        return ask.head(302, Location=f"/down?{left - 1}")
    return _body(b"arrived", Content_Length="7")(ask)


ANSWERS: dict[str, Answer] = {
    "/good": _body(b"a good text", Content_Type="text/plain; charset=utf-8", Content_Length="11"),
    "/page": _body(b"<p>text</p>", Content_Type="text/html; charset=utf-8", Content_Length="11"),
    "/packed": _body(gzip.compress(b"a good text"), Content_Encoding="gzip"),
    "/drip": _drip,
    "/drip-heads": _drip_heads,
    "/silent": _silent,
    "/endless": _endless,
    "/loop": _to("/loop"),
    "/down": _count_down,
    "/to-localhost": _to("http://localhost:PORT/good"),
    "/to-loopback": _to("http://127.0.0.2:PORT/good"),
    "/to-number": _to("http://2130706433:PORT/good"),
    "/to-mapped": _to("http://[::ffff:127.0.0.1]:PORT/good"),
    "/to-other-port": _to("http://127.0.0.1:1/good"),
    "/to-metadata": _to("http://169.254.169.254/latest/meta-data"),
    "/to-private": _to("http://10.0.0.1/"),
    "/to-file": _to("file:///etc/hosts"),
    "/to-nothing": _to("http://:80/"),
    "/too-short": _body(b"short", Content_Length="1000"),
    "/no-length": _body(b"short", Content_Length="many"),
    "/negative": _body(b"short", Content_Length="-5"),
    "/two-lengths": _body(b"short", Content_Length="5, 7"),
    "/vast": _body(b"short", Content_Length="9" * 30),
    "/bomb": _body(BOMB, Content_Encoding="gzip", Content_Length=str(len(BOMB))),
    "/bomb-in-bomb": _body(gzip.compress(BOMB), Content_Encoding="gzip, gzip"),
    "/no-gzip": _body(b"not gzip at all", Content_Encoding="gzip"),
    "/bad-chunks": _body(b"zz\r\nnonsense", Transfer_Encoding="chunked"),
    "/no-http": lambda ask: ask.wfile.write(b"\x00\xff nothing\r\n\r\n") and None,
    "/status": lambda ask: ask.head(503),
    "/nowhere": lambda ask: ask.head(302, Content_Length="0"),
    **{f"/{status}": _with(status) for status in STATUSES},
}

NAMED = {
    "/drip": "took longer than",
    "/drip-heads": "took longer than",
    "/silent": "took longer than",
    "/endless": "is larger than 1 MB",
    "/loop": "redirects more than 5 times",
    "/to-localhost": "may not lead there",
    "/to-loopback": "may not lead there",
    "/to-number": "'2130706433' is 127.0.0.1, an address of this machine",
    "/to-mapped": "may not lead there",
    "/to-other-port": "may not lead there",
    "/to-metadata": "may not lead there",
    "/to-private": "may not lead there",
    "/to-file": "only http:// and https://",
    "/to-nothing": "it names no host",
    "/too-short": "closed the connection before the end",
    "/no-length": "gives a length of 'many'",
    "/negative": "gives a length of '-5'",
    "/two-lengths": "cannot be reached",
    "/vast": "is larger than 1 MB",
    "/bomb": "is larger than 1 MB",
    "/bomb-in-bomb": "is packed as 'gzip, gzip'",
    "/no-gzip": "cannot be unpacked",
    "/bad-chunks": "closed the connection before the end",
    "/no-http": "cannot be reached",
    "/status": "the server answered 503",
    "/nowhere": "the server answered 302; only 200 means a complete text",
    **{
        f"/{status}": f"the server answered {status}; only 200 means a complete text"
        for status in STATUSES
    },
}
"""What the error of each hostile answer says, at ``--max-download 1``."""


@contextmanager
def hostile_server() -> Iterator[str]:
    """Serve; yields the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as httpd:
        httpd.daemon_threads = True
        httpd.stopped = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.stopped.set()  # type: ignore[attr-defined]
            httpd.shutdown()
            thread.join()
