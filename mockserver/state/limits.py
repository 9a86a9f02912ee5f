"""Rate windows and concurrency slots: how much an account may do at once, and in a while.

A window begins with its first call and counts until it is over; nothing happens when it ends but that the
next call begins another.
"""

import math
from collections.abc import Mapping

from mockserver.state.collection import Collection
from mockserver.state.values import Count, Time, Value

RESETS = "resets"  # the counter of how often a world was reset


class Window(Value, frozen=True):
    """The calls of one account since a window began."""

    started_at_s: Time
    calls: Count


class Windows(Value, frozen=True):
    """All windows of one account, in one value: a call counts in all of them, or in none."""

    by_limit: Mapping[str, Window]  # by the place of its row in `rates`


def count_call(window: Window | None, *, most: int, window_s: float, now_s: float) -> tuple[Window, int]:
    """Count one call in a window, None for one that never was; give the window with the call in it, and 0.

    Where the window is full it is given as it was, with the seconds until the next one begins.
    """
    if window is None or not window.started_at_s <= now_s < window.started_at_s + window_s:
        window = Window(now_s, 0)
    if window.calls >= most:
        return window, max(1, math.ceil(window.started_at_s + window_s - now_s))
    return Window(window.started_at_s, window.calls + 1), 0


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
