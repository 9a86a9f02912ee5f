"""OpenAPI's schemas become JSON Schema 2020-12: version 3.0 is read as 3.1, their own names are dropped."""

from collections.abc import Mapping

from mockserver.jsontext import Json
from mockserver.spec.schema import NAMED, VALUES

# References are pointers into the document here; a schema with a base of its own would lead them elsewhere.
DROPPED = frozenset({"$id", "$schema"})


def modern(schema: Json, *, is_3_0: bool) -> Json:
    """Read a schema; of version 3.0, `nullable` and the boolean exclusive bounds become what they mean.

    >>> modern({"type": "integer", "nullable": True, "minimum": 1, "exclusiveMinimum": True}, is_3_0=True)
    {'type': ['integer', 'null'], 'exclusiveMinimum': 1}
    """
    if isinstance(schema, list):
        return [modern(item, is_3_0=is_3_0) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _part(key, value, is_3_0=is_3_0) for key, value in schema.items() if key not in DROPPED}
    if not is_3_0:
        return found
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("nullable"), bool):
        del found["nullable"]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(found.get(exclusive), bool) and found.pop(exclusive) and bound in found:
            found[exclusive] = found.pop(bound)
    return found


def _part(key: str, value: Json, *, is_3_0: bool) -> Json:
    if key in VALUES:
        return value
    if key in NAMED and isinstance(value, Mapping):
        return {name: modern(each, is_3_0=is_3_0) for name, each in value.items()}
    return modern(value, is_3_0=is_3_0)
