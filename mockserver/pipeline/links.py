"""Links of this server and the provider's own: one picture, two addresses.

What a caller was handed is `http://localhost…/cdn/…`; the schemas speak of the provider's `https://` address.
So links are turned on the way in, and the schemas stay untouched.
"""

from typing import Any

from mockserver.call import Arguments, Match
from mockserver.messages import Request
from mockserver.state.outputs import CDN, is_own_host, output_id, public_link
from mockserver.state.world import World

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


def localise(match: Match, request: Request, arguments: Arguments, world: World) -> Arguments:
    """Turn links of this server in the body's picture fields into the provider's addresses.

    Ours are those on this machine or under the caller's name for this server, and, whatever the host, those that
    name a picture which was handed out.
    """
    body, outputs = arguments.body, match.provider.outputs
    is_linked = CDN.encode() in request.body or b"\\" in request.body  # JSON may write a slash as an escape
    if not is_linked or not outputs or not isinstance(body, dict):
        return arguments
    own_hosts = {base_url(request, None).partition("://")[2], request.headers.get("host", "")}

    def turned(value: Json) -> Json:
        if isinstance(value, str):
            public = public_link(value, match.provider.name, outputs["origin"])
            if public is None:
                return value
            id_ = output_id(public.removeprefix(outputs["origin"]), outputs["path"])
            return public if is_own_host(value, own_hosts) or world.output(id_ or "") else value
        return [turned(item) for item in value] if isinstance(value, list) else value

    pictures = match.operation.row.picture_fields
    return arguments._replace(
        body={name: turned(value) if name in pictures else value for name, value in body.items()}
    )
