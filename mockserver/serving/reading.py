"""ASGI → Request: a whole one, or nothing where the caller went away before it had come.

A body is read as far as it can matter for the answer; what path and headers decide, they decide alone.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

from mockserver.messages import Request
from mockserver.serving.room import Place

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = Collection[tuple[bytes, bytes]]
Extensions = Mapping[str, Any]
Judge = Callable[[Request], int]  # says how many bytes of a request's body can matter

NAMESPACE = "mockserver.namespace"  # in a scope: that of the port or the connection
# What says who asks, and for which world. Of these, a caller that sends one twice means both, as HTTP has it;
# of all others the last one counts.
JOINED = (
    b"forwarded",
    b"host",
    b"mock-namespace",
    b"origin",
    b"sec-fetch-site",
    b"x-forwarded-for",
    b"x-real-ip",
)
LARGEST_INLINE = 16 * 1024  # bytes; reading more than this takes the event loop too long


def is_from_browser(headers: Headers) -> bool:
    """Whether a page sent a request: only browsers send Origin."""
    return any(name == b"origin" for name, _ in headers)


def is_plain(headers: Headers) -> bool:
    """Whether no page has sent a request, and its body is not announced as a long one."""
    named = dict(headers)  # no parser lets two lengths through
    return b"origin" not in named and int(named.get(b"content-length", 0)) <= LARGEST_INLINE


def whole_request(
    method: bytes, url: Any, headers: Headers, body: bytes, scheme: str | None, extensions: Extensions
) -> Request:
    """Give a request from what a parser found. Raises ValueError for a path that is none."""
    if url.path is None:
        raise ValueError("it is empty")
    decoded = url.path.decode("ascii")
    return Request(
        method.decode("ascii"),
        unquote(decoded) if "%" in decoded else decoded,
        _decoded(headers),
        url.query.decode("latin-1") if url.query else "",
        body,
        scheme or "http",
        namespace=extensions.get(NAMESPACE, ""),
    )


def bare_request(scope: Scope) -> Request:
    """Give a request without its body."""
    caller, own = scope.get("client"), scope.get("server")
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers=_decoded(scope["headers"]),
        query=scope["query_string"].decode("latin-1"),
        scheme=scope.get("scheme", "http"),
        peer=(caller[0], own[0] if own else "") if caller else None,
        namespace=scope.get(NAMESPACE, ""),
    )


def _decoded(headers: Headers) -> dict[str, str]:
    decoded = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    if len(decoded) < len(headers):
        for joined in JOINED:
            if sent := [value for name, value in headers if name == joined]:
                decoded[joined.decode()] = b", ".join(sent).decode("latin-1")
    return decoded


def announced_size(request: Request) -> int | None:
    """Give the size of a body as it is announced; None where it will be told at its end."""
    if "transfer-encoding" in request.headers:
        return None
    announced = request.headers.get("content-length", "0")
    return int(announced) if announced.isdecimal() else None


def waits_to_send(request: Request) -> bool:
    """Whether the caller sends its body when it is asked for it."""
    return request.headers.get("expect", "").lower() == "100-continue"


async def read(scope: Scope, receive: Receive, judge: Judge, place: Place) -> Request | None:
    """Read a request; of a body that cannot matter only the size. None: half a request is none.

    Raises NoRoomError where the bodies of others take all memory that there is for them.
    """
    request = bare_request(scope)
    announced, largest = announced_size(request), None
    is_asking = announced != 0 and waits_to_send(request)
    if is_asking or (announced or 0) > LARGEST_INLINE:
        largest = judge(request)
        if (announced or 0) > largest or (is_asking and not largest):
            return request._replace(whole_size=announced or 0)
    chunks, size, has_more = list[bytes](), 0, True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk, has_more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > LARGEST_INLINE:
            largest = judge(request) if largest is None else largest
            if size > largest:
                return request._replace(whole_size=announced or size)
            await place.take(len(chunk) if place.size else size)
        chunks.append(chunk)
    return request._replace(body=chunks[0] if len(chunks) == 1 else b"".join(chunks))
