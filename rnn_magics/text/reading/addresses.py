"""Web addresses, and whether one leads to this machine or into a private network."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from rnn_magics.errors import CorpusError
from rnn_magics.language import say

_PORTS = {"http": 80, "https": 443}
_IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def parts(url: str) -> SplitResult:
    """Split an address into its parts.

    Raises
    ------
    CorpusError
        When it is not an ``http`` or ``https`` address with a host.
    """
    try:
        split = urlsplit(url)
        port_of(split)
    except ValueError as error:
        raise CorpusError(
            say("{url!r} cannot be reached ({error}); correct the address", url=url, error=error)
        ) from None
    if split.scheme.lower() not in _PORTS:
        raise CorpusError(say("{url!r}: only http:// and https:// addresses can be read", url=url))
    if not split.hostname:
        raise CorpusError(
            say("{url!r} cannot be reached (it names no host); correct the address", url=url)
        )
    return split


def port_of(split: SplitResult) -> int:
    """Return the port of an address; that of its scheme if none is written."""
    return split.port or _PORTS.get(split.scheme.lower(), 0)


def is_literally_local(host: str | None) -> bool:
    """Whether a host, as it is written, is this machine or in a private network."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with contextlib.suppress(ValueError):
        return is_inside(host)
    return False


def is_inside(address: str) -> bool:
    """Whether an IP address is loopback, private, link-local or otherwise not on the internet.

    Raises
    ------
    ValueError
        When it is not an IP address.
    """
    return any(not ip.is_global or ip.is_multicast for ip in _meant(address))


def _meant(address: str) -> Iterator[_IP]:
    # The IPv4 address that an IPv6 address carries, if it carries one; else the address itself.
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        yield ip
        return
    carried = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if ip in _NAT64:
        carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    yield carried or ip
