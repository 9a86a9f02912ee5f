"""ASGI → Request: a whole one, or nothing where the caller went away before it had come."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from mockserver.messages import LARGEST_BODY, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


def is_from_browser(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a page sent a request: only browsers send Origin."""
    return any(name == b"origin" for name, _ in headers)


def bare_request(scope: Scope) -> Request:
    """Give a request without its body."""
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        query=scope["query_string"].decode("latin-1"),
        scheme=scope.get("scheme", "http"),
    )


async def read(scope: Scope, receive: Receive, largest: int = LARGEST_BODY) -> Request | None:
    """Read a request; of a body that is too large only the size. None: half a request is none."""
    message = await receive()
    body = message.get("body", b"")
    size = len(body)
    if message.get("more_body", False):
        chunks = [body]
        while message.get("more_body", False):
            message = await receive()
            size += len(message.get("body", b""))
            if size <= largest:
                chunks.append(message.get("body", b""))
        body = b"" if size > largest else b"".join(chunks)
    if message["type"] == "http.disconnect":
        return None
    whole_size = None if size <= largest else size
    return bare_request(scope)._replace(body=body, whole_size=whole_size)
