"""What a protocol writes to: one system call for each answer."""

import asyncio
from typing import Any


class CorkedTransport:
    """A transport that gathers writes until the event loop's next turn; all else is the wrapped one's."""

    __slots__ = ("_held", "_loop", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
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
        """Close once everything is written."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Write what is held."""
        if not self._held:
            return
        held, self._held = self._held, []
        if not self._transport.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
