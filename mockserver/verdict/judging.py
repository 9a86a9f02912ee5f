"""Judges calls when they are over, off their path: what a journal has kept is read.

Refused by the contract is a request that no account, balance, moment or earlier call could have made right.
What a test has set up itself is none of that: an ordered error, limits and credits, an account's state or
plan, an id that nobody has.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mockserver.call import Exchange, Match
from mockserver.journal.records import Record
from mockserver.problems import ProblemType, Violation
from mockserver.spec.words import MISTYPED
from mockserver.state.journal import Era
from mockserver.state.plans import Order
from mockserver.verdict.findings import Finding, Verdict
from mockserver.verdict.refusals import Wanted, came_instead
from mockserver.verdict.strictness import STRICT, Strictness
from mockserver.verdict.uses import uses

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
Kept = tuple[Era[Exchange], Exchange]
Show = Callable[[Exchange], Record]
FindLine = Callable[[Era[Exchange], str], str | None]


class Instruction(NamedTuple):
    """What calls are judged by."""

    strictness: Strictness = STRICT
    expected: Sequence[Wanted] = ()  # refusals of which each has to come
    declared: Collection[int] = ()  # the ids, as Python has them, of exchanges that were refused as declared


class Judged(NamedTuple):
    """What a judgement came to."""

    verdict: Verdict
    unmet: Sequence[Wanted]  # of the refusals that were expected


def judge(
    kept: Sequence[Kept],
    unused: Iterable[Order],
    instruction: Instruction,
    show: Show,
    find_line: FindLine | None = None,
) -> Judged:
    """Judge what a journal has kept, and the orders that were not used."""
    exchanges = [exchange for _, exchange in kept]
    unmet = [each for each in instruction.expected if not any(map(each.is_met, exchanges))]
    came = came_instead(map(show, exchanges[-LONGEST_SHOWN:])) if unmet else ""
    missing = [Finding("expected", f"expected the refusal {each}; {came}") for each in unmet]
    orders = [Finding("unused_faults", _unused(each)) for each in unused]
    found = [*missing, *_calls(kept, instruction, show, find_line), *orders]
    strictness = instruction.strictness
    looked_at = [each for each in found if getattr(strictness, each.part, "") != "off"]
    return Judged(Verdict(tuple(looked_at), strictness), unmet)


def _calls(
    kept: Sequence[Kept], instruction: Instruction, show: Show, find_line: FindLine | None
) -> Iterable[Finding]:
    """Judge every call; what was found several times is told once."""
    found: dict[object, Finding] = {}
    strictness, expected, declared = instruction
    for era, exchange in kept:
        is_declared = id(exchange) in declared or any(each.is_met(exchange) for each in expected)
        asked = (exchange, *exchange.parts)
        for part, wrong in (each for one in asked for each in _judged(one, strictness)):
            if is_declared and part != MISTYPED:  # a refusal was meant, the order that it lacks was, too
                continue
            key = (part, exchange.operation, *((each.location, each.pointer, each.message) for each in wrong))
            if known := found.get(key):
                found[key] = known._replace(times=known.times + 1)
            else:
                line = find_line and find_line(era, exchange.request_id)
                found[key] = _finding(part, wrong, exchange, show(exchange), line)
    return found.values()


def _finding(
    part: str, wrong: Sequence[Violation], exchange: Exchange, call: Record, line: str | None
) -> Finding:
    cited = {id(each): shown for each, shown in zip(exchange.violations, call.violations, strict=True)}
    return Finding(
        part=part,
        summary=f"{part}: {call}",
        violations=tuple(cited.get(id(each), each) for each in wrong),
        call=call,
        line=line,
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
