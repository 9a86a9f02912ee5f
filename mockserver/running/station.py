"""The mock with all its ways in: by HTTP, by HTTPS, and by a proxy that answers for the providers."""

import functools
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from mockserver.engine import Engine
from mockserver.links import provider_hosts
from mockserver.proxy.door import Log, Proxy, Tell
from mockserver.proxy.rules import Rules
from mockserver.serving.doors import SecureDoor
from mockserver.serving.server import Gate, Server, listening
from mockserver.settings import PATIENT, Timeouts
from mockserver.tls.authority import Authority

HERE = ("localhost", "127.0.0.1", "::1")


def known_names(engine: Engine, *own: str) -> list[str]:
    """Give the names by which a mock is called: this machine's, the providers' and the public ones."""
    public = (urlsplit(url).hostname or "" for url in engine.settings.all_public_urls)
    hosts = provider_hosts(engine.catalog.providers.values())
    return [each for each in (*HERE, *own, socket.gethostname(), *sorted(hosts), *public) if each]


class Station:
    """One engine and what listens for it; `server` runs it. Raises OSError, ValueError, AuthorityError."""

    def __init__(
        self,
        engine: Engine,
        authority: Authority,
        *,
        passed: Iterable[str] = (),
        live: Iterable[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        timeouts: Timeouts = PATIENT,
        tell: Tell | None = None,
    ) -> None:
        self.rules = Rules.of(provider_hosts(engine.catalog.providers.values()), passed, live)
        self.authority, self.log = authority, Log(tell)
        context = authority.server_context(known_names(engine, host))
        proxy = listening(host, port)
        secure = listening("127.0.0.1", 0)
        self.proxy_port, self.tls_port = proxy.getsockname()[1], secure.getsockname()[1]
        known = Proxy(self.rules, context, self.log)
        gates = [Gate(proxy, known.door), Gate(secure, functools.partial(SecureDoor, context))]
        self.server = Server(engine, beside=gates, timeouts=timeouts)
