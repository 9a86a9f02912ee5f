"""A value made from a schema or its example: what an operation answers with of which nothing else is known.

The value obeys the schema, repeats for the same request, and echoes the fields that the request names alike.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from mockserver.call import EMPTY_BODY, Call, Result
from mockserver.jsontext import Json, dump
from mockserver.seeded import Random
from mockserver.spec.model import ResponseSpec

OPTIONAL_REFERENCES = 3  # how many references deep members stand that need not
BRANCHES = 4  # of oneOf and anyOf, how many are tried
TRIES = 20  # for each item of a list that must hold no item twice
WIDTH = 100  # of a range that is open at one end
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jasper")
STRICT_TEXTS = frozenset({"text/xml", "text/event-stream", "text/calendar"})  # in which a word says nothing
FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "uri": "https://example.com/",
    "email": "someone@example.com",
}
# What two parts of an allOf say together; where nothing stands here, the first one speaks.
JOINED: Mapping[str, Callable[[Json, Json], Json]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), min),
    "required": lambda one, other: [*one, *(name for name in other if name not in one)],
    "enum": lambda one, other: [value for value in one if value in other],
    "items": lambda one, other: {"allOf": [one, other]},
    "properties": lambda one, other: {
        **one,
        **{name: {"allOf": [one[name], each]} if name in one else each for name, each in other.items()},
    },
}
KINDS = {
    **dict.fromkeys(("properties", "required"), "object"),
    **dict.fromkeys(("minLength", "format", "pattern"), "string"),
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), "number"),
    "items": "array",
}


class EndlessError(Exception):
    """A schema asks for itself again, and so on without an end."""


def generate(call: Call) -> Result:
    """Answer with the first documented success: its example, or a value made from its schema."""
    documented, status = success(call.operation.responses)
    if documented.media_type is None:
        return Result(EMPTY_BODY, status)
    value = documented.example
    if documented.schema is None:
        return Result(_other(value, documented.media_type, call.random), status, (), documented.media_type)
    if value is None:
        value = make_value(documented, call.random)
    said = {**call.arguments.query, **call.arguments.path, **call.body, "request_id": call.request_id}
    return Result(echo(value, said, documented), status, (), documented.media_type)


def _other(example: Json, media_type: str, random: Random) -> bytes:
    """Make a body that is no JSON: the example, or words where any text will do, or nothing."""
    if isinstance(example, str):
        return example.encode("utf-8", "surrogatepass")
    if example is not None:
        return dump(example)
    is_free = media_type.startswith("text/") and media_type not in STRICT_TEXTS
    return _word(random, "answer").encode() if is_free else b""


def make_value(documented: ResponseSpec, random: Random) -> Json:
    """Make a value that obeys a schema: with all its members, or by other choices until one obeys."""
    schema, value = documented.schema, None
    if schema is None:
        return None
    for is_full, branch in ((is_full, branch) for is_full in (True, False) for branch in range(BRANCHES)):
        maker = _Maker(schema.followed, random, is_full=is_full, branch=branch)
        try:
            value = maker.value(schema.document, "answer")
        except EndlessError:
            continue
        if schema.accepts(value):
            return value
    return value


def success(responses: Mapping[str, ResponseSpec]) -> tuple[ResponseSpec, int]:
    """Find the response that means success, and its status: the first 2xx, else 3xx, else the default."""
    for first, any_ in (("2", 200), ("3", 302)):
        known = [name for name in responses if name.startswith(first)]
        known.sort(key=lambda name: not name.isdigit())
        if known:
            return responses[known[0]], int(known[0]) if known[0].isdigit() else any_
    return responses["default"], 200


def echo(value: Json, said: Mapping[str, Json], documented: ResponseSpec) -> Json:
    """Put what was said in the places of an example's members of that name, where the schema allows."""
    if not isinstance(value, dict) or documented.schema is None:
        return value
    for name in set(value) & set(said):
        echoed = {**value, name: said[name]}
        if documented.schema.accepts(echoed):
            value = echoed
    return value


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes values from the parts of one schema."""

    followed: Callable[[Json], Json]  # gives what a reference of the schema leads to
    random: Random
    is_full: bool  # False: only what is required
    branch: int  # which of the schemas under oneOf or anyOf

    def value(self, part: Json, place: str, open_: tuple[str, ...] = ()) -> Json:
        """Make a value for a part of the schema; `open_` are the references to it. Raises EndlessError."""
        part, open_ = self._whole(part, open_)
        for key in ("const", "example", "default"):
            if key in part:
                return part[key]
        if part.get("enum"):
            return part["enum"][self.random.whole(place, 0, len(part["enum"]) - 1)]
        try:
            return self._of_kind(_kind(part), part, place, open_)
        except EndlessError:
            if "null" in part.get("type", ()):
                return None
            raise

    def _whole(self, part: Json, open_: tuple[str, ...]) -> tuple[Mapping[str, Json], tuple[str, ...]]:
        """Join a part with what it refers to, all its allOf, and one of its oneOf and anyOf."""
        if not isinstance(part, Mapping):
            return {}, open_
        joined = {key: value for key, value in part.items() if key not in {"$ref", "allOf", "anyOf", "oneOf"}}
        others = list(part.get("allOf", ()))
        others.extend(part[key][self.branch % len(part[key])] for key in ("oneOf", "anyOf") if part.get(key))
        if "$ref" in part:
            if part["$ref"] in open_:
                raise EndlessError
            open_ = (*open_, part["$ref"])
            others.insert(0, self.followed(part))
        all_open = dict.fromkeys(open_)
        for other in others:
            known, also_open = self._whole(other, open_)
            joined = _joined(joined, known)
            all_open.update(dict.fromkeys(also_open))
        return joined, tuple(all_open)

    def _of_kind(
        self, kind: str | None, part: Mapping[str, Json], place: str, open_: tuple[str, ...]
    ) -> Json:
        if kind == "object":
            return self._object(part, place, open_)
        if kind == "array":
            return self._array(part, place, open_)
        if kind in {"integer", "number"}:
            return _number(part, self.random.share(place), is_whole=kind == "integer")
        if kind == "boolean":
            return self.random.whole(place, 0, 1) == 1
        return _text(part, self.random, place) if kind == "string" else None

    def _object(self, part: Mapping[str, Json], place: str, open_: tuple[str, ...]) -> Json:
        properties, required = part.get("properties", {}), part.get("required", ())
        members = {}
        for name in (*properties, *(name for name in required if name not in properties)):
            is_optional = name not in required
            schema = properties.get(name, part.get("additionalProperties", {}))
            if schema is False or (is_optional and not (self.is_full and len(open_) <= OPTIONAL_REFERENCES)):
                continue
            try:
                members[name] = self.value(schema, f"{place}/{name}", open_)
            except EndlessError:
                if not is_optional:
                    raise
        return members

    def _array(self, part: Mapping[str, Json], place: str, open_: tuple[str, ...]) -> Json:
        schemas: Sequence[Json] = part.get("prefixItems", ())
        rest, least = part.get("items", {}), part.get("minItems", 0)
        count = min(max(1, len(schemas), least), part.get("maxItems", math.inf))
        items: list[Json] = []
        try:
            for index in range(TRIES * count if part.get("uniqueItems") else count):
                schema = schemas[index] if index < len(schemas) else rest
                if len(items) == count or schema is False:
                    continue
                item = self.value(schema, f"{place}/{index}", open_)
                if not (part.get("uniqueItems") and item in items):
                    items.append(item)
        except EndlessError:
            if least > len(items):
                raise
        return items


def _joined(one: Mapping[str, Json], other: Mapping[str, Json]) -> dict[str, Json]:
    """Say in one schema what two say.

    >>> _joined({"minimum": 1, "required": ["a"]}, {"minimum": 3, "required": ["b"]})
    {'minimum': 3, 'required': ['a', 'b']}
    >>> [_joined({"type": ["null", "string"]}, {"type": kind})["type"] for kind in ("string", "object")]
    [['string'], ['null', 'string']]
    """
    together = {**other, **one}
    for key in set(one) & set(other):
        if key in JOINED:
            together[key] = JOINED[key](one[key], other[key])
        elif key == "type":
            ours, theirs = ([kind] if isinstance(kind, str) else kind for kind in (one[key], other[key]))
            together[key] = [kind for kind in ours if kind in theirs] or ours
    return together


def _kind(part: Mapping[str, Json]) -> str | None:
    """Give the type of the value to make; None where nothing is said of it."""
    kind = part.get("type")
    if isinstance(kind, list):
        return next((name for name in kind if name != "null"), "null")
    return kind or next((meant for key, meant in KINDS.items() if key in part), None)


def _number(part: Mapping[str, Json], share: float, *, is_whole: bool) -> float:
    """Choose a number within the bounds of a schema: a whole one where there is one.

    >>> _number({"minimum": 0.2, "exclusiveMaximum": 1}, 0.5, is_whole=False)
    0.6
    >>> _number({"multipleOf": 7, "minimum": 1, "maximum": 20}, 0.5, is_whole=True)
    14
    >>> [_number({"maximum": most}, 0.5, is_whole=True) for most in (-5, 0, 8)]
    [-55, 0, 4]
    """
    bounds = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
    said = [key for key in bounds if key in part and not isinstance(part[key], bool)]
    exact = {key: Fraction(str(part[key])) for key in said}
    lows = [exact[key] for key in ("minimum", "exclusiveMinimum") if key in exact]
    highs = [exact[key] for key in ("maximum", "exclusiveMaximum") if key in exact]
    step = exact.get("multipleOf") or Fraction(1)
    step = Fraction(step.numerator) if is_whole else step
    usual = min(highs) - WIDTH * step if highs and min(highs) < 0 else Fraction(0)
    low = max(lows) if lows else usual
    high = min(highs) if highs else low + WIDTH * step
    first, last = math.ceil(low / step), math.floor(high / step)
    first += first * step == exact.get("exclusiveMinimum")
    last -= last * step == exact.get("exclusiveMaximum")
    if first > last and "multipleOf" not in exact and not is_whole:
        return float(low + (high - low) * (Fraction(1, 4) + Fraction(round(share * 100), 200)))
    chosen = first + int(share * (last - first + 1)) if first <= last else first
    # The validator divides in floating point, where 0.3 is no multiple of 0.1: such numbers are passed over.
    exactly = (
        count
        for count in chain(range(chosen, last + 1), range(first, chosen))
        if (float(count * step) / float(step)).is_integer()
    )
    value = next(exactly, chosen) * step
    return int(value) if value.denominator == 1 else float(value)


def _text(part: Mapping[str, Json], random: Random, place: str) -> str:
    if part.get("format") == "uuid":
        return random.uuid(place)
    text = FORMATS.get(part.get("format", ""), _word(random, place))
    text = text.ljust(part.get("minLength", 0), "x")
    return text[: part.get("maxLength", len(text))]


def _word(random: Random, place: str) -> str:
    return WORDS[random.whole(place, 0, len(WORDS) - 1)]
