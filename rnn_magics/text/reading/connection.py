"""Connections that check the IP address before they connect, for `download`.

The check and the connection use one look-up of the name, so the name cannot point to another
machine in between (DNS rebinding). The server's name, its certificate and the ``Host`` header stay
those of the URL. Behind a proxy, the proxy looks names up; then only a host that is written as an
IP address is checked.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from rnn_magics.errors import CorpusError
from rnn_magics.language import marked, say
from rnn_magics.text.reading.addresses import is_inside, is_literally_local, parts, port_of

Hold = Callable[[socket.socket], None]
Trusted = tuple[str | None, int] | None


class OneHop(requests.Session):
    """A session that follows no redirect, and does not read the body of one."""

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Return None, so that the caller handles the redirect."""
        return


class CheckedAdapter(HTTPAdapter):
    """Connects to the internet, and to at most one local host and port.

    Parameters
    ----------
    trusted
        The host and port that may be local, because the user typed them; or None.
    hold
        Called with every socket as soon as it is connected.
    """

    def __init__(self, trusted: Trusted, hold: Hold) -> None:
        self._trusted = trusted
        self._pools = _pools(trusted, hold)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Make the pools use our connections."""
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def send(self, request: requests.PreparedRequest, *args: Any, **settings: Any) -> Any:
        """Refuse a host that is written as a local address, also behind a proxy."""
        split = parts(request.url or "")
        host = split.hostname
        if is_literally_local(host) and (host, port_of(split)) != self._trusted:
            raise CorpusError(_refusal(host or "", ""))
        return super().send(request, *args, **settings)


def _pools(trusted: Trusted, hold: Hold) -> dict[str, Any]:
    def connect(connection: HTTPConnection) -> socket.socket:
        host = connection._dns_host  # noqa: SLF001  (without the dot that may end a full name)
        addresses = _looked_up(connection, host)
        if (connection.host, connection.port) != trusted:
            for *_, address in addresses:
                if is_inside(address[0]):
                    raise CorpusError(_refusal(host, address[0]))
        connected = _first_that_answers(connection, addresses)
        hold(connected)
        return connected

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _looked_up(connection: HTTPConnection, host: str) -> list[Any]:
    try:
        return socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(
            connection, say("no address for {host!r} ({error})", host=host, error=error)
        ) from error


def _first_that_answers(connection: HTTPConnection, addresses: list[Any]) -> socket.socket:
    failure: OSError = OSError(say("no address"))
    for family, kind, protocol, _, address in addresses:
        tried = socket.socket(family, kind, protocol)
        try:
            for setting in connection.socket_options or ():
                tried.setsockopt(*setting)
            tried.settimeout(connection.timeout)
            tried.connect(address)
        except OSError as error:
            tried.close()
            failure = error
        else:
            return tried
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, say("no answer")) from failure
    raise NewConnectionError(connection, f"{failure}") from failure


def _refusal(host: str, address: str) -> str:
    text = (
        marked(
            "{host!r} is {address}, an address of this machine or of a private network; a name or a"
            " redirect may not lead there; if you mean it, type that address itself"
        )
        if address
        else marked(
            "{host!r} is an address of this machine or of a private network; a name or a redirect"
            " may not lead there; if you mean it, type that address itself"
        )
    )
    return say(text, host=host, address=address)
