"""What crosses the border of the emulator: a request and a response, free of ASGI.

Both are plain frozen values, so the same emulator runs behind a socket, inside a test process and in a loop.
They are named tuples, as in `call`: a frozen dataclass takes three times as long to make, ten times a call.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]
JSON_TYPE = ("Content-Type", "application/json")
VIOLATIONS = "Mock-Violations"  # the header that says why a call was refused
PROBLEM_TYPE = ("Content-Type", "application/problem+json")  # of what the emulator itself says (RFC 9457)


LARGEST_BODY = 64 * 1024 * 1024  # bytes of a call; three pictures of 10 MB in base64 fit
LARGEST_SNAPSHOT = 160 * 1024 * 1024  # bytes sent to /__admin/state: what it gives can be put back
LARGEST_PAGE = 40 * 1024 * 1024  # bytes of any other body sent to /__admin; an account's pictures fit


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
    whole_size: int | None = None  # bytes of a body that is too large to be read: `body` is empty
    peer: tuple[str, str] | None = None  # the caller's address and ours; None: it came over no network
    # Whose port it came in at, until `namespaces.enter` has looked at the rest; empty: the default world's.
    namespace: str = ""
    prefix: str = ""  # what stood before `path`, `/ns/NAME`; empty: that is the whole of it
    base: str = ""  # what stands before `/cdn/` in links that lead back here

    @property
    def size(self) -> int:
        """The size of the body in bytes, as it was sent."""
        return len(self.body) if self.whole_size is None else self.whole_size


# What goes wrong on the way back, in WireMock's words where it has one: what only a socket can do …
SLOW_BODY = "SLOW_BODY"  # the one whose delay is not a wait before it
WIRE_FAULTS = (
    "EMPTY_RESPONSE", "MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE", "CONNECTION_RESET_BY_PEER",
    "HANG", SLOW_BODY,
)  # fmt: skip
BYTE_FAULTS = (  # … and what is done to the bytes
    "INVALID_JSON", "WRONG_CONTENT_TYPE", "HTML_GATEWAY_PAGE", "IMAGE_TRUNCATED", "IMAGE_WRONG_TYPE",
)  # fmt: skip
FAULTS = (*WIRE_FAULTS, *BYTE_FAULTS)


class Fault(NamedTuple):
    """One of the WIRE_FAULTS, to be done to an answer."""

    name: str
    lasts_s: float = 0.0  # what is slow takes so long


class Response(NamedTuple):
    """One HTTP response.

    >>> Response(200, (), lambda: b"drawn").read()
    b'drawn'
    """

    status: int
    headers: Headers
    body: bytes | Callable[[], bytes]  # a callable draws a picture; what `Engine.handle` gives holds bytes
    error: str | None = None  # the catalogue row or problem type; None: success
    fault: Fault | None = None  # how it does not arrive; None: it does

    def read(self) -> bytes:
        """Give the body's bytes, making them first where that was put off."""
        return self.body if isinstance(self.body, bytes) else self.body()
