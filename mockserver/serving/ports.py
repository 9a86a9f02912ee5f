"""Ports of their own for namespaces: a server that runs already listens there, too, until they are closed."""

import asyncio
import contextlib
import copy
import functools
import socket
import ssl
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import uvicorn

from mockserver.messages import Request
from mockserver.serving.app import Shell, shared
from mockserver.serving.doors import House, SecureDoor, speak
from mockserver.serving.protocol import Protocol
from mockserver.state.ports import Opened

Options = tuple[Any, ...]  # of a protocol, behind `begin`
Listen = Callable[[str, int], socket.socket]


class OwnPorts:
    """Opens ports beside that of a server, whose bounds hold for all of them together."""

    def __init__(
        self,
        shell: Shell,
        server: uvicorn.Server,
        host: str,
        listen: Listen,
        options: Options,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._shell, self._server, self._host = shell, server, host
        self._listen, self._options, self._tls = listen, options, tls
        self._loop: asyncio.AbstractEventLoop | None = None  # None: it does not run
        self._beginning = set[asyncio.Task[None]]()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open ports from now on, in the event loop of the server."""
        self._loop = loop

    def open(self, name: str) -> Opened:
        """Listen for a namespace; who calls before the event loop knows of it waits. Raises OSError."""
        if self._loop is None:
            raise OSError("the server has not started yet")
        listening = self._listen(self._host, 0)
        port, own = _OwnPort(name, listening), self._shell.engine.webhooks.own
        own.add(self._host, port.number)
        self._loop.call_soon_threadsafe(self._begin, port)
        return Opened(port.number, functools.partial(self._close, port))

    def _close(self, port: "_OwnPort") -> None:
        self._shell.engine.webhooks.own.remove(self._host, port.number)
        port.is_over = True
        with contextlib.suppress(RuntimeError):  # the server has stopped
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._end, port)
                return
        port.socket.close()

    def _begin(self, port: "_OwnPort") -> None:
        task = asyncio.get_running_loop().create_task(self._serve(port))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _serve(self, port: "_OwnPort") -> None:
        config = copy.copy(self._server.config)
        config.loaded_app = shared(self._shell, port.name)
        state = self._server.server_state

        def begin(request: Request) -> Any:
            return self._shell.begin(request._replace(namespace=port.name))

        def answer(is_secure: bool) -> Protocol:
            protocol = speak((begin, *self._options), config, state, is_secure=is_secure)
            port.connections.add(protocol)
            return protocol

        timeouts, _, most = self._options
        house = House(answer, state.connections, most, timeouts)

        def connect() -> asyncio.Protocol:
            return SecureDoor(self._tls, house) if self._tls else answer(False)

        loop = asyncio.get_running_loop()
        port.server = await loop.create_server(connect, sock=port.socket, backlog=config.backlog)
        self._server.servers.append(port.server)
        if port.is_over:
            self._end(port)

    def _end(self, port: "_OwnPort") -> None:
        """Listen no more, and part from idle callers; answers under way go on."""
        if port.server is None:  # it has not begun
            return
        port.server.close()
        with contextlib.suppress(ValueError):
            self._server.servers.remove(port.server)
        for connection in list(port.connections):
            if connection in self._server.server_state.connections:
                connection.shutdown()


class _OwnPort:
    """A port, and who calls there."""

    def __init__(self, name: str, listening: socket.socket) -> None:
        self.name, self.socket, self.number = name, listening, int(listening.getsockname()[1])
        self.server: asyncio.Server | None = None  # None: not yet
        self.is_over = False
        self.connections: WeakSet[Protocol] = WeakSet()
