"""Caller → may it call now? Rate windows and concurrency, from the table's `rates`; off unless enforced.

A call that is refused is not counted; a slot is taken until the answer has been sent.
"""

from collections.abc import Callable

from mockserver.call import Match
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.state.accounts import Account
from mockserver.state.limits import count_call
from mockserver.state.world import World

Release = Callable[[], None]


def limit(match: Match, account: Account, world: World) -> Release | None:
    """Count the call; give what frees its slot, None where it has none. Raises Problem with Retry-After."""
    if not match.provider.rates or not match.operation.security or not world.enforces(account, "limits"):
        return None
    release: Release | None = None
    for row in match.provider.rates:
        if "operations" in row and match.operation.id not in row["operations"]:
            continue
        plan = match.provider.plans.get(account.plan or "", {})
        most = match.provider.limits[row["limit"]] if "limit" in row else plan[row["plan"]]
        if "window_s" in row:
            _count(match, account, world, most, row["window_s"], row.get("limit") or row["plan"])
        elif world.slots.take(account.id, most):
            release = lambda: world.slots.give_back(account.id)  # noqa: E731 - a name would say no more
        else:
            raise _refused(match, f"{most} calls of this account are under way already", 1)
    return release


def _count(match: Match, account: Account, world: World, most: int, window_s: float, name: str) -> None:
    with world.lock:
        key = f"{account.id}/{name}"
        wait_s = count_call(world.windows, key, most=most, window_s=window_s, now_s=world.clock.now())
    if wait_s is not None:
        raise _refused(match, f"{name}: at most {most} calls in {window_s} s; the next may come in {wait_s} s", wait_s)


def _refused(match: Match, message: str, wait_s: int) -> Problem:
    violation = Violation("header", "", "limit", message, match.operation.row.source)
    return Problem(ProblemType.RATE_LIMITED, (violation,), headers={"Retry-After": str(wait_s)})
