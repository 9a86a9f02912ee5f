"""Pictures that were handed out as links, and pictures that came in.

A link's public address is the provider's own; on this server it is `/cdn/<provider>` and the rest of it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CDN = "/cdn/"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Output:
    """A picture behind a link: how to draw it, and until when."""

    id: str
    provider: str
    account: str
    created_at_s: float
    expires_at_s: float | None  # None: never
    media_type: str
    scene: dict[str, Any]  # what `imaging` draws; a picture in it is named by its key


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture that came in, kept small enough to be drawn into others."""

    key: str
    media_type: str
    width: int  # of the original, in pixels
    height: int
    small: str  # base64 of the small copy


def own_link(base_url: str, provider: str, path: str) -> str:
    """Give the address on this server of a path on the provider's CDN."""
    return f"{base_url}{CDN}{provider}{path}"


def public_link(url: str, provider: str, origin: str, own_hosts: Iterable[str]) -> str:
    """Turn a link of this server back into the provider's own address; any other string stays as it is."""
    if CDN not in url or not url.startswith(("http://", "https://")):
        return url
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return url
    prefix = f"{CDN}{provider}/"
    if (host in LOOPBACK or parts.netloc in own_hosts) and parts.path.startswith(prefix):
        return origin + url[url.index(prefix) + len(prefix) - 1 :]
    return url


def output_id(path: str, outputs: Mapping[str, Any]) -> str | None:
    """Read an output's id out of a path on the provider's CDN; None where the path is of another form."""
    pattern = re.escape(outputs["path"]).replace(r"\{id\}", r"(?P<id>[^/]+?)") + r"(?:\.(?:png|webp))?"
    found = re.fullmatch(pattern, path)
    return found["id"] if found else None
