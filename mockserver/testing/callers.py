"""Which line of a test made a call: found on the caller's stack while the caller waits for its answer.

It is asked as a request begins, of this thread (clients without a socket) or of whichever other thread of
this process waits within the test's file. Where that does not name one line it stays unknown.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Collection, Iterable, Iterator
from types import FrameType
from typing import Any, NamedTuple

from mockserver.call import Exchange
from mockserver.state.journal import Era

MOST = 2_000  # calls of one test whose lines are kept
IDLE = threading.__file__  # who waits here for another thread has called nobody
LOOP = asyncio.base_events.__file__
PYTEST = f"{os.sep}_pytest{os.sep}"  # in the names of its files


class Line(NamedTuple):
    """A line of a test, and the one that it led to within the same file."""

    number: int
    inner: int

    def __str__(self) -> str:
        return f"{self.number}" if self.number == self.inner else f"{self.number} by way of line {self.inner}"


class Callers:
    """Notes the line that each call of one test came from."""

    def __init__(self, files: Collection[str]) -> None:
        self._files = frozenset(files)
        self._lines: dict[tuple[int, str], Line] = {}  # by era and id

    def __call__(self, era: Era[Exchange], tag: str) -> None:
        """Note whose request begins."""
        line = self._find(_stack(sys._getframe(1))) or self._waiting()  # noqa: SLF001 - the way to a frame
        if line is None:
            return
        if len(self._lines) >= MOST:
            del self._lines[next(iter(self._lines))]
        self._lines[id(era), tag] = line

    def find(self, era: Era[Exchange], tag: str) -> Line | None:
        """Give the line of a call; None where it is not known."""
        return self._lines.get((id(era), tag))

    def _waiting(self) -> Line | None:
        """Find the line of the one thread that waits for an answer."""
        this, found = threading.get_ident(), set[Line]()
        for thread, frame in sys._current_frames().items():  # noqa: SLF001 - documented, for debuggers
            if thread == this or frame.f_code.co_filename == IDLE:
                continue
            line = self._in_tasks(frame) or self._find(_stack(frame))
            if line is not None:
                found.add(line)
        return found.pop() if len(found) == 1 else None

    def _in_tasks(self, frame: FrameType) -> Line | None:
        """Find the line that the one task of an event loop waits at."""
        running = next((each for each in _stack(frame) if each.f_code.co_filename == LOOP), None)
        loop = None if running is None else running.f_locals.get("self")
        if not isinstance(loop, asyncio.AbstractEventLoop):
            return None
        found: list[Line | None] = []
        with contextlib.suppress(RuntimeError):  # there are more tasks with every look
            found = [self._find(reversed(_awaited(task.get_coro()))) for task in asyncio.all_tasks(loop)]
        lines = [each for each in found if each]
        return lines[0] if len(lines) == 1 else None

    def _find(self, frames: Iterable[FrameType]) -> Line | None:
        """Give where frames, innermost first, are in the test's file."""
        inner = outer = None
        for frame in frames:
            if frame.f_code.co_filename in self._files:
                outer = frame
                inner = inner or frame
        return Line(outer.f_lineno, inner.f_lineno) if outer and inner else None


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    """Give the frames of a stack, innermost first, up to those of pytest itself."""
    while frame is not None and PYTEST not in frame.f_code.co_filename:
        yield frame
        frame = frame.f_back


def _awaited(coroutine: Any) -> list[FrameType]:
    """Give the frames that a coroutine waits at, outermost first."""
    found = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        found += [frame] if frame is not None else []
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return found
