"""Links of this server and the provider's own: one picture, two addresses.

What a caller was handed is `http://localhost…/cdn/…`; the schemas speak of the provider's `https://` address.
So links are turned on the way in, and the schemas stay untouched.
"""

from typing import Any

from mockserver.call import Arguments, Match
from mockserver.messages import Request
from mockserver.state.outputs import CDN, public_link

Json = Any


def base_url(request: Request, public_url: str | None) -> str:
    """Give this server's address as the caller sees it, without a slash at the end.

    A fixed public address wins, then what a proxy says (`X-Forwarded-Proto`, `X-Forwarded-Host`), then Host.
    """
    if public_url is not None:
        return public_url.rstrip("/")
    headers = request.headers
    scheme = headers.get("x-forwarded-proto", request.scheme).partition(",")[0].strip()
    host = headers.get("x-forwarded-host") or headers.get("host") or "localhost"
    return f"{scheme}://{host.partition(',')[0].strip()}"


def localise(match: Match, request: Request, arguments: Arguments, public_url: str | None) -> Arguments:
    """Turn links of this server in the body's own fields into the provider's addresses."""
    body = arguments.body
    outputs = match.provider.outputs
    is_linked = CDN.encode() in request.body or b"\\" in request.body  # JSON may write a slash as an escape
    if not is_linked or not outputs or not isinstance(body, dict):
        return arguments
    own_hosts = {base_url(request, None).partition("://")[2], request.headers.get("host", "")}
    if public_url is not None:
        own_hosts.add(public_url.partition("://")[2].partition("/")[0])

    def turned(value: Json) -> Json:
        if isinstance(value, str):
            return public_link(value, match.provider.name, outputs["origin"], own_hosts)
        return [turned(item) for item in value] if isinstance(value, list) else value

    return arguments._replace(body={name: turned(value) for name, value in body.items()})
