"""Pictures that were handed out as links, and pictures that came in.

A link's public address is the provider's own; on this server it is `/cdn/<provider>` and the rest of it.
"""

import functools
import re
from collections.abc import Collection
from typing import Any, NamedTuple

CDN = "/cdn/"
LOOPBACK = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
OWN_LINK = re.compile(
    r"https?://(?P<host>[^/\s@?#]+)(?:/[^\s?#]*)?/cdn/(?P<provider>[^/\s]+)(?P<path>/[^\s\ufeff]*)"
)


class Output(NamedTuple):
    """A picture behind a link: how to draw it, and until when."""

    id: str
    provider: str
    account: str
    created_at_s: float
    expires_at_s: float | None  # None: never
    media_type: str
    scene: dict[str, Any]  # what `imaging` draws; a picture in it is named by its key

    def is_over(self, now_s: float) -> bool:
        """Whether the link has expired."""
        return self.expires_at_s is not None and self.expires_at_s <= now_s


class StoredPicture(NamedTuple):
    """A picture that came in, kept small enough to be drawn into others."""

    key: str
    small: str  # base64 of the small copy


def own_link(base_url: str, provider: str, path: str) -> str:
    """Give the address on this server of a path on the provider's CDN."""
    return f"{base_url}{CDN}{provider}{path}"


def public_link(url: str, provider: str, origin: str) -> str | None:
    """Turn a link in the form of this server's into the provider's own address; None where it has another form.

    >>> public_link("http://localhost:8080/cdn/pikzels/a.png", "pikzels", "https://cdn.pikzels.com")
    'https://cdn.pikzels.com/a.png'
    """
    found = OWN_LINK.fullmatch(url)
    return origin + found["path"] if found and found["provider"] == provider else None


def is_own_host(url: str, own_hosts: Collection[str]) -> bool:
    """Whether a link names this machine, or a host by which this server is called.

    >>> is_own_host("http://127.0.0.1:8080/cdn/pikzels/a.png", ())
    True
    """
    found = OWN_LINK.fullmatch(url)
    return found is not None and (found["host"] in own_hosts or LOOPBACK.fullmatch(found["host"]) is not None)


def output_id(path: str, template: str) -> str | None:
    """Read an output's id out of a path on the provider's CDN; None where the path is of another form.

    >>> output_id("/rest-api/7.png", "/rest-api/{id}.png")
    '7'
    """
    found = _link_pattern(template).fullmatch(path)
    return found["id"] if found else None


@functools.cache
def _link_pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(r"\{id\}", r"(?P<id>[^/]+?)") + r"(?:\.(?:png|webp))?")
