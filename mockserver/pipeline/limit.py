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
Bounded = tuple[str, Rate, str, int]  # a row by its place, what it is called by, and the most that it allows


def limit(match: Match, account: Account, world: World) -> Release | None:
    """Count the call; give what frees its slots, None where it has none. Raises Problem with Retry-After."""
    if not match.provider.rates or not match.operation.security or not world.enforces(account, "limits"):
        return None
    rows = [
        (
            str(index),
            row,
            *_bound(match, account, row),
        )  # each counts on its own, under its place in the table
        for index, row in enumerate(match.provider.rates)
        if not row.operations or match.operation.id in row.operations
    ]
    slots: list[str] = []
    free = functools.partial(_give_back, world, slots)
    try:
        busy = _take(match, account, world, [each for each in rows if each[1].window_s is None], slots)
        if windows := [each for each in rows if each[1].window_s is not None]:
            _count(match, account, world, windows, busy)
        if busy:
            raise busy
    except Problem:
        free()
        raise
    return free if slots else None


def _count(
    match: Match, account: Account, world: World, rows: Sequence[Bounded], busy: Problem | None
) -> None:
    """Count the call in every window, or in none where one of them is full or the call is refused anyway."""
    now_s = world.clock.now()

    def count(known: Windows | None) -> Windows:
        windows = dict(known.by_limit) if known else {}
        for place, row, name, most in rows:
            window_s = row.window_s or 0
            windows[place], wait_s = counted(windows.get(place), most=most, window_s=window_s, now_s=now_s)
            if wait_s:
                message = f"{name}: at most {most} calls in {window_s} s; the next may come in {wait_s} s"
                raise _refused(match, message, wait_s)
        if busy:
            raise busy
        return Windows(windows)

    world.windows.update(account.id, count)


def _take(
    match: Match, account: Account, world: World, rows: Sequence[Bounded], slots: list[str]
) -> Problem | None:
    """Take a slot of every row; give the refusal where one has none that is free."""
    for place, _row, name, most in rows:
        slot = world.slots.take(f"{account.id}/{place}", most)
        if slot is None:
            return _refused(match, f"{name}: {most} calls of this account are under way already", 1)
        slots.append(slot)
    return None


def _give_back(world: World, slots: list[str]) -> None:
    for slot in slots:
        world.slots.give_back(slot)


def _bound(match: Match, account: Account, row: Rate) -> tuple[str, int]:
    if row.limit is not None:
        return row.limit, match.provider.limits[row.limit]
    attribute = row.plan or ""
    return attribute, match.provider.plans[account.plan or ""][attribute]


def _refused(match: Match, message: str, wait_s: int) -> Problem:
    violation = Violation("header", "", "limit", message, match.operation.row.citation)
    return Problem(ProblemType.RATE_LIMITED, (violation,), headers={"Retry-After": str(wait_s)})
