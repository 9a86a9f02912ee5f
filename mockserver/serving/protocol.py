"""HTTP/1.1 as uvicorn speaks it, with these changes; everything that touches its protocol stands here.

* What came whole and can be answered at once is answered in the same turn of the event loop, without a task
  and the messages of ASGI, which take as long as a quarter of the answer itself. All else goes uvicorn's way.
* One write for each answer: uvicorn writes head and body apart, which costs a second system call. What is
  written in one turn of the event loop is sent together at its end; nothing waits longer than that.
* `Upgrade` is ignored, as a server may (RFC 9110, 7.8): the parser stops behind such a head (Java's
  HttpClient and `curl --http2` send `h2c`) and forgets the body; the head is parsed again without it.
* Heads, pauses, pipelines and what a refused caller still sends have bounds; uvicorn leaves them to others.
* A caller that only ceases to send has its answer, and one that is refused can read why before the end.
* Each request's scope leads to its wire, so that an ordered fault can be done to the connection.
* A connection may begin with a preface (`heads.py`): over TLS, its caller believes; in a namespace.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockserver.messages import Request, Response
from mockserver.serving.app import BEGUN
from mockserver.serving.crowd import Standing, make_room
from mockserver.serving.flow import Flow
from mockserver.serving.heads import (
    LARGEST_HEAD,
    TOO_LARGE,
    is_too_large,
    read_preface,
    write_head,
    write_refusal,
    write_without_upgrade,
)  # fmt: skip
from mockserver.serving.reading import LARGEST_INLINE, NAMESPACE, is_plain, whole_request
from mockserver.serving.spoil import EXTENSION, Wire
from mockserver.serving.transport import MOST_DRAINED, CorkedTransport
from mockserver.serving.turn import Turn
from mockserver.settings import Timeouts
from mockserver.walk import Step, Walk

MOST_IN_A_TURN = 16  # answers to requests that were sent without waiting; others want their turn, too
Begin = Callable[[Request], tuple[Walk, Step] | None]  # None: it may take too long for the event loop


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a corked transport, deaf to upgrades."""

    def __init__(self, begin: Begin, timeouts: Timeouts, turn: Turn, most: int, **options: Any) -> None:
        super().__init__(**options)
        self._begin, self._timeouts, self._turn, self._most = begin, timeouts, turn, most
        self._waits = False  # a whole request for the end of the turn
        self._held: bytearray | None = None  # the body so far of a request that may be answered at once
        self._answered = 0  # in this turn
        self._is_refused = False  # True: what still comes is not looked at
        self._active_at_s = 0.0  # when something came, by the loop's clock
        self._is_in_head = True  # or between two requests
        self._head_size = 0  # bytes so far, without those of the chunk in which it began
        self._head_began_at_s: float | None = None  # None: nothing of it has come

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start serving a connection."""
        self.corked = CorkedTransport(transport, self.loop, self._still_comes)
        corked: Any = self.corked
        super().connection_made(corked)
        self.flow = Flow(corked, self.pipeline, self._note)
        self.wire = Wire(corked)
        self._note()
        self._head_began_at_s = self._active_at_s
        self._look_later(self._timeouts.head_s)
        self._extensions: dict[str, Any] = {EXTENSION: self.wire}
        make_room(self.connections, self, self._most)  # type: ignore[arg-type] # all are of this class

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what leads back here: what came is free at once, not when the collector looks for it."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        self.corked.let_go()
        self.flow.let_go()  # type: ignore[attr-defined] # it is ours
        self.cycle = None  # type: ignore[assignment] # as it begins

    def on_message_begin(self) -> None:
        """Begin a request; its scope leads to the wire, for the faults that are done there."""
        self.answer_now()  # the one before
        super().on_message_begin()
        self._head_began_at_s = self._active_at_s
        self.scope["extensions"] = self._extensions

    def standing(self) -> Standing | None:
        """Say whether a caller was served and since when it is silent; None: it is owed an answer."""
        is_silent = not self._waits and self._closes_at_s() < math.inf
        return (self._head_began_at_s is None, self._active_at_s) if is_silent else None

    def shutdown(self) -> None:
        """End with the server; what may never end is not waited for."""
        self.answer_now()
        self.corked.flush()
        if self.wire.is_held:
            self.transport.abort()
        elif self.cycle is None or self.cycle.response_complete:
            self.corked.end()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that asks to upgrade comes again without that, and what follows it after it."""
        self._note()
        if self.corked.is_lingering:
            self.corked.drain(len(data))
            return
        while self.scope is None and (preface := read_preface(data)):
            self.scheme, self._extensions[NAMESPACE], data = *preface[:2], data[preface.size :]
        was_in_head, rest = self._is_in_head, memoryview(data)
        self._chunk_size, self._has_ended = len(data), False
        while rest:
            try:
                self.parser.feed_data(rest)
                break
            except httptools.HttpParserUpgrade as stopped:
                if self.parser.get_method() == b"CONNECT":  # a tunnel: there is nothing else to read it as
                    self._refuse(HTTPStatus.BAD_REQUEST, "this server is no proxy")
                    return
                rest = rest[stopped.args[0] :]
                version = self.parser.get_http_version()
                head = write_without_upgrade(self.parser.get_method(), self.url, version, self.headers)
                self.parser = httptools.HttpRequestParser(self)
                self.parser.feed_data(head)
            except httptools.HttpParserError as error:
                self._refuse(HTTPStatus.BAD_REQUEST, f"this is no HTTP: {error}")
                return
        if was_in_head and self._is_in_head and not self._has_ended:
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LARGE)
        self._answered = 0
        self.corked.flush()
        if self._waits:
            self._turn.add(self)

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio wants to know, uvicorn does not say
        """Answer a caller that only ceases to send; whoever waits for an ordered pause has left."""
        self.answer_now()
        self.corked.flush()
        cycle, wire = self.cycle, self.wire
        if (
            self.corked.is_lingering
            or cycle is None
            or cycle.response_complete
            or cycle.more_body
            or wire.is_held
            or wire.is_waited_on
        ):
            return False
        cycle.keep_alive = False
        wire.is_half_closed = True
        return True

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the same head comes again; or wait for the rest, to answer at once."""
        if self._is_refused or self.parser.should_upgrade():
            return
        if is_too_large(self._head_size + self._chunk_size, self.url, self.headers):
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LARGE)
            return
        self._is_in_head, self._head_size = False, 0
        if (
            (self.cycle is None or self.cycle.response_complete)
            and self._answered < MOST_IN_A_TURN
            and not (self.expect_100_continue or self.flow.write_paused)
            and self.parser.should_keep_alive()
            and self.parser.get_http_version() != "1.0"  # whose callers want to be told that it stays open
            and is_plain(self.headers)
        ):
            self._held = bytearray()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._is_refused:
            return
        if self._held is None:
            if self.cycle.response_complete:
                self.corked.drain(len(body))
            super().on_body(body)
            return
        self._held += body
        if len(self._held) > LARGEST_INLINE:
            self._go_uvicorns_way(bytes(self._held))

    def on_message_complete(self) -> None:
        """Note that the body is whole, unless none of it was read."""
        if self._is_refused:
            return
        if not self.parser.should_upgrade():
            self._is_in_head = self._has_ended = True
            self.corked.left = MOST_DRAINED
            self._head_began_at_s = None
        if self._held is not None:
            self._waits = True
        elif not self.parser.should_upgrade():
            super().on_message_complete()

    def answer_now(self) -> None:
        """Answer the request that waits, where one does."""
        if self._waits:
            self._waits = False
            self._answer(bytes(self._held or b""))

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
            url, method = httptools.parse_url(self.url), self.parser.get_method()
            request = whole_request(method, url, self.headers, body, self.scheme, self._extensions)
        except (ValueError, httptools.HttpParserError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"this is no path: {error}")
            return
        try:
            begun = self._begin(request)
            if begun and isinstance(begun[1], Response) and begun[1].fault is None:
                self._finish(begun[0], begun[1])
                return
        except Exception:  # a bug of ours, as uvicorn answers it
            self.logger.exception("a request could not be answered")
            self._finish(iter(()), Response(500, (("Content-Length", "0"), ("Connection", "close")), b""))
            self.transport.close()
            return
        if begun:
            self.scope["extensions"] = self._extensions | {BEGUN: begun}
        self._go_uvicorns_way(body)
        super().on_message_complete()

    def _finish(self, walk: Iterator[Any], response: Response) -> None:
        """Write an answer and end its walk. Raises ValueError for a header of two lines."""
        self._hold(response)
        self._answered += 1
        self.server_state.total_requests += 1
        next(walk, None)
        if self.timeout_keep_alive_task is None:
            self._look_later(self.timeout_keep_alive)

    def _look_later(self, wait_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(wait_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is idle or too slow; a timer for each answer would take 3 % of its time."""
        self.timeout_keep_alive_task = None
        left_s = self._closes_at_s() - self.loop.time()
        if left_s > 0:
            self._look_later(min(left_s, self._timeouts.body_s))
        else:
            self.corked.end()

    def _closes_at_s(self) -> float:
        """Say when to close, by the loop's clock, if nothing comes until then."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if self.wire.is_kept_waiting or self.corked.is_lingering:  # which have bounds of their own
            return math.inf
        if self._still_comes() if not is_answering else self.cycle.more_body:
            return self._active_at_s + self._timeouts.body_s
        if is_answering:
            return math.inf
        if self._head_began_at_s is not None:
            return self._head_began_at_s + self._timeouts.head_s
        return self._active_at_s + self.timeout_keep_alive

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer what cannot be read, and close the connection."""
        if not self._is_refused:
            self._is_refused = True
            self._hold(write_refusal(status, detail))
            self.transport.close()

    def _hold(self, response: Response) -> None:
        self.corked.hold(write_head(response.status, response.headers) + response.read())
        self._held = None

    def _still_comes(self) -> bool:
        """Whether the caller is in the middle of a body, or of something that is none of ours."""
        return self._is_refused or not self._is_in_head

    def _note(self) -> None:
        """Note that something came, or could not."""
        self._active_at_s = self.loop.time()
