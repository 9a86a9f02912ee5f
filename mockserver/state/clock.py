"""Time as the emulated APIs see it: real, shifted, faster, or standing still.

Every module that needs the time asks a Clock; nothing else in the program reads the machine's.
"""

import time
from datetime import UTC, datetime
from threading import Lock


class Clock:
    """Seconds since 1970, which a test can move and stop."""

    __slots__ = ("_anchor_real_s", "_anchor_s", "_is_frozen", "_lock", "_scale")

    def __init__(self, *, scale: float = 1.0) -> None:
        self._scale = scale
        self._lock = Lock()
        self._is_frozen = False
        self._anchor_real_s = time.monotonic()
        self._anchor_s = time.time()

    @property
    def is_frozen(self) -> bool:
        """Whether time stands still."""
        return self._is_frozen

    @property
    def scale(self) -> float:
        """How many seconds pass here in one real second."""
        return self._scale

    def now(self) -> float:
        """Give the time in seconds since 1970."""
        if self._is_frozen:
            return self._anchor_s
        return self._anchor_s + (time.monotonic() - self._anchor_real_s) * self._scale

    def set(self, now_s: float | None = None, *, is_frozen: bool | None = None) -> None:
        """Move to a time, stop, or go on; what is None stays as it is."""
        with self._lock:
            current = self.now()
            self._anchor_real_s = time.monotonic()
            self._anchor_s = current if now_s is None else now_s
            if is_frozen is not None:
                self._is_frozen = is_frozen

    def advance(self, by_s: float) -> None:
        """Move forward by seconds. Raises ValueError where they are negative: time does not run back."""
        if by_s < 0:
            raise ValueError("the clock only goes forward; use PUT /__admin/clock to set it back")
        with self._lock:
            self._anchor_s += by_s

    def isoformat(self) -> str:
        """Write the time as ISO 8601 in UTC, to the millisecond."""
        return isoformat(self.now())


def isoformat(at_s: float) -> str:
    """Write seconds since 1970 as ISO 8601 in UTC.

    >>> isoformat(0)
    '1970-01-01T00:00:00.000Z'
    """
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
