"""Waits for calls in this process: whoever waits is woken by each, on a thread or in an event loop."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Generator
from typing import Any

from mockserver.call import Exchange
from mockserver.journal.records import Record
from mockserver.state.journal import Journal
from mockserver.verdict.verification import Verification


class Waited(list[Record]):
    """What `wait_for` gives: the calls; inside an event loop it has to be awaited for them."""

    pending: Coroutine[Any, Any, "Waited"] | None = None

    def __await__(self) -> Generator[Any, Any, "Waited"]:
        """Wait, where that is still to be done."""
        return (yield from self.pending.__await__()) if self.pending else self


class Waiting:
    """Waits for the calls that a journal keeps."""

    def __init__(self, journal: Journal[Exchange], verification: Verification) -> None:
        self._journal, self._verification = journal, verification

    def wait_for(self, operation: str, n: int, timeout_s: float) -> Waited:
        """Wait until there were `n` calls; a running event loop runs on. Raises AssertionError."""
        __tracebackhide__ = True
        self._verification.count(operation)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._wait(operation, n, timeout_s)
        waited = Waited()
        waited.pending = self._wait_in_loop(operation, n, timeout_s)
        return waited

    def _wait(self, operation: str, n: int, timeout_s: float) -> Waited:
        changed, ends_s = threading.Event(), time.perf_counter() + timeout_s
        with self._journal.watched(changed.set):
            while self._verification.count(operation) < n:
                if not changed.wait(max(0.0, ends_s - time.perf_counter())):
                    raise AssertionError(self._verification.late(operation, n, timeout_s))
                changed.clear()
        return Waited(self._verification.calls(operation))

    async def _wait_in_loop(self, operation: str, n: int, timeout_s: float) -> Waited:
        changed, loop = asyncio.Event(), asyncio.get_running_loop()

        def notify() -> None:  # on whatever thread a call has ended
            loop.call_soon_threadsafe(changed.set)

        with self._journal.watched(notify):
            try:
                async with asyncio.timeout(timeout_s):
                    while self._verification.count(operation) < n:
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                raise AssertionError(self._verification.late(operation, n, timeout_s)) from None
        return Waited(self._verification.calls(operation))
