"""A world in this process: an engine, and a server for it as long as somebody listens."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.admin.asked import Asked
from mockserver.admin.beginning import Beginning, begin
from mockserver.assembly import create_engine
from mockserver.coverage.costs import Spent, costs_of
from mockserver.coverage.measuring import measure
from mockserver.coverage.report import Report
from mockserver.engine import Engine
from mockserver.jsontext import Json
from mockserver.messages import Request
from mockserver.scenarios import as_rows, read_orders, read_scenario
from mockserver.settings import Settings
from mockserver.testing.each import fixed_for
from mockserver.testing.judge import Judge
from mockserver.testing.start import Start
from mockserver.testing.time import TestClock
from mockserver.testing.waiting import Waiting
from mockserver.verdict.verification import Verification

if TYPE_CHECKING:
    from mockserver.serving.server import Server
    from mockserver.testing.intercept import Interception

RESET = Request("POST", "/__admin/reset", {})
# While nobody listens: an address that in-process transports alone lead to.
NOWHERE = "http://mockserver.test"
PATIENCE_S = 0.3  # for answers under way when a test's server stops


class Local:
    """The world of an engine of its own."""

    def __init__(self, settings: Settings, specs: Sequence[Path], port: int) -> None:
        self.engine = create_engine(settings, specs)
        self.catalog = self.engine.catalog
        self.clock = TestClock(self.engine)
        self.judge = Judge(self.engine, self._settle)
        journal = self.engine.world.journal
        self.verification = Verification(self.catalog, journal)
        self.wait_for = Waiting(journal, self.verification).wait_for
        self._port = port
        self.server: Server | None = None  # None: it does not listen

    def engine_for(self, _what: str) -> Engine:
        """Give what answers."""
        return self.engine

    @property
    def url(self) -> str:
        """Where it listens, or NOWHERE."""
        return self.server.url if self.server else NOWHERE

    def start(self) -> None:
        """Listen; return once it answers."""
        from mockserver.serving.server import Server  # noqa: PLC0415 - uvicorn is for those who listen

        self.server = Server(self.engine, port=self._port, patience_s=PATIENCE_S).__enter__()

    def stop(self) -> None:
        """End, and free the port; connections that callers keep open are closed."""
        server, self.server = self.server, None
        if server is not None:
            server.__exit__()

    def begin(self, start: Start) -> None:
        """Begin anew. Raises ValueError for what cannot be."""
        engine = self.engine
        engine.settings = replace(engine.settings, pictures=start.pictures)
        assumed = fixed_for(self.catalog.providers, start.assume)
        beginning = Beginning(
            start.seed, start.enforce, assumed, start.clock, start.scenario, accounts=start.accounts
        )
        begin(Asked(RESET, {}, engine.world, self.catalog, engine.webhooks, engine.readings), beginning)

    def order(self, rows: Sequence[Json]) -> None:
        """Order what shall happen. Raises ValueError for what is misspelt."""
        self.engine.world.plans.add(read_orders(self.catalog, rows))

    def load_scenario(self, scenario: str | Path) -> None:
        """Order what a scenario says, in place of all that was ordered before."""
        self.engine.world.plans.add(read_scenario(self.catalog, scenario), is_whole=True)

    def unused(self) -> list[Json]:
        """Give the orders that were to come to an end, and have not."""
        return as_rows(self.engine.world.plans.unused)

    def spent(self) -> Spent:
        """Give what all calls so far would have cost."""
        return Spent(costs_of(self.catalog, self.engine.world.tally.paid), self.catalog.providers)

    def measured(self, *, has_coverage: bool = True) -> Report:  # noqa: ARG002 - it is had for little
        """Give what of the documented APIs calls so far have met, and what they would have cost."""
        return measure(self.catalog, self.engine.world.tally)

    def intercept(self, allow: Iterable[str]) -> "Interception":
        """Lead calls to the providers' real hosts here; it must listen."""
        from mockserver.testing.intercept import intercept  # noqa: PLC0415 - as in `start`

        if self.server is None:
            raise RuntimeError("calls are led to a mock that listens: `with mock, mock.intercept():`")
        return intercept(self.server, allow)

    def _settle(self) -> None:
        if self.server is not None:
            self.server.settle()
