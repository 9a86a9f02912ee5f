"""One request to `/__admin` with all that its answer is made from; a wrong one is an EmulatorProblem."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mockserver.journal.redaction import Redaction, redaction_of
from mockserver.jsontext import MOST_VALUES, Json, parse
from mockserver.messages import Request
from mockserver.problems import EmulatorProblem
from mockserver.readings import Readings
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Provider
from mockserver.spec.schema import Schema
from mockserver.state.world import World
from mockserver.state.worlds import Worlds
from mockserver.webhooks import WebhookSender

PREFIX = "/__admin"


class Asked(NamedTuple):
    """A request to one admin page."""

    request: Request
    values: Mapping[str, str]  # of the path
    world: World
    catalog: Catalog
    webhooks: WebhookSender
    readings: Readings

    def body(self, schema: Schema, most_values: int = MOST_VALUES) -> Mapping[str, Json]:
        """Read the JSON body. Raises EmulatorProblem with everything that is wrong with it."""
        with refusing("Not JSON"):
            value, _ = parse(self.request.body, most_values)
        violations = [violation.message for violation in schema.violations(value)]
        if violations:
            raise EmulatorProblem(400, "Wrong body", "; ".join(violations))
        read: Mapping[str, Json] = value
        return read

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
