"""The pages of `/__admin` of a server elsewhere, asked over one connection that stays open.

No proxy is used and no redirect followed: what is asked here goes to the server that was named, or nowhere.
"""

import http.client
import select
import threading
import weakref
from email.message import Message
from typing import NamedTuple
from urllib.parse import urlsplit

from mockserver.hosts import PORTS, bracketed
from mockserver.jsontext import Json, dump, parse

PATIENCE_S = 30
OK = 200
MARK = "mock-request-id"  # a header that no answer of ours lacks
Answer = tuple[int, Message, bytes]


class NoAnswerError(ConnectionError):
    """Raised where a server cannot be reached, or is none of ours."""


class PageError(ValueError):
    """What a page refused, and why."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title = status, title


class Place(NamedTuple):
    """Where a server is."""

    scheme: str
    host: str
    port: int
    path: str  # before all others, without a slash at its end

    @property
    def url(self) -> str:
        """As it is called."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{bracketed(self.host)}{port}{self.path}"


def read_place(url: str) -> Place:
    """Read where a server is. Raises ValueError.

    >>> read_place("http://LOCALHOST:8080/").url, read_place("https://[::1]/mock").url
    ('http://localhost:8080', 'https://[::1]/mock')
    """
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        port = -1
    host = parts.hostname or ""
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in PORTS or not host or port == -1 or not is_plain:
        raise ValueError(f"{url!r} is no URL of a server; write http://HOST:PORT")
    return Place(parts.scheme, host, port or PORTS[parts.scheme], parts.path.rstrip("/"))


class Pages:
    """Asks the pages of one server; several threads may."""

    def __init__(self, place: Place, token: str | None = None) -> None:
        self.place, self._token = place, token
        self._lock = threading.Lock()
        self._connection = self._connect()
        weakref.finalize(self, self._connection.close)

    def ask(self, method: str, path: str, said: Json = None) -> Json:
        """Ask one page. Raises PageError for what it refuses, NoAnswerError where nobody answers."""
        status, headers, body = self._exchange(method, path, b"" if said is None else dump(said))
        kind = headers.get("content-type", "")
        if MARK not in headers or "json" not in kind:
            told = f"{method} {path} was answered with {status} {kind}".strip()
            raise NoAnswerError(f"what answers at {self.place.url} is no mockserver: {told}")
        value, _ = parse(body)
        if status != OK:
            raise PageError(status, value["title"], value["detail"])
        return value

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._connection.close()

    def _exchange(self, method: str, path: str, body: bytes) -> Answer:
        headers = {"Content-Type": "application/json"} if body else {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        with self._lock:
            was_open = self._is_open()
            try:
                try:
                    return self._send(method, path, body, headers)
                except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                    if not was_open:
                        raise
                    self._connection.close()  # just now an idle one has ended: nobody has read that
                    return self._send(method, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                why = getattr(error, "strerror", None) or str(error) or type(error).__name__
                raise NoAnswerError(f"no mockserver answers at {self.place.url}: {why}") from error

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        self._connection.request(method, self.place.path + path, body or None, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def _is_open(self) -> bool:
        """Whether there is a connection; one that the server has ended is closed, and made anew later."""
        held = self._connection.sock
        if held is not None and select.select([held], [], [], 0)[0]:
            self._connection.close()
        return self._connection.sock is not None

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self.place.host, self.place.port
        if self.place.scheme == "https":
            from mockserver.tls.authority import client_context  # noqa: PLC0415 - takes its time

            return http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=client_context())
        return http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
