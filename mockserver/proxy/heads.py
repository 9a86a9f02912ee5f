"""What a caller says to a proxy first: whom it wants, and the head as that one is to read it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from mockserver.hosts import PORTS, bracketed, read_authority

END = b"\r\n\r\n"
LINE = re.compile(r"(?P<method>[A-Z][A-Z-]{0,30}) (?P<target>[^\s]+) HTTP/1\.[01]", re.ASCII)
TARGET = re.compile(
    r"(?P<scheme>https?)://(?:[^@/?#]*@)?(?P<authority>[^/?#]+)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?",
    re.IGNORECASE,
)
# Between a caller and its proxy alone, or replaced by what the target says.
DROPPED = frozenset({"connection", "host", "keep-alive", "proxy-authorization", "proxy-connection"})

NO_SERVER = "this is a proxy, and no server: HTTPS_PROXY and HTTP_PROXY lead programs here"


class Wish(NamedTuple):
    """Whom a caller wants to reach, and what is said to it."""

    host: str
    port: int
    is_tunnel: bool  # True: what follows is between the two of them
    is_secure: bool = False  # of a request: whether it is for TLS
    head: bytes = b""  # of a request
    is_direct: bool = False  # of a request: it does not speak to a proxy, or not by the rules


def read_wish(head: bytes) -> Wish:
    r"""Read a head, without the empty line at its end. Raises ValueError that says what is wrong.

    >>> read_wish(b"CONNECT api.example.com:443 HTTP/1.1")[:3]
    ('api.example.com', 443, True)
    >>> read_wish(b"GET http://a.example.com?b=c HTTP/1.1\r\nHost: b\r\nAccept: */*").head
    b'GET /?b=c HTTP/1.1\r\nhost: a.example.com\r\nAccept: */*\r\nconnection: close\r\n\r\n'
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    read = LINE.fullmatch(first)
    if read is None:
        raise ValueError("this is no request of HTTP/1.1 to a proxy")
    if read["method"] == "CONNECT":
        place = read_authority(read["target"])
        if place is None or place.port is None:
            raise ValueError("CONNECT takes a host and a port")
        return Wish(place.host, place.port, is_tunnel=True)
    is_direct = read["target"].startswith("/")
    target = _by_host(read["target"], lines) if is_direct else TARGET.fullmatch(read["target"])
    place = read_authority(target["authority"]) if target else None
    if target is None or place is None:
        raise ValueError(NO_SERVER)
    scheme, usual = target["scheme"].lower(), PORTS[target["scheme"].lower()]
    port = place.port or usual
    shown = bracketed(place.host)
    asked = f"{read['method']} {target['path'] or '/'}{target['query'] or ''} HTTP/1.1"
    host = f"host: {shown}" if port == usual else f"host: {shown}:{port}"
    kept = [line for line in lines if line.partition(":")[0].strip().lower() not in DROPPED]
    # One request a connection: the next one may be for another host.
    written = "\r\n".join([asked, host, *kept, "connection: close", "", ""]).encode("latin-1")
    return Wish(place.host, port, False, scheme == "https", written, is_direct)


def _by_host(path: str, lines: list[str]) -> re.Match[str] | None:
    """Read a request that names its host in a header alone, as PHP's streams write one to a proxy."""
    hosts = list(_values("host", lines))
    return TARGET.fullmatch(f"http://{hosts[0]}{path}") if len(hosts) == 1 else None


def _values(wanted: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == wanted:
            yield value.strip()
