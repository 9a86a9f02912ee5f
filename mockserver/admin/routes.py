"""The door to `/__admin`: which page is asked, whether it may be, and what it is answered.

Answers are JSON; refusals are RFC 9457 problem details and change nothing.
"""

import re
from collections.abc import Mapping

from mockserver.admin.admission import Admission
from mockserver.admin.asked import PREFIX, Asked
from mockserver.admin.conform import Conform
from mockserver.admin.document import list_routes, write_document
from mockserver.admin.pages import Page, read_pages
from mockserver.admin.worlds import change_state
from mockserver.call import Door
from mockserver.journal.redaction import redaction_of
from mockserver.jsontext import dump
from mockserver.messages import JSON_TYPE, LARGEST_PAGE, LARGEST_SNAPSHOT, Request, Response
from mockserver.problems import EmulatorProblem, Problem
from mockserver.readings import Readings
from mockserver.settings import Settings
from mockserver.spec.catalog import Catalog
from mockserver.state.world import World
from mockserver.webhooks import WebhookSender

NAME = "admin"


class Admin:
    """The door to `/__admin`."""

    def __init__(
        self, catalog: Catalog, webhooks: WebhookSender, readings: Readings, settings: Settings | None = None
    ) -> None:
        self._settings = settings or Settings()
        self._admission = Admission(self._settings, catalog.providers.values(), webhooks.own)
        self._catalog = catalog
        self._webhooks = webhooks
        self._readings = readings
        self._patterns = [(_pattern(path), pages) for path, pages in read_pages().items()]
        self._conform: Conform | None = None  # until an answer is checked

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
        context = (self._catalog, self._webhooks, self._readings, self._settings)
        asked = Asked(request, values, world, *context, page.takes)
        try:
            value = page.answer(asked)
        except Problem as problem:  # what would be kept is too heavy
            reason = "; ".join(it.message for it in problem.violations)
            raise EmulatorProblem(413, "Too large", reason) from problem
        except EmulatorProblem as problem:  # which may tell what was asked for: an account, a URL
            problem.detail = asked.redaction.anywhere(problem.detail)
            problem.members = asked.redaction.members(dict(problem.members))
            raise
        response = value if isinstance(value, Response) else Response(200, (JSON_TYPE,), dump(value))
        if self._settings.checks_answers:
            self._conform = self._conform or Conform(write_document(self._catalog, world))
            self._conform.check(page, response)
        return response

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
    return LARGEST_SNAPSHOT if page.answer is change_state else LARGEST_PAGE


def _nobody(_world: World) -> bool:
    """Whether pages of other origins may read what is answered here: never."""
    return False


def _unknown(request: Request, pages: Mapping[str, Page]) -> EmulatorProblem:
    """Say that there is no such path, or no such method of it, and what there is."""
    asked = f"there is no {request.method} {request.path}"
    if not pages:
        detail = f"{asked}; GET {PREFIX} lists what there is"
        return EmulatorProblem(404, "Unknown admin path", detail, list_routes())
    allowed = ", ".join(sorted({*pages, *(["HEAD"] if "GET" in pages else ())}))
    detail, headers = f"{asked}; there is {allowed}", {"Allow": allowed}
    return EmulatorProblem(405, "Method not allowed", detail, headers=headers)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))
