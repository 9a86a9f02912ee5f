"""An ASGI application around an engine: it goes through each walk, off the event loop for what takes long.

What takes over a millisecond (large bodies, pictures, /__admin) runs in worker threads.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette import datastructures, responses
from starlette.middleware.cors import CORSMiddleware

from mockserver.admin.asked import PREFIX
from mockserver.engine import Engine
from mockserver.links import marks
from mockserver.messages import LARGEST_BODY, LARGEST_SNAPSHOT, Request, Response
from mockserver.serving.reading import Receive, Scope, bare_request, is_from_browser, read
from mockserver.serving.spoil import EXTENSION, Send, Wire, leaves_within, spoil, write_start
from mockserver.serving.workers import Workers
from mockserver.walk import Step, Wait, Walk

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

LARGEST_INLINE = 16 * 1024  # bytes; reading more than this takes the event loop too long
WORKERS = 8
EXPOSED = ("Mock-Request-Id", "Mock-Violations", "Preference-Applied", "Retry-After", "Allow", "ETag")
EVERYBODY = ("*",)
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


def shared(app: "Shell") -> Application:
    """Let browsers call from any page, and read what its CDN lets them read."""
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
            # Everybody else is spared the way through the middleware.
            is_open = is_from_browser(scope["headers"]) and app.engine.has_cors(bare_request(scope))
            await (cors if is_open else app)(scope, receive, send)

    return entrance


class Shell:
    """Serves HTTP requests from one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._workers = Workers(WORKERS)
        # A body with one of these has pictures to be opened or drawn, or an escape that may hide a link.
        self._pictures = re.compile(b";base64,|" + marks(engine.catalog.providers.values()).pattern)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; nothing is answered where the caller went away before it was whole."""
        extensions = scope.get("extensions", {})
        wire: Wire | None = extensions.get(EXTENSION)
        begun: tuple[Walk, Step] | None = extensions.get(BEGUN)
        if begun is None:
            is_admin = scope["path"].startswith(PREFIX)
            request = await read(scope, receive, LARGEST_SNAPSHOT if is_admin else LARGEST_BODY)
            if request is None:
                return
            walk = self.engine.walk(request, has_socket=wire is not None)
            begun = walk, await self._begin(walk, request)
        await self._go_on(*begun, wire, receive, send)

    def begin(self, request: Request) -> tuple[Walk, Step] | None:
        """Begin to serve a request that came over a socket, at once; None: it may take too long for that."""
        if self._is_long(request.body):
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
                await send(write_start(step))
                await send({"type": "http.response.body", "body": step.body})
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


class Browsers(CORSMiddleware):
    """Lets browsers call from any page; their preflights are answered here, with an id as any answer."""

    def preflight_response(self, request_headers: datastructures.Headers) -> responses.Response:
        """Answer a preflight, which no journal keeps."""
        answer = super().preflight_response(request_headers)
        if isinstance(self.app, Shell):
            _, answer.headers["Mock-Request-Id"] = self.app.engine.world.journal.begin()
        return answer
