"""Faults that only a socket can do: an answer that does not arrive, or not whole.

Each ends with the connection closed, or with the caller gone; none lasts longer than the server.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

from mockserver.messages import Fault, Response
from mockserver.serving.reading import Receive

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EXTENSION = "mockserver.wire"  # where the protocol puts its wire into the scope
GARBAGE = blake2b(b"mockserver").digest()  # no line of HTTP, and no chunk
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, and forgets what was not sent
PIECES = 20  # of a body that comes slowly


class Wire:
    """A connection as faults see it."""

    __slots__ = ("_transport", "is_held")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_held = False  # True: the answer may never end, so the server does not wait for it

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


async def spoil(wire: Wire, fault: Fault, response: Response, receive: Receive, send: Send) -> bool:
    """Do a fault to an answer; say whether that came to its end: False where the caller left."""
    if fault.name == "SLOW_BODY":
        return await _send_slowly(wire, fault.lasts_s, response, receive, send)
    if fault.name == "HANG":
        wire.is_held = True
        await left(receive)
        return False
    if fault.name == "CONNECTION_RESET_BY_PEER":
        wire.reset()
    elif fault.name == "MALFORMED_RESPONSE_CHUNK":
        wire.close_after(_chunked_head(response) + GARBAGE)
    else:
        wire.close_after(GARBAGE if fault.name == "RANDOM_DATA_THEN_CLOSE" else b"")
    await left(receive)
    return True


async def left(receive: Receive) -> None:
    """Wait until the connection is closed, by whomever."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def left_within(receive: Receive, delay_s: float) -> bool:
    """Wait; say whether the caller went away meanwhile."""
    try:
        async with asyncio.timeout(delay_s):
            await left(receive)
    except TimeoutError:
        return False
    return True


def start(response: Response) -> dict[str, Any]:
    """Give the message with which an answer begins."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


async def _send_slowly(wire: Wire, lasts_s: float, response: Response, receive: Receive, send: Send) -> bool:
    """Send the head at once, and the body in pieces that take `lasts_s` together."""
    body, wire.is_held = response.read(), True
    size = max(1, -(-len(body) // PIECES))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    await send(start(response))
    for index, piece in enumerate(pieces):
        if await left_within(receive, lasts_s / len(pieces)):
            return False
        await send({"type": "http.response.body", "body": piece, "more_body": index + 1 < len(pieces)})
    if not pieces:
        await send({"type": "http.response.body", "body": b""})
    wire.is_held = False
    return True


def _chunked_head(response: Response) -> bytes:
    """Write a head that promises chunks."""
    known = {status.value: status.phrase for status in HTTPStatus}
    lines = [f"HTTP/1.1 {response.status} {known.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in response.headers if name.lower() != "content-length"]
    return "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode("latin-1")
