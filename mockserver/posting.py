"""One HTTP POST from here to a receiver of webhooks, and whom it may go to; a server's only home of httpx.

httpx takes a tenth of a second to import, so whoever sends imports this with the first message.
"""

import asyncio
import functools
import ipaddress
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx


def post(url: str, body: bytes, headers: Mapping[str, str], patience_s: float) -> int | str:
    """Send; give the status as soon as the headers are there, or why there is none."""
    try:
        return asyncio.run(_post(url, body, headers, patience_s))
    except (TimeoutError, httpx.TimeoutException):
        return f"no answer within {patience_s} s"
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__


async def _post(url: str, body: bytes, headers: Mapping[str, str], patience_s: float) -> int:
    client = httpx.AsyncClient(timeout=None, trust_env=False, verify=_trusted())  # noqa: S113
    async with (
        asyncio.timeout(patience_s),  # one deadline for all of it
        client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        return answer.status_code


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Read the certificates once: that takes longer than to send."""
    return httpx.create_ssl_context(trust_env=False)


def read_host(url: str) -> str:
    """Give the host that httpx calls. Raises ValueError where there is none.

    >>> read_host("http://LocalHost:80/x"), read_host("https://[::1]/")
    ('localhost', '::1')
    """
    try:
        read = httpx.URL(url)
    except (TypeError, httpx.InvalidURL) as error:
        raise ValueError(str(error)) from error
    if read.scheme not in {"http", "https"} or not read.host:
        raise ValueError(f"{url!r} has no host to call over http or https")
    if urlsplit(url).port == 0:  # raises ValueError for a port out of range, which httpx lets pass
        raise ValueError("port 0 cannot be called")
    return read.host


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine.

    >>> is_loopback("localhost"), is_loopback("127.0.0.9"), is_loopback("example.com")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
