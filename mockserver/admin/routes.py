"""The table of what can be asked and told at `/__admin`, and the door to it.

Answers are JSON; refusals are RFC 9457 problem details and change nothing.
"""

import re
from collections.abc import Callable, Mapping

from mockserver.admin import (
    accounts,
    assumptions,
    clock,
    coverage,
    faults,
    jobs,
    namespaces,
    requests,
    verdict,
    verification,
    worlds,
)
from mockserver.admin.admission import Admission
from mockserver.admin.asked import PREFIX, Asked
from mockserver.call import Door
from mockserver.journal.redaction import redaction_of
from mockserver.jsontext import Json, dump
from mockserver.messages import JSON_TYPE, LARGEST_PAGE, LARGEST_SNAPSHOT, Request, Response
from mockserver.problems import EmulatorProblem, Problem
from mockserver.readings import Readings
from mockserver.settings import Settings
from mockserver.spec.catalog import Catalog
from mockserver.state.world import World
from mockserver.webhooks import WebhookSender

NAME = "admin"
Page = Callable[[Asked], Json]  # or a whole Response, where the answer is no JSON


def show_routes(_asked: Asked) -> Json:
    """List what can be asked and told here."""
    return {"routes": _listed()}


ROUTES: Mapping[str, Mapping[str, Page]] = {
    "": {"GET": show_routes},
    "/health": {"GET": worlds.show_health},
    "/clock": {"GET": clock.show, "PUT": clock.change},
    "/clock/advance": {"POST": clock.advance},
    "/jobs": {"GET": jobs.show_all},
    "/jobs/{id}": {"GET": jobs.show, "PUT": jobs.change},
    "/accounts": {"GET": accounts.show_all},
    "/accounts/{provider}/{key}": {"GET": accounts.show, "PUT": accounts.change, "DELETE": accounts.forget},
    "/assumptions": {"GET": assumptions.show, "PUT": assumptions.change},
    "/faults": {"GET": faults.show, "POST": faults.add, "DELETE": faults.remove_all},
    "/faults/{id}": {"DELETE": faults.remove},
    "/scenario": {"GET": faults.show_scenarios, "PUT": faults.load_scenario},
    "/requests": {"GET": requests.show_all, "DELETE": requests.delete_all},
    "/requests/count": {"POST": requests.count},
    "/requests/find": {"POST": requests.find},
    "/requests/remove": {"POST": requests.remove},
    "/requests/verify": {"POST": verification.verify},
    "/requests/{id}": {"GET": requests.show, "DELETE": requests.delete},
    "/requests/{id}/curl": {"GET": requests.show_curl},
    "/verdict": {"GET": verdict.show, "POST": verdict.ask},
    "/coverage": {"GET": coverage.show, "DELETE": coverage.forget},
    "/costs": {"GET": coverage.show_costs, "DELETE": coverage.forget_costs},
    "/namespaces": {"GET": namespaces.show_all, "POST": namespaces.add},
    "/namespaces/{name}": {"DELETE": namespaces.remove},
    "/webhooks": {"GET": worlds.show_webhooks},
    "/reset": {"POST": worlds.reset},
    "/state": {"GET": worlds.show_state, "PUT": worlds.change_state},
}


class Admin:
    """The door to `/__admin`."""

    def __init__(
        self, catalog: Catalog, webhooks: WebhookSender, readings: Readings, settings: Settings | None = None
    ) -> None:
        self._admission = Admission(settings or Settings(), catalog.providers.values(), webhooks.own)
        self._catalog = catalog
        self._webhooks = webhooks
        self._readings = readings
        self._patterns = [(_pattern(path), pages) for path, pages in ROUTES.items()]

    def find(self, request: Request) -> Door | None:
        """Say whether a request is for us."""
        return Door(NAME, self._answer, has_cors=_nobody) if request.path.startswith(PREFIX) else None

    def useful_size(self, request: Request) -> int:
        """Say how many bytes of its body the answer can depend on; it may come without that."""
        return 0 if self._admission.refusal(request) else _largest(self._page(request)[0])

    def _answer(self, request: Request, world: World) -> Response:
        if refusal := self._admission.refusal(request):
            raise refusal
        page, pages, values = self._page(request)
        if page is None:
            shown = redaction_of(self._catalog.providers.values()).anywhere(request.path)
            raise _unknown(request._replace(path=shown), pages)
        if request.size > _largest(page):
            raise EmulatorProblem(413, "Too large", "the body is larger than this server takes")
        asked = Asked(request, values, world, self._catalog, self._webhooks, self._readings)
        try:
            value = page(asked)
        except Problem as problem:  # what would be kept is too heavy
            reason = "; ".join(it.message for it in problem.violations)
            raise EmulatorProblem(413, "Too large", reason) from problem
        except EmulatorProblem as problem:  # which may tell what was asked for: an account, a URL
            problem.detail = asked.redaction.anywhere(problem.detail)
            raise
        return value if isinstance(value, Response) else Response(200, (JSON_TYPE,), dump(value))

    def _page(self, request: Request) -> tuple[Page | None, Mapping[str, Page], Mapping[str, str]]:
        """Find the page of a request, None where its method has none; all of its path; the path's values."""
        pages, values = self._found(request.path)
        return pages.get("GET" if request.method == "HEAD" else request.method), pages, values

    def _found(self, path: str) -> tuple[Mapping[str, Page], Mapping[str, str]]:
        """Give the pages of a path by method, and the values in it; both empty where there are none."""
        for pattern, pages in self._patterns:
            match = pattern.fullmatch(path.removesuffix("/"))
            if match:
                return pages, match.groupdict()
        return {}, {}


def _largest(page: Page | None) -> int:
    """Give how many bytes a page reads; of none, nothing."""
    if page is None:
        return 0
    return LARGEST_SNAPSHOT if page is worlds.change_state else LARGEST_PAGE


def _nobody(_world: World) -> bool:
    """Whether pages of other origins may read what is answered here: never."""
    return False


def _unknown(request: Request, pages: Mapping[str, Page]) -> EmulatorProblem:
    """Say that there is no such path, or no such method of it, and what there is."""
    asked = f"there is no {request.method} {request.path}"
    if not pages:
        detail = f"{asked}; GET {PREFIX} lists what there is"
        return EmulatorProblem(404, "Unknown admin path", detail, {"routes": _listed()})
    allowed = ", ".join(sorted({*pages, *(["HEAD"] if "GET" in pages else ())}))
    detail, headers = f"{asked}; there is {allowed}", {"Allow": allowed}
    return EmulatorProblem(405, "Method not allowed", detail, headers=headers)


def _listed() -> list[dict[str, str]]:
    return [
        {"method": method, "path": PREFIX + path, "does": (page.__doc__ or "").partition("\n")[0]}
        for path, pages in ROUTES.items()
        for method, page in pages.items()
    ]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(PREFIX + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
