"""HTTP/1.1 as uvicorn speaks it, with four changes; everything that touches its protocol stands here.

* One write for each answer: uvicorn writes head and body apart, which costs a second system call. What is
  written in one turn of the event loop is sent together at its end; nothing waits longer than that.
* `Upgrade` is ignored, as a server may (RFC 9110, 7.8): the parser stops behind such a head (Java's
  HttpClient and `curl --http2` send `h2c`) and forgets the body; the head is parsed again without it.
* Each request's scope leads to its wire, so that an ordered fault can be done to the connection.
* A connection may begin with `OVER_TLS`: its caller believes that it speaks TLS; its scheme is `https`.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockserver.serving.spoil import EXTENSION, Wire

UPGRADING = {b"upgrade", b"http2-settings"}  # headers, and options of Connection
# The PROXY protocol's first line (version 1): the connection was made to the port at which TLS is spoken.
OVER_TLS = b"PROXY TCP4 127.0.0.1 127.0.0.1 443 443\r\n"


class CorkedTransport:
    """A transport that gathers writes until the event loop's next turn; all else is the wrapped one's."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Hold data until the next turn."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """Close once everything is written."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a corked transport, deaf to upgrades."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start serving a connection."""
        corked: Any = CorkedTransport(transport, self.loop)
        super().connection_made(corked)
        self.wire = Wire(corked)
        self._extensions = {EXTENSION: self.wire}

    def on_message_begin(self) -> None:
        """Begin a request; its scope leads to the wire, for the faults that are done there."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]

    def shutdown(self) -> None:
        """End with the server; what may never end is not waited for."""
        if self.wire.is_held:
            self.transport.abort()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that asks to upgrade comes again without that, and what follows it after it."""
        self._unset_keepalive_if_required()
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

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the same head comes again."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the body is whole, unless none of it was read."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

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
