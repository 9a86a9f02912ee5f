"""Rate windows and concurrency slots: how much an account may do at once, and in a while.

A window begins with its first call and counts until it is over; nothing happens when it ends but that the
next call begins another. Others end when nobody has called for as long, or let go of each call on its own.
"""

import math
from collections.abc import Callable, Mapping

from mockserver.state.collection import Collection
from mockserver.state.values import Count, Time, Value

WINDOW_BYTES, TIME_BYTES = 300, 36
RESETS = "resets"  # the counter of how often a world was reset


class Window(Value, frozen=True):
    """The calls of one account since a window began."""

    started_at_s: Time
    calls: Count
    times_s: tuple[Time, ...] = ()  # of each call, where each is let go of on its own


class Windows(Value, frozen=True):
    """All windows of one account, in one value: a call counts in all of them, or in none."""

    by_limit: Mapping[str, Window]  # by the place of its row in `rates`

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes."""
        times = sum(len(each.times_s) for each in self.by_limit.values())
        return WINDOW_BYTES * (1 + len(self.by_limit)) + TIME_BYTES * times


def count_after_first(
    window: Window | None, weight: int, most: int, window_s: float, now_s: float
) -> tuple[Window, int]:
    """Count a call for as many as its weight, in a window that is over some time after its first call.

    `window` is None where there never was one. Give the window with the call in it, and 0; where it is full,
    as it was, with the seconds until the next one begins.
    """
    if window is None or not window.started_at_s <= now_s < window.started_at_s + window_s:
        window = Window(now_s, 0)
    if window.calls + weight > most:
        return window, _wait_s(window.started_at_s + window_s - now_s)
    return Window(window.started_at_s, window.calls + weight), 0


def count_after_last(
    window: Window | None, weight: int, most: int, window_s: float, now_s: float
) -> tuple[Window, int]:
    """Count a call likewise, in a window that is over when no call was let through for as long."""
    window, wait_s = count_after_first(window, weight, most, window_s, now_s)
    return (window, wait_s) if wait_s else (Window(now_s, window.calls), 0)


def count_call_by_call(
    window: Window | None, weight: int, most: int, window_s: float, now_s: float
) -> tuple[Window, int]:
    """Count a call likewise, where each is let go of on its own, so long after it came."""
    known = window.times_s if window else ()
    times_s = tuple(each for each in known if now_s - window_s < each <= now_s)
    excess = len(times_s) + weight - most
    if excess > 0:
        first_s = times_s[min(excess, len(times_s)) - 1] if times_s else now_s
        return Window(now_s, len(times_s), times_s), _wait_s(first_s + window_s - now_s)
    times_s += (now_s,) * weight
    return Window(times_s[0], len(times_s), times_s), 0


def _wait_s(seconds: float) -> int:
    return max(1, math.ceil(seconds))


Counting = Callable[[Window | None, int, int, float, float], tuple[Window, int]]
COUNTS: Mapping[str, Counting] = {  # by when a window ends
    "after_first": count_after_first,
    "after_last": count_after_last,
    "call_by_call": count_call_by_call,
}


class Slots:
    """How many calls of an account are under way, by limit; in no snapshot: none outlives its process."""

    def __init__(self, taken: Collection[int], counters: Collection[int]) -> None:
        self._taken = taken
        self._counters = counters

    def take(self, holder: str, most: int) -> str | None:
        """Take a slot of a holder, an account under one limit, if one is free; give its name, else None."""
        # Calls from before a reset give back slots of then, which are nobody's any more.
        slot = f"{self._counters.get(RESETS) or 0}/{holder}"
        if self._taken.increment(slot) <= most:
            return slot
        self._taken.increment(slot, -1)
        return None

    def give_back(self, slot: str) -> None:
        """Free a slot that was taken."""
        self._taken.increment(slot, -1)
