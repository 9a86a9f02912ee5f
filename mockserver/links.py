"""Links to our own pictures: made, recognised and turned into the provider's own address; nowhere else.

A picture has two addresses: the provider's `https://` one, of which its schemas speak, and `/cdn/<provider>`
and the rest of it on this server, which callers are handed. So links are turned on the way in. Of what lies
on a provider's own CDN, only the folder of its pictures is ours; all else is remote.
"""

import functools
import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mockserver.call import Arguments, Match
from mockserver.hosts import PORTS, is_authority, read_authority
from mockserver.jsontext import Json
from mockserver.messages import Request
from mockserver.namespaces import BELOW, named_before
from mockserver.settings import Settings
from mockserver.spec.model import Provider
from mockserver.spec.rows import Outputs
from mockserver.state.outputs import Output
from mockserver.state.world import World

CDN = "/cdn/"
RAW_CDN = CDN.encode()  # made once: every body is searched for it
LONGEST = 1024  # characters that are looked at of a header with hosts; the longest host has 259
LOOPBACK = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
HOST = re.compile(r"https?://(?P<host>[^/\s@?#]++)(?=/)")  # no user, so that nobody's is taken for a host
BLANK = re.compile(r"[\s\ufeff]")
NOWHERE = "mockserver.invalid"  # the host of a link to this server that leads to no picture

NO_PORTS: Mapping[int, str] = MappingProxyType({})

Cdns = Mapping[str, tuple[Provider, ...]]  # by the host of their pictures


class OwnLink(NamedTuple):
    """A link in the form of this server's: where it leads, and under which name it calls us."""

    host: str
    provider: str
    path: str  # on the provider's CDN
    namespace: str = ""  # that its path names; empty: it names none


class Names(NamedTuple):
    """The names that providers and this server are known by; made once."""

    providers: Mapping[str, Provider]
    apis: frozenset[str]  # their hosts, as they are called over TLS
    ours: frozenset[str]  # hosts of links to this server besides those that a caller uses
    ports: Mapping[int, str]  # namespaces, by the ports that are theirs; these come and go

    @classmethod
    def of(
        cls,
        providers: Mapping[str, Provider],
        settings: Settings | None = None,
        ports: Mapping[int, str] = NO_PORTS,
    ) -> "Names":
        """Gather the names of some providers, and of this server as its settings have it."""
        hosts = [host for each in providers.values() for host in each.hosts]
        apis = frozenset([*hosts, *(f"{host}:443" for host in hosts)])
        ours = apis | {urlsplit(url).netloc.lower() for url in (settings or Settings()).all_public_urls}
        return cls(providers, apis, ours, ports)


def base_url(request: Request, public_url: str | None, apis: Collection[str] = ()) -> str:
    """Give the address of the caller's world as the caller sees it, without a slash at the end."""
    base = request.base
    if public_url is not None and request.namespace:  # which is not that of the port it came in at
        base = BELOW + request.namespace
    return origin_of(request, public_url, apis) + base


def origin_of(request: Request, public_url: str | None, apis: Collection[str] = ()) -> str:
    """Give this server's address likewise, whichever world the caller is in.

    A fixed public address wins, then what a proxy says (`X-Forwarded-Proto`, `X-Forwarded-Host`), then Host;
    what has not the form of one is passed over, so that nobody writes more into a link than that.
    Who calls by the host of an API, one of `apis`, has come over TLS, whoever ended it.
    """
    if public_url is not None:
        return public_url.rstrip("/")
    headers = request.headers
    named = headers.get("x-forwarded-host")
    host = (named and _first_host(named[:LONGEST])) or _first_host(headers.get("host", "")[:LONGEST])
    host = host or "localhost"
    scheme = headers.get("x-forwarded-proto")
    if scheme is None or (scheme := scheme.partition(",")[0].strip().lower()) not in PORTS:
        scheme = "https" if host.lower() in apis else request.scheme
    return f"{scheme}://{host}"


@functools.lru_cache(maxsize=64)  # each call asks it, of a few hosts
def _first_host(text: str) -> str:
    """Give the host in a header, the first of proxies in a row; nothing where the form is not valid."""
    host = text.partition(",")[0].strip()
    return host if is_authority(host) else ""


def link_to(base_url: str, provider: str, outputs: Outputs, output: Output) -> str:
    """Give the address at which a caller downloads an output."""
    return f"{base_url}{CDN}{provider}{outputs.path.replace('{id}', output.id)}"


def localise(match: Match, request: Request, arguments: Arguments, world: World, names: Names) -> Arguments:
    """Turn links of this server in the body's picture fields into the providers' addresses.

    Ours are those on this machine or under a name for this server, and, whatever the host, those that name a
    picture which was handed out in this very world. Of ours, what has no address of a picture, or is another
    world's, leads to NOWHERE.
    """
    body = arguments.body
    is_linked = RAW_CDN in request.body or b"\\" in request.body  # JSON may write a slash as an escape
    if not is_linked or not isinstance(body, dict):
        return arguments
    called = (origin_of(request, None).partition("://")[2], request.headers.get("host", ""))
    called_hosts = {host.lower() for host in called}
    own_hosts = names.ours | called_hosts
    # Where a port is a namespace's own, so are links by the name under which it is called.
    is_own_port = bool(request.namespace) and not request.base

    def turned(value: Json) -> Json:
        if isinstance(value, list):
            return [turned(item) for item in value]
        link = read_link(value) if isinstance(value, str) else None
        if link is None:
            return value
        provider = names.providers.get(link.provider)
        path = re.split("[?#]", link.path, maxsplit=1)[0]
        id_ = output_id(provider, path) if provider else None
        is_called = is_own_port and link.host.lower() in called_hosts
        if not is_called and _namespace(link, names.ports) != request.namespace:
            id_ = None
        if world.output(link.provider, id_) is None and not _is_own_host(link.host, own_hosts):
            return value
        origin = provider.outputs.origin if id_ and provider and provider.outputs else f"https://{NOWHERE}"
        return origin + link.path

    pictures = body.keys() & match.operation.row.picture_fields
    return arguments._replace(body={**body, **{name: turned(body[name]) for name in pictures}})


def read_link(url: str) -> OwnLink | None:
    """Read a link in the form of this server's, in linear time; None where it has another form.

    >>> read_link("http://localhost:8080/cdn/pikzels/a.png")
    OwnLink(host='localhost:8080', provider='pikzels', path='/a.png', namespace='')
    """
    found = HOST.match(url)
    if found is None or BLANK.search(url):
        return None
    tail = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))
    at = url.rfind(CDN, found.end(), tail)
    while at >= 0:  # the last one that something follows: a public address may have `/cdn/` in its own path
        start = at + len(CDN)
        slash = url.find("/", start, tail)
        if slash > start:
            namespace = named_before(url[found.end() : at])
            return OwnLink(found["host"], url[start:slash], url[slash:], namespace)
        at = url.rfind(CDN, found.end(), start - 1)
    return None


def output_id(provider: Provider, path: str) -> str | None:
    """Read an output's id out of a path on its provider's CDN; None where the path is of another form."""
    found = _pattern(provider.outputs.path).fullmatch(path) if provider.outputs else None
    return found["id"] if found else None


def own_addresses(cdns: Cdns, host: str, path: str) -> tuple[tuple[str, str | None], ...]:
    """Read a URL as that of a picture which providers hand out, or would: their names, and its id there.

    The id is None for an address that no picture has. Nothing is given for a picture of somebody else.
    """
    several = cdns.get(host)
    if not several:
        return (("", None),) if host == NOWHERE else ()
    path = unquote(path)
    found = [(each, each.outputs.path.partition("{")[0]) for each in several if each.outputs]
    return tuple((each.name, output_id(each, path)) for each, start in found if path.startswith(start))


def origins(providers: Iterable[Provider]) -> Cdns:
    """Give the providers by the host of their pictures."""
    found: dict[str, tuple[Provider, ...]] = {}
    for each in providers:
        if each.outputs:
            host = urlsplit(each.outputs.origin).netloc
            found[host] = (*found.get(host, ()), each)
    return found


def cdn_hosts(providers: Iterable[Provider]) -> dict[str, str]:
    """Give the name of each provider by the host of its CDN, where that is not a host of its API."""
    found = origins(providers).items()
    return {host: each.name for host, several in found for each in several if host not in each.hosts}


def provider_hosts(providers: Collection[Provider]) -> frozenset[str]:
    """Give the real hosts of providers, their CDNs' included, without ports; this machine is none."""
    found = {host for each in providers for host in each.hosts} | cdn_hosts(providers).keys()
    places = (read_authority(host) for host in found)
    return frozenset(each.host for each in places if each and not LOOPBACK.fullmatch(each.host))


def marks(providers: Iterable[Provider]) -> re.Pattern[bytes]:
    """Make the search for what a body holds that links to our pictures, or hides such a link in an escape."""
    own = [
        f"{each.outputs.origin}{each.outputs.path.partition('{')[0]}" for each in providers if each.outputs
    ]
    return re.compile(b"|".join(re.escape(each.encode()) for each in (CDN, "\\/", *own)))


def _namespace(link: OwnLink, ports: Mapping[int, str]) -> str:
    """Say into which namespace a link leads, as a call of it would be understood."""
    place = read_authority(link.host) if ports else None
    return (ports.get(place.port) if place and place.port else None) or link.namespace


def _is_own_host(host: str, own_hosts: Collection[str]) -> bool:
    """Whether a link names this machine, or a host by which this server is called.

    >>> _is_own_host("127.0.0.1:8080", ())
    True
    """
    return host.lower() in own_hosts or LOOPBACK.fullmatch(host) is not None


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(r"\{id\}", r"(?P<id>[^/]+?)") + r"(?:\.(?:png|webp))?")
