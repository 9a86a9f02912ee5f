"""Caller → may it call now? Rate windows and concurrency, from the table's `rates`; off unless enforced.

A call that is refused is not counted; a slot is taken until the answer has been sent.
"""

import functools
from collections.abc import Callable, Sequence

from mockserver.call import Match
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.rows import Rate
from mockserver.state.accounts import Account
from mockserver.state.limits import Windows, counted
from mockserver.state.world import World

Release = Callable[[], None]


def limit(match: Match, account: Account, world: World) -> Release | None:
    """Count the call; give what frees its slot, None where it has none. Raises Problem with Retry-After."""
    if not match.provider.rates or not match.operation.security or not world.enforces(account, "limits"):
        return None
    rows = [row for row in match.provider.rates if not row.operations or match.operation.id in row.operations]
    if windows := [row for row in rows if row.window_s is not None]:
        _count(match, account, world, windows)
    for row in rows:
        if row.window_s is None:
            return _slot(match, account, world, row)
    return None


def _count(match: Match, account: Account, world: World, rows: Sequence[Rate]) -> None:
    """Count the call in every window, or in none where one of them is full."""
    now_s = world.clock.now()

    def count(known: Windows | None) -> Windows:
        windows = dict(known.by_limit) if known else {}
        for row in rows:
            name, most = _bound(match, account, row)
            known_one, window_s = windows.get(name), row.window_s or 0
            windows[name], wait_s = counted(known_one, most=most, window_s=window_s, now_s=now_s)
            if wait_s:
                message = f"{name}: at most {most} calls in {window_s} s; the next may come in {wait_s} s"
                raise _refused(match, message, wait_s)
        return Windows(windows)

    world.windows.update(account.id, count)


def _slot(match: Match, account: Account, world: World, row: Rate) -> Release:
    name, most = _bound(match, account, row)
    slot = world.slots.take(account.id, most)
    if slot is None:
        raise _refused(match, f"{name}: {most} calls of this account are under way already", 1)
    return functools.partial(world.slots.give_back, slot)


def _bound(match: Match, account: Account, row: Rate) -> tuple[str, int]:
    if row.limit is not None:
        return row.limit, match.provider.limits[row.limit]
    attribute = row.plan or ""
    return attribute, match.provider.plans[account.plan or ""][attribute]


def _refused(match: Match, message: str, wait_s: int) -> Problem:
    violation = Violation("header", "", "limit", message, match.operation.row.citation)
    return Problem(ProblemType.RATE_LIMITED, (violation,), headers={"Retry-After": str(wait_s)})
