"""`/__admin/namespaces`: the worlds of this server besides the default one; the list is the same in each."""

from mockserver.admin.asked import Asked
from mockserver.hosts import PORTS, bracketed, read_authority
from mockserver.jsontext import Json, dump
from mockserver.links import origin_of
from mockserver.messages import JSON_TYPE, Response
from mockserver.namespaces import BELOW
from mockserver.problems import EmulatorProblem

CREATED, OK = 201, 200


def show_all(asked: Asked) -> Json:
    """List the namespaces, the longest idle first, each with its address."""
    worlds, now_s = asked.worlds, asked.worlds.now_s()
    return {
        "namespaces": [
            {
                **_address(asked, each.name),
                "idle_s": 0 if each.under_way else round(max(0, now_s - each.used_at_s), 3),
                "calls": each.calls,
                "bytes": each.bytes,
            }
            for each in worlds.namespaces()
        ]
    }


def add(asked: Asked) -> Response:
    """Make a namespace, unless there is one of that name; `port`: with a port of its own."""
    wanted = asked.body() if asked.request.body else {}
    name = wanted.get("name") or asked.worlds.free_name()
    is_new, worlds = name not in asked.worlds, asked.worlds
    with worlds.held(name):
        try:
            if wanted.get("port"):
                worlds.ports.open(name)
        except EmulatorProblem:
            if is_new:
                worlds.drop(name)
            raise
        if name not in worlds:  # its port, opened behind its end, would be nobody's
            worlds.ports.close(name)
            raise EmulatorProblem(409, "Deleted", f"a DELETE of {name} came while it was made; make it again")
        return Response(CREATED if is_new else OK, (JSON_TYPE,), dump(_address(asked, name)))


def remove(asked: Asked) -> Json:
    """Forget a namespace with all that is in it; its port is closed."""
    if not asked.worlds.drop(asked.values["name"]):
        known = "GET /__admin/namespaces lists those there are"
        raise EmulatorProblem(
            404, "Unknown namespace", f"there is no {asked.values['name'][:120]!a}; {known}"
        )
    return {"status": "deleted"}


def _address(asked: Asked, name: str) -> dict[str, Json]:
    """Give what a caller calls to be in a namespace: its port, or else its path."""
    request, ports = asked.request, asked.worlds.ports
    origin, port = origin_of(request, None), ports.of(name)
    if port is not None:
        return {"name": name, "url": _at(origin, port), "port": port}
    if request.namespace and not request.base:  # asked at such a port, where no path leads to others
        origin = _at(origin, ports.main or PORTS["http"])
    return {"name": name, "url": f"{origin}{BELOW}{name}", "port": None}


def _at(origin: str, port: int) -> str:
    """Give an address with another port.

    >>> _at("http://[::1]:8080", 9000)
    'http://[::1]:9000'
    """
    scheme, _, authority = origin.partition("://")
    place = read_authority(authority)
    return f"{scheme}://{bracketed(place.host if place else 'localhost')}:{port}"
