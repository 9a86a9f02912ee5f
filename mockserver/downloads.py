"""The pictures behind links: downloads without a key, drawn when they are asked for.

A link works at `/cdn/<provider>/…` and under the provider's own CDN host name in the Host header.
"""

import time
from email.utils import formatdate
from hashlib import blake2b
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mockserver import messages
from mockserver.behaviours.drawing import drawn
from mockserver.engine import Engine
from mockserver.pipeline.respond import refuse_ourselves
from mockserver.problems import OwnProblem
from mockserver.state.outputs import CDN, Output, output_id


class Downloads:
    """Answers GET and HEAD for every link that was handed out."""

    def __init__(self, engine: Engine, listener: messages.Listener | None = None) -> None:
        self._engine = engine
        self._listener = listener
        self._hosts = {
            urlsplit(provider.outputs["origin"]).netloc: provider.name
            for provider in engine.catalog.providers.values()
            if provider.outputs and urlsplit(provider.outputs["origin"]).netloc not in provider.hosts
        }
        self._raw_hosts = {host.encode() for host in self._hosts}

    def is_meant(self, path: str, host: bytes) -> bool:
        """Whether a request, by its path and its Host header, asks for a download."""
        return path.startswith(CDN) or host.partition(b":")[0].lower() in self._raw_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one download, and tell the listener of it."""
        started = time.perf_counter()
        request = Request(scope, receive)
        response = await self._answer(request)
        response.headers["Date"] = formatdate(self._engine.world.clock.now(), usegmt=True)
        await response(scope, receive, send)
        if self._listener is not None:
            told = messages.Response(response.status_code, (), b"", operation="download")
            asked = messages.Request(request.method, request.url.path, dict(request.headers))
            self._listener(asked, told, time.perf_counter() - started)

    async def _answer(self, request: Request) -> Response:
        """Send a picture, or say that it is not there or no more."""
        if request.method not in {"GET", "HEAD"}:
            return _problem(
                405, "Method not allowed", "a link is downloaded with GET or HEAD", {"Allow": "GET, HEAD"}
            )
        output = self._find(request)
        if output is None:
            return _problem(
                404, "No such picture", f"{request.url.path} was never handed out, or has expired"
            )
        content = await run_in_threadpool(drawn, self._engine.world, output)
        tag = f'"{blake2b(content, digest_size=16).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "public, no-cache"}  # ask again: the clock may have moved
        known = request.headers.get("if-none-match", "")
        if tag in known or known.strip() == "*":
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=output.media_type, headers=headers)

    def _find(self, request: Request) -> Output | None:
        path = request.url.path
        host = request.headers.get("host", "").partition(":")[0].lower()
        name, rest = self._hosts.get(host, ""), path
        if path.startswith(CDN):
            name, _, rest = path.removeprefix(CDN).partition("/")
            rest = f"/{rest}"
        provider = self._engine.catalog.providers.get(name)
        id_ = output_id(rest, provider.outputs["path"]) if provider and provider.outputs else None
        output = self._engine.world.output(id_) if id_ else None
        if output is None or output.provider != name:
            return None
        return None if output.is_over(self._engine.world.clock.now()) else output


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    own = refuse_ourselves(OwnProblem(status, title, detail))
    return Response(own.read(), own.status, headers={**dict(own.headers), **(headers or {})})
