"""Time as a test moves it: nothing is waited for."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from typing import Any, Protocol, TypeVar

from mockserver.engine import Engine
from mockserver.serving import THREAD
from mockserver.state.clock import duration_s, moment_s

T = TypeVar("T")
really_sleep = asyncio.sleep  # before a test may have put something else in its place


class Clock(Protocol):
    """The clock of a mock: moving it does at once all that becomes due by that, webhooks included."""

    def now(self) -> float:
        """Give the time in seconds since 1970."""

    def freeze(self, at: str | float | None = None) -> None:
        """Let time stand still: now, or at a time as ISO 8601 or in seconds since 1970."""

    def resume(self) -> None:
        """Let time run again."""

    def advance(self, by: str | float) -> None:
        """Move on by seconds, or by an ISO 8601 duration such as `PT24H`."""


class TestClock:
    """The clock of a mock in this process."""

    __test__ = False  # a name that pytest would collect

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self) -> float:
        """Give the time in seconds since 1970."""
        return self._engine.world.clock.now()

    def freeze(self, at: str | float | None = None) -> None:
        """Let time stand still: now, or at a time as ISO 8601 or in seconds since 1970."""
        self._set(None if at is None else moment_s(at), is_frozen=True)

    def resume(self) -> None:
        """Let time run again."""
        self._set(is_frozen=False)

    def advance(self, by: str | float) -> None:
        """Move on by seconds, or by an ISO 8601 duration such as `PT24H`."""
        self._engine.webhooks.advance_clock(self._engine.world, duration_s(by))

    def _set(self, now_s: float | None = None, *, is_frozen: bool) -> None:
        self._engine.webhooks.set_clock(self._engine.world, now_s, is_frozen=is_frozen)


class Slept(Coroutine[None, None, T]):
    """What `sleep` gives: nothing is left to wait for, and it may be awaited, made a task or dropped."""

    def __init__(self, result: T) -> None:
        self._steps = _let_others(result)

    def __await__(self) -> Generator[None, None, T]:
        """Give the result at once; in asyncio others have their turn first, as with its own sleep."""
        return self._steps

    def send(self, value: None) -> None:
        """Go on; a task does this."""
        self._steps.send(value)

    def throw(self, *error: Any) -> None:
        """End with an error, as a task that is cancelled does."""
        self._steps.throw(*error)

    def close(self) -> None:
        """End."""
        self._steps.close()


class Sleep:
    """Stands in for `time.sleep` and `asyncio.sleep` alike: the mock's clock moves, nothing waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, seconds: float, result: Any = None) -> Coroutine[Any, Any, Any]:
        """Move on by so many seconds; whoever awaits that gets `result`."""
        if threading.current_thread().name == THREAD:
            # Put in asyncio's place, it is called by the server, too.
            return really_sleep(seconds, result)
        self._clock.advance(seconds)
        return Slept(result)


def _let_others(result: T) -> Generator[None, None, T]:
    if _is_in_asyncio():
        yield
    return result


def _is_in_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
