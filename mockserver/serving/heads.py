"""Heads as HTTP/1.1 writes them, and the answers that the connection itself gives; who knows status lines."""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from mockserver.hosts import PORTS
from mockserver.messages import PROBLEM_TYPE, Response
from mockserver.namespaces import NAME

LARGEST_HEAD = 64 * 1024  # bytes
TOO_LARGE = f"the request's head takes more than {LARGEST_HEAD} bytes"
STATUS_LINES = {status: f"HTTP/1.1 {status} \r\n" for status in range(100, 600)}
UPGRADING = {b"upgrade", b"http2-settings"}  # headers, and options of Connection
STATUS_LINES |= {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}

# The PROXY protocol's first line (version 1): the connection was made to the port at which TLS is spoken.
OVER_TLS = b"PROXY TCP4 127.0.0.1 127.0.0.1 443 443\r\n"
IN_WORLD = b"PROXY UNKNOWN mockserver "  # the same line, with what its protocol leaves to those who know it
LONGEST_PREFACE = 200  # bytes


class Preface(NamedTuple):
    """What a connection begins with, before its first request."""

    scheme: str
    namespace: str  # empty: the default world
    size: int  # in bytes


def write_preface(namespace: str, *, is_over_tls: bool) -> bytes:
    r"""Write what a connection into a world begins with; nothing, where that goes without saying.

    >>> write_preface("alice", is_over_tls=True), write_preface("", is_over_tls=False)
    (b'PROXY UNKNOWN mockserver https alice\r\n', b'')
    """
    if namespace:
        return IN_WORLD + f"{'https' if is_over_tls else 'http'} {namespace}\r\n".encode()
    return OVER_TLS if is_over_tls else b""


def read_preface(data: bytes) -> Preface | None:
    r"""Read what a connection begins with; None: with a request.

    >>> read_preface(write_preface("alice", is_over_tls=True) + b"GET / HTTP/1.1")
    Preface(scheme='https', namespace='alice', size=38)
    >>> rests = (b"ftp alice\r\n", b"http -\r\n", b"http alice", b"http " + b"a" * 200 + b"\r\n")
    >>> [read_preface(IN_WORLD + rest) for rest in rests]
    [None, None, None, None]
    """
    if data.startswith(OVER_TLS):
        return Preface("https", "", len(OVER_TLS))
    if not data.startswith(IN_WORLD):
        return None
    line, end, _ = data[:LONGEST_PREFACE].partition(b"\r\n")
    scheme, _, name = line[len(IN_WORLD) :].decode("latin-1").partition(" ")
    is_one = bool(end) and scheme in PORTS and re.fullmatch(NAME, name)
    return Preface(scheme, name, len(line) + len(end)) if is_one else None


def write_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    r"""Write a head, names in lower case. Raises ValueError for a header that holds the end of a line.

    >>> write_head(204, [("Date", "now")])
    b'HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n'
    """
    lines = [f"{name.lower()}: {value}\r\n" for name, value in headers]
    head = f"{STATUS_LINES[status]}{''.join(lines)}\r\n"
    if head.count("\n") != len(lines) + 2 or head.count("\r") != len(lines) + 2:
        raise ValueError(f"a header holds the end of a line: {lines}")
    return head.encode("latin-1")


def is_too_large(most: int, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a head is, of at most this many bytes; only where that may be are its parts measured."""
    return (
        most > LARGEST_HEAD
        and len(url) + sum(len(name) + len(value) for name, value in headers) > LARGEST_HEAD
    )


def write_refusal(status: HTTPStatus, detail: str, *headers: tuple[str, str]) -> Response:
    """Write what no engine is asked for: the request cannot be read, or not now."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    content = json.dumps(body).encode()
    own = (PROBLEM_TYPE, ("Content-Length", str(len(content))), ("Connection", "close"))
    return Response(status, (*own, *headers), content)


def write_without_upgrade(
    method: bytes, url: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    r"""Write the head of a request again, without the headers that speak of upgrading.

    >>> write_without_upgrade(b"GET", b"/", "1.1", [(b"upgrade", b"h2c"), (b"connection", b"Upgrade, close")])
    b'GET / HTTP/1.1\r\nconnection:  close\r\n\r\n'
    """
    lines = [b"%b %b HTTP/%b" % (method, url, version.encode())]
    for name, value in headers:
        if name == b"connection":
            options = (each for each in value.split(b",") if each.strip().lower() not in UPGRADING)
            value = b",".join(options)  # noqa: PLW2901 - what is left of it
        if value and name not in UPGRADING:
            lines.append(name + b": " + value)
    return b"\r\n".join([*lines, b"", b""])
