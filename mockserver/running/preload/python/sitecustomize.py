"""What Python loads before a program of `mockserver run`: connections to providers' hosts lead to the mock.

Most clients heed HTTPS_PROXY; this is for those that do not (aiohttp, `trust_env=False`). It runs in any
Python since 3.8, knows nothing of mockserver, and loads nothing that the program does not load itself.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # type checkers know it by its name; the module typing takes its time
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

FAKE = "127.77.83.{}"  # what a name resolves to: libraries look a name up, and connect to that a step later


class Told:
    """What MOCKSERVER_RUN says; read once somebody connects."""

    def __init__(self) -> None:
        import json  # noqa: PLC0415 - every start of Python would pay for it

        told = json.loads(os.environ["MOCKSERVER_RUN"])
        self.hosts = told["hosts"]  # that the mock answers for
        self.domains = tuple(told["domains"])  # of the providers: what lies in them stays here
        self.live = told["live"]  # but these
        self.ports = {443: told["tls"], 80: told["plain"]}
        self.certificate = told["certificate"]
        self.report = told["report"]
        self.fakes = {host: FAKE.format(number) for number, host in enumerate(self.hosts, start=1)}
        self.names = {fake: host for host, fake in self.fakes.items()}

    def is_kept(self, name: str) -> bool:
        """Whether a host is a provider's, and not one that the mock answers for."""
        if name in self.fakes or name in self.live or "*" in self.live:
            return False
        return name in self.domains or name.endswith(tuple("." + each for each in self.domains))

    def keep(self, name: str, port: object) -> str:
        """Report a call that would have left; give the sentence for whoever made it."""
        opened = os.open(self.report, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(opened, f"{name} {port}\n".encode())
        finally:
            os.close(opened)
        return f"mockserver run lets no call out to a provider's own {name}:{port}"

    def lead(self, host: object, port: object) -> tuple[str, int] | None:
        """Say where a connection leads instead; None: where it always did. Raises ConnectionRefusedError."""
        name = read(host)
        name = self.names.get(name, name)
        if name in self.fakes and port in self.ports:
            return "127.0.0.1", self.ports[int(str(port))]
        if name in self.fakes or self.is_kept(name):
            raise ConnectionRefusedError(111, self.keep(name, port))
        return None


def read(host: object) -> str:
    """Read a host as it is compared."""
    text = host.decode("latin-1") if isinstance(host, (bytes, bytearray)) else host
    return text.rstrip(".").lower() if isinstance(text, str) else ""


def lead_sockets(socket: ModuleType) -> None:
    """Let the module `socket` find and connect to the mock."""
    told = Told()

    def found(call: Callable[..., Any]) -> Callable[..., Any]:
        def find(host: Any, *args: Any, **kwargs: Any) -> Any:
            name = read(host)
            if told.is_kept(name):
                port = args[0] if args else kwargs.get("port", "?")
                raise socket.gaierror(socket.EAI_NONAME, told.keep(name, port))
            return call(told.fakes.get(name, host), *args, **kwargs)

        return find

    def connected(call: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: Any, address: Any) -> Any:
            led = told.lead(*address[:2]) if isinstance(address, tuple) and len(address) > 1 else None
            return call(self, led or address)

        return connect

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, found(getattr(socket, name)))
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, connected(getattr(socket.socket, name)))


def trust(ssl: ModuleType) -> None:
    """Let every context that trusts anybody trust the mock, too: some clients bring roots of their own."""
    told, context = Told(), ssl.SSLContext
    load = context.load_verify_locations

    def trusting(call: Callable[..., Any]) -> Callable[..., Any]:
        def trusted(self: Any, *args: Any, **kwargs: Any) -> Any:
            given = call(self, *args, **kwargs)
            if os.path.exists(told.certificate):  # the run may be over
                load(self, told.certificate)
            return given

        return trusted

    for name in ("load_verify_locations", "load_default_certs", "set_default_verify_paths"):
        setattr(context, name, trusting(getattr(context, name)))


def lead_uvloop(uvloop: ModuleType) -> None:
    """Let uvloop, which looks names up and connects by itself, do the same."""
    told, loop = Told(), uvloop.Loop
    find, connect = loop.getaddrinfo, loop.create_connection

    async def getaddrinfo(self: Any, host: Any, port: Any, **options: Any) -> Any:
        name = read(host)
        if told.is_kept(name):
            raise OSError(told.keep(name, port))
        return await find(self, told.fakes.get(name, host), port, **options)

    async def create_connection(
        self: Any, factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        led = told.lead(host, port)
        if led is not None:
            if options.get("ssl") and options.get("server_hostname") is None:
                options["server_hostname"] = told.names.get(host, host)
            host, port = led
        return await connect(self, factory, host, port, **options)

    loop.getaddrinfo, loop.create_connection = getaddrinfo, create_connection


def use_sockets(resolver: ModuleType) -> None:
    """Let aiohttp find names with `socket`, not with a library of its own."""
    setattr(resolver, "DefaultResolver", resolver.ThreadedResolver)  # noqa: B010 - which no module has


CHANGES = {"socket": lead_sockets, "ssl": trust, "uvloop": lead_uvloop, "aiohttp.resolver": use_sockets}


class Changed:
    """A module's loader, which changes the module once it is loaded."""

    def __init__(self, loader: Any, change: Callable[[ModuleType], None]) -> None:
        self._loader, self._change = loader, change

    def create_module(self, spec: Any) -> Any:
        """Leave that to the loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load the module and change it; nobody sees this loader afterwards."""
        spec = module.__spec__
        if spec is not None:
            module.__loader__ = spec.loader = self._loader
        self._loader.exec_module(module)
        self._change(module)


class Finder:
    """Finds the modules that are to be changed."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        """Find a module as Python does, and see to it that it is changed."""
        if name not in CHANGES:
            return None
        import importlib.machinery  # noqa: PLC0415 - as above

        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = Changed(spec.loader, CHANGES[name])  # type: ignore[assignment] # as good as one
        return spec


def begin() -> None:
    """Change what is loaded already, and be there for the rest."""
    for name, change in CHANGES.items():
        if name in sys.modules:
            change(sys.modules[name])
    sys.meta_path.insert(0, Finder)


def go_on() -> None:
    """Load the `sitecustomize` that this one stands before."""
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [each for each in sys.path if os.path.abspath(each) != own]
    this = sys.modules.pop("sitecustomize")
    try:
        __import__("sitecustomize")  # the next one of this name
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this


if __name__ == "sitecustomize":
    if "MOCKSERVER_RUN" in os.environ:
        begin()
    go_on()
