"""What was heard of all calls to one world: how they were answered, what they said, what was paid.

It outlives every reset, and stands in no snapshot and no store: it tells of this process, not of the world.
Calls that were alike are one entry, so that a call that is like an earlier one costs a look-up.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from threading import Lock
from typing import Any, NamedTuple

from mockserver.bounded import ENTRY_BYTES, KIB, MIB, Bounds, Usage, weigh

MOST_PUT_OFF = 64  # calls: counting some in a row takes a third of counting each when it ends
HEARD = Bounds(10_000, 5 * MIB)  # callers could make up field names without an end …
LARGEST_SHAPE, HEARD_BYTES = 4 * KIB, 500  # … and long ones; what is kept beside a likeness
MICRO = 1_000_000  # sums of whole millionths are the same in any order
Answer = tuple[str, int, str | None]  # operation, status, row of the catalogue
Read = tuple[str, tuple[tuple[str, str], ...]]  # operation, and the readings that were not as usual
Said = tuple[str, str]  # operation, and a field or a value as it is shown


class Likeness(NamedTuple):
    """What calls share that are one entry."""

    operation: str
    status: int | None  # None: no answer reached the caller
    error: str | None  # a row of the catalogue
    charge: float  # of each of them
    shape: Hashable = None  # of the request: those that share it say the same


class Heard:
    """What is known of some calls that were alike."""

    __slots__ = ("said", "times")

    def __init__(self, said: Iterable[str]) -> None:
        self.said = {*said}  # fields and values, as they are shown
        self.times = 0  # that their charge was paid; what is free is not counted


class Paid(NamedTuple):
    """What calls of one operation came to."""

    calls: int = 0
    micros: int = 0  # millionths of the provider's unit


class Tally:
    """Counts on from the start of the process, or from when it was last told to begin anew."""

    def __init__(self) -> None:
        self.lock = Lock()  # to be held while `times` changes
        self.entries: dict[tuple[object, ...], Heard] = {}  # by Likeness
        self._bytes = 0  # of the entries
        self._read: set[Read] = set()
        self._earlier: Mapping[str, Paid] = {}  # what was paid before the entries began anew
        self._put_off: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._catching_up = Lock()

    def put_off(self, count: Callable[[Any], None], told: Any) -> None:
        """Let a call be counted later: when somebody asks, or when there are some."""
        self._put_off.append((count, told))
        if len(self._put_off) >= MOST_PUT_OFF:
            self.catch_up()

    def catch_up(self) -> None:
        """Count what was put off."""
        with self._catching_up:
            for _ in range(len(self._put_off)):
                count, told = self._put_off.popleft()
                count(told)

    def add(self, likeness: Likeness, said: Iterable[str]) -> Heard:
        """Give the entry of calls of which none was heard; once there are too many, their shapes are one."""
        with self.lock:
            weight = weigh(likeness)
            is_full = len(self.entries) >= HEARD.entries or self._bytes + weight > HEARD.bytes
            if is_full or weight > LARGEST_SHAPE:
                likeness = likeness._replace(shape=None)
            if likeness not in self.entries:
                self._bytes += weigh(likeness) + ENTRY_BYTES + HEARD_BYTES
            found = self.entries.setdefault(likeness, Heard(()))
            found.said.update(said)
            return found

    @property
    def usage(self) -> Usage:
        """How many entries there are, and about how many bytes they take."""
        return Usage(len(self.entries), self._bytes)

    def note_readings(self, operation: str, chosen: tuple[tuple[str, str], ...]) -> None:
        """Note how the documents were read for a call."""
        if len(self._read) < HEARD.entries:
            self._read.add((operation, chosen))

    @property
    def read(self) -> set[Read]:
        """How the documents were read for calls."""
        self.catch_up()
        return set(self._read)

    @property
    def answers(self) -> set[Answer]:
        """Every way in which an operation was answered."""
        self.catch_up()
        likenesses = (Likeness._make(each) for each in list(self.entries))
        return {(each.operation, each.status, each.error) for each in likenesses if each.status is not None}

    @property
    def said(self) -> set[Said]:
        """Every field and value that a request has said."""
        self.catch_up()
        entries = list(self.entries.items())
        return {(Likeness._make(of).operation, said) for of, heard in entries for said in list(heard.said)}

    @property
    def paid(self) -> Mapping[str, Paid]:
        """What was paid so far, by operation."""
        self.catch_up()
        return self._paid()

    def _paid(self) -> Mapping[str, Paid]:
        found = dict(self._earlier)
        for key, heard in list(self.entries.items()):
            if heard.times:
                each = Likeness._make(key)
                calls, micros = found.get(each.operation, (0, 0))
                micros += round(each.charge * MICRO) * heard.times
                found[each.operation] = Paid(calls + heard.times, micros)
        return found

    def forget_met(self) -> None:
        """Begin anew with answers and with what was said."""
        self.catch_up()
        with self.lock:
            self._earlier, self.entries, self._read = self._paid(), {}, set()
            self._bytes = 0

    def forget_paid(self) -> None:
        """Begin anew with what was paid."""
        self.catch_up()
        with self.lock:
            self._earlier = {}
            for heard in self.entries.values():
                heard.times = 0
