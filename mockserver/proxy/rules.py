"""Where a call may go: to the mock, to the real host because somebody said so, or nowhere.

What a name resolves to is never asked here.
"""

from collections.abc import Collection, Iterable
from enum import Enum, auto
from typing import NamedTuple

from mockserver.hosts import PORTS, Place, read_authority

ANSWERED_PORTS = frozenset(PORTS.values())
ANY = "*"
# Registries' own second parts of a name: `example.co.uk` is somebody's, `co.uk` is not.
REGISTERED = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"})


class Way(Enum):
    """What becomes of a call."""

    ANSWERED = auto()  # by the mock
    PASSED = auto()  # to the real host
    REFUSED = auto()
    KEPT = auto()  # refused, as it would have left for a provider's real host


class Rules(NamedTuple):
    """What decides it."""

    emulated: frozenset[str]  # hosts that the mock answers for
    domains: frozenset[str]  # of the providers
    passed: tuple[str, ...] = ()  # hosts, `*.example.com`, with or without a port; `*` is all but providers'
    live: frozenset[str] = frozenset()  # providers' hosts that are the real ones

    @classmethod
    def of(cls, hosts: Collection[str], passed: Iterable[str] = (), live: Iterable[str] = ()) -> "Rules":
        """Make rules for providers' hosts. Raises ValueError for a host that is none, or a provider's."""
        found = cls(frozenset(hosts), frozenset(map(domain, hosts)), tuple(map(str.lower, passed)))
        for name in found.passed:
            host = name.removeprefix("*.")
            if name != ANY and read_authority(host) is None:
                raise ValueError(
                    f"--pass {name}: it is no host, such as example.com, *.example.com or db:8443"
                )
            if name != ANY and found.is_of_provider(_place(host).host):
                raise ValueError(
                    f"--pass {name}: this is a provider's; --allow-live {host} lets calls out to it"
                )
        named = frozenset(map(str.lower, live))
        for name in named - {ANY}:
            if not found.is_of_provider(name):
                raise ValueError(
                    f"--allow-live {name}: this is no provider's; --pass {name} lets calls out to it"
                )
        return found._replace(live=named, emulated=frozenset() if ANY in named else found.emulated - named)

    def way(self, host: str, port: int) -> Way:
        """Say what becomes of a call of a host and port."""
        host = host.lower().rstrip(".")
        if host in self.emulated and port in ANSWERED_PORTS:
            return Way.ANSWERED
        if self.is_of_provider(host):
            return Way.PASSED if ANY in self.live or host in self.live else Way.KEPT
        return Way.PASSED if any(_is_meant(each, host, port) for each in self.passed) else Way.REFUSED

    def is_of_provider(self, host: str) -> bool:
        """Whether a host lies in a provider's domain."""
        return host in self.domains or any(host.endswith(f".{each}") for each in self.domains)

    def reason(self, host: str, port: int) -> str:
        """Say why a call is refused, and what would let it through."""
        if not self.is_of_provider(host):
            return f"mockserver lets no call out to {host}:{port}; --pass {host} would"
        if host in self.emulated:
            return f"mockserver answers for {host} at the ports 80 and 443, and lets no call out to {port}"
        return f"mockserver lets no call out to a provider's own {host}:{port}; --allow-live {host} would"


def domain(host: str) -> str:
    """Give the domain that a host probably is its owner's by: all but its first part.

    >>> domain("api.example.com"), domain("example.com"), domain("example.co.uk")
    ('example.com', 'example.com', 'example.co.uk')
    """
    _, _, rest = host.partition(".")
    second, dot, _ = rest.partition(".")
    return rest if dot and second not in REGISTERED else host


def _place(name: str) -> Place:
    return read_authority(name) or Place(name, None)


def _is_meant(name: str, host: str, port: int) -> bool:
    if name == ANY:
        return True
    wanted = _place(name.removeprefix("*."))
    is_host = host.endswith(f".{wanted.host}") if name.startswith("*.") else host == wanted.host
    return is_host and wanted.port in {None, port}
