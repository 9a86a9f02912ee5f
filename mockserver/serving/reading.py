"""ASGI → Request: a whole one, or nothing where the caller went away before it had come."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mockserver.messages import Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

LARGEST_BODY = 64 * 1024 * 1024  # bytes; three pictures of 10 MB in base64 fit
LARGEST_SNAPSHOT = 512 * 1024 * 1024  # bytes: what /__admin/state gives can be put back


async def read(scope: Scope, receive: Receive, largest: int = LARGEST_BODY) -> Request | None:
    """Read a request; a body that is too large is cut off, and marked so. None: half a request is none."""
    message = await receive()
    body, is_cut_off = message.get("body", b""), False
    if message.get("more_body", False):
        chunks, size = [body], len(body)
        while message.get("more_body", False):
            message = await receive()
            size += len(message.get("body", b""))
            is_cut_off = size > largest
            if not is_cut_off:
                chunks.append(message.get("body", b""))
        body = b"" if is_cut_off else b"".join(chunks)
    if message["type"] == "http.disconnect":
        return None
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        query=scope["query_string"].decode("latin-1"),
        body=body,
        scheme=scope.get("scheme", "http"),
        is_cut_off=is_cut_off,
    )
