"""Two connections joined: what comes from one goes to the other, as fast as that one takes it."""

import asyncio
import socket

from mockserver.serving.crowd import Standing
from mockserver.serving.doors import House
from mockserver.serving.spoil import RESET_AT_CLOSE

IDLE_S = 600  # after so long without a byte, in either direction, both are ended


class Tunnel:
    """Both directions, and how long nothing came."""

    def __init__(self, house: House, caller: asyncio.Transport) -> None:
        self._house, self.transport = house, caller
        self._loop = asyncio.get_running_loop()
        self._active_at_s = self._loop.time()
        self._ends: tuple[End, End] | None = None
        self._is_half_over = False  # one of them has nothing more to say

    def join(self, callee: asyncio.Transport, end: "End", said: bytes) -> None:
        """Join the caller, who has said something already, with whom it wanted."""
        near = End(self, self.transport)
        near.other, end.other = callee, self.transport
        self._ends = near, end
        self.transport.set_protocol(near)
        self._house.enter(self)
        if said:
            callee.write(said)
        for each in (self.transport, callee):
            each.resume_reading()
        self._look()

    def note(self) -> None:
        """Note that something came."""
        self._active_at_s = self._loop.time()

    def is_over(self) -> bool:
        """Note that one of them has nothing more to say; say whether that is true of both now."""
        was_half_over, self._is_half_over = self._is_half_over, True
        return was_half_over

    def standing(self) -> Standing:
        """Say since when it is silent."""
        return True, self._active_at_s

    def leave(self) -> None:
        """Count no more among the connections."""
        self._house.connections.discard(self)

    def shutdown(self) -> None:
        """End both."""
        self.leave()
        for end in self._ends or ():
            if end.other is not None:
                end.other.abort()

    def _look(self) -> None:
        left_s = self._active_at_s + IDLE_S - self._loop.time()
        if self not in self._house.connections:
            return
        if left_s > 0:
            self._loop.call_later(left_s, self._look)
        else:
            self.shutdown()


class End(asyncio.Protocol):
    """One end of a tunnel."""

    other: asyncio.Transport | None = None  # None: the other is not there yet

    def __init__(self, tunnel: Tunnel, transport: asyncio.Transport | None = None) -> None:
        self._tunnel, self._transport = tunnel, transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # what it is
        """Read nothing before there is somebody to hand it to."""
        self._transport = transport
        transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Hand it on."""
        self._tunnel.note()
        if self.other is not None:
            self.other.write(data)

    def eof_received(self) -> bool:
        """Hand on that nothing more comes; the other direction goes on, where that can be."""
        if (
            self.other is None
            or self._tunnel.is_over()
            or self._is_secure()
            or not self.other.can_write_eof()
        ):
            return False
        self.other.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """End the other one in the same way."""
        if self.other is not None and not self.other.is_closing():
            if isinstance(error, ConnectionResetError):
                wired = self.other.get_extra_info("socket")
                wired.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                self.other.abort()
            else:
                self.other.close()
        self._tunnel.leave()

    def pause_writing(self) -> None:
        """Read no more of what this end cannot take."""
        if self.other is not None:
            self.other.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        if self.other is not None and not self.other.is_closing():
            self.other.resume_reading()

    def _is_secure(self) -> bool:
        return self._transport is not None and self._transport.get_extra_info("sslcontext") is not None
