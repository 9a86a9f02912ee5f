"""What was heard of all calls to one world: answers, what was said in requests, what was paid.

It outlives every reset, and stands in no snapshot and no store: it tells of this process, not of the world.
"""

from collections.abc import Hashable, Iterable, Mapping
from threading import Lock
from typing import NamedTuple

MOST_SHAPES = 10_000  # of requests that need not be looked at again
MICRO = 1_000_000  # sums of whole millionths are the same in any order
Answer = tuple[str, int, str | None]  # operation, status, row of the catalogue
Said = tuple[str, str]  # operation, and a field or a value as it is shown


class Paid(NamedTuple):
    """What calls of one operation came to."""

    calls: int = 0
    micros: int = 0  # millionths of the provider's unit


class Tally:
    """Counts on from the start of the process, or from when it was last told to begin anew."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.forget_met()
        self.forget_paid()

    def forget_met(self) -> None:
        """Begin anew with what was met."""
        self.answers: set[Answer] = set()
        self.said: set[Said] = set()
        self.shapes: set[Hashable] = set()  # of requests whose fields and values are known

    def forget_paid(self) -> None:
        """Begin anew with what was paid."""
        self._paid: dict[tuple[str, float], int] = {}

    @property
    def paid(self) -> Mapping[str, Paid]:
        """What was paid so far, by operation."""
        found: dict[str, Paid] = {}
        for (operation, amount), times in dict(self._paid).items():
            calls, micros = found.get(operation, (0, 0))
            found[operation] = Paid(calls + times, micros + round(amount * MICRO) * times)
        return found

    def pay(self, operation: str, amount: float) -> None:
        """Add what one call cost; what is given back is negative."""
        key = (operation, amount)
        with self._lock:
            self._paid[key] = self._paid.get(key, 0) + 1

    def say(self, said: Iterable[Said], shape: Hashable | None) -> None:
        """Note what a request said, and its shape, where another request of it says just the same."""
        self.said.update(said)
        if shape is not None and len(self.shapes) < MOST_SHAPES:
            self.shapes.add(shape)
