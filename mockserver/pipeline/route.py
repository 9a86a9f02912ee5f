"""Request → Match: which operation of which provider is meant, or which door past them.

The index is made once, at start-up; a path without parameters costs one look-up.
"""

import difflib
import functools
import heapq
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mockserver.caches import PATHS
from mockserver.call import Door, Match
from mockserver.messages import Request
from mockserver.nomatch import NoMatch
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Provider

LONGEST_COMPARED = 80  # characters of an unknown path
MOST_HOSTS, LONGEST_HOST = 64, 260  # that are known, and characters of one
MOST_COMPARED = 5  # known ones that it is held against, letter by letter


@dataclass(frozen=True, slots=True)
class Index:
    """The paths that lead to operations, for one provider or for all."""

    fixed: Mapping[str, Mapping[str, Match]]  # path → method → match
    templates: tuple[tuple[re.Pattern[str], tuple[str, ...], Mapping[str, Match]], ...]  # and names of groups
    paths: tuple[str, ...]  # every template as documented

    @classmethod
    def of(cls, providers: tuple[Provider, ...]) -> "Index":
        """Index the operations; where two share method and path the first one wins."""
        by_path: dict[str, dict[str, Match]] = {}
        for provider in providers:
            for operation in provider.operations.values():
                for base in ("", *provider.base_paths):
                    methods = by_path.setdefault(base + operation.path, {})
                    methods.setdefault(operation.method, Match(provider, operation, {}))
        return cls(
            fixed={path: methods for path, methods in by_path.items() if "{" not in path},
            templates=tuple((*_pattern(path), methods) for path, methods in by_path.items() if "{" in path),
            paths=tuple(by_path),
        )

    def methods(self, path: str, method: str) -> tuple[Mapping[str, Match], dict[str, str]]:
        """Give the methods of a path, and the values in it; both empty where the path is unknown.

        Of an API's like paths the fixed one comes first (OpenAPI 3.0, path templating); of like paths of two
        APIs, the first that takes `method`.
        """
        best, values = self.fixed.get(path, {}), dict[str, str]()
        if method in best:
            return best, values
        for pattern, names, methods in self.templates:
            found = pattern.fullmatch(path)
            if found and (not best or _is_others(method, methods, best)):
                best, values = methods, dict(zip(names, found.groups(), strict=True))
        return best, values


class Router:
    """All the ways in: at the root, below `/<provider>`, and by the Host header."""

    def __init__(self, catalog: Catalog, doors: Sequence[Callable[[Request], Door | None]] = ()) -> None:
        self._doors = doors
        providers = tuple(catalog.providers.values())
        self._root = Index.of(providers)
        self._own = {provider.name: Index.of((provider,)) for provider in providers}
        self._providers = catalog.providers
        self._hosts = {host: provider.name for provider in providers for host in provider.hosts}
        # Paths that are no door's: under a host that nobody has, a look-up says it all.
        own = self._root.fixed.items()
        self._plain = {path: methods for path, methods in own if not self._door(_bare(path))}
        self._is_named = functools.lru_cache(MOST_HOSTS)(self._leads)

    def route(self, request: Request) -> Match | Door:
        """Find the door or the operation. Raises NoMatch for an unknown path or method."""
        methods, host = self._plain.get(request.path), request.headers.get("host", "")
        if methods and request.method in methods and len(host) <= LONGEST_HOST and not self._is_named(host):
            return methods[request.method]
        return self._door(request) or self._find(request)

    def _door(self, request: Request) -> Door | None:
        for find in self._doors:
            door = find(request)
            if door is not None:
                return door
        return None

    def _leads(self, host: str) -> bool:
        """Whether it matters that a request names this host: an API has it, or a door."""
        named = host.partition(":")[0].lower() in self._hosts
        return named or self._door(_bare("/", host)) is not None

    def _find(self, request: Request) -> Match:
        index, path, provider = self._root, request.path, None
        host = request.headers.get("host", "").partition(":")[0].lower()
        prefix, _, rest = path[1:].partition("/")
        if prefix in self._own and not self._is_at_root(request, prefix, f"/{rest}"):
            provider = self._providers[prefix]
            index, path = self._own[prefix], f"/{rest}"
        elif host in self._hosts:
            provider = self._providers[self._hosts[host]]
            index = self._own[provider.name]
        methods, values = index.methods(path, request.method)
        match = methods.get(request.method)
        if match is None:
            raise self._no_match(index, methods, path, provider, request)
        return Match(match.provider, match.operation, values) if values else match

    def owner_of(self, request: Request) -> Door | Provider | None:
        """Say whose answer a request gets, which an unknown path has, too; None: it is nobody's."""
        try:
            found = self.route(request)
        except NoMatch as unknown:
            return unknown.provider
        return found if isinstance(found, Door) else found.provider

    def _is_at_root(self, request: Request, prefix: str, below: str) -> bool:
        """Whether a path that begins with a provider's name is an operation's own, not below that name."""
        at_root, _ = self._root.methods(request.path, request.method)
        return request.method in at_root or (
            bool(at_root) and not self._own[prefix].methods(below, request.method)[0]
        )

    def _no_match(
        self,
        index: Index,
        methods: Mapping[str, Match],
        path: str,
        provider: Provider | None,
        request: Request,
    ) -> NoMatch:
        if methods:
            allowed = ", ".join(sorted(methods))
            first, type_ = next(iter(methods.values())), ProblemType.UNKNOWN_METHOD
            message = f"{first.operation.path} takes {allowed}, not {request.method}"
            violation = Violation("path", "", "method", message, first.citation(type_))
            return NoMatch(first.provider, Problem(type_, (violation,), headers={"Allow": allowed}))
        firsts = [_first(each) for each in index.paths]
        if provider and [provider.name] in firsts and _first(path) not in firsts:
            path = request.path  # it begins with a first part of the API's own, not with the provider's name
        nearest = PATHS.ask(_nearest, path[:LONGEST_COMPARED], index.paths)
        meant = provider or self._owner(path)
        message = f"There is no path {path[:200]}; the nearest is {nearest}"
        type_ = ProblemType.UNKNOWN_PATH
        citation = meant.problems[type_.value].citation if meant else "all providers"
        return NoMatch(meant, Problem(type_, (Violation("path", "", "path", message, citation),)))

    def _owner(self, path: str) -> Provider | None:
        """Say whose API an unknown path most likely belongs to: the one that shares its first part."""
        for provider in self._providers.values():
            if any(_first(each.path) == _first(path) for each in provider.operations.values()):
                return provider
        return None


def _bare(path: str, host: str = "") -> Request:
    return Request("GET", path, {"host": host})


def _first(path: str) -> list[str]:
    return path.split("/")[1:2]


def _is_others(method: str, methods: Mapping[str, Match], best: Mapping[str, Match]) -> bool:
    """Whether a path takes a method that the best one so far, of other APIs, does not."""
    return method in methods and methods[method].provider not in {each.provider for each in best.values()}


def _pattern(template: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Turn a path template into a pattern with a group for each parameter, and the parameters' names.

    >>> pattern, names = _pattern("/v2/{pet-id}")
    >>> pattern.fullmatch("/v2/7").groups(), names
    (('7',), ('pet-id',))
    """
    parts = re.split(r"\{([^{}/]+)\}", template)
    text = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(text), tuple(parts[1::2])


def _nearest(path: str, paths: tuple[str, ...]) -> str:
    """Find the path most like an unknown one: by its letters first, which is quick, then by their order."""
    matcher = difflib.SequenceMatcher(None, "", path)

    def likeness(each: str, *, is_exact: bool = True) -> float:
        matcher.set_seq1(each)
        return matcher.ratio() if is_exact else matcher.quick_ratio()

    likely = heapq.nlargest(MOST_COMPARED, paths, functools.partial(likeness, is_exact=False))
    return max(likely, key=likeness)
