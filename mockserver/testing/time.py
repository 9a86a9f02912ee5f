"""Time as a test moves it: nothing is waited for."""

import asyncio
import threading
from collections.abc import Awaitable, Generator

from mockserver.engine import Engine
from mockserver.serving import THREAD
from mockserver.state.clock import Clock, duration_s, moment_s

really_sleep = asyncio.sleep  # before a test may have put something else in its place


class TestClock:
    """The clock of a mock: `advance` does at once all that becomes due by it, webhooks included."""

    __test__ = False  # a name that pytest would collect

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def _clock(self) -> Clock:
        return self._engine.world.clock

    def now(self) -> float:
        """Give the time in seconds since 1970."""
        return self._clock.now()

    def freeze(self, at: str | float | None = None) -> None:
        """Let time stand still: now, or at a time as ISO 8601 or in seconds since 1970."""
        self._clock.set(None if at is None else moment_s(at), is_frozen=True)

    def resume(self) -> None:
        """Let time run again."""
        self._clock.set(is_frozen=False)

    def advance(self, by: str | float) -> None:
        """Move on by seconds, or by an ISO 8601 duration such as `PT24H`."""
        self._clock.advance(duration_s(by))
        self._engine.webhooks.run_due(self._engine.world)


class Slept:
    """What `sleep` gives: nothing is left to wait for, and it may be awaited all the same."""

    def __await__(self) -> Generator[None, None, None]:
        """Give nothing, at once; in asyncio others have their turn first, as with its own sleep."""
        if _is_in_asyncio():
            yield


class Sleep:
    """Stands in for `time.sleep` and `asyncio.sleep` alike: the mock's clock moves, nothing waits."""

    def __init__(self, clock: TestClock) -> None:
        self._clock = clock

    def __call__(self, seconds: float) -> Awaitable[None]:
        """Move on by so many seconds."""
        if (
            threading.current_thread().name == THREAD
        ):  # put in asyncio's place, it is called by the server, too
            return really_sleep(seconds)
        self._clock.advance(seconds)
        return Slept()


def _is_in_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
