"""The security requirements of an operation: which keys it asks for, and where they are sent.

Several requirements mean either of them; several schemes in one mean all of them; an empty one means that
no key is needed.
"""

from collections.abc import Mapping
from typing import NamedTuple

from mockserver.jsontext import Json
from mockserver.spec.explain import nearest
from mockserver.spec.model import SecurityScheme

UNDERSTOOD = "use apiKey, http bearer, http basic, oauth2 or openIdConnect"


class Security(NamedTuple):
    """What an operation asks for, and what of it is not understood."""

    requirements: tuple[tuple[SecurityScheme, ...], ...]
    complaints: tuple[str, ...]


def read_security(document: Mapping[str, Json], operation: Mapping[str, Json]) -> Security:
    """Read the requirements of an operation, or those of the whole document."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    requirements, complaints = [], []
    for requirement in operation.get("security", document.get("security", [])):
        found = []
        for name in requirement:
            scheme = _scheme(name, schemes.get(name, {}))
            if scheme is not None:
                found.append(scheme)
            elif name in schemes:
                complaints.append(f"security scheme {name!r} is not understood; {UNDERSTOOD}")
            else:
                complaints.append(f"there is no security scheme {name!r}; {nearest(name, schemes)}")
        requirements.append(tuple(found))
    return Security(tuple(requirements), tuple(complaints))


def _scheme(name: str, details: Mapping[str, Json]) -> SecurityScheme | None:
    """Read one scheme; None where it is not understood. A token of OAuth is sent as a bearer's."""
    kind, way = details.get("type"), str(details.get("scheme", "")).lower()
    if kind in {"oauth2", "openIdConnect"} or (kind == "http" and way == "bearer"):
        return SecurityScheme(name, "bearer", "header", "authorization", "Authorization: Bearer ")
    if kind == "http" and way == "basic":
        return SecurityScheme(name, "basic", "header", "authorization", "Authorization: Basic ")
    if kind != "apiKey":
        return None
    key: str = details["name"]
    if details["in"] == "header":
        return SecurityScheme(name, "apiKey", "header", key.lower(), f"{key}: ")
    shown = {"query": f"?{key}=", "cookie": f"Cookie: {key}="}.get(details["in"])
    return SecurityScheme(name, "apiKey", details["in"], key, shown) if shown else None
