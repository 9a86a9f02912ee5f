"""The pictures that a call brings: sent along as data URLs, or named by a link.

A picture is opened once, however often it comes; a remote link is never fetched.
"""

import contextlib
import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from mockserver.caches import ADDRESSES
from mockserver.call import Call, GivenPicture
from mockserver.links import Cdns, own_addresses
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.rows import Pictures
from mockserver.state.outputs import StoredPicture
from mockserver.state.world import World

if TYPE_CHECKING:
    from mockserver.imaging.reading import Picture

UNREACHABLE = (".invalid", ".invalid.")  # RFC 2606: a host name that can never exist
ADDRESS = re.compile(r"https?://(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:]+)(?::\d*)?(?P<path>[^?#]*)")
LONGEST_LABEL, LONGEST_LINK = 80, 16_384  # characters


def open_pictures(call: Call, wanted: Pictures, cdns: Cdns) -> Call:
    """Open every picture; of the fields of one role the first that is there counts. Raises Problem.

    `cdns` are the providers by the hosts of their pictures.
    """
    body, found = call.body, {}
    is_used = wanted.only_with is None or bool(call.value(wanted.only_with))
    for role, fields in wanted.roles.items():
        for field in fields:
            if field in body:
                value = body[field]
                places = [(field, value)]
                if isinstance(value, list):
                    places = [(f"{field}/{index}", item) for index, item in enumerate(value)]
                if not is_used:
                    if wanted.caps_unused:
                        _check_unused(call, places, wanted)
                    continue
                found[role] = [_given(call, place, item, wanted, cdns) for place, item in places]
                break
    return Call(*call[:-1], {**call.pictures, **found}) if found else call  # a third of _replace's time


def _given(call: Call, place: str, item: str, wanted: Pictures, cdns: Cdns) -> GivenPicture:
    if item.startswith("data:"):
        return _sent(call, place, item, wanted)
    return _linked(call, place, item, wanted, cdns)


def _sent(call: Call, place: str, url: str, wanted: Pictures) -> GivenPicture:
    """Open a data URL, unless the same one is known from an earlier call."""
    if url in wanted.examples:
        return GivenPicture(place, "example", wanted.examples[url])
    key = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    is_particular = wanted.has_true_labels or wanted.media_types or wanted.is_cap_on_text
    is_known = call.world.picture(key) is not None and len(url) <= call.provider.limits[wanted.limit]
    if is_particular or not is_known:
        from mockserver.imaging import reading  # noqa: PLC0415 - Pillow is slow to import

        try:
            picture = reading.open_picture(_decoded(call, place, url, wanted))
            if why := _strange(picture.media_type, url, wanted):
                raise _problem(call, ProblemType.PICTURE_UNREADABLE, why, place, wanted)
            keep(call.world, key, picture)
        except (reading.UnreadablePicture, reading.OversizedPicture) as error:
            raise _problem(call, ProblemType.PICTURE_UNREADABLE, f": {error}", place, wanted) from error
    return GivenPicture(place, "uploaded", key)


def _check_unused(call: Call, places: Sequence[tuple[str, str]], wanted: Pictures) -> None:
    """Hold pictures that nothing asks for to their cap; whether they can be read is nobody's business."""
    for place, item in places:
        # What is decoded is shorter than what was sent.
        if item.startswith("data:") and len(item) > call.provider.limits[wanted.limit]:
            from mockserver.imaging.reading import UnreadablePicture  # noqa: PLC0415 - as above

            with contextlib.suppress(UnreadablePicture):
                _decoded(call, place, item, wanted)


def _decoded(call: Call, place: str, url: str, wanted: Pictures) -> bytes:
    """Give what a data URL holds. Raises Problem where that is too much; UnreadablePicture."""
    from mockserver.imaging.reading import decode_data_url  # noqa: PLC0415 - Pillow is slow to import

    data, most = decode_data_url(url), call.provider.limits[wanted.limit]
    size = len(url) if wanted.is_cap_on_text else len(data)
    if size > most:
        why = f" holds {size} bytes; at most {most} are allowed"
        raise _problem(call, ProblemType.PICTURE_TOO_LARGE, why, place, wanted, wanted.too_large)
    return data


def _strange(media_type: str, url: str, wanted: Pictures) -> str:
    """Say why a picture of a type is not taken; nothing where it is."""
    label = url.removeprefix("data:").partition(";")[0].lower()
    if wanted.has_true_labels and label.replace("jpg", "jpeg") != media_type:
        return f": the bytes are {media_type}, the label says {label}"
    if wanted.media_types and media_type not in wanted.media_types:
        return f": {media_type} is none of {', '.join(wanted.media_types)}"
    return ""


def _linked(call: Call, place: str, url: str, wanted: Pictures, cdns: Cdns) -> GivenPicture:
    """Take a link: ours is the picture behind it, `*.invalid` cannot be fetched, all others are remote."""
    if len(url) > LONGEST_LINK:
        reason = f"a link of {len(url)} characters cannot be fetched; at most {LONGEST_LINK} can"
        raise _problem(call, ProblemType.PICTURE_UNREACHABLE, f": {reason}", place, wanted)
    host, path = ADDRESSES.ask(_address, url)
    addresses, output, reason = own_addresses(cdns, host, path), None, ""
    if addresses:
        output = next(filter(None, (call.world.output(name, id_) for name, id_ in addresses)), None)
        if output is None:
            reason = f"{path[:100]} leads to no picture: it was never handed out, or is forgotten"
        elif output.is_over(call.world.clock.now()):
            reason = "the link has expired"
    elif not host or host.endswith(UNREACHABLE):
        reason = f"{host} cannot be reached" if host else f"{url[:100]} has no host"
    if reason:
        raise _problem(call, ProblemType.PICTURE_UNREACHABLE, f": {reason}", place, wanted)
    if output is None:
        return GivenPicture(place, (host + path)[:LONGEST_LABEL])
    if call.world.picture(output.id) is None:
        from mockserver.behaviours.outputs import draw_scene  # noqa: PLC0415 - Pillow is slow to import
        from mockserver.imaging.reading import open_picture  # noqa: PLC0415

        keep(call.world, output.id, open_picture(draw_scene(call.world, output.scene)))
    return GivenPicture(place, "generated before", output.id)


def _address(url: str) -> tuple[str, str]:
    """Split a URL into its host, in lower case, and its path; the host is empty where there is none."""
    found = ADDRESS.match(url)
    return (found["host"].lower(), found["path"]) if found else ("", "")


def keep(world: World, key: str, picture: "Picture") -> StoredPicture:
    """Keep the small copy of an opened picture under a key."""
    stored = StoredPicture(key, picture.small)
    world.pictures.put(key, stored)
    return stored


def _spoken(place: str) -> str:
    """Write `image_urls/1` as a programmer would: `image_urls[1]`."""
    field, _, index = place.partition("/")
    return f"{field}[{index}]" if index else field


def _problem(
    call: Call, type_: ProblemType, why: str, place: str, wanted: Pictures, error: str | None = None
) -> Problem:
    is_size = type_ is ProblemType.PICTURE_TOO_LARGE  # the document of the row speaks of sizes alone
    citation = wanted.citation if is_size else call.match.citation(type_)
    violation = Violation("body", f"/{place}", type_.value, f"{_spoken(place)}{why}", citation)
    return Problem(type_, (violation,), error=error)
