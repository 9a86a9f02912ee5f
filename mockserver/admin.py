"""`/__admin`: what a test asks and tells the emulator itself, never in an API's voice.

Answers are JSON; refusals are RFC 9457 problem details.
"""

from collections.abc import Awaitable, Callable
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mockserver.engine import Engine
from mockserver.pipeline.respond import refuse_ourselves
from mockserver.problems import OwnProblem

PREFIX = "/__admin"
Endpoint = Callable[[Request], Awaitable[Response]]


class Admin:
    """The admin endpoints of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def health(self, _request: Request) -> Response:
        """Say that everything is loaded, and what."""
        providers = {name: len(each.operations) for name, each in self._engine.catalog.providers.items()}
        return JSONResponse({"status": "ok", "version": version("mockserver"), "operations": providers})

    def app(self) -> Starlette:
        """Make the ASGI application."""
        routes = [Route(f"{PREFIX}/health", self.health, methods=["GET"])]
        return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown, OwnProblem: _own})


async def _unknown(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    title = "Unknown admin path" if status == 404 else "Method not allowed"  # noqa: PLR2004
    return _answer(OwnProblem(status, title, f"there is no {request.method} {request.url.path}"))


async def _own(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OwnProblem)
    return _answer(error)


def _answer(problem: OwnProblem) -> Response:
    own = refuse_ourselves(problem)
    return Response(own.read(), own.status, headers=dict(own.headers))
