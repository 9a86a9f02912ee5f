"""One HTTP POST from here to a receiver of webhooks, and whom it may go to; a server's only home of httpx.

httpx takes a tenth of a second to import, so whoever sends imports this with the first message.
"""

import asyncio
import functools
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from mockserver.hosts import PORTS, read_address

CONNECTED = "connection.connect_tcp.complete"  # what httpx tells of when a connection is there
IsOwnPort = Callable[[int], bool]


class OwnServerError(Exception):
    """Raised where a message would come to this very server, whatever its URL calls it."""


def post(
    url: str, body: bytes, headers: Mapping[str, str], patience_s: float, is_own_port: IsOwnPort
) -> int | str:
    """Send, but to no port of ours; give the status as soon as the headers are there, or why there is none.

    No redirect is followed. Raises OwnServerError, with nothing sent, where a name has led here.
    """
    try:
        return asyncio.run(_post(url, body, headers, patience_s, is_own_port))
    except (TimeoutError, httpx.TimeoutException):
        return f"no answer within {patience_s} s"
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__


async def _post(
    url: str, body: bytes, headers: Mapping[str, str], patience_s: float, is_own_port: IsOwnPort
) -> int:
    client = httpx.AsyncClient(
        timeout=None,  # noqa: S113 - one deadline for all of it
        trust_env=False,
        verify=_trusted(),
        follow_redirects=False,  # or whoever is called would say where to call next
    )
    watch: dict[str, Any] = {"trace": functools.partial(_turn_back, is_own_port)}
    async with (
        asyncio.timeout(patience_s),
        client,
        client.stream("POST", url, content=body, headers=headers, extensions=watch) as answer,
    ):
        return answer.status_code


async def _turn_back(is_own_port: IsOwnPort, event: str, told: Mapping[str, Any]) -> None:
    """Close a connection to this machine at a port of ours: only there is known what a name has led to."""
    if event != CONNECTED:
        return
    stream = told["return_value"]
    (here, _), (there, port) = (stream.get_extra_info(name)[:2] for name in ("client_addr", "server_addr"))
    address = read_address(there)
    is_this_machine = address is None or address.is_loopback or address == read_address(here)
    if is_this_machine and is_own_port(port):
        await stream.aclose()
        raise OwnServerError


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Read the certificates once: that takes longer than to send."""
    return httpx.create_ssl_context(trust_env=False)


def read_place(url: str) -> tuple[str, int]:
    """Give the host and the port that httpx calls. Raises ValueError where there is none.

    >>> read_place("http://LocalHost:8080/x"), read_place("https://[::1]/")
    (('localhost', 8080), ('::1', 443))
    """
    try:
        read = httpx.URL(url)
    except (TypeError, httpx.InvalidURL) as error:
        raise ValueError(str(error)) from error
    if read.scheme not in PORTS or not read.host:
        raise ValueError(f"{url!r} has no host to call over http or https")
    port = urlsplit(url).port  # raises ValueError for a port out of range, which httpx lets pass
    if port == 0:
        raise ValueError("port 0 cannot be called")
    return read.host, read.port or PORTS[read.scheme]
