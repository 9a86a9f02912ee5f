"""The ways in which an exchange reaches an engine: by a call in this process, or over a real socket.

Every way takes the same words and gives the same answer, so that the files do not know which one is used.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Protocol
from urllib.parse import unquote

import httpx
import requests

from mockserver import Engine, Request, Server
from mockserver.testing.adapter import EngineAdapter
from mockserver.testing.transports import EngineTransport

BODIED = {"POST", "PUT", "PATCH"}  # verbs that say of a body that it is empty


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
    """Writes to the socket of a server, on one connection as long as the server keeps it."""

    connection: HTTPConnection
    host: str

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, host: str
    ) -> httpx.Response:
        sent = {"Host": host, **{name: value.strip() for name, value in headers.items()}}
        target = httpx.URL(f"http://{self.host}{path}").raw_path.decode()
        self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        if (body or method in BODIED) and "content-length" not in map(str.lower, sent):
            sent["Content-Length"] = str(len(body))
        for name, value in sent.items():
            self.connection.putheader(name, value)
        self.connection.endheaders(body)
        response = self.connection.getresponse()
        return httpx.Response(response.status, headers=response.getheaders(), content=response.read())


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
    with Server(engine) as server:
        host = server.url.removeprefix("http://")
        with closing(HTTPConnection(host, timeout=30)) as connection:
            yield SocketSender(connection, host)


@contextmanager
def by_httpx(engine: Engine) -> Iterator[Sender]:
    with httpx.Client(transport=EngineTransport(engine)) as client:
        client.headers.clear()  # an exchange says itself what it sends
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
