"""Requests without a socket: what a client would send is asked of the engine in this process.

The answer is the socket's: the same world, the same pauses, timeouts kept. What only a socket can do is
refused.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from http import HTTPStatus
from urllib.parse import unquote

import anyio
import httpx

from mockserver.engine import Engine
from mockserver.messages import Request, Response
from mockserver.walk import pauses

PREFLIGHT = "access-control-request-method"


class NeedsSocketError(RuntimeError):
    """Raised in process for what only a socket can do.

    >>> from mockserver import MockServer
    >>> httpx.Client(transport=MockServer().httpx_transport()).request("CONNECT", "http://localhost")
    Traceback (most recent call last):
    mockserver.testing.transports.NeedsSocketError: CONNECT needs a socket; start the mock, and call mock.url
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs a socket; start the mock, and call mock.url")


def make_request(
    method: str, scheme: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
) -> Request:
    """Make what the engine sees of a request; `target` is its path and query, still encoded.

    >>> make_request("GET", "http", "/a%20b?c=%20", [("Host", "x")], b"")[1:4]
    ('/a b', {'host': 'x'}, 'c=%20')
    """
    path, _, query = target.partition("?")
    sent = {name.lower(): value.strip() for name, value in headers}
    if method == "CONNECT":
        raise NeedsSocketError("CONNECT")
    if method == "OPTIONS" and PREFLIGHT in sent:
        raise NeedsSocketError("a browser's preflight (CORS)")
    return Request(method, unquote(path), sent, query, body, scheme)


def ask(engine: Engine, request: Request, timeout_s: float | None) -> Response | None:
    """Ask an engine, waiting where it does; None where that takes longer than `timeout_s`."""
    walk = pauses(engine.walk(request))
    with closing(walk):
        while True:
            try:
                pause_s = next(walk)
            except StopIteration as end:
                return _answered(end)
            time.sleep(min(pause_s, pause_s if timeout_s is None else timeout_s))
            if _is_longer(pause_s, timeout_s):
                return None


class EngineTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Asks an engine for `httpx.Client` and `httpx.AsyncClient`, wherever their URLs lead."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request. Raises httpx.ReadTimeout where the client waits no longer."""
        return _answer(request, ask(self._engine, _read(request, request.read()), _timeout_s(request)))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; others go on while this one waits."""
        walk, timeout_s = (
            pauses(self._engine.walk(_read(request, await request.aread()))),
            _timeout_s(request),
        )
        with closing(walk):
            while True:
                try:
                    pause_s = next(walk)
                except StopIteration as end:
                    return _answer(request, _answered(end))
                await anyio.sleep(min(pause_s, pause_s if timeout_s is None else timeout_s))
                if _is_longer(pause_s, timeout_s):
                    return _answer(request, None)


def _read(request: httpx.Request, body: bytes) -> Request:
    url = request.url
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    return make_request(request.method, url.scheme, url.raw_path.decode("ascii"), headers, body)


def _answer(request: httpx.Request, response: Response | None) -> httpx.Response:
    if response is None:
        raise httpx.ReadTimeout("timed out", request=request)
    return httpx.Response(
        response.status,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers],
        stream=httpx.ByteStream(response.read()),
        extensions={"http_version": b"HTTP/1.1", "reason_phrase": phrase(response.status).encode()},
    )


def phrase(status: int) -> str:
    """Give the words beside a status, nothing for one that has none.

    >>> phrase(404), phrase(499)
    ('Not Found', '')
    """
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def _answered(end: StopIteration) -> Response:
    response: Response = end.value
    return response


def _timeout_s(request: httpx.Request) -> float | None:
    timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
    return timeouts.get("read")


def _is_longer(pause_s: float, timeout_s: float | None) -> bool:
    return timeout_s is not None and pause_s > timeout_s
