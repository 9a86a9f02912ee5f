"""What a mock can do to its world, in this process or elsewhere; `MockServer` says it in a test's words."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mockserver.coverage.costs import Spent
from mockserver.coverage.report import Report
from mockserver.journal.records import Record
from mockserver.jsontext import Json
from mockserver.spec.catalog import Catalog
from mockserver.testing.expected import Expecting
from mockserver.testing.start import Start
from mockserver.testing.time import Clock
from mockserver.testing.waiting import Waited
from mockserver.verdict.findings import Verdict
from mockserver.verdict.judging import Expect
from mockserver.verdict.refusals import Options
from mockserver.verdict.verification import Expected, Step

if TYPE_CHECKING:
    from mockserver.engine import Engine
    from mockserver.testing.intercept import Interception


class Judging(Protocol):
    """Judges the calls of a test."""

    def instruct(self, strict: str, expect: Expect) -> None:
        """Say how strict to be, and what is declared, unless a test runs. Raises ValueError."""

    def sitting(self, file: str, names: Collection[str]) -> AbstractContextManager[None]:
        """Let nothing be forgotten while a test runs; `file` is the test's, `names` those in its code."""

    def expect(self, error: str | None, options: Options) -> Expecting:
        """Declare the refusals of a block. Raises ValueError for an error or operation that there is not."""

    def verdict(self) -> Verdict:
        """Judge what was done so far."""


class Verifying(Protocol):
    """Says which calls were made, and raises AssertionError where others were expected."""

    def calls(
        self, operation: str | None = None, *, status: int | None = None, account: str | None = None
    ) -> list[Record]:
        """Give the calls so far, newest last. Raises LookupError for an unknown operation."""

    def assert_called(self, operation: str, n: int | None, expected: Expected) -> list[Record]:
        """Raise unless there was such a call, or just `n` of them; give them."""

    def assert_called_once_with(self, operation: str, expected: Expected) -> Record:
        """Raise unless there was just one call, and it was such a one; give it."""

    def assert_not_called(self, operation: str | None) -> None:
        """Raise where there was a call."""

    def assert_sequence(self, steps: Sequence[Step]) -> list[Record]:
        """Raise unless the calls were these alone."""


class Control(Protocol):
    """One world, and whoever serves it."""

    @property
    def catalog(self) -> Catalog:
        """What it emulates."""

    @property
    def clock(self) -> Clock:
        """Its clock."""

    @property
    def judge(self) -> Judging:
        """Who judges its calls."""

    @property
    def verification(self) -> Verifying:
        """Who knows its calls."""

    @property
    def wait_for(self) -> Callable[[str, int, float], Waited]:
        """What waits for so many calls of an operation, so long."""

    def engine_for(self, what: str) -> "Engine":
        """Give what answers, where that is in this process; `what` needs it. Raises NeedsProcessError."""

    @property
    def url(self) -> str:
        """Where its world is called."""

    def start(self) -> None:
        """Let it be called."""

    def stop(self) -> None:
        """End that."""

    def begin(self, start: Start) -> None:
        """Begin anew. Raises ValueError for what cannot be."""

    def order(self, rows: Sequence[Json]) -> None:
        """Order what shall happen. Raises ValueError for what is misspelt."""

    def load_scenario(self, scenario: str | Path) -> None:
        """Order what a scenario says, in place of all that was ordered before."""

    def unused(self) -> list[Json]:
        """Give the orders that were to come to an end, and have not."""

    def spent(self) -> Spent:
        """Give what all calls so far would have cost."""

    def measured(self, *, has_coverage: bool = True) -> Report:
        """Give what of the documented APIs calls so far have met, where that is asked, and their cost."""

    def intercept(self, allow: Iterable[str]) -> "Interception":
        """Lead calls to the providers' real hosts here."""
