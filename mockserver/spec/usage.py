"""What a value uses of its schema that it had better not: names that stand nowhere in it, deprecated ones.

Both are accepted; a strict reader asks for them afterwards. A name counts as documented wherever the schema
gives it, be it in a branch that does not apply; deprecated is what a branch says that does.
"""

import difflib
import functools
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from mockserver.jsontext import Json
from mockserver.spec.explain import spoken
from mockserver.spec.fields import schemas_of
from mockserver.spec.patterns import matcher
from mockserver.spec.schema import Schema

BOTH, CHOICES, CONDITIONS = "allOf", ("anyOf", "oneOf"), ("if", "then", "else")
Place = tuple[str | int, ...]
Part = Mapping[str, Json]


class Usage(NamedTuple):
    """One place of a value."""

    path: Place
    keyword: Literal["additionalProperties", "deprecated"]
    message: str


def usages(schema: Schema, value: Json) -> Iterator[Usage]:
    """Find the members of a value, however deep, that are not documented, or deprecated.

    >>> pet = {"properties": {"name": {}, "nick": {"deprecated": True}}}
    >>> [each.message for each in usages(Schema(pet, ""), {"name": 1, "nick": 2, "nam": 3})]
    ['nam is not documented; did you mean name?', 'nick is deprecated']
    """
    yield from _reader(schema).read(value)


class _Reader:
    """Goes through a value and the parts of a schema that speak of it."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._deprecates = _deprecates(schema)
        self._choices: dict[int, Schema | None] = {}  # by id; None: one that deprecates nothing

    def read(self, value: Json) -> Iterator[Usage]:
        """Find the usages of a value, outer ones first."""
        rest = deque[tuple[list[Json], Json, Place]]([([self._schema.document], value, ())])
        while rest:
            schemas, value, path = rest.popleft()
            exact = [part for each in schemas for part in self._applied(each, value, is_exact=True)]
            if path and any(part.get("deprecated") is True for part in exact):
                yield Usage(path, "deprecated", f"{spoken(path)} is deprecated")
            if isinstance(value, list):
                rest += [(_items(exact, index), item, (*path, index)) for index, item in enumerate(value)]
            elif isinstance(value, dict) and schemas:
                known = self._known(schemas, value)
                for name, member in value.items():
                    if known is None or name in known or any(_others(part, name) for part in exact):
                        below = [each for part in exact for each in _members(part, name)]
                        rest.append((below, member, (*path, name)))
                    else:
                        what = undocumented(spoken((*path, name)), name, known)
                        yield Usage((*path, name), "additionalProperties", what)

    def _known(self, schemas: list[Json], value: Json) -> Collection[str] | None:
        """Give the names that any part gives to members; None where none is given: they are free."""
        parts = [part for each in schemas for part in self._applied(each, value, is_exact=False)]
        if not any("properties" in part or "patternProperties" in part for part in parts):
            return None
        return {
            name: None for part in parts for key in ("properties", "required") for name in part.get(key, ())
        }

    def _applied(self, schema: Json, value: Json, *, is_exact: bool) -> Iterator[Part]:
        """Give the parts that speak of a value itself; `is_exact`: of a choice, those that the value fits."""
        seen: set[int] = set()
        rest = [schema]
        while rest:
            part = rest.pop()
            if id(part) in seen or not isinstance(part, Mapping):
                continue
            seen.add(id(part))
            yield part
            rest += [self._schema.followed(part)] if "$ref" in part else []
            rest += part.get(BOTH, ())
            rest += [part[key] for key in CONDITIONS if key in part]
            rest += [each for name, each in part.get("dependentSchemas", {}).items() if _has(value, name)]
            for each in (each for key in CHOICES for each in part.get(key, ())):
                if not is_exact or self._fits(each, value):
                    rest.append(each)

    def _fits(self, choice: Json, value: Json) -> bool:
        """Whether a value fits one of several schemas; it is not asked where that changes nothing."""
        if id(choice) not in self._choices:
            part = self._schema.part(choice)
            self._choices[id(choice)] = part if self._deprecates and _deprecates(part) else None
        known = self._choices[id(choice)]
        return known is None or known.accepts(value)


@functools.lru_cache(maxsize=1024)
def _reader(schema: Schema) -> _Reader:
    return _Reader(schema)


def _deprecates(schema: Schema) -> bool:
    return any(part.get("deprecated") is True for part in schemas_of(schema))


def undocumented(what: str, name: str, known: Collection[str]) -> str:
    """Say that a name stands nowhere, and which one was meant where that can be told.

    >>> undocumented("pet.nam", "nam", ["name"]), undocumented("x", "x", ["name"])
    ('pet.nam is not documented; did you mean name?', 'x is not documented')
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f"{what} is not documented{f'; did you mean {near[0]}?' if near else ''}"


def _has(value: Json, name: str) -> bool:
    return isinstance(value, dict) and name in value


def _items(parts: list[Part], index: int) -> list[Json]:
    """Give what speaks of one item of an array."""
    first = [part["prefixItems"][index] for part in parts if index < len(part.get("prefixItems", ()))]
    return first + [
        part["items"] for part in parts if "items" in part and index >= len(part.get("prefixItems", ()))
    ]


def _members(part: Part, name: str) -> list[Json]:
    """Give what one part says of a member of an object."""
    own = part.get("properties", {})
    return [own[name]] if name in own else _others(part, name)


def _others(part: Part, name: str) -> list[Json]:
    """Give what one part says of members that it does not name but describes."""
    patterns = part.get("patternProperties", {})
    found = [each for pattern, each in patterns.items() if matcher(pattern)(name)]
    rest = [part.get(key) for key in ("additionalProperties", "unevaluatedProperties")]
    return found or [each for each in rest if isinstance(each, Mapping) and each]
