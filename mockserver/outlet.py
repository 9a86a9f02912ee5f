"""Text for a stream that perhaps nobody reads: whoever puts some here never waits for a reader.

A thread writes it as fast as it is read. What does not fit into the queue is dropped and counted, and the
count is told where reading goes on.
"""

import io
import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

MOST_KEPT = 4 * 1024 * 1024  # bytes that wait
PIECE = 4096  # bytes that a pipe takes whole where it takes any (PIPE_BUF)
LOOKS_MS = 200  # how long one look lasts whether somebody reads
PARTING_S, PARTINGS = 0.25, 3  # how long the end waits for a reader that takes nothing, and for one that does


class Outlet:
    """A bounded queue before a stream, and the thread that empties it."""

    # `stream` is None where the process has none; `told` puts a number of dropped lines into words.
    def __init__(self, stream: TextIO | None, told: Callable[[int], str]) -> None:
        self._stream, self._told = stream or io.StringIO(), told
        self._descriptor = _descriptor(self._stream)
        self._encoding = self._stream.encoding or "utf-8"
        self._queue: deque[bytes] = deque()
        self._size = 0  # bytes in the queue
        self._untold = 0  # lines dropped since the last time that it was told
        self._changed = threading.Condition()
        self._is_over, self._is_broken = False, stream is None
        self.dropped = 0  # lines, in all
        self._thread = threading.Thread(target=self._write_on, name="mockserver-outlet", daemon=True)
        self._thread.start()

    @property
    def is_broken(self) -> bool:
        """Whether nobody can ever read any more."""
        return self._is_broken

    def put(self, text: str, lines: int = 1) -> None:
        """Take some whole lines, or drop them where too much waits."""
        data = text.encode(self._encoding, "backslashreplace")
        with self._changed:
            if self._is_broken:
                return
            if self._size + len(data) > MOST_KEPT:
                self.lose(lines)
                return
            self._tell()
            self._append(data)
            self._changed.notify()

    def lose(self, lines: int) -> None:
        """Count lines that were dropped, here or before they were written."""
        self._untold += lines
        self.dropped += lines

    def close(self) -> None:
        """Write what waits, as long as somebody reads it; then end."""
        with self._changed:
            self._is_over = True
            if not self._is_broken:
                self._tell()
            self._changed.notify()
        for _ in range(PARTINGS):
            before = self._size
            self._thread.join(PARTING_S)
            if self._size == before:
                break

    def _tell(self) -> None:
        if self._untold:
            self._append(f"{self._told(self._untold)}\n".encode(self._encoding, "backslashreplace"))
            self._untold = 0

    def _append(self, data: bytes) -> None:
        self._queue.append(data)
        self._size += len(data)

    def _write_on(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._queue or self._is_over)
                    if not self._queue:
                        return
                    data = self._queue.popleft()
                self._write(data)
        except (OSError, ValueError):  # nobody reads any more
            with self._changed:
                self._is_broken, self._size = True, 0
                self._queue.clear()

    def _write(self, data: bytes) -> None:
        if sys.platform == "win32" or self._descriptor is None:  # Windows cannot ask whether a pipe is read
            self._stream.write(data.decode(self._encoding))
            self._stream.flush()
            self._size -= len(data)
            return
        rest, ready = memoryview(data), select.poll()
        ready.register(self._descriptor, select.POLLOUT)
        while rest:
            if ready.poll(LOOKS_MS):
                try:
                    written = os.write(self._descriptor, rest[:PIECE])
                except BlockingIOError:  # somebody else who has this pipe was quicker
                    continue
                rest = rest[written:]
                with self._changed:
                    self._size -= written


class OutletHandler(logging.Handler):
    """Logs into an outlet."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record into words, and those into the queue."""
        text = self.format(record)
        self._outlet.put(f"{text}\n", text.count("\n") + 1)


def _descriptor(stream: TextIO) -> int | None:
    """Give what the system writes to; None for a stream that only this process knows."""
    try:
        return stream.fileno()
    except (io.UnsupportedOperation, ValueError):
        return None
