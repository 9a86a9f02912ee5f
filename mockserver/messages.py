"""What crosses the border of the emulator: a request and a response, free of ASGI.

Both are plain frozen values, so the same emulator runs behind a socket, inside a test process and in a loop.
They are named tuples, as in `call`: a frozen dataclass takes three times as long to make, ten times a call.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class Request(NamedTuple):
    """One HTTP request as the engine sees it."""

    method: str
    path: str  # percent-decoded, without the query
    headers: Mapping[str, str]  # names in lower case
    query: str = ""  # still encoded, without "?"
    body: bytes = b""
    scheme: str = "http"
    is_cut_off: bool = False  # True: the body was larger than the transport takes


class Response(NamedTuple):
    """One HTTP response, and what the log line says about it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | Callable[[], bytes]  # a callable is dear: run it outside the event loop
    delay_ms: int = 0
    operation: str | None = None  # None: no operation was reached
    error: str | None = None  # the catalogue row or problem type; None: success
    release: Callable[[], None] | None = (
        None  # to be called once the answer is sent; None: nothing waits for that
    )

    def read(self) -> bytes:
        """Give the body's bytes, making them first where that was put off."""
        return self.body if isinstance(self.body, bytes) else self.body()


Listener = Callable[[Request, Response, float], None]  # hears of an exchange, and how long it took in seconds
