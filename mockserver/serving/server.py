"""A running server around an engine: in the foreground for the command line, or in a thread for tests."""

import asyncio
import contextlib
import functools
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import uvicorn

from mockserver.engine import Engine
from mockserver.hosts import bracketed
from mockserver.serving import THREAD
from mockserver.serving.app import ROUNDS, Shell, shared
from mockserver.serving.crowd import most_connections
from mockserver.serving.doors import Door, House, SecureDoor, speak
from mockserver.serving.ports import OwnPorts
from mockserver.serving.protocol import Protocol
from mockserver.serving.turn import Turn
from mockserver.settings import PATIENT, Timeouts

PARTS_S = 0.05  # from the end of a connection to that of the task that answers it
BACKLOG = 2048  # callers that wait to be let in
ENDINGS: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)  # what tells a server to stop
if sys.platform == "win32":
    ENDINGS = (*ENDINGS, signal.SIGBREAK)  # the one that another program can send there
SETTLES_S = 1


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"


class Gate(NamedTuple):
    """A way into a server besides its own port."""

    socket: socket.socket  # that listens
    door: Door


class Server:
    """One HTTP server for one engine. Use it as a context manager to run it in a thread.

    `port` 0 takes any free one. Raises OSError where the port is taken. Told to stop, it closes idle
    connections and leaves answers under way `patience_s`. With `tls` it speaks HTTPS; `beside` are other ways
    in, each with the socket that it listens on.

    >>> from mockserver import create_engine
    >>> with Server(create_engine()) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self,
        engine: Engine,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        patience_s: float = 1,
        timeouts: Timeouts = PATIENT,
        tls: ssl.SSLContext | None = None,
        beside: Sequence[Gate] = (),
    ) -> None:
        self.engine = engine
        plain = listening(host, port)
        self.address = Address(host, plain.getsockname()[1], "https" if tls else "http")
        gates = [Gate(plain, functools.partial(SecureDoor, tls))] if tls else []
        self._sockets = [] if tls else [plain]
        self._places = [self.address, *(Address(*each.socket.getsockname()[:2]) for each in beside)]
        shell = Shell(engine)
        most = most_connections()
        options = (shell.begin, timeouts, Turn(), most)
        config = uvicorn.Config(
            shared(shell),
            http=functools.partial(Protocol, *options),  # type: ignore[arg-type] # as good as a class
            ws="none",
            backlog=min(BACKLOG, most // 2),  # who waits to be let in is let in together
            log_config=None,  # it would write to standard error itself, and wait for whoever reads that
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=patience_s + 10 * PARTS_S,  # type: ignore[arg-type] # a float does
        )
        self._uvicorn = _Uvicorn(config, patience_s, [*gates, *beside], options)
        self._ports = OwnPorts(shell, self._uvicorn, host, listening, options[1:], tls)
        self._uvicorn.on_start = self._ports.begin
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self.address.url

    def run(self) -> None:
        """Serve in the foreground until the process is told to stop."""
        self.engine.webhooks.start()
        for place in self._places:
            self.engine.webhooks.own.add(place.host, place.port)
        self.engine.worlds.ports.begin(self._ports.open, self.address.port)
        try:
            self._uvicorn.run(sockets=self._sockets)
        finally:
            self.engine.worlds.ports.end(self._ports.open)
            self.engine.webhooks.stop()
            for place in self._places:
                self.engine.webhooks.own.remove(place.host, place.port)

    def stop(self) -> None:
        """Let `run` return soon, also when it has not begun yet."""
        self._uvicorn.should_exit = True

    def settle(self) -> None:
        """Return when all that was answered is known to every listener: an answer leaves before that."""
        loop = self._uvicorn.loop
        if loop is not None and threading.current_thread() is not self._thread:
            has_passed = threading.Event()
            with contextlib.suppress(RuntimeError):  # it has stopped
                loop.call_soon_threadsafe(_pass, loop, has_passed, ROUNDS)
                has_passed.wait(SETTLES_S)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name=THREAD, daemon=True)
        self._thread.start()
        self._uvicorn.has_started.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()


class _Uvicorn(uvicorn.Server):
    """uvicorn that says when it has started, and returns from SIGINT and SIGTERM, not raising them again."""

    def __init__(
        self, config: uvicorn.Config, patience_s: float, gates: Sequence[Gate], options: tuple[Any, ...]
    ) -> None:
        super().__init__(config)
        self.patience_s = patience_s
        self._gates, self._options = gates, options  # of the protocol
        self.has_started = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None  # None: it has not started
        self.on_start: Callable[[asyncio.AbstractEventLoop], None] = lambda _loop: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.on_start(self.loop)
        _, timeouts, _, most = self._options
        house = House(self._speak, self.server_state.connections, most, timeouts)
        for gate in self._gates:
            door = functools.partial(gate.door, house)
            opened = await self.loop.create_server(door, sock=gate.socket, backlog=self.config.backlog)
            self.servers.append(opened)
        self.has_started.set()

    def _speak(self, is_secure: bool) -> Protocol:
        """Make what speaks HTTP with a caller that came through a door."""
        return speak(self._options, self.config, self.server_state, is_secure=is_secure)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(self.patience_s, self._give_up)
        await super().shutdown(sockets)

    def _give_up(self) -> None:
        """Part from those that still wait: uvicorn would do that a little later, and log each as an error."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in self.server_state.tasks:
            asyncio.get_running_loop().call_later(PARTS_S, task.cancel)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in ENDINGS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _pass(loop: asyncio.AbstractEventLoop, has_passed: threading.Event, rounds: int) -> None:
    """Let all that is due in the event loop be done, and what follows from it."""
    if rounds:
        loop.call_soon(_pass, loop, has_passed, rounds - 1)
    else:
        has_passed.set()


def listening(host: str, port: int) -> socket.socket:
    """Listen. Raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    # What lets a server take a port that one before it has just left lets two have it at once on Windows.
    if sys.platform == "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.listen(BACKLOG)
    return listening
