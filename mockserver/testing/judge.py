"""Judges the calls of a test, off their path: what the journal has kept is read when the test is over.

Refused by the contract is a request that no account, balance, moment or earlier call could have made right.
What a test has set up itself is none of that: an ordered error, limits and credits, an account's state or
plan, an id that nobody has.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from mockserver.call import Exchange, Match
from mockserver.engine import Engine
from mockserver.journal.records import Record, record
from mockserver.journal.redaction import redaction_of
from mockserver.problems import ProblemType, Violation
from mockserver.spec.words import MISTYPED
from mockserver.state.journal import Era
from mockserver.state.plans import Order
from mockserver.testing.callers import Callers
from mockserver.testing.refusals import ExpectedRefusal, Options, Wanted, came_instead, read_wanted
from mockserver.testing.strictness import STRICT, Strictness, read_strictness
from mockserver.testing.uses import uses
from mockserver.testing.verdict import Finding, Verdict

# Keywords of violations that say nothing against the request: what was ordered, and what is only odd …
EXCUSED = {"ordered", "marked_words", "duplicateKey", MISTYPED}
# … and what another account, balance, moment or earlier call would have made right: problems, and checks.
STATE = {
    ProblemType.KEY_UNKNOWN, ProblemType.KEY_INACTIVE, ProblemType.KEY_DELETED, ProblemType.ACCOUNT_SUSPENDED,
    ProblemType.ACCESS_DISABLED, ProblemType.PICTURE_UNREACHABLE, ProblemType.RESOURCE_UNKNOWN,
    ProblemType.RESOURCE_NOT_READY, ProblemType.RESOURCE_BUSY, ProblemType.NAME_TAKEN,
    ProblemType.CREDITS_EXHAUSTED, ProblemType.PAYMENT_FAILED, ProblemType.RATE_LIMITED, ProblemType.INTERNAL,
}  # fmt: skip
STATE_CHECKS = {
    "limit", "refuse_when", "plan_allows", "known_ids", "usable_resource", "settled_resource",
    "saved_asset", "can_pay",
}  # fmt: skip
NOT_AGAINST_IT = EXCUSED | {each.value for each in STATE} | STATE_CHECKS
LONGEST_SHOWN = 20  # calls
Expect = Collection[str | Mapping[str, object]]


class Judge:
    """Judges what one engine was asked since its world began, or, while a test runs, since that did."""

    def __init__(self, engine: Engine, settle: Callable[[], None]) -> None:
        self._engine, self._settle = engine, settle
        self._redaction = redaction_of(engine.catalog.providers.values())
        self._strictness: Strictness = STRICT
        self._expected: list[Wanted] = []
        self._declared: list[Exchange] = []
        self._callers: Callers | None = None
        self._file = ""
        self._sits = False

    def instruct(self, strict: str, expect: Expect) -> None:
        """Say how strict to be, and what is declared, unless a test runs. Raises ValueError."""
        if not self._sits:
            wanted = [read_wanted(self._engine.catalog, each) for each in expect]
            self._strictness, self._expected, self._declared = read_strictness(strict), wanted, []

    @contextmanager
    def sitting(self, file: str, names: Collection[str]) -> Iterator[None]:
        """Let nothing be forgotten while a test runs, and note its lines; `names`: of its file, in code."""
        self._callers, self._file = Callers(names), file
        with self._engine.world.journal.held(self._callers):
            self._sits = True
            try:
                yield
            finally:
                self._sits, self._declared, self._callers = False, [], None

    def expect(self, error: str | None, options: Options) -> ExpectedRefusal:
        """Declare the refusals of a block. Raises ValueError for an error or operation that there is not."""
        wanted = Wanted(self._engine.catalog, error, options)
        return ExpectedRefusal(wanted, self._exchanges, self._declared.extend, self._record)

    def verdict(self) -> Verdict:
        """Judge what was done so far."""
        exchanges = self._exchanges()
        unmet = [each for each in self._expected if not any(map(each.is_met, exchanges))]
        came = came_instead(map(self._record, exchanges[-LONGEST_SHOWN:])) if unmet else ""
        missing = [Finding("expected", f"expected the refusal {each}; {came}") for each in unmet]
        unused = [Finding("unused_faults", _unused(each)) for each in self._engine.world.plans.unused]
        found = [*missing, *self._calls(), *unused]
        looked_at = [each for each in found if getattr(self._strictness, each.part, "") != "off"]
        return Verdict(tuple(looked_at), self._strictness)

    def _exchanges(self) -> Sequence[Exchange]:
        self._settle()
        return [each for _, each in self._engine.world.journal.everything()]

    def _record(self, exchange: Exchange) -> Record:
        return record(exchange, self._redaction)

    def _calls(self) -> Iterable[Finding]:
        """Judge every call; what was found several times is told once."""
        found: dict[object, Finding] = {}
        declared = {id(each) for each in self._declared}
        for era, exchange in self._engine.world.journal.everything():
            is_declared = id(exchange) in declared or any(each.is_met(exchange) for each in self._expected)
            asked = (exchange, *exchange.parts)
            for part, wrong in (each for one in asked for each in _judged(one, self._strictness)):
                if is_declared and part != MISTYPED:  # a refusal was meant, the order that it lacks was, too
                    continue
                key = (
                    part,
                    exchange.operation,
                    *((each.location, each.pointer, each.message) for each in wrong),
                )
                if known := found.get(key):
                    found[key] = known._replace(times=known.times + 1)
                else:
                    found[key] = self._finding(part, wrong, exchange, era)
        return found.values()

    def _finding(
        self, part: str, wrong: Sequence[Violation], exchange: Exchange, era: Era[Exchange]
    ) -> Finding:
        call = self._record(exchange)
        cited = {id(each): shown for each, shown in zip(exchange.violations, call.violations, strict=True)}
        line = self._callers.find(era, exchange.request_id) if self._callers else None
        return Finding(
            part=part,
            summary=f"{part}: {call}",
            violations=tuple(cited.get(id(each), each) for each in wrong),
            call=call,
            line=line and f"{self._file}:{line}",
        )


def _judged(exchange: Exchange, strictness: Strictness) -> Iterator[tuple[str, list[Violation]]]:
    """Give the parts of the verdict that an exchange is against, each with its violations."""
    yield from ((MISTYPED, [each]) for each in exchange.violations if each.keyword == MISTYPED)
    wrong = [each for each in exchange.violations if each.keyword not in NOT_AGAINST_IT]
    if wrong:
        yield ("unmatched" if exchange.match is None else "refusals"), wrong
    elif isinstance(exchange.match, Match) and {strictness.undocumented, strictness.deprecated} != {"off"}:
        used = list(uses(exchange.match, exchange.request))
        for part in ("undocumented", "deprecated"):
            if found := [each for each in used if (each.keyword == "deprecated") is (part == "deprecated")]:
                yield part, found


def _unused(order: Order) -> str:
    what = order.error or order.fault or (f"a stub ({order.stub.status})" if order.stub else "a delay")
    happened = f"{order.used} of {order.times} times" if order.used else "never"
    return f"unused_faults: {what} was ordered for {order.operation} and came {happened}"
