"""HTTP/1.1 as uvicorn speaks it, with five changes; everything that touches its protocol stands here.

* What came whole and can be answered at once is answered in the same turn of the event loop, without a task
  and the messages of ASGI, which take as long as a quarter of the answer itself. All else goes uvicorn's way.
* One write for each answer: uvicorn writes head and body apart, which costs a second system call. What is
  written in one turn of the event loop is sent together at its end; nothing waits longer than that.
* `Upgrade` is ignored, as a server may (RFC 9110, 7.8): the parser stops behind such a head (Java's
  HttpClient and `curl --http2` send `h2c`) and forgets the body; the head is parsed again without it.
* Each request's scope leads to its wire, so that an ordered fault can be done to the connection.
* A connection may begin with `OVER_TLS`: its caller believes that it speaks TLS; its scheme is `https`.
"""

import asyncio
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockserver.messages import Request, Response
from mockserver.serving.app import BEGUN, LARGEST_INLINE
from mockserver.serving.spoil import EXTENSION, Wire
from mockserver.walk import Step, Walk

UPGRADING = {b"upgrade", b"http2-settings"}  # headers, and options of Connection
# The PROXY protocol's first line (version 1): the connection was made to the port at which TLS is spoken.
OVER_TLS = b"PROXY TCP4 127.0.0.1 127.0.0.1 443 443\r\n"
STATUS_LINES = {status: f"HTTP/1.1 {status} \r\n" for status in range(100, 600)}
STATUS_LINES |= {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
MOST_IN_A_TURN = 16  # answers to requests that were sent without waiting; others want their turn, too
Begin = Callable[[Request], tuple[Walk, Step] | None]  # None: it may take too long for the event loop


class CorkedTransport:
    """A transport that gathers writes until the event loop's next turn; all else is the wrapped one's."""

    __slots__ = ("_held", "_loop", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self.is_closing = transport.is_closing  # asked for every answer

    def write(self, data: bytes) -> None:
        """Hold data until the next turn."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)

    def hold(self, data: bytes) -> None:
        """Hold data until somebody flushes."""
        self._held.append(data)

    def close(self) -> None:
        """Close once everything is written."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Write what is held."""
        if not self._held:
            return
        held, self._held = self._held, []
        if not self._transport.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a corked transport, deaf to upgrades."""

    def __init__(self, begin: Begin, **options: Any) -> None:
        super().__init__(**options)
        self._begin = begin
        self._held: list[bytes] | None = None  # the body so far of a request that may be answered at once
        self._answered = 0  # in this turn
        self._active_at_s = 0.0  # when something came or went, by the loop's clock

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start serving a connection."""
        self.corked = CorkedTransport(transport, self.loop)
        corked: Any = self.corked
        super().connection_made(corked)
        self.wire = Wire(corked)
        self._extensions: dict[str, Any] = {EXTENSION: self.wire}

    def on_message_begin(self) -> None:
        """Begin a request; its scope leads to the wire, for the faults that are done there."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions

    def shutdown(self) -> None:
        """End with the server; what may never end is not waited for."""
        if self.wire.is_held:
            self.transport.abort()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that asks to upgrade comes again without that, and what follows it after it."""
        self._active_at_s = self.loop.time()
        if self.scope is None and data.startswith(OVER_TLS):
            self.scheme, data = "https", data[len(OVER_TLS) :]
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            if self.parser.get_method() == b"CONNECT":  # a tunnel: there is nothing else to read it as
                self._refuse()
                return
            head = self._head_without_upgrade()
            self.parser = httptools.HttpRequestParser(self)
            self.data_received(head + data[stopped.args[0] :])
        except httptools.HttpParserError:
            self._refuse()
        self._answered = 0
        self.corked.flush()

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the same head comes again; or wait for the rest, to answer at once."""
        if self.parser.should_upgrade():
            return
        is_free = self.cycle is None or self.cycle.response_complete
        if (
            is_free
            and self._answered < MOST_IN_A_TURN
            and not (self.expect_100_continue or self.flow.write_paused)
            and self.parser.should_keep_alive()
            and self.parser.get_http_version() != "1.0"  # whose callers want to be told that it stays open
            and not any(name == b"origin" for name, _ in self.headers)  # from a browser
        ):
            self._held = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._held is None:
            super().on_body(body)
            return
        self._held.append(body)
        if sum(map(len, self._held)) > LARGEST_INLINE:
            self._go_uvicorns_way(b"".join(self._held))

    def on_message_complete(self) -> None:
        """Note that the body is whole, unless none of it was read."""
        if self._held is not None:
            self._answer(b"".join(self._held))
        elif not self.parser.should_upgrade():
            super().on_message_complete()

    def _go_uvicorns_way(self, body: bytes) -> None:
        """Begin to answer as uvicorn does, in a task of its own."""
        self._held = None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _answer(self, body: bytes) -> None:
        """Answer a whole request, at once where that can be."""
        if self.transport.is_closing():
            self._held = None
            return
        try:
            begun = self._begin(self._request(body))
            if begun and isinstance(begun[1], Response) and begun[1].fault is None:
                self._finish(begun[0], begun[1])
                return
        except Exception:  # a bug of ours, as uvicorn answers it
            self.logger.exception("a request could not be answered")
            self._finish(iter(()), Response(500, (("Content-Length", "0"), ("Connection", "close")), b""))
            self.transport.close()
            return
        if begun:
            extensions: Any = {**self._extensions, BEGUN: begun}
            self.scope["extensions"] = extensions
        self._go_uvicorns_way(body)
        super().on_message_complete()

    def _finish(self, walk: Iterator[Any], response: Response) -> None:
        """Write an answer and end its walk. Raises ValueError for a header of two lines."""
        lines = [f"{name.lower()}: {value}\r\n" for name, value in response.headers]
        head = f"{STATUS_LINES[response.status]}{''.join(lines)}\r\n"
        if head.count("\n") != len(lines) + 2 or head.count("\r") != len(lines) + 2:
            raise ValueError(f"a header holds the end of a line: {response.headers}")
        self.corked.hold(head.encode("latin-1") + response.read())
        self._held = None
        self._answered += 1
        self.server_state.total_requests += 1
        next(walk, None)
        if self.timeout_keep_alive_task is None:
            self._look_later(self.timeout_keep_alive)

    def _look_later(self, wait_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(wait_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; a timer that is set anew by each answer would take 3 % of its time."""
        self.timeout_keep_alive_task = None
        is_free = self._held is None and (self.cycle is None or self.cycle.response_complete)
        left_s = self._active_at_s + self.timeout_keep_alive - self.loop.time()
        if is_free and left_s <= 0:
            super().timeout_keep_alive_handler()
        else:
            self._look_later(left_s if left_s > 0 else self.timeout_keep_alive)

    def _request(self, body: bytes) -> Request:
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        return Request(
            self.parser.get_method().decode("ascii"),
            unquote(path) if "%" in path else path,
            {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers},
            url.query.decode("latin-1") if url.query else "",
            body,
            self.scheme or "http",
        )

    def _refuse(self) -> None:
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        self.send_400_response(message)

    def _head_without_upgrade(self) -> bytes:
        """Write the head that was just parsed again, without the headers that speak of upgrading."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                options = (each for each in value.split(b",") if each.strip().lower() not in UPGRADING)
                value = b",".join(options)  # noqa: PLW2901 - what is left of it
            if value and name not in UPGRADING:
                lines.append(name + b": " + value)
        return b"\r\n".join([*lines, b"", b""])
