"""A value made from a schema or its example: what an operation answers with of which nothing else is known.

The value obeys the schema, repeats for the same request, and echoes the fields that the request names alike.
"""

from collections.abc import Mapping
from typing import Any

from mockserver.call import Call, Result
from mockserver.problems import Problem, ProblemType
from mockserver.spec.model import ResponseSpec

Json = Any
DEEPEST = 8
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jasper")
FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "uri": "https://example.com/",
    "email": "someone@example.com",
}


def generate(call: Call) -> Result:
    """Answer with the first documented success: its example, or a value made from its schema."""
    documented = _success(call)
    status = int(documented.status)
    if documented.schema is None:
        return Result(None, status)
    value = documented.example
    if value is None:
        value = made(documented.schema.document, call, "answer")
    return Result(_echoed(value, call, documented), status)


def _success(call: Call) -> ResponseSpec:
    for status, response in call.operation.responses.items():
        if status.isdigit() and status.startswith("2"):
            return response
    raise Problem(ProblemType.INTERNAL)


def _echoed(value: Json, call: Call, documented: ResponseSpec) -> Json:
    """Put what the request says, and this request's own id, in the places of the example's, where the schema allows."""
    if not isinstance(value, dict) or documented.schema is None:
        return value
    said = {**call.arguments.query, **call.arguments.path, **call.body, "request_id": call.request_id}
    for name in set(value) & set(said):
        echoed = {**value, name: said[name]}
        if documented.schema.accepts(echoed):
            value = echoed
    return value


def made(schema: Json, call: Call, place: str, depth: int = 0) -> Json:
    """Make a value that obeys a schema, from the request's own chance."""
    schema = _followed(schema, call)
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return None
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][call.chance.whole(place, 0, len(schema["enum"]) - 1)]
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema and "properties" not in schema:
            return made(schema[key][0], call, place, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else None)
    kind = next((name for name in kind if name != "null"), "null") if isinstance(kind, list) else kind
    return _of_kind(kind, schema, call, place, depth)


def _of_kind(kind: str | None, schema: Mapping[str, Json], call: Call, place: str, depth: int) -> Json:
    if kind == "object":
        wanted = schema.get("properties", {})
        return {name: made(each, call, f"{place}/{name}", depth + 1) for name, each in wanted.items()}
    if kind == "array":
        count = max(1, schema.get("minItems", 1))
        return [made(schema.get("items", {}), call, f"{place}/{index}", depth + 1) for index in range(count)]
    if kind in {"integer", "number"}:
        return _number(schema, call, place)
    if kind == "boolean":
        return call.chance.whole(place, 0, 1) == 1
    return _text(schema, call, place) if kind == "string" else None


def _followed(schema: Json, call: Call) -> Json:
    """Follow a reference into the components that the response's schema carries along."""
    while isinstance(schema, Mapping) and "$ref" in schema:
        documented = _success(call)
        target: Json = documented.schema.document if documented.schema else {}
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(part, {})
        schema = target
    return schema


def _number(schema: Mapping[str, Json], call: Call, place: str) -> int:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    high = schema.get("maximum", max(low, 100))
    return call.chance.whole(place, int(low), int(high))


def _text(schema: Mapping[str, Json], call: Call, place: str) -> str:
    if schema.get("format") == "uuid":
        return call.chance.uuid(place)
    text = FORMATS.get(schema.get("format", ""), WORDS[call.chance.whole(place, 0, len(WORDS) - 1)])
    text = text.ljust(schema.get("minLength", 0), "x")
    return text[: schema.get("maxLength", len(text))]
