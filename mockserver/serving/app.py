"""An ASGI application around an engine: it goes through each walk, off the event loop for what takes long.

What takes over a millisecond (large bodies, pictures, /__admin) runs in worker threads.
"""

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, TypeVar

from starlette import datastructures
from starlette.middleware.cors import CORSMiddleware

from mockserver.admin.asked import PREFIX
from mockserver.engine import Engine
from mockserver.links import marks
from mockserver.messages import Request, Response
from mockserver.serving.heads import write_refusal
from mockserver.serving.reading import (
    LARGEST_INLINE,
    NAMESPACE,
    Receive,
    Scope,
    bare_request,
    is_from_browser,
    read,
    waits_to_send,
)
from mockserver.serving.room import NoRoomError, Place, Room
from mockserver.serving.spoil import EXTENSION, Send, Wire, leaves_within, spoil, write_start
from mockserver.serving.transport import MOST_DRAINED
from mockserver.serving.workers import Workers
from mockserver.walk import Step, Wait, Walk

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

WORKERS = 8
ROUNDS = 3  # of the event loop: a pause to write ends, an answer's task goes on
FULL = "the bodies of other calls take all memory that there is for them; try again later"
EXPOSED = ("Mock-Request-Id", "Mock-Violations", "Preference-Applied", "Retry-After", "Allow", "ETag")
EVERYBODY = ("*",)
PREFLIGHT = "access-control-request-method"
BEGUN = "mockserver.begun"  # where the protocol puts a walk that it has begun itself, and its first step


def create_app(engine: Engine) -> Application:
    """Put an engine behind one ASGI application; a browser may call it from any page.

    >>> import httpx
    >>> from mockserver import create_engine
    >>> async def ask() -> int:
    ...     transport = httpx.ASGITransport(create_app(create_engine()))
    ...     async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
    ...         return (await client.get("/__admin/health")).status_code
    >>> asyncio.run(ask())
    200
    """
    return shared(Shell(engine))


def shared(app: "Shell", namespace: str = "") -> Application:
    """Let browsers call from any page, and read what its CDN lets them read; `namespace`: of the port."""
    providers = app.engine.catalog.providers.values()
    own = {name for provider in providers for name in provider.headers}
    cors = Browsers(
        app,
        allow_origins=EVERYBODY,
        allow_methods=EVERYBODY,
        allow_headers=EVERYBODY,
        allow_private_network=True,
        expose_headers=[*EXPOSED, *sorted(own)],
    )

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[NAMESPACE] = namespace or scope.get("extensions", {}).get(NAMESPACE, "")
            # Everybody else is spared the way through the middleware.
            is_open = is_from_browser(scope["headers"]) and app.engine.has_cors(bare_request(scope))
            await (cors if is_open else app)(scope, receive, send)

    return entrance


class Shell:
    """Serves HTTP requests from one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._workers = Workers(WORKERS)
        self._room = Room()
        # A body with one of these has pictures to be opened or drawn, or an escape that may hide a link.
        self._pictures = re.compile(b";base64,|" + marks(engine.catalog.providers.values()).pattern)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; nothing is answered where the caller went away before it was whole."""
        extensions = scope.get("extensions", {})
        wire: Wire | None = extensions.get(EXTENSION)
        begun: tuple[Walk, Step] | None = extensions.get(BEGUN)
        if begun is not None:
            await self._go_on(*begun, wire, receive, send)
            return
        with self._room.place() as place:
            try:
                await self._serve(scope, wire, place, receive, send)
            except NoRoomError:
                await _send(write_refusal(HTTPStatus.SERVICE_UNAVAILABLE, FULL, ("Retry-After", "1")), send)
            except asyncio.CancelledError:
                if wire is None:
                    raise
                wire.close_after()  # the server ends, and has waited long enough for this answer

    async def _serve(
        self, scope: Scope, wire: Wire | None, place: Place, receive: Receive, send: Send
    ) -> None:
        if wire:
            wire.place = place
        request = await read(scope, receive, self.engine.useful_size, place)
        if request is None:
            return
        for _ in range(ROUNDS if PREFIX in request.path else 0):
            await asyncio.sleep(0)  # what was answered before is known to the journal then
        is_old = scope.get("http_version") == "1.0"  # which uvicorn before 0.53 does not tell
        # Of a body that was not read nobody knows whether it comes.
        is_unread = request.whole_size is not None and (
            request.whole_size > MOST_DRAINED or waits_to_send(request)
        )
        if is_old or is_unread:
            send = functools.partial(_send_last, send)
        walk = self.engine.walk(request, has_socket=wire is not None)
        step = await self._begin(walk, request)
        del request  # the walk forgets it sooner than we would
        await self._go_on(walk, step, wire, receive, send)

    def begin(self, request: Request) -> tuple[Walk, Step] | None:
        """Begin to serve a request that came over a socket, at once.

        None: it may take too long for that, or it matters who asks, which a request alone does not tell.
        """
        if PREFIX in request.path or self._is_long(request.body):
            return None
        walk = self.engine.walk(request, has_socket=True)
        return walk, next(walk)

    async def _go_on(self, walk: Walk, step: Step, wire: Wire | None, receive: Receive, send: Send) -> None:
        """Go through the rest of a walk, and send its answer."""
        try:
            while not isinstance(step, Response):
                if isinstance(step, Wait):
                    if await leaves_within(receive, step.seconds, wire):
                        return
                    step = next(walk)
                    continue
                try:
                    result = await self._run(step)
                except Exception as error:  # noqa: BLE001 - the walk answers it
                    step = walk.throw(error)
                else:
                    step = walk.send(result)
            if step.fault is None or wire is None:
                await _send(step, send)
            elif not await spoil(wire, step.fault, step, receive, send):
                return
            next(walk, None)
        finally:
            walk.close()

    async def _begin(self, walk: Walk, request: Request) -> Step:
        return await self._run(walk.__next__) if self._is_long(request.body) else next(walk)

    def _is_long(self, body: bytes) -> bool:
        return len(body) > LARGEST_INLINE or self._pictures.search(body) is not None

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._workers.submit(work))


async def _send(response: Response, send: Send) -> None:
    await send(write_start(response))
    await send({"type": "http.response.body", "body": response.body})


async def _send_last(send: Send, message: MutableMapping[str, Any]) -> None:
    """Send what a connection ends with."""
    if message["type"] == "http.response.start":
        message["headers"].append((b"connection", b"close"))
    await send(message)


class Browsers(CORSMiddleware):
    """Lets browsers call from any page; their preflights are answered here, with an id as any answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, which no journal keeps, or let the application answer."""
        headers = datastructures.Headers(scope=scope)
        if scope["method"] != "OPTIONS" or PREFLIGHT not in headers or not isinstance(self.app, Shell):
            await super().__call__(scope, receive, send)
            return
        answer = self.preflight_response(headers)
        world = self.app.engine.worlds.find(bare_request(scope))
        _, answer.headers["Mock-Request-Id"] = world.journal.begin()
        await answer(scope, receive, send)
