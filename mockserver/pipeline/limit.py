"""Caller → may it call now? Rate windows and concurrency, from the table's `rates`; off unless enforced.

A call that is refused is not counted; a slot is taken until the answer has been sent. Where limits are not
enforced, calls are counted only for an API whose answers tell how many are left.
"""

import functools
from collections.abc import Callable, Sequence

from mockserver.call import Match
from mockserver.jsontext import Json, MalformedJsonError, parse
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.model import Provider
from mockserver.spec.rows import Rate
from mockserver.state.accounts import Account
from mockserver.state.limits import COUNTS, Windows
from mockserver.state.world import World

Release = Callable[[], None]
Placed = Sequence[tuple[str, Rate]]  # rows by their places
MOST_KEPT = 1_000  # operations whose rows are found once


def limit(match: Match, account: Account, world: World, body: bytes = b"") -> Release | None:
    """Count the call; give what frees its slots, None where it has none. Raises Problem with Retry-After.

    `body` is read where a row counts by one of its fields, before anybody knows whether it is JSON.
    """
    if not match.provider.rates or not match.operation.security:
        return None
    if not world.enforces(account, "limits"):
        told = match.provider.credits
        if told is not None and told.headers_tell == "calls":
            windows, _ = _rows(match.provider, match.operation.id)
            _count(match, account, world, windows, None, body, is_lenient=True)
        return None
    windows, at_once = _rows(match.provider, match.operation.id)
    slots: list[str] = []
    try:
        busy = _take(match, account, world, at_once, slots) if at_once else None
        if windows or busy:
            _count(match, account, world, windows, busy, body)
    except BaseException:
        _give_back(world, slots)
        raise
    return functools.partial(_give_back, world, slots) if slots else None


@functools.lru_cache(MOST_KEPT)
def _rows(provider: Provider, operation_id: str) -> tuple[Placed, Placed]:
    """Give the rows for an operation, with windows and without; each counts under its place in the table."""
    rows = [(str(index), row) for index, row in enumerate(provider.rates)]
    own = [each for each in rows if not each[1].operations or operation_id in each[1].operations]
    windows = [each for each in own if each[1].window_s is not None]
    return windows, [each for each in own if each[1].window_s is None]


def _count(
    match: Match,
    account: Account,
    world: World,
    rows: Placed,
    busy: Problem | None,
    body: bytes,
    *,
    is_lenient: bool = False,
) -> None:
    """Count the call in every window, or in none where one of them is full or the call is refused anyway."""
    now_s = world.clock.now()

    def count(known: Windows | None) -> Windows:
        windows = dict(known.by_limit) if known else {}
        for place, row in rows:
            (name, most), window_s = _bound(match, account, row), row.window_s or 0
            count_one = COUNTS[row.ends]
            weight = _weight(match, row.times, body, most) if row.times else 1
            windows[place], wait_s = count_one(windows.get(place), weight, most, window_s, now_s)
            if wait_s and not is_lenient:
                what = f"calls, each counted by its {row.times}," if row.times else "calls"
                message = f"{name}: at most {most} {what} in {window_s} s; the next may come in {wait_s} s"
                raise _refused(match, row, message, wait_s)
        if busy:
            raise busy
        return Windows(windows)

    world.windows.update(account.id, count)


def _weight(match: Match, field: str, body: bytes, most: int) -> int:
    """Say for how many a call counts: for what a field of its body says, or 1 where that cannot be."""
    try:
        said: Json = parse(body)[0]
    except MalformedJsonError:
        return 1
    default = match.operation.defaults.get(field)
    value = said.get(field, default) if isinstance(said, dict) else default
    return int(value) if isinstance(value, int | float) and 1 <= value <= most else 1


def _take(match: Match, account: Account, world: World, rows: Placed, slots: list[str]) -> Problem | None:
    """Take a slot of every row; give the refusal where one has none that is free."""
    for place, row in rows:
        name, most = _bound(match, account, row)
        slot = world.slots.take(f"{account.id}/{place}", most)
        if slot is None:
            return _refused(match, row, f"{name}: {most} calls of this account are under way already", 1)
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


def _refused(match: Match, row: Rate, message: str, wait_s: int) -> Problem:
    violation = Violation("header", "", "limit", message, match.provider.citations.get(row.citation, ""))
    return Problem(ProblemType.RATE_LIMITED, (violation,), headers={"Retry-After": str(wait_s)})
