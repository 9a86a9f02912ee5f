"""Namespaces: one server, many worlds. Which of them a request names, and what is left of its path.

A request is in a namespace by the port that it came in at, else by its path (`/ns/NAME/…`), else by its
header (`Mock-Namespace: NAME`). Links in answers lead back into it: by the port, or below `/ns/NAME`.
"""

import re
from urllib.parse import unquote

from mockserver.messages import Request
from mockserver.problems import EmulatorProblem

HEADER = "mock-namespace"
BELOW = "/ns/"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
FORM = "a name has 1 to 100 letters, digits, '.', '_' and '-' of ASCII, and begins with a letter or digit"
NO_NAME = "/"  # what stands for a name in a link that leads into no namespace

_pattern = re.compile(NAME)


def names_one(request: Request) -> bool:
    """Whether a request is in a namespace, or tries to be."""
    return bool(request.namespace) or HEADER in request.headers or request.path.startswith(BELOW)


def enter(request: Request) -> Request:
    """Give a request as its namespace sees it; one that was given so before stays as it is.

    Raises EmulatorProblem for a name of another form.

    >>> inside = enter(Request("GET", "/ns/alice/v2/thumbnail", {}))
    >>> inside.namespace, inside.path, inside.prefix, enter(inside) == inside
    ('alice', '/v2/thumbnail', '/ns/alice', True)
    """
    path, prefix, named = request.path, request.prefix, None
    if path.startswith(BELOW) and not prefix:
        named, _, rest = path[len(BELOW) :].partition("/")
        path, prefix = f"/{rest}", BELOW + named
        check(named)
    if request.namespace:
        return request._replace(path=path, prefix=prefix)
    name = check(request.headers[HEADER].strip(" \t")) if named is None else named
    return request._replace(path=path, prefix=prefix, namespace=name, base=BELOW + name)


def check(name: str) -> str:
    """Give a name that has the form of one. Raises EmulatorProblem."""
    if _pattern.fullmatch(name) is None:
        raise EmulatorProblem(400, "Malformed namespace", f"{name[:120]!a} names no namespace: {FORM}")
    return name


def named_before(lead: str) -> str:
    """Say which namespace a link names, by what stands in it between host and `/cdn/`; empty: none.

    >>> named_before("/ns/alice"), named_before("/base"), named_before("/ns/a/ns/b"), named_before("/ns")
    ('alice', '', 'a/ns/b', '/')
    """
    _, is_below, name = f"{unquote(lead)}/".partition(BELOW)
    return (name[:-1] or NO_NAME) if is_below else ""
