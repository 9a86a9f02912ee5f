"""A running server: everything put together, in the foreground for the command line or in a thread for tests.

The only home of uvicorn.
"""

import contextlib
import signal
import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.middleware.cors import CORSMiddleware

from mockserver.admin import PREFIX, Admin
from mockserver.corking import CorkedProtocol
from mockserver.downloads import Downloads
from mockserver.engine import Engine, Settings
from mockserver.fixtures import load_fixtures
from mockserver.messages import Listener
from mockserver.spec.catalog import load
from mockserver.state.clock import Clock
from mockserver.state.world import World
from mockserver.transport import Application, Receive, Scope, Send, Transport
from mockserver.webhooks import Courier

EXPOSED = ("Mock-Violations", "Preference-Applied", "Retry-After", "Allow", "ETag")


def create_engine(
    settings: Settings | None = None, spec_folders: Sequence[Path] = (), *, clock: Clock | None = None
) -> Engine:
    """Load specifications and fixtures into an engine. Raises SpecificationError."""
    settings = settings or Settings()
    catalog = load(spec_folders)
    fixtures = load_fixtures(catalog)
    world = World(
        seed=settings.seed,
        accounts=fixtures.accounts,
        fresh_accounts={name: each.keys["new_account"] for name, each in catalog.providers.items()},
        canned_pictures=fixtures.pictures,
        clock=clock,
        enforced=settings.enforced,
    )
    return Engine(catalog, world, settings)


def create_app(
    engine: Engine, listener: Listener | None = None, courier: Courier | None = None
) -> Application:
    """Put an engine, its downloads and its admin pages behind one ASGI application.

    Without a running `courier`, webhooks are sent when the clock is moved.
    """
    calls, downloads = Transport(engine, listener), Downloads(engine, listener)
    admin = Admin(engine, courier or Courier(engine)).app()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith(PREFIX):
            await admin(scope, receive, send)
        elif downloads.is_meant(path, _header(scope, b"host")):
            await downloads(scope, receive, send)
        else:
            await calls(scope, receive, send)

    everyone = ["*"]
    cors = CORSMiddleware(
        app,
        allow_origins=everyone,
        allow_methods=everyone,
        allow_headers=everyone,
        allow_private_network=True,
        expose_headers=[*EXPOSED, *_provider_headers(engine)],
    )

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # Only a browser sends Origin; everybody else is spared the way through the middleware.
        await (cors if _header(scope, b"origin") else app)(scope, receive, send)

    return entrance


def _provider_headers(engine: Engine) -> list[str]:
    """Name every header that some provider sends with every answer."""
    providers = engine.catalog.providers.values()
    return sorted({name for provider in providers for name in provider.answers.get("headers", {})})


def _header(scope: Scope, wanted: bytes) -> bytes:
    """Give the value of a header; empty where there is none."""
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return b""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The server's base URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class Server:
    """One HTTP server for one engine. Use it as a context manager to run it in a thread.

    `port` 0 takes any free one. Raises OSError where the port is taken.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        listener: Listener | None = None,
        webhook_hosts: Collection[str] = (),
    ) -> None:
        self.engine = engine
        self._courier = Courier(engine, webhook_hosts)
        self._socket = _listening(host, port)
        self.address = Address(host, self._socket.getsockname()[1])
        config = uvicorn.Config(
            create_app(engine, listener, self._courier),
            http=CorkedProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
        self._uvicorn = _Uvicorn(config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self.address.url

    def run(self) -> None:
        """Serve in the foreground until the process is told to stop."""
        self._courier.start()
        try:
            self._uvicorn.run(sockets=[self._socket])
        finally:
            self._courier.stop()

    def stop(self) -> None:
        """Let `run` return soon, also when it has not begun yet."""
        self._uvicorn.should_exit = True

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name="mockserver", daemon=True)
        self._thread.start()
        self._uvicorn.has_started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()


class _Uvicorn(uvicorn.Server):
    """uvicorn that says when it has started, and returns from SIGINT and SIGTERM instead of raising them again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.listen(2048)
    return listening
