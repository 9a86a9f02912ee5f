"""A world on a server elsewhere: a namespace of its own, set up and asked through the pages of `/__admin`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.coverage.costs import Spent, read_costs
from mockserver.coverage.report import Report, as_report
from mockserver.jsontext import Json
from mockserver.scenarios import read_orders, scenario_rows
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SpecificationError
from mockserver.state.clock import FROZEN, duration_s, isoformat, moment_s
from mockserver.testing.each import fixed_for
from mockserver.testing.remote_calls import RemoteCalls
from mockserver.testing.remote_judge import RemoteJudge
from mockserver.testing.start import Start
from mockserver.testing.world_pages import WorldPages

if TYPE_CHECKING:
    from mockserver.engine import Engine
    from mockserver.testing.intercept import Interception


class NeedsProcessError(RuntimeError):
    """Raised for what only a mock in the test's own process can do.

    >>> str(NeedsProcessError("engine", "http://mock:8080/ns/a"))  # doctest: +ELLIPSIS
    'engine needs a mock in this process, and this one is at http://mock:8080/ns/a; call mock.url, or ...'
    """

    def __init__(self, what: str, url: str) -> None:
        super().__init__(
            f"{what} needs a mock in this process, and this one is at {url}; call mock.url, or leave out "
            "mockserver_url and MOCKSERVER_URL, so that the test has a mock of its own"
        )


class RemoteClock:
    """The clock of a world elsewhere."""

    def __init__(self, pages: WorldPages) -> None:
        self._pages = pages

    def now(self) -> float:
        """Give the time in seconds since 1970."""
        return moment_s(self._pages.ask("GET", "/clock")["now"])

    def freeze(self, at: str | float | None = None) -> None:
        """Let time stand still: now, or at a time as ISO 8601 or in seconds since 1970."""
        moment = {} if at is None else {"now": isoformat(moment_s(at))}
        self._pages.ask("PUT", "/clock", {**moment, "frozen": True})

    def resume(self) -> None:
        """Let time run again."""
        self._pages.ask("PUT", "/clock", {"frozen": False})

    def advance(self, by: str | float) -> None:
        """Move on by seconds, or by an ISO 8601 duration such as `PT24H`."""
        self._pages.ask("POST", "/clock/advance", {"by": duration_s(by)})


class Remote:
    """The world of one namespace."""

    def __init__(self, pages: WorldPages, catalog: Catalog) -> None:
        self._pages, self.catalog = pages, catalog
        self.clock = RemoteClock(pages)
        self.judge = RemoteJudge(pages, catalog)
        self.verification = RemoteCalls(pages)
        self.wait_for = self.verification.wait_for

    def engine_for(self, what: str) -> "Engine":
        """Raise NeedsProcessError."""
        raise NeedsProcessError(what, self.url)

    @property
    def url(self) -> str:
        """Where its world is called."""
        return self._pages.url

    def start(self) -> None:
        """Make the world, which its server does when it is first asked."""
        self._pages.ask("GET", "/clock")

    def stop(self) -> None:
        """Let the server forget the world."""
        self._pages.drop()

    def begin(self, start: Start) -> None:
        """Begin anew. Raises ValueError for what cannot be."""
        self.judge.end_era()
        said: dict[str, Json] = {
            "seed": start.seed,
            "enforce": list(start.enforce),
            "assume": fixed_for(self.catalog.providers, start.assume),
            "pictures": start.pictures,
        }
        if start.clock is not None:
            said["clock"] = FROZEN if start.clock == FROZEN else isoformat(moment_s(start.clock))
        if start.scenario is not None:
            try:
                said["faults"] = scenario_rows(self.catalog, start.scenario)
            except SpecificationError as error:
                raise ValueError(f"scenario: {error}") from error
        if start.accounts:
            said["accounts"] = start.accounts
        self._pages.ask("POST", "/reset", said)

    def order(self, rows: Sequence[Json]) -> None:
        """Order what shall happen. Raises ValueError for what is misspelt."""
        read_orders(self.catalog, rows)  # all of them, before one is ordered
        for row in rows:
            self._pages.ask("POST", "/faults", row)

    def load_scenario(self, scenario: str | Path) -> None:
        """Order what a scenario says, in place of all that was ordered before."""
        self._pages.ask("PUT", "/scenario", {"faults": scenario_rows(self.catalog, scenario)})

    def unused(self) -> list[Json]:
        """Give the orders that were to come to an end, and have not."""
        found: list[Json] = self._pages.ask("GET", "/faults")["unused"]
        return found

    def spent(self) -> Spent:
        """Give what all calls so far would have cost."""
        return Spent(read_costs(self._pages.ask("GET", "/costs")["costs"]), self.catalog.providers)

    def measured(self, *, has_coverage: bool = True) -> Report:
        """Give what of the documented APIs calls so far have met, and what they would have cost."""
        if has_coverage:
            return as_report(self._pages.ask("GET", "/coverage"))
        return Report({}, read_costs(self._pages.ask("GET", "/costs")["costs"]))

    def intercept(self, allow: Iterable[str]) -> "Interception":
        """Lead calls to the providers' real hosts here."""
        from mockserver.links import provider_hosts  # noqa: PLC0415
        from mockserver.testing.clients import Lead  # noqa: PLC0415 - as in `Local`
        from mockserver.testing.intercept import Interception  # noqa: PLC0415

        place = self._pages.place
        if place.scheme != "http" or place.path:
            raise NeedsProcessError("intercept", self.url)
        hosts = provider_hosts(self.catalog.providers.values())
        return Interception(hosts, Lead(place.host, place.port, self._pages.namespace), allow)
