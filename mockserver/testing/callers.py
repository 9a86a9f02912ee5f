"""Which line of a test made a call: found on the caller's stack while the caller waits for its answer.

It is asked as a request begins, of this thread (clients without a socket) or of whichever other thread of
this process waits within the test's file. Where that does not name one line it stays unknown.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Collection, Iterator
from types import FrameType
from typing import Any, NamedTuple

from mockserver.call import Exchange
from mockserver.state.journal import Era

MOST = 2_000  # calls of one test whose lines are kept
IDLE = threading.__file__  # who waits here for another thread has called nobody
LOOP = asyncio.base_events.__file__


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
        line = self._line(self._own(sys._getframe(1))) or self._waiting()  # noqa: SLF001 - the way to a frame
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
            line = self._line(self._in_tasks(frame)) or self._line(self._own(frame))
            if line is not None:
                found.add(line)
        return found.pop() if len(found) == 1 else None

    def _own(self, frame: FrameType | None) -> Iterator[int]:
        """Give the lines of the test's file on a stack, innermost first."""
        while frame is not None:
            if frame.f_code.co_filename in self._files:
                yield frame.f_lineno
            frame = frame.f_back

    def _in_tasks(self, frame: FrameType | None) -> Iterator[int]:
        """Give the lines that the one task of an event loop waits at, innermost first."""
        while frame is not None and frame.f_code.co_filename != LOOP:
            frame = frame.f_back
        loop = None if frame is None else frame.f_locals.get("self")
        if not isinstance(loop, asyncio.AbstractEventLoop):
            return
        with contextlib.suppress(RuntimeError):  # there are more tasks with every look
            found = [list(self._awaited(task.get_coro())) for task in asyncio.all_tasks(loop)]
            if len(tasks := [lines for lines in found if lines]) == 1:
                yield from reversed(tasks[0])

    def _awaited(self, coroutine: Any) -> Iterator[int]:
        """Give the lines of the test's file that a coroutine waits at, outermost first."""
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
            if frame is not None and frame.f_code.co_filename in self._files:
                yield frame.f_lineno
            coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)

    @staticmethod
    def _line(lines: Iterator[int]) -> Line | None:
        found = list(lines)
        return Line(found[-1], found[0]) if found else None
