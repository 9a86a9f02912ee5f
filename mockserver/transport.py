"""ASGI in and out: read a request, hand it to the engine, wait where a delay was asked for, write the answer.

What takes over a millisecond (large bodies, pictures) runs in worker threads, everything else on the event loop.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

from mockserver.engine import Engine
from mockserver.messages import Listener, Request, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 64 * 1024 * 1024  # bytes; three pictures of 10 MB in base64 fit
LARGEST_INLINE = 16 * 1024  # bytes; reading more than this takes the event loop too long
MARKS = (b";base64,", b"/cdn/", b"\\/")
WORKERS = 8


class Transport:
    """An ASGI application around an engine."""

    def __init__(self, engine: Engine, listener: Listener | None = None) -> None:
        self._engine = engine
        self._listener = listener
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="mockserver")
        self._date = (0, b"")
        # A body with one of these has pictures to be opened or drawn, or an escape that may hide a link to one.
        outputs = [each.outputs for each in engine.catalog.providers.values() if each.outputs]
        own = [f"{each['origin']}{each['path'].partition('{')[0]}".encode() for each in outputs]
        self._pictures = re.compile(b"|".join(map(re.escape, [*MARKS, *own])))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        started = time.perf_counter()
        request = await _read(scope, receive)
        loop = asyncio.get_running_loop()
        body = request.body
        if len(body) > LARGEST_INLINE or self._pictures.search(body):
            response = await loop.run_in_executor(self._workers, self._engine.handle, request)
        else:
            response = self._engine.handle(request)
        try:
            content = response.body
            if not isinstance(content, bytes):
                content = await loop.run_in_executor(self._workers, content)
            if response.delay_ms and await _left_within(receive, response.delay_ms / 1000):
                return
            await self._write(send, response, content)
        finally:
            if response.release is not None:
                response.release()
        if self._listener is not None:
            self._listener(request, response, time.perf_counter() - started)

    async def _write(self, send: Send, response: Response, content: bytes) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        headers.append((b"content-length", b"%d" % len(content)))
        headers.append((b"date", self._http_date()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _http_date(self) -> bytes:
        """Give the Date header by the world's clock, written anew once a second."""
        now_s = int(self._engine.world.clock.now())
        if self._date[0] != now_s:
            self._date = (now_s, formatdate(now_s, usegmt=True).encode())
        return self._date[1]


async def _read(scope: Scope, receive: Receive) -> Request:
    """Read a whole request; a body that is too large is cut off, and marked so."""
    message = await receive()
    body, is_cut_off = message.get("body", b""), False
    if message.get("more_body", False):
        chunks, size = [body], len(body)
        while message.get("more_body", False):
            message = await receive()
            size += len(message.get("body", b""))
            is_cut_off = size > LARGEST_BODY
            if not is_cut_off:
                chunks.append(message.get("body", b""))
        body = b"" if is_cut_off else b"".join(chunks)
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        query=scope["query_string"].decode("latin-1"),
        body=body,
        scheme=scope.get("scheme", "http"),
        is_cut_off=is_cut_off,
    )


async def _left_within(receive: Receive, delay_s: float) -> bool:
    """Wait; say whether the caller went away meanwhile."""
    try:
        async with asyncio.timeout(delay_s):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True
