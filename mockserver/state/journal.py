"""What happened in one world, newest last: bounded, in this process alone, begun anew by a reset."""

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterator
from threading import Lock
from typing import Generic, Protocol, TypeVar

MOST, MOST_BYTES = 1_000, 32 * 1024 * 1024
LOOK_EVERY = MOST_BYTES // 8  # bytes that come between two looks at how much there is


class Known(Protocol):
    """What can be kept."""

    @property
    def request_id(self) -> str:
        """What it is found by."""

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""


E = TypeVar("E", bound=Known)


class Era(Generic[E]):
    """What happened between two resets; what began before a reset ends in an era that nobody looks at."""

    __slots__ = ("_entries", "_lock", "_since_look", "_watchers", "numbers")

    def __init__(self, watchers: list[Callable[[], None]]) -> None:
        self.numbers = itertools.count(1)
        self._lock = Lock()
        self._entries: deque[E] = deque(maxlen=MOST)
        self._since_look = 0
        self._watchers = watchers

    def add(self, entry: E, size: int) -> None:
        """Keep the newest, of so many bytes; the oldest make room for it."""
        with self._lock:
            self._entries.append(entry)
            self._since_look += size
            if self._since_look > LOOK_EVERY:
                self._make_room()
        for watcher in self._watchers:
            watcher()

    def remove(self, ids: Collection[str]) -> None:
        """Forget some."""
        with self._lock:
            self._entries = deque((each for each in self._entries if each.request_id not in ids), MOST)

    def __iter__(self) -> Iterator[E]:
        """Go through what is kept, oldest first, as it is at this moment."""
        with self._lock:
            return iter(list(self._entries))

    def _make_room(self) -> None:
        """Forget the oldest until the others take few enough bytes; the lock is held."""
        self._since_look, weight = 0, sum(each.weight for each in self._entries)
        while weight > MOST_BYTES:
            weight -= self._entries.popleft().weight


class Journal(Generic[E]):
    """The journal of a world: its present era."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[], None]] = []
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.era: Era[E] = Era(self._watchers)

    def begin(self) -> tuple[Era[E], str]:
        """Give what a request is written into when it ends, even after a reset, and its id.

        Ids begin anew with each reset, so that the journals of two runs can be compared.
        """
        era = self.era
        return era, f"req-{next(era.numbers)}"

    def remove(self, ids: Collection[str]) -> None:
        """Forget some."""
        self.era.remove(ids)

    def __iter__(self) -> Iterator[E]:
        """Go through what is kept, oldest first, as it is at this moment."""
        return iter(self.era)

    @contextlib.contextmanager
    def watched(self, watcher: Callable[[], None]) -> Iterator[None]:
        """Let somebody be called after each new entry, on the thread that made it."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)
