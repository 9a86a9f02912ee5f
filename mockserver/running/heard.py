"""What a run is counted and judged by: every call's operation and status, and the newest calls themselves.

What was refused or odd is kept longer than what was not, for that is what a run is judged by.
"""

from collections import Counter, deque
from collections.abc import Iterator

from mockserver.admin.routes import NAME as ADMIN
from mockserver.bounded import MIB, Bounds
from mockserver.call import Exchange
from mockserver.journal.keeping import LARGEST_KEPT, shorten

USUAL = Bounds(5_000, 32 * MIB)
ODD = Bounds(2_000, 32 * MIB)
MOST_COUNTED = 10_000  # operations with a status


class Heard:
    """Hears of the exchanges of all worlds, on the thread that ended them."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self._usual, self._odd = Shelf(USUAL), Shelf(ODD)
        self._number = 0

    def __call__(self, exchange: Exchange) -> None:
        """Note an exchange."""
        if exchange.operation == ADMIN:
            return
        status = exchange.response.status if exchange.response else 0
        counted = (exchange.operation or f"{exchange.request.method} {exchange.request.path}", status)
        if counted in self.counts or len(self.counts) < MOST_COUNTED:
            self.counts[counted] += 1
        self._number += 1
        is_odd = exchange.match is None or any(each.violations for each in (exchange, *exchange.parts))
        (self._odd if is_odd else self._usual).add(self._number, _kept(exchange))

    def __iter__(self) -> Iterator[Exchange]:
        """Go through what is kept, oldest first."""
        both = sorted([*self._odd.entries, *self._usual.entries], key=lambda each: each[0])
        return (exchange for _, exchange in both)


class Shelf:
    """The newest exchanges, as many as fit."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.entries: deque[tuple[int, Exchange]] = deque()
        self._bytes = 0

    def add(self, number: int, exchange: Exchange) -> None:
        """Keep one; the oldest make room for it."""
        self.entries.append((number, exchange))
        self._bytes += exchange.weight
        while self._bytes > self._bounds.bytes or len(self.entries) > self._bounds.entries:
            _, oldest = self.entries.popleft()
            self._bytes -= oldest.weight


def _kept(exchange: Exchange) -> Exchange:
    """Give an exchange as it is kept: with no long body, nor what a body says as values."""
    response = exchange.response
    size = len(response.read()) if response else 0
    if max(exchange.request.size, size) > LARGEST_KEPT:
        return shorten(exchange)
    return exchange._replace(arguments=None)
