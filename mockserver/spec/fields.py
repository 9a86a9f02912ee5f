"""What a table can point at in an OpenAPI document's schemas: fields, their values, branches by subject."""

from collections.abc import Iterator, Mapping, Sequence

from mockserver.jsontext import Json
from mockserver.spec.explain import nearest, required_of
from mockserver.spec.model import Operation
from mockserver.spec.rows import Refusal
from mockserver.spec.schema import VALUES, Schema

BRANCHES = ("allOf", "anyOf", "oneOf")
KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


def schemas_of(*schemas: Schema) -> Iterator[Mapping[str, Json]]:
    """Give every schema that stands within some, each once; references are followed."""
    seen: set[int] = set()
    for schema in schemas:
        rest = [schema.document]
        while rest:
            part = schema.followed(rest.pop())
            if id(part) in seen or not isinstance(part, Mapping | list):
                continue
            seen.add(id(part))
            if isinstance(part, list):
                rest += part
                continue
            yield part
            rest += [value for key, value in part.items() if key not in VALUES and key != "components"]


def fields_of(operation: Operation | None) -> dict[str, list[Mapping[str, Json]]]:
    """Give the fields of an operation's body, each with all that its schema says of it."""
    schemas = [] if operation is None or operation.body is None else list(operation.body.schemas.values())
    return members_of(schemas[0]) if schemas else {}


def members_of(schema: Schema) -> dict[str, list[Mapping[str, Json]]]:
    """Give the members of the object that a schema describes, each with all that is said of it."""
    found: dict[str, list[Mapping[str, Json]]] = {}
    seen: set[int] = set()
    rest = [schema.document]
    while rest:
        part = schema.followed(rest.pop(0))
        if id(part) in seen or not isinstance(part, Mapping):
            continue
        seen.add(id(part))
        for name, each in part.get("properties", {}).items():
            found.setdefault(name, []).extend([each] if (each := schema.followed(each)) else [])
        rest += [each for key in BRANCHES for each in part.get(key, ())]
    return found


def types_of(parts: Sequence[Mapping[str, Json]]) -> frozenset[str]:
    """Give the JSON types that a field can have; empty where its schema says nothing."""
    kinds = [part["type"] for part in parts if "type" in part]
    return frozenset(name for kind in kinds for name in ([kind] if isinstance(kind, str) else kind))


def refuses(field: str, parts: Sequence[Mapping[str, Json]], value: Json) -> str | None:
    """Say why a field cannot have a value; None where it can, by its schema's values, types and bounds."""
    listed = [each for part in parts for each in part.get("enum", ())]
    types = types_of(parts)
    if listed and value not in listed:
        return f"{field} cannot be {value!r}; {nearest(value, map(str, listed))}"
    kinds = ["boolean"] if isinstance(value, bool) else [name for name in types if name != "boolean"]
    if types and not any(name in types and isinstance(value, KINDS[name]) for name in kinds):
        return f"{field} cannot be {value!r}, which is not {' or '.join(sorted(types))}"
    for part in parts:
        if isinstance(value, int | float):
            low, high = part.get("minimum"), part.get("maximum")
            if (low is not None and value < low) or (high is not None and value > high):
                return f"{field} cannot be {value!r}; it is from {low} to {high}"
    return None


def branch(operation: Operation, row: Refusal) -> str | None:
    """Find the keyword of the body's schema that a refusal speaks of, as a JSON Pointer; None: no such."""
    for schema in list(operation.body.schemas.values())[:1] if operation.body else ():
        rest: list[tuple[str, Json]] = [("", schema.document)]
        while rest:
            at, part = rest.pop(0)
            if isinstance(part, Mapping) and "$ref" in part:
                at, part = f"{at}/$ref", schema.followed(part)
            if not isinstance(part, Mapping) or at.count("/$ref") > len(BRANCHES):
                continue
            for key in ("anyOf", "oneOf"):
                if row.choice and set(required_of(part.get(key, ()))) == set(row.choice):
                    return f"{at}/{key}"
            if row.forbids and _forbids(part.get("not", {}), row):
                return at
            for key in BRANCHES:
                rest += [(f"{at}/{key}/{index}", each) for index, each in enumerate(part.get(key, ()))]
    return None


def _forbids(part: Mapping[str, Json], row: Refusal) -> bool:
    """Whether what must not be is that one of the forbidden fields is there when others have these values."""
    branches = part.get("anyOf", [part] if part else [])
    conditions = [
        {name: tuple(each.get("enum", ())) for name, each in branch.get("properties", {}).items() if each}
        for branch in branches
    ]
    asked = required_of(branches)
    return bool(asked) and {*asked} == {*row.forbids} and all(each == row.when for each in conditions)
