"""Time as the emulated APIs see it: real, shifted, faster, or standing still.

Every module that needs the time asks a Clock; nothing else in the program reads the machine's.
"""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from threading import Lock
from typing import NamedTuple

LATEST_S = datetime(9000, 1, 1, tzinfo=UTC).timestamp()  # later times have no ISO 8601 form
LARGEST_SCALE = 1_000_000  # eleven days in a second
FROZEN = "frozen"  # what is said where time shall stand still now


def elapsed_s() -> float:
    """Give seconds of a real clock that nobody sets; only how far two looks are apart means anything."""
    return time.monotonic()


class Moment(NamedTuple):
    """How a clock stands: `offset_s` from real time, or still at `stopped_at_s`."""

    offset_s: float
    stopped_at_s: float | None  # None: it runs


class Clock:
    """Seconds since 1970, which a test can move and stop. `scale` seconds pass in one real second."""

    __slots__ = ("_http_date", "_lock", "_stand", "changes", "scale")

    def __init__(self, *, scale: float = 1.0) -> None:
        if not 0 < scale <= LARGEST_SCALE:
            raise ValueError(
                f"the clock cannot run {scale:g} times as fast; "
                f"a time scale is more than 0, and at most {LARGEST_SCALE:,}"
            )
        self.scale = scale
        self.changes = 0  # how often it was moved, stopped or let go
        self._lock = Lock()
        self._http_date = (-1, "")  # the last second that was written, and how
        self.reset()

    @property
    def is_frozen(self) -> bool:
        """Whether time stands still."""
        return self._stand[2]

    def now(self) -> float:
        """Give the time in seconds since 1970."""
        now_s, real_s, is_frozen = self._stand
        if is_frozen:
            return now_s
        told_s = now_s + (time.monotonic() - real_s) * self.scale
        if told_s < LATEST_S:  # `min` would double what a look costs
            return told_s
        return LATEST_S

    def reset(self) -> None:
        """Show real time, and run."""
        with self._lock:
            self._place(time.time(), is_frozen=False)

    def set(self, now_s: float | None = None, *, is_frozen: bool | None = None) -> None:
        """Move to a time, stop, or go on; None leaves it. Raises ValueError for a time out of bounds."""
        with self._lock:
            at_s = self.now() if now_s is None else _bounded(now_s)
            self._place(at_s, is_frozen=self.is_frozen if is_frozen is None else is_frozen)

    def advance(self, by_s: float) -> None:
        """Move forward by seconds. Raises ValueError where they are negative or too many."""
        if by_s < 0:
            raise ValueError("the clock only advances; PUT /__admin/clock sets it back")
        with self._lock:
            self._place(_bounded(self.now() + by_s), is_frozen=self.is_frozen)

    def snapshot(self) -> dict[str, float | None]:
        """Write how it stands as JSON."""
        with self._lock:
            now_s = self.now()
            return Moment(now_s - time.time(), now_s if self.is_frozen else None)._asdict()

    @staticmethod
    def read(snapshot: Mapping[str, float | None]) -> Moment:
        """Read what `snapshot` wrote. Raises TypeError for all else, ValueError for a time out of bounds."""
        moment = Moment(**snapshot)  # type: ignore[arg-type]
        for name, value in snapshot.items():
            if type(value) not in (float, int) and (value is not None or name == "offset_s"):
                raise TypeError(f"{name} must be a number of seconds, not {value!r}")
        if moment.stopped_at_s is not None:
            _bounded(moment.stopped_at_s)
        else:  # one that runs ahead may have come to the end of time meanwhile, and stays there
            _bounded(moment.offset_s if moment.offset_s > 0 else time.time() + moment.offset_s)
        return moment

    def restore(self, moment: Moment) -> None:
        """Stand as it stood: a stopped clock at its time, a running one as far from real time as it was."""
        if moment.stopped_at_s is None:
            self.set(min(time.time() + moment.offset_s, LATEST_S), is_frozen=False)
        else:
            self.set(moment.stopped_at_s, is_frozen=True)

    def isoformat(self) -> str:
        """Write the time as ISO 8601 in UTC, to the millisecond."""
        return isoformat(self.now())

    def http_date(self) -> str:
        """Write the time as HTTP's Date header, made anew once a second."""
        now_s, (second, text) = int(self.now()), self._http_date
        if second != now_s:
            text = formatdate(now_s, usegmt=True)
            self._http_date = (now_s, text)
        return text

    def _place(self, now_s: float, *, is_frozen: bool) -> None:
        """Stand at a time from now on: in one assignment, so that whoever looks sees the one or the other."""
        self._stand = (now_s, time.monotonic(), is_frozen)
        self.changes += 1


def _bounded(now_s: float) -> float:
    if not 0 <= now_s <= LATEST_S:
        bounds = f"from {isoformat(0)} to {isoformat(LATEST_S)}"
        raise ValueError(f"{now_s:g} s is out of bounds; time runs {bounds}")
    return now_s


def isoformat(at_s: float) -> str:
    """Write seconds since 1970 as ISO 8601 in UTC.

    >>> isoformat(0)
    '1970-01-01T00:00:00.000Z'
    """
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


DURATION = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?"
)


def duration_s(value: str | float) -> float:
    """Read an ISO 8601 duration, or seconds. Raises ValueError; months and years have no fixed length.

    >>> duration_s("PT24H"), duration_s("P1DT90S"), duration_s(2.5)
    (86400.0, 86490.0, 2.5)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = {name: float(text) for name, text in found.groupdict().items() if text} if found else {}
    if not parts:
        raise ValueError(f"{value!r} is no duration; write seconds, or ISO 8601 such as PT24H or P1DT30M")
    return timedelta(**parts).total_seconds()


def moment_s(value: str | float) -> float:
    """Read a time: seconds since 1970, or ISO 8601 (UTC where no offset is given). Raises ValueError.

    >>> moment_s("1970-01-02T00:00:00Z"), moment_s(7)
    (86400.0, 7.0)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no time; write ISO 8601 such as 2026-01-31T12:00:00Z") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
