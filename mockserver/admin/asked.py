"""One request to `/__admin` with all that its answer is made from; a wrong one is an EmulatorProblem."""

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qsl

from mockserver import pointer
from mockserver.journal.redaction import Redaction, redaction_of
from mockserver.jsontext import MOST_VALUES, Json, parse
from mockserver.messages import Request
from mockserver.problems import EmulatorProblem
from mockserver.readings import Readings
from mockserver.settings import Settings
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import SchemaViolation, nearest
from mockserver.spec.model import Provider
from mockserver.spec.schema import Schema
from mockserver.state.world import World
from mockserver.state.worlds import Worlds
from mockserver.webhooks import WebhookSender

PREFIX = "/__admin"
WHOLE = re.compile(r"-?[0-9]{1,18}")


class Taken(NamedTuple):
    """What a page takes, as the document says it."""

    body: Schema | None = None
    query: Mapping[str, Schema] = MappingProxyType({})


class Asked(NamedTuple):
    """A request to one admin page."""

    request: Request
    values: Mapping[str, str]  # of the path
    world: World
    catalog: Catalog
    webhooks: WebhookSender
    readings: Readings
    settings: Settings = Settings()
    takes: Taken = Taken()

    def body(self, schema: Schema | None = None, most_values: int = MOST_VALUES) -> Mapping[str, Json]:
        """Read the JSON body; without a schema, as the document describes it.

        Raises EmulatorProblem with everything that is wrong with it.
        """
        with refusing("Not JSON"):
            value, _ = parse(self.request.body, most_values)
        schema = schema or self.takes.body
        if schema and (violations := schema.violations(value)):
            raise _wrong("Wrong body", "body", violations)
        read: Mapping[str, Json] = value
        return read

    def query(self) -> Mapping[str, Json]:
        """Read the query as the document describes it. Raises EmulatorProblem for what is not in there."""
        found: dict[str, Json] = {}
        for name, text in parse_qsl(self.request.query, keep_blank_values=True):
            if (schema := self.takes.query.get(name)) is None:
                detail = f"there is no filter {name!r:.80}; {nearest(name, self.takes.query)}"
                raise EmulatorProblem(400, "Wrong question", detail)
            is_list = schema.types(schema.document) == {"array"}
            found[name] = [*found.get(name, ()), text] if is_list else _read(name, text, schema)
        return found

    @property
    def worlds(self) -> Worlds:
        """Every world that there is."""
        return self.webhooks.worlds

    @property
    def redaction(self) -> Redaction:
        """How secrets are shown."""
        return redaction_of(self.catalog.providers.values())

    def provider(self, name: str | None = None) -> Provider:
        """Give a provider, by default the path's. Raises EmulatorProblem where there is none."""
        name = self.values["provider"] if name is None else name
        if name not in self.catalog.providers:
            detail = f"there is no provider {name!r}; there are {', '.join(self.catalog.providers)}"
            raise EmulatorProblem(404, "Unknown provider", detail)
        return self.catalog.providers[name]


@contextlib.contextmanager
def refusing(title: str, place: str = "") -> Iterator[None]:
    """Turn what a reader raises into a problem."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise EmulatorProblem(400, title, f"{place}{error}") from error


def _read(name: str, text: str, schema: Schema) -> Json:
    """Read the value of one parameter of a query."""
    is_whole = schema.types(schema.document) == {"integer"}
    if is_whole and not WHOLE.fullmatch(text):
        raise EmulatorProblem(400, "Wrong question", f"{name}={text:.80} is no whole number")
    value = int(text) if is_whole else text
    if violations := schema.violations(value, (name,)):
        known = [each for each in schema.followed(schema.document).get("enum", ()) if each]
        if known:
            detail = f"there is no {name} {text!r:.80}; {nearest(text, known)}"
            raise EmulatorProblem(400, "Wrong question", detail)
        raise _wrong("Wrong question", "query", violations)
    return value


def _wrong(title: str, location: str, violations: Collection[SchemaViolation]) -> EmulatorProblem:
    """Tell each violation, in one sentence and one by one."""
    told = [
        {
            "location": location,
            "pointer": pointer.write(each.path),
            "keyword": each.keyword,
            "message": each.message,
        }
        for each in violations
    ]
    detail = "; ".join(each.message for each in violations)
    return EmulatorProblem(400, title, detail, {"violations": told})
