"""What a protocol writes to: one system call for each answer, and an end that the caller lives to read."""

import asyncio
from collections.abc import Callable
from typing import Any

# Whoever is told no in the middle of its body sends on: closed at once, its system would forget the answer
# (RFC 9112, 9.6). So what still comes is read and dropped, up to these bounds.
MOST_DRAINED = 128 * 1024 * 1024  # bytes
LINGERS_S, LOOKS = 2, 15  # after so long without a byte it is over, and after so many looks in any case


class CorkedTransport:
    """A transport that gathers writes until the event loop's next turn; all else is the wrapped one's."""

    __slots__ = (
        "_held", "_looks", "_loop", "_seen", "_still_comes", "_transport",
        "is_closing", "is_lingering", "left",
    )  # fmt: skip

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, still_comes: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._still_comes = still_comes  # whether the caller is in the middle of something
        self._held: list[bytes] = []
        self.left = self._seen = MOST_DRAINED  # of one body
        self._looks = LOOKS
        self.is_lingering = False  # True: all is written, and what comes is dropped
        self.is_closing = transport.is_closing  # asked for every answer

    def write(self, data: bytes) -> None:
        """Hold data until the next turn."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)

    def hold(self, data: bytes) -> None:
        """Hold data until somebody flushes."""
        self._held.append(data)

    def close(self) -> None:
        """Close once everything is written, and not before the caller can have read it."""
        self.flush()
        if self.is_lingering or self._transport.is_closing() or not self._still_comes():
            self._transport.close()
            return
        self.is_lingering, self.is_closing = True, _always
        self._transport.resume_reading()
        if self._transport.can_write_eof():  # TLS has no half of an end
            self._transport.write_eof()
        self._loop.call_later(LINGERS_S, self._look)

    def end(self) -> None:
        """Close once everything is written, whatever still comes."""
        self.flush()
        self._transport.close()

    def drain(self, size: int) -> None:
        """Drop what came, as long as that has bounds."""
        self.left -= size
        if self.left < 0:
            self._transport.abort()

    def let_go(self) -> None:
        """Forget whose it is: its connection is over."""
        self._still_comes = _never

    def flush(self) -> None:
        """Write what is held."""
        if not self._held:
            return
        held, self._held = self._held, []
        if not self.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def _look(self) -> None:
        self._looks -= 1
        if self.left == self._seen or not self._looks:
            self._transport.abort()
        elif not self._transport.is_closing():
            self._seen = self.left
            self._loop.call_later(LINGERS_S, self._look)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _always() -> bool:
    return True


def _never() -> bool:
    return False
