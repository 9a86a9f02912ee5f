"""The pictures that a call brings: sent along as data URLs, or named by a link.

A picture is opened once, however often it comes; a remote link is never fetched.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from mockserver.call import Call, GivenPicture
from mockserver.problems import Problem, ProblemType
from mockserver.state.outputs import StoredPicture, output_id

UNREACHABLE = (".invalid", ".invalid.")  # RFC 2606: a host name that can never exist
ADDRESS = re.compile(r"https?://(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:]+)(?::\d*)?(?P<path>[^?#]*)")
LONGEST_LABEL = 80
SMALL_PX = 800  # the longest side of the copy that is kept


def opened(
    call: Call, *, roles: Mapping[str, Sequence[str]], limit: str, source: str, too_large: str | None = None
) -> Call:
    """Open every picture; of the fields of one role the first that is there counts. Raises Problem."""
    found = {}
    for role, fields in roles.items():
        field = next((name for name in fields if name in call.body), None)
        if field is not None:
            value = call.body[field]
            found[role] = [
                _sent(call, field, item, limit, source, too_large)
                if item.startswith("data:")
                else _linked(call, field, item, source)
                for item in (value if isinstance(value, list) else [value])
            ]
    return call._replace(pictures={**call.pictures, **found}) if found else call


def _sent(call: Call, field: str, url: str, limit: str, source: str, too_large: str | None) -> GivenPicture:
    """Open a data URL, unless the same one is known from an earlier call."""
    key = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    most = call.provider.limits[limit]
    if call.world.picture(key) is None or len(url) > most:
        from mockserver.imaging.reading import (  # noqa: PLC0415 - Pillow is imported by the first picture
            OversizedPicture,
            UnreadablePicture,
            data_url_bytes,
            open_picture,
        )

        try:
            data = data_url_bytes(url)
            if len(data) > most:
                message = f"{field} holds {len(data)} bytes; at most {most} are allowed"
                raise _problem(call, ProblemType.PICTURE_TOO_LARGE, message, field, source, too_large)
            _keep(call, key, open_picture(data))
        except (UnreadablePicture, OversizedPicture) as error:
            raise _problem(call, ProblemType.PICTURE_UNREADABLE, f"{field}: {error}", field, source) from error
    return GivenPicture(field, "uploaded", key)


def _linked(call: Call, field: str, url: str, source: str) -> GivenPicture:
    """Take a link: one of our own is the picture behind it, `*.invalid` cannot be fetched, all others are remote."""
    found = ADDRESS.match(url)
    if found is None:
        raise _problem(call, ProblemType.PICTURE_UNREACHABLE, f"{field}: {url[:100]} has no host", field, source)
    host, path = found["host"].lower(), found["path"]
    if host.endswith(UNREACHABLE):
        raise _problem(call, ProblemType.PICTURE_UNREACHABLE, f"{field}: {host} cannot be reached", field, source)
    outputs = call.provider.outputs
    own = output_id(path, outputs) if outputs and url.startswith(outputs["origin"] + "/") else None
    output = call.world.outputs.get(own) if own else None
    if output is None:
        return GivenPicture(field, f"{host}{path}"[:LONGEST_LABEL])
    if output.expires_at_s is not None and output.expires_at_s <= call.world.clock.now():
        raise _problem(call, ProblemType.PICTURE_UNREACHABLE, f"{field}: the link has expired", field, source)
    if call.world.picture(output.id) is None:
        from mockserver.behaviours.drawing import drawn  # noqa: PLC0415 - Pillow is imported by the first picture
        from mockserver.imaging.reading import open_picture  # noqa: PLC0415

        _keep(call, output.id, open_picture(drawn(call.world, output)))
    return GivenPicture(field, "generated before", output.id)


def _keep(call: Call, key: str, picture: Any) -> None:
    from mockserver.imaging.reading import shrink  # noqa: PLC0415 - Pillow is imported by the first picture

    stored = StoredPicture(key, picture.media_type, picture.width, picture.height, shrink(picture, SMALL_PX))
    call.world.pictures.put(key, stored)


def _problem(call: Call, type_: ProblemType, message: str, field: str, source: str, error: str | None = None) -> Problem:
    return call.problem(type_, message, name=field, rule=type_.value, source=source, error=error)
