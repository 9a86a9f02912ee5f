"""What happened in one world, newest last: bounded, in this process alone, begun anew by a reset."""

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from threading import Lock
from typing import Generic, Protocol, TypeVar

from mockserver.bounded import MIB, Bounds, Usage

MOST = Bounds(1_000, 16 * MIB)
MOST_ENTRIES, MOST_BYTES = MOST
MOST_HELD = 100  # resets whose calls are kept where somebody holds the journal


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

    __slots__ = ("_entries", "_lock", "_watchers", "bytes", "looks", "numbers")

    def __init__(self, watchers: list[Callable[[], None]]) -> None:
        self.numbers, self.looks = itertools.count(1), itertools.count(1)
        self._lock = Lock()
        self._entries: deque[tuple[E, int]] = deque()  # each with its weight
        self.bytes = 0
        self._watchers = watchers

    def add(self, entry: E) -> None:
        """Keep the newest; the oldest make room for it."""
        weight = entry.weight
        with self._lock:
            entries = self._entries
            entries.append((entry, weight))
            held = self.bytes + weight
            while held > MOST_BYTES or len(entries) > MOST_ENTRIES:
                held -= entries.popleft()[1]
            self.bytes = held
        for watcher in self._watchers:
            watcher()

    def remove(self, ids: Collection[str]) -> list[E]:
        """Forget some; give them."""
        with self._lock:
            removed = [each for each, _ in self._entries if each.request_id in ids]
            self._entries = deque(pair for pair in self._entries if pair[0].request_id not in ids)
            self.bytes = sum(weight for _, weight in self._entries)
        return removed

    @property
    def usage(self) -> Usage:
        """How many entries there are, and about how many bytes they take."""
        return Usage(len(self._entries), self.bytes)

    def __iter__(self) -> Iterator[E]:
        """Go through what is kept, oldest first, as it is at this moment."""
        with self._lock:
            return iter([entry for entry, _ in self._entries])


Witness = Callable[[Era[E], str], None]  # of an era, and the id of a request that begins


class Journal(Generic[E]):
    """The journal of a world: its present era."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[], None]] = []
        self._witness: Witness[E] | None = None
        self._past: deque[tuple[Era[E], Iterable[E]]] = deque(maxlen=0)
        self.era: Era[E] = Era(self._watchers)

    def reset(self) -> None:
        """Begin anew."""
        self._past.append((self.era, self.era))
        self.era = Era(self._watchers)

    def begin(self, *, is_look: bool = False) -> tuple[Era[E], str]:
        """Give what a request is written into when it ends, even after a reset, and its id.

        Ids begin anew with each reset, so that the journals of two runs can be compared; looks at
        ourselves, of which there may be any number (is it healthy? has it come?), are numbered apart.
        """
        era = self.era
        tag = f"admin-{next(era.looks)}" if is_look else f"req-{next(era.numbers)}"
        if self._witness is not None:
            self._witness(era, tag)
        return era, tag

    def remove(self, ids: Collection[str]) -> None:
        """Forget some."""
        era = self.era
        self._past.append((era, era.remove(ids)))

    def __iter__(self) -> Iterator[E]:
        """Go through what is kept, oldest first, as it is at this moment."""
        return iter(self.era)

    @property
    def usage(self) -> Usage:
        """How many entries there are, and about how many bytes they take."""
        return self.era.usage

    def everything(self) -> list[tuple[Era[E], E]]:
        """Give what is kept, oldest first, each with its era; while it is held, what was forgotten, too."""
        return [(era, each) for era, entries in [*self._past, (self.era, self.era)] for each in entries]

    @contextlib.contextmanager
    def held(self, witness: "Witness[E] | None" = None) -> Iterator[None]:
        """Forget nothing in a reset; `witness` is told of each request as it begins, on its thread."""
        self._past, self._witness = deque(maxlen=MOST_HELD), witness
        try:
            yield
        finally:
            self._past, self._witness = deque(maxlen=0), None

    @contextlib.contextmanager
    def watched(self, watcher: Callable[[], None]) -> Iterator[None]:
        """Let somebody be called after each new entry, on the thread that made it."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)
