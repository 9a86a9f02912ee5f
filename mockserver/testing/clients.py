"""How client libraries connect; replaced so that what they make to a provider's host leads to a mock, no TLS.

Only the connection is another one: clients, sessions and pools keep the URL that they were given.
"""

import functools
import importlib
import inspect
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from mockserver.serving.heads import write_preface
from mockserver.testing.guard import Replacement


class Lead(NamedTuple):
    """Where connections lead instead, and into which world there."""

    host: str
    port: int
    namespace: str = ""  # empty: the default world


class Detour:
    """Where connections lead instead, and those that are open."""

    def __init__(self, lead: Lead) -> None:
        self.address = lead[:2]
        # What a connection begins with, by whether its caller believes that it speaks TLS.
        self.prefaces = [write_preface(lead.namespace, is_over_tls=each) for each in (False, True)]
        self._open: list[Any] = []  # sockets, or what an event loop shows of them

    def keep(self, connection: Any) -> None:
        """Note an open connection."""
        self._open = [each for each in self._open if each.fileno() >= 0] + [connection]

    def end(self) -> None:
        """End what is open, so that no pool goes on with it; a client that goes on connects anew."""
        for each in self._open:
            with suppress(OSError, TypeError):  # over already; uvloop lets nobody do it
                each.shutdown(socket.SHUT_RDWR)


Find = Callable[[str], Detour | None]  # by host


def replacements(find: Find) -> Iterator[Replacement]:
    """Give what makes the connections of every library that is installed."""
    for module, owner, name, wrap in CONNECTORS:
        with suppress(ImportError):
            found = getattr(importlib.import_module(module), owner, None)
            if found is not None:
                yield Replacement(found, name, functools.partial(wrap, find))


def _connect(find: Find, connect: Callable[..., Any], *, is_secure: bool) -> Callable[..., Any]:
    """http.client and urllib3: a connection that connects itself, through a proxy's tunnel or without one."""

    @functools.wraps(connect)
    def detoured(self: Any) -> None:
        detour = find(getattr(self, "_tunnel_host", None) or self.host)
        if detour is None:
            connect(self)
            return
        self.sock = socket.create_connection(detour.address, self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        detour.keep(self.sock)
        if preface := detour.prefaces[is_secure]:
            self.sock.sendall(preface)
        if is_secure:
            self.is_verified = True  # urllib3 warns of a connection that is not

    return detoured


def _connect_tcp(find: Find, connect_tcp: Callable[..., Any]) -> Callable[..., Any]:
    """httpcore: a backend that gives streams, which turn to TLS later; its calls may be awaited."""

    @functools.wraps(connect_tcp)
    def detoured(self: Any, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        detour = find(host)
        if detour is None:
            return connect_tcp(self, host, port, *args, **kwargs)

        def kept(stream: Any) -> Any:
            def start_tls(*_args: Any, **kwargs: Any) -> Any:
                return _then(stream.write(detour.prefaces[True], kwargs.get("timeout")), lambda _: stream)

            detour.keep(stream.get_extra_info("socket"))
            stream.start_tls = start_tls
            preface = detour.prefaces[False]  # whether TLS follows is not known yet
            return _then(stream.write(preface), lambda _: stream) if preface else stream

        return _then(connect_tcp(self, *detour.address, *args, **kwargs), kept)

    return detoured


def _then(made: Any, go_on: Callable[[Any], Any]) -> Any:
    """Go on with what was made: at once, or when it is awaited where it has to be."""
    if not inspect.isawaitable(made):
        return go_on(made)

    async def later() -> Any:
        result = go_on(await made)
        return await result if inspect.isawaitable(result) else result

    return later()


def _past_proxy(find: Find, create_connection: Callable[..., Any]) -> Callable[..., Any]:
    """httpcore: a proxy's pool; what it would tunnel to a provider is connected to as its base class does."""

    @functools.wraps(create_connection)
    def detoured(self: Any, origin: Any) -> Any:
        if find(origin.host.decode()) is None:
            return create_connection(self, origin)
        pool: Any = next(each for each in type(self).__mro__ if each.__name__.endswith("ConnectionPool"))
        return pool.create_connection(self, origin)

    return detoured


def _create_connection(find: Find, create_connection: Callable[..., Any]) -> Callable[..., Any]:
    """aiohttp: a connector that makes protocols."""

    @functools.wraps(create_connection)
    async def detoured(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        detour = find(request.url.raw_host or "")
        if detour is None:
            return await create_connection(self, request, *args, **kwargs)
        transport, protocol = await self._loop.create_connection(self._factory, *detour.address)
        detour.keep(transport.get_extra_info("socket"))
        if preface := detour.prefaces[request.is_ssl()]:
            transport.write(preface)
        return protocol

    return detoured


_plain, _secure = functools.partial(_connect, is_secure=False), functools.partial(_connect, is_secure=True)
CONNECTORS: tuple[tuple[str, str, str, Callable[..., Callable[..., Any]]], ...] = (
    ("http.client", "HTTPConnection", "connect", _plain),
    ("http.client", "HTTPSConnection", "connect", _secure),
    ("urllib3.connection", "HTTPConnection", "connect", _plain),
    ("urllib3.connection", "HTTPSConnection", "connect", _secure),
    ("aiohttp.connector", "TCPConnector", "_create_connection", _create_connection),
    *(
        (f"{httpcore}{module}", owner, name, wrap)
        for httpcore in ("httpcore", "httpcore2")
        for module, owner, name, wrap in (
            ("._backends.sync", "SyncBackend", "connect_tcp", _connect_tcp),
            ("._backends.auto", "AutoBackend", "connect_tcp", _connect_tcp),
            ("", "HTTPProxy", "create_connection", _past_proxy),
            ("", "AsyncHTTPProxy", "create_connection", _past_proxy),
        )
    ),
)
