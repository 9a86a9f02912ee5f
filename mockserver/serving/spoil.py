"""Faults that only a socket can do: an answer that does not arrive, or not whole.

Each ends with the connection closed, or with the caller gone; none lasts longer than the server.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from hashlib import blake2b
from typing import Any, NamedTuple

from mockserver.messages import SLOW_BODY, Fault, Response
from mockserver.serving.heads import write_head
from mockserver.serving.reading import Receive
from mockserver.serving.room import Place

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EXTENSION = "mockserver.wire"  # where the protocol puts its wire into the scope
GARBAGE = blake2b(b"mockserver").digest()  # no line of HTTP, and no chunk
# SO_LINGER: closing sends RST, and forgets what was not sent.
RESET_AT_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
SHORT_S = 0.3  # a pause that a server which ends waits for
PIECES = 20  # of a body that comes slowly


class Wire:
    """A connection as faults see it."""

    __slots__ = ("_transport", "is_half_closed", "is_held", "is_waited_on", "place")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_held = False  # True: the answer may never end, so the server does not wait for it
        self.is_waited_on = False  # True: a caller who sends no more has left
        self.place: Place | None = None  # of the body that is read; None: there was none yet
        self.is_half_closed = False  # True: the caller sends no more, and has its answer all the same

    @property
    def is_kept_waiting(self) -> bool:
        """Whether it is others who keep the caller from sending."""
        return self.place is not None and self.place.is_waiting

    def close_after(self, data: bytes = b"") -> None:
        """Send these bytes as they are, and nothing else."""
        if data:
            self._transport.write(data)
        self._transport.close()

    def reset(self) -> None:
        """Close with RST."""
        wired = self._transport.get_extra_info("socket")
        wired.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        self._transport.abort()


class Way(NamedTuple):
    """An answer with a fault, and the way back to its caller."""

    wire: Wire
    fault: Fault
    response: Response
    receive: Receive
    send: Send


Spoiler = Callable[[Way], Awaitable[bool]]


async def spoil(wire: Wire, fault: Fault, response: Response, receive: Receive, send: Send) -> bool:
    """Do a fault to an answer; say whether that came to its end: False where the caller left."""
    return await SPOILERS[fault.name](Way(wire, fault, response, receive, send))


async def wait_for_leaving(receive: Receive) -> None:
    """Wait until the connection is closed, by whomever."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def leaves_within(receive: Receive, delay_s: float, wire: Wire | None) -> bool:
    """Wait; say whether the caller went away meanwhile. A server that ends does not wait for a long pause."""
    was_held = wire is not None and wire.is_held
    if wire:
        wire.is_waited_on = True
        wire.is_held = was_held or delay_s > SHORT_S
    try:
        async with asyncio.timeout(delay_s):
            await wait_for_leaving(receive)
    except TimeoutError:
        return False
    finally:
        if wire:
            wire.is_waited_on, wire.is_held = False, was_held
    return True


def write_start(response: Response) -> dict[str, Any]:
    """Give the message with which an answer begins."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


async def _send_slowly(way: Way) -> bool:
    """Send the head at once, and the body in pieces that take as long as the fault lasts together."""
    wire, body = way.wire, way.response.read()
    wire.is_held = True
    size = max(1, -(-len(body) // PIECES))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    await way.send(write_start(way.response))
    for index, piece in enumerate(pieces):
        if await leaves_within(way.receive, way.fault.lasts_s / len(pieces), wire):
            return False
        await way.send({"type": "http.response.body", "body": piece, "more_body": index + 1 < len(pieces)})
    if not pieces:
        await way.send({"type": "http.response.body", "body": b""})
    wire.is_held = False
    return True


async def _hang(way: Way) -> bool:
    way.wire.is_held = True
    if way.wire.is_half_closed:  # nobody would notice the caller's leaving
        way.wire.close_after()
    await wait_for_leaving(way.receive)
    return False


async def _reset(way: Way) -> bool:
    way.wire.reset()
    await wait_for_leaving(way.receive)
    return True


def _send_and_close(write: Callable[[Response], bytes]) -> Spoiler:
    """Make a fault of other bytes in an answer's place."""

    async def send_and_close(way: Way) -> bool:
        way.wire.close_after(write(way.response))
        await wait_for_leaving(way.receive)
        return True

    return send_and_close


def _chunked_head(response: Response) -> bytes:
    """Write a head that promises chunks."""
    kept = [each for each in response.headers if each[0].lower() != "content-length"]
    return write_head(response.status, [*kept, ("Transfer-Encoding", "chunked")])


# What each of the WIRE_FAULTS does; it says whether that came to its end.
SPOILERS: Mapping[str, Spoiler] = {
    "EMPTY_RESPONSE": _send_and_close(lambda _response: b""),
    "MALFORMED_RESPONSE_CHUNK": _send_and_close(lambda response: _chunked_head(response) + GARBAGE),
    "RANDOM_DATA_THEN_CLOSE": _send_and_close(lambda _response: GARBAGE),
    "CONNECTION_RESET_BY_PEER": _reset,
    "HANG": _hang,
    SLOW_BODY: _send_slowly,
}
