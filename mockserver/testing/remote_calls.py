"""Which calls were made in a world elsewhere: its server knows them, and says how they differ."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from mockserver.journal.reading import read_record
from mockserver.journal.records import Record
from mockserver.testing.pages import PageError
from mockserver.testing.time import really_sleep
from mockserver.testing.waiting import Waited
from mockserver.testing.world_pages import WorldPages
from mockserver.verdict.verification import Expected, Step

SHORTEST_S, LONGEST_S = 0.01, 0.32  # between two looks at what has come


class RemoteCalls:
    """Asks the journal of one world."""

    def __init__(self, pages: WorldPages) -> None:
        self._pages = pages

    def calls(
        self, operation: str | None = None, *, status: int | None = None, account: str | None = None
    ) -> list[Record]:
        """Give the calls so far, newest last. Raises LookupError for an unknown operation."""
        named = {"operation": operation, "status": status, "account": account}
        query = urlencode({name: value for name, value in named.items() if value is not None})
        try:
            found = self._pages.ask("GET", f"/requests?{query}" if query else "/requests")
        except PageError as error:
            raise LookupError(str(error)) from None
        return self._read(found)

    def assert_called(self, operation: str, n: int | None, expected: Expected) -> list[Record]:
        """Raise AssertionError unless there was such a call, or just `n` of them; give them."""
        __tracebackhide__ = True
        return self._verify("called", operation=operation, times=n, expected=expected)

    def assert_called_once_with(self, operation: str, expected: Expected) -> Record:
        """Raise AssertionError unless there was just one call, and it was such a one; give it."""
        __tracebackhide__ = True
        return self._verify("called_once_with", operation=operation, expected=expected)[0]

    def assert_not_called(self, operation: str | None) -> None:
        """Raise AssertionError where there was a call."""
        __tracebackhide__ = True
        self._verify("not_called", operation=operation)

    def assert_sequence(self, steps: Sequence[Step]) -> list[Record]:
        """Raise AssertionError unless the calls were these alone."""
        __tracebackhide__ = True
        return self._verify("sequence", steps=list(steps))

    def wait_for(self, operation: str, n: int, timeout_s: float) -> Waited:
        """Wait until there were `n` calls; a running event loop runs on. Raises AssertionError."""
        __tracebackhide__ = True
        said = {"operation": operation, "times": n, "within": timeout_s}
        self._ask("arrived", said)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._wait(said, timeout_s)
        waited = Waited()
        waited.pending = self._wait_in_loop(said, timeout_s)
        return waited

    def _wait(self, said: Mapping[str, Any], timeout_s: float) -> Waited:
        __tracebackhide__ = True
        ends_s, pause_s, never = time.perf_counter() + timeout_s, SHORTEST_S, threading.Event()
        while not (found := self._ask("arrived", said))["met"]:
            left_s = ends_s - time.perf_counter()
            if left_s <= 0:
                raise AssertionError(found["message"])
            never.wait(min(pause_s, left_s))  # whoever tests may have put something else for time.sleep
            pause_s = min(2 * pause_s, LONGEST_S)
        return Waited(self._read(found))

    async def _wait_in_loop(self, said: Mapping[str, Any], timeout_s: float) -> Waited:
        ends_s, pause_s = time.perf_counter() + timeout_s, SHORTEST_S
        while not (found := await asyncio.to_thread(self._ask, "arrived", said))["met"]:
            left_s = ends_s - time.perf_counter()
            if left_s <= 0:
                raise AssertionError(found["message"])
            await really_sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, LONGEST_S)
        return Waited(self._read(found))

    def _verify(self, kind: str, **said: Any) -> list[Record]:
        __tracebackhide__ = True
        found = self._ask(kind, said)
        if not found["met"]:
            raise AssertionError(found["message"])
        return self._read(found)

    def _ask(self, kind: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self._pages.ask("POST", "/requests/verify", {"assert": kind, **said})
        except PageError as error:
            if error.title == "Unknown operation":
                raise LookupError(str(error)) from None
            raise
        return found

    def _read(self, found: Mapping[str, Any]) -> list[Record]:
        return [read_record(each, self._pages.lead) for each in found["requests"]]
