"""What crosses the border of the emulator: a request and a response, free of ASGI.

Both are plain frozen values, so the same emulator runs behind a socket, inside a test process and in a loop.
They are named tuples, as in `call`: a frozen dataclass takes three times as long to make, ten times a call.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]
JSON_TYPE = ("Content-Type", "application/json")
PROBLEM_TYPE = ("Content-Type", "application/problem+json")  # of what the emulator itself says (RFC 9457)


class Request(NamedTuple):
    """One HTTP request as the engine sees it.

    >>> Request("GET", "/v2/pikzonality", {"host": "localhost"}, query="kind=style").body
    b''
    """

    method: str
    path: str  # percent-decoded, without the query
    headers: Mapping[str, str]  # names in lower case
    query: str = ""  # still encoded, without "?"
    body: bytes = b""
    scheme: str = "http"
    is_cut_off: bool = False  # True: the body was larger than the server takes


class Response(NamedTuple):
    """One HTTP response.

    >>> Response(200, (), lambda: b"drawn").read()
    b'drawn'
    """

    status: int
    headers: Headers
    body: bytes | Callable[[], bytes]  # a callable draws a picture; what `Engine.handle` gives holds bytes
    error: str | None = None  # the catalogue row or problem type; None: success

    def read(self) -> bytes:
        """Give the body's bytes, making them first where that was put off."""
        return self.body if isinstance(self.body, bytes) else self.body()
