"""Answers of `/__admin` held against its document: what `Settings.checks_answers` switches on."""

from mockserver.admin.pages import Page
from mockserver.jsontext import Json, parse
from mockserver.messages import JSON_TYPE, Response
from mockserver.problems import EmulatorProblem
from mockserver.spec.schema import Schema, Shared


class Conform:
    """Holds answers against one document."""

    def __init__(self, document: Json) -> None:
        self._paths = document["paths"]
        self._shared = Shared(document["components"]["schemas"])
        self._schemas: dict[tuple[str, str, int], Schema] = {}

    def check(self, page: Page, response: Response) -> None:
        """Return where an answer obeys. Raises EmulatorProblem where it does not."""
        key = (page.path, page.method, response.status)
        answered = f"{page.method} {page.path} answered {response.status}"
        responses = self._paths[page.path][page.method.lower()]["responses"]
        types = responses.get(str(response.status), {}).get("content", {})
        media_type = dict(response.headers)["Content-Type"]
        if media_type not in types:
            raise _broken(f"{answered} with {media_type}, which is not documented")
        if media_type != JSON_TYPE[1]:
            return
        if key not in self._schemas:
            self._schemas[key] = Schema(types[media_type]["schema"], answered, self._shared)
        if violations := self._schemas[key].violations(parse(response.read())[0]):
            raise _broken(f"{answered}: {'; '.join(each.message for each in violations)}")


def _broken(detail: str) -> EmulatorProblem:
    return EmulatorProblem(500, "Answer against the specification", detail)
