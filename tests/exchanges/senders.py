"""The ways in which an exchange reaches an engine: by a call in this process, or over a real socket.

Every way takes the same words and gives the same answer, so that the files do not know which one is used.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

import httpx
import requests

from mockserver import Engine, Request, Server
from mockserver.testing.adapter import EngineAdapter
from mockserver.testing.transports import EngineTransport


class Sender(Protocol):
    """Sends one request; `host` is its Host header, and so the address in the links that come back."""

    @property
    def host(self) -> str:
        """The address that is really the engine's."""

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, host: str
    ) -> httpx.Response: ...


@dataclass(frozen=True, slots=True)
class CallSender:
    """Calls the engine."""

    engine: Engine
    host: str = "localhost"

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, host: str
    ) -> httpx.Response:
        path, _, query = path.partition("?")
        sent = {name.lower(): value for name, value in headers.items()} | {"host": host}
        response = self.engine.handle(Request(method, unquote(path), sent, query, body))
        return httpx.Response(response.status, headers=response.headers, content=response.read())


@dataclass(frozen=True, slots=True)
class SocketSender:
    """Writes to the socket of a server, always on one kept-alive connection."""

    client: httpx.Client
    host: str

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, host: str
    ) -> httpx.Response:
        sent = {name: value.strip() for name, value in headers.items()} | {"Host": host}
        return self.client.request(method, f"http://{self.host}{path}", headers=sent, content=body)


@dataclass(frozen=True, slots=True)
class TransportSender:
    """Sends with httpx to a transport that has no socket."""

    client: httpx.Client
    host: str = "localhost"

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, host: str
    ) -> httpx.Response:
        url = f"http://{self.host}{path}"
        return self.client.request(method, url, headers={**headers, "Host": host}, content=body)


@dataclass(frozen=True, slots=True)
class AdapterSender:
    """Sends with requests to an adapter that has no socket."""

    session: requests.Session
    host: str = "localhost"

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, host: str
    ) -> httpx.Response:
        prepared = requests.Request(method, f"http://{self.host}").prepare()
        # As they are: requests would tidy them.
        prepared.url, prepared.body = f"http://{self.host}{path}", body
        prepared.headers.clear()
        prepared.headers.update({**headers, "Host": host})
        response = self.session.send(prepared)
        return httpx.Response(response.status_code, headers=dict(response.headers), content=response.content)


@contextmanager
def in_process(engine: Engine) -> Iterator[Sender]:
    yield CallSender(engine)


@contextmanager
def over_a_socket(engine: Engine) -> Iterator[Sender]:
    with Server(engine) as server, httpx.Client(timeout=30) as client:
        client.headers.clear()  # an exchange says itself what it sends
        yield SocketSender(client, server.url.removeprefix("http://"))


@contextmanager
def by_httpx(engine: Engine) -> Iterator[Sender]:
    with httpx.Client(transport=EngineTransport(engine)) as client:
        client.headers.clear()
        yield TransportSender(client)


@contextmanager
def by_requests(engine: Engine) -> Iterator[Sender]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", EngineAdapter(engine))
        yield AdapterSender(session)


SENDERS: dict[str, Callable[[Engine], AbstractContextManager[Sender]]] = {
    "in process": in_process,
    "over a socket": over_a_socket,
    "by httpx without a socket": by_httpx,
    "by requests without a socket": by_requests,
}
