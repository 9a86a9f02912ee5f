"""The table of what can be asked and told at `/__admin`, and the door to it.

Answers are JSON; refusals are RFC 9457 problem details and change nothing.
"""

import functools
import re
from collections.abc import Callable, Mapping

from mockserver.admin import accounts, clock, jobs, worlds
from mockserver.admin.asked import PREFIX, Asked
from mockserver.call import Door
from mockserver.jsontext import Json, dump
from mockserver.messages import JSON_TYPE, Request, Response
from mockserver.problems import EmulatorProblem
from mockserver.spec.catalog import Catalog
from mockserver.state.world import World
from mockserver.webhooks import WebhookSender

NAME = "admin"
Page = Callable[[Asked], Json]


def show_routes(_asked: Asked) -> Json:
    """List what can be asked and told here."""
    return {"routes": _listed()}


ROUTES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "", show_routes),
    ("GET", "/health", worlds.show_health),
    ("GET", "/clock", clock.show),
    ("PUT", "/clock", clock.change),
    ("POST", "/clock/advance", clock.advance),
    ("GET", "/jobs", jobs.show_all),
    ("GET", "/jobs/{id}", jobs.show),
    ("PUT", "/jobs/{id}", jobs.change),
    ("GET", "/accounts/{provider}/{key}", accounts.show),
    ("PUT", "/accounts/{provider}/{key}", accounts.change),
    ("GET", "/webhooks", worlds.show_webhooks),
    ("POST", "/reset", worlds.reset),
    ("GET", "/state", worlds.show_state),
    ("PUT", "/state", worlds.change_state),
)


class Admin:
    """The door to `/__admin`."""

    def __init__(self, catalog: Catalog, webhooks: WebhookSender) -> None:
        self._catalog = catalog
        self._webhooks = webhooks
        self._pages: dict[str, dict[str, Page]] = {}
        for method, path, page in ROUTES:
            self._pages.setdefault(path, {})[method] = page
        self._patterns = [(_pattern(path), pages) for path, pages in self._pages.items()]

    def find(self, request: Request) -> Door | None:
        """Say whether a request is for us."""
        return Door(NAME, self._answer) if request.path.startswith(PREFIX) else None

    def _answer(self, request: Request, world: World) -> Response:
        pages, values = self._found(request.path)
        page = pages.get("GET" if request.method == "HEAD" else request.method)
        if page is None:
            raise _unknown(request, pages)
        value = page(Asked(request, values, world, self._catalog, self._webhooks))
        return Response(200, (JSON_TYPE,), dump(value))

    def _found(self, path: str) -> tuple[Mapping[str, Page], Mapping[str, str]]:
        """Give the pages of a path by method, and the values in it; both empty where there are none."""
        for pattern, pages in self._patterns:
            match = pattern.fullmatch(path.removesuffix("/"))
            if match:
                return pages, match.groupdict()
        return {}, {}


def _unknown(request: Request, pages: Mapping[str, Page]) -> EmulatorProblem:
    """Say that there is no such path, or no such method of it, and what there is."""
    asked = f"there is no {request.method} {request.path}"
    if not pages:
        detail = f"{asked}; GET {PREFIX} lists what there is"
        return EmulatorProblem(404, "Unknown admin path", detail, {"routes": _listed()})
    allowed = ", ".join(sorted({*pages, *(["HEAD"] if "GET" in pages else ())}))
    return EmulatorProblem(
        405, "Method not allowed", f"{asked}; there is {allowed}", headers={"Allow": allowed}
    )


def _listed() -> list[dict[str, str]]:
    return [
        {"method": method, "path": PREFIX + path, "does": (page.__doc__ or "").partition("\n")[0]}
        for method, path, page in ROUTES
    ]


@functools.cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(PREFIX + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
