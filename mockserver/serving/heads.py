"""Heads as HTTP/1.1 writes them, and the answers that the connection itself gives; who knows status lines."""

import json
from collections.abc import Iterable
from http import HTTPStatus

from mockserver.messages import PROBLEM_TYPE, Response

STATUS_LINES = {status: f"HTTP/1.1 {status} \r\n" for status in range(100, 600)}
UPGRADING = {b"upgrade", b"http2-settings"}  # headers, and options of Connection
STATUS_LINES |= {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}

# The PROXY protocol's first line (version 1): the connection was made to the port at which TLS is spoken.
OVER_TLS = b"PROXY TCP4 127.0.0.1 127.0.0.1 443 443\r\n"


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


def measure(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Give how many bytes the parts of a head take."""
    return len(url) + sum(len(name) + len(value) for name, value in headers)


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
