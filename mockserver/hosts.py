"""Hosts as callers write them: whether the form is valid, whether this machine is meant, and where we listen.

What a name resolves to is never asked here: an answer of the DNS is whoever's the name is.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}
PORT = r"[0-9]{0,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
AUTHORITY = re.compile(rf"(?:(?P<name>{NAME})|\[(?P<v6>[0-9A-Fa-f:.]{{2,45}})\])(?::(?P<port>{PORT}))?")


class Place(NamedTuple):
    """A host, in lower case and without brackets, and a port."""

    host: str
    port: int | None  # None: the scheme's own


def read_authority(text: str) -> Place | None:
    """Read a host with or without a port; None where the form is not valid.

    >>> read_authority("LocalHost.:8080"), read_authority("[::1]"), read_authority("a/b")
    (Place(host='localhost', port=8080), Place(host='::1', port=None), None)
    """
    found = AUTHORITY.fullmatch(text)
    if found is None or (found["v6"] is not None and read_address(found["v6"]) is None):
        return None
    return Place((found["name"] or found["v6"]).lower().rstrip("."), int(found["port"] or 0) or None)


def is_authority(text: str) -> bool:
    """Whether a text is a host with or without a port, and nothing else.

    >>> is_authority("mock_1:8080"), is_authority("user@host"), is_authority("a:65536")
    (True, False, False)
    """
    return read_authority(text) is not None


def read_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read a numeric address, IPv4 within IPv6 as IPv4; None where it is none.

    >>> read_address("::ffff:127.0.0.1"), read_address("localhost")
    (IPv4Address('127.0.0.1'), None)
    """
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, by its own name for itself.

    >>> is_loopback("localhost"), is_loopback("127.0.0.9"), is_loopback("example.com")
    (True, True, False)
    """
    address = read_address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def bracketed(host: str) -> str:
    """Write a host as it stands in a URL before a port.

    >>> bracketed("::1"), bracketed("localhost")
    ('[::1]', 'localhost')
    """
    return f"[{host}]" if ":" in host else host


def is_here(host: str) -> bool:
    """Whether a host leads to this machine: loopback, or all addresses, which a connection takes for it.

    >>> is_here("0.0.0.0"), is_here("api.localhost"), is_here("8.8.8.8")
    (True, True, False)
    """
    address = read_address(host)
    if address is None:
        return host.lower().endswith(".localhost") or is_loopback(host)
    return address.is_loopback or address.is_unspecified


def is_far(peer: str, own: str) -> bool:
    """Whether the peer at one end of a connection is another machine; what is no address is none.

    >>> is_far("127.0.0.1", "127.0.0.1"), is_far("192.0.2.1", "192.0.2.2"), is_far("192.0.2.1", "192.0.2.1")
    (False, True, False)
    """
    address = read_address(peer)
    return address is not None and not address.is_loopback and address != read_address(own)


class OwnPlaces:
    """Where the servers of one engine are called: where they listen, and their public addresses."""

    def __init__(self, public_urls: Iterable[str] = ()) -> None:
        self._listening: list[Place] = []
        split = [urlsplit(url) for url in public_urls]
        self._public = {
            Place((each.hostname or "").rstrip("."), each.port or PORTS.get(each.scheme)) for each in split
        }

    def add(self, host: str, port: int) -> None:
        """Note that a server listens."""
        self._listening.append(Place(host.lower(), port))

    def remove(self, host: str, port: int) -> None:
        """Note that it does so no more."""
        self._listening.remove(Place(host.lower(), port))

    @property
    def hosts(self) -> set[str]:
        """The hosts by which these servers are known."""
        return {each.host for each in (*self._listening, *self._public)}

    def is_own_port(self, port: int) -> bool:
        """Whether one of them listens on a port, of whichever address."""
        return any(each.port == port for each in self._listening)

    def has(self, host: str, port: int) -> bool:
        """Whether a call of a host, as it is written, is one of these servers."""
        host = host.lower().rstrip(".")
        is_listening = self.is_own_port(port) and (
            is_here(host) or host in {each.host for each in self._listening}
        )
        return is_listening or Place(host, port) in self._public
