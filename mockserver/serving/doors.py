"""Ways into a server: what a connection passes before HTTP is spoken with it, and how it is handed over.

A connection counts among the server's from its first moment, so that the bounds of `crowd` hold for those
that never come as far as HTTP, too.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from mockserver.serving.crowd import Standing, make_room
from mockserver.serving.protocol import Protocol
from mockserver.settings import Timeouts

PATIENCES = ("ssl_handshake_timeout", "ssl_shutdown_timeout")


class House(NamedTuple):
    """What a server lends to its doors."""

    speak: Callable[[bool], Protocol]  # makes what speaks HTTP, over TLS or not
    connections: set[Any]  # all that are open, whatever is spoken
    most: int  # connections
    timeouts: Timeouts

    def enter(self, guest: Any) -> None:
        """Count a connection, and turn others away where it is one too many."""
        self.connections.add(guest)
        make_room(self.connections, guest, self.most)

    def lead(self, guest: Any, transport: asyncio.Transport, said: bytes = b"") -> None:
        """Hand a connection over to HTTP, with what was read of it."""
        protocol = self.speak(transport.get_extra_info("sslcontext") is not None)
        self.connections.discard(guest)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if said:
            protocol.data_received(said)

    async def secure(
        self, guest: Any, transport: asyncio.Transport, context: ssl.SSLContext, said: bytearray
    ) -> None:
        """Shake hands and go on with HTTP; who speaks no TLS, or never ends with it, is parted from.

        What the guest hears until the handshake has begun stands in `said`.
        """
        porch, loop = Porch(), asyncio.get_running_loop()
        patience: dict[str, Any] = dict.fromkeys(PATIENCES, self.timeouts.head_s)
        shaking = loop.start_tls(transport, porch, context, server_side=True, **patience)
        shaken = asyncio.ensure_future(shaking)
        await asyncio.sleep(0)  # by now it has begun, and is about to hear of its connection
        loop.call_soon(_repeat, transport, said)
        inner: asyncio.Transport | None = None
        try:
            inner = await shaken
        except OSError:
            transport.abort()
        finally:
            self.connections.discard(guest)
        if inner is not None and not porch.has_ended and not inner.is_closing():
            self.lead(guest, inner, bytes(porch.said))
        elif inner is not None:
            inner.abort()


def _repeat(transport: asyncio.Transport, said: bytearray) -> None:
    """Let whoever reads now hear what was said before: uvloop may read on for a moment when told to pause."""
    reader: Any = transport.get_protocol()
    while said and not transport.is_closing():
        place = reader.get_buffer(len(said))
        size = min(len(place), len(said))
        place[:size] = said[:size]
        del said[:size]
        reader.buffer_updated(size)


Door = Callable[[House], asyncio.Protocol]


class Porch(asyncio.Protocol):
    """Keeps what comes with the end of a handshake, before anybody can read it."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.has_ended = False

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.said += data

    def eof_received(self) -> None:
        """Note that the caller has left: with TLS, both directions end together."""
        self.has_ended = True

    def connection_lost(self, _error: Exception | None) -> None:
        """Note it."""
        self.has_ended = True


class SecureDoor(asyncio.Protocol):
    """Speaks TLS with a caller."""

    transport: asyncio.Transport

    def __init__(self, context: ssl.SSLContext, house: House) -> None:
        self._context, self._house = context, house
        self._loop = asyncio.get_running_loop()
        self._began_at_s = self._loop.time()
        self._said = bytearray()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # what it is
        """Begin."""
        self.transport = transport
        transport.pause_reading()  # until there is who understands it
        self._house.enter(self)
        secured = self._house.secure(self, transport, self._context, self._said)
        self._task = self._loop.create_task(secured)

    def data_received(self, data: bytes) -> None:
        """Keep it for who understands it."""
        self._said += data

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget it."""
        self._house.connections.discard(self)

    def standing(self) -> Standing:
        """Say that nothing is owed: it has asked nothing yet."""
        return False, self._began_at_s

    def shutdown(self) -> None:
        """End with the server."""
        self.transport.abort()


class SecureProtocol(Protocol):
    """HTTP over TLS, where who ceases to send has left: event loops keep no half of such a connection."""

    def eof_received(self) -> bool:  # type: ignore[override] # as the one that it replaces
        """Write what is answered already."""
        self.answer_now()
        self.corked.flush()
        return False


def speak(options: tuple[Any, ...], config: Any, state: Any, *, is_secure: bool) -> Protocol:
    """Make what speaks HTTP with one caller, over TLS or not.

    `options` are those of our protocol, `config` and `state` are uvicorn's.
    """
    kind = SecureProtocol if is_secure else Protocol
    return kind(*options, config=config, server_state=state, app_state={})
