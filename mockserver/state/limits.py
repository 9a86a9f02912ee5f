"""Rate windows and concurrency slots: how much an account may do at once, and in a while.

A window begins with its first call and counts until it is over; nothing happens when it ends but that the next
call begins another.
"""

import math
from threading import Lock
from typing import NamedTuple


class Window(NamedTuple):
    """The calls of one account since a window began."""

    started_at_s: float
    calls: int


def counted(window: Window | None, *, most: int, window_s: float, now_s: float) -> tuple[Window, int]:
    """Count one call in a window, None for one that never was; give the window with the call in it, and 0.

    Where the window is full it is given as it was, with the seconds until the next one begins.
    """
    if window is None or not window.started_at_s <= now_s < window.started_at_s + window_s:
        window = Window(now_s, 0)
    if window.calls >= most:
        return window, max(1, math.ceil(window.started_at_s + window_s - now_s))
    return Window(window.started_at_s, window.calls + 1), 0


class Slots:
    """How many calls of each account are under way; not part of a snapshot, for no call outlives its process."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._lock = Lock()

    def take(self, key: str, most: int) -> bool:
        """Take a slot where one is free."""
        with self._lock:
            taken = self._taken.get(key, 0)
            if taken >= most:
                return False
            self._taken[key] = taken + 1
            return True

    def give_back(self, key: str) -> None:
        """Free a slot; one that nobody holds is free already."""
        with self._lock:
            taken = self._taken.pop(key, 0) - 1
            if taken > 0:
                self._taken[key] = taken
