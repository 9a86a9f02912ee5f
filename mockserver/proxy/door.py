"""The way in for callers of a proxy: to the mock, through a tunnel to a real host, or not at all.

Who is answered by the mock is handed over, connection and all, so that what goes wrong on the wire goes wrong
there; a tunnel to another process would blur it.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from mockserver.hosts import PORTS, is_far
from mockserver.proxy.heads import END, NO_SERVER, Wish, read_wish
from mockserver.proxy.rules import Rules, Way
from mockserver.proxy.tunnel import End, Tunnel
from mockserver.serving.crowd import Standing
from mockserver.serving.doors import House
from mockserver.serving.heads import LARGEST_HEAD, OVER_TLS, write_head
from mockserver.serving.transport import CorkedTransport

OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
CONNECTS_S = 10  # for a real host to take a connection
MOST_NOTED = 1_000  # places that calls wanted to reach
Tell = Callable[[Way, str, int], None]


class Log:
    """Where calls wanted to go that were turned away, and how often."""

    def __init__(self, tell: Tell | None = None) -> None:
        self.turned_away: Counter[tuple[Way, str, int]] = Counter()
        self._tell = tell

    def note(self, way: Way, host: str, port: int) -> None:
        """Note one of them."""
        place = (way, host, port)
        if place in self.turned_away or len(self.turned_away) < MOST_NOTED:
            self.turned_away[place] += 1
        if self._tell:
            self._tell(*place)


class Proxy(NamedTuple):
    """What all connections of a proxy share."""

    rules: Rules
    context: ssl.SSLContext  # for the hosts that the mock answers for
    log: Log

    def door(self, house: House) -> "ProxyDoor":
        """Make the way in of one connection."""
        return ProxyDoor(self, house)


class ProxyDoor(asyncio.Protocol):
    """Reads whom a caller wants to reach."""

    transport: asyncio.Transport

    def __init__(self, proxy: Proxy, house: House) -> None:
        self._proxy, self._house = proxy, house
        self._loop = asyncio.get_running_loop()
        self._began_at_s = self._loop.time()
        self._read = bytearray()
        self._corked: CorkedTransport | None = None  # None: it is not refused
        self._task: asyncio.Task[None] | None = None  # None: nothing has to be waited for
        self._early = bytearray()  # what comes while it is waited for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # what it is
        """Begin to read a head, which has to come soon."""
        self.transport = transport
        self._house.enter(self)
        self._timer = self._loop.call_later(self._house.timeouts.head_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read on, up to the end of a head."""
        if self._corked is not None:
            self._corked.drain(len(data))
            return
        if self._task is not None:
            self._early += data
            return
        self._read += data
        end = self._read.find(END)
        if (len(self._read) if end < 0 else end) > LARGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")
        elif end >= 0:
            head, rest = bytes(self._read[:end]), bytes(self._read[end + len(END) :])
            try:
                self._lead(read_wish(head.lstrip(b"\r\n")), rest)
            except ValueError as error:
                self._refuse(HTTPStatus.BAD_REQUEST, str(error))

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget it."""
        self._timer.cancel()
        self._house.connections.discard(self)

    def standing(self) -> Standing:
        """Say that nothing is owed: it has been answered nothing yet."""
        return False, self._began_at_s

    def shutdown(self) -> None:
        """End with the server."""
        if self._task is not None:
            self._task.cancel()
        self.transport.abort()

    def _lead(self, wish: Wish, rest: bytes) -> None:
        rules, place = self._proxy.rules, (wish.host, wish.port)
        way = rules.way(*place)
        if wish.is_direct and way is not Way.ANSWERED:
            raise ValueError(NO_SERVER)
        if way in {Way.REFUSED, Way.KEPT}:
            self._proxy.log.note(way, *place)
            self._refuse(HTTPStatus.FORBIDDEN, rules.reason(*place))
            return
        self._timer.cancel()
        self.transport.pause_reading()
        if way is Way.PASSED:
            self._task = self._loop.create_task(self._pass_on(wish, rest))
        elif not wish.is_tunnel:
            self._go_on((OVER_TLS if wish.is_secure else b"") + wish.head + rest)
        elif wish.port != PORTS["https"]:
            self.transport.write(OPENED)
            self._go_on(rest)
        else:
            self.transport.write(OPENED)
            self._early += rest
            secured = self._house.secure(self, self.transport, self._proxy.context, self._early)
            self._task = self._loop.create_task(secured)

    def _go_on(self, said: bytes) -> None:
        self._house.lead(self, self.transport, said)
        self.transport.resume_reading()

    async def _pass_on(self, wish: Wish, rest: bytes) -> None:
        """Join the caller with a real host."""
        tunnel = Tunnel(self._house, self.transport)
        end = End(tunnel)
        secure = ssl.create_default_context() if wish.is_secure else None
        try:
            async with asyncio.timeout(CONNECTS_S):
                callee, _ = await self._loop.create_connection(lambda: end, wish.host, wish.port, ssl=secure)
        except (OSError, UnicodeError) as error:
            reason = f"{wish.host}:{wish.port} cannot be reached: {error}"
            self._refuse(HTTPStatus.BAD_GATEWAY, " ".join(reason.split()))
            return
        if _leads_away(self.transport) and not _leads_away(callee):
            callee.abort()  # here its peer would be this machine, which is trusted with more than others are
            where = f"{wish.host}:{wish.port} is the proxy's own machine"
            self._refuse(HTTPStatus.FORBIDDEN, f"{where}, and only its own programs are let through to it")
            return
        self._house.connections.discard(self)
        if self.transport.is_closing():
            callee.abort()
            return
        if wish.is_tunnel:
            self.transport.write(OPENED)
        tunnel.join(callee, end, wish.head + rest + self._early)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Say no, in the status line, too: few clients show the body of a proxy's answer."""
        if self.transport.is_closing():
            return
        self._timer.cancel()
        body = f"{reason}\n".encode()
        headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body)))]
        _, _, rest = write_head(status, [*headers, ("connection", "close")]).partition(b"\r\n")
        line = f"HTTP/1.1 {status.value} {reason}\r\n".encode("ascii", "replace")
        self._corked = CorkedTransport(self.transport, self._loop, lambda: True)
        self._corked.hold(line + rest + body)
        self._corked.close()
        self.transport.resume_reading()


def _leads_away(transport: asyncio.Transport) -> bool:
    """Whether who is at the other end of a connection is another machine."""
    peer, own = (transport.get_extra_info(name) for name in ("peername", "sockname"))
    return bool(peer and own) and is_far(peer[0], own[0])
