"""JSON Schema: whether a value obeys, and every way in which it does not.

Two readers of one schema: the fast path (`jsonschema-rs`) accepts in a microsecond, the validator
(`jsonschema` with `regress`) explains every refusal and has the last word. The fast path never accepts what
the validator refuses.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from mockserver import pointer
from mockserver.jsontext import Json
from mockserver.spec.explain import MOST_ITEMS, MOST_VIOLATIONS, Broken, SchemaViolation, explain, spoken
from mockserver.spec.patterns import for_rust
from mockserver.spec.report import Report

# Keywords below which no schema stands.
VALUES = frozenset({"enum", "const", "default", "example", "examples"})
# Keywords below which names stand, not keywords.
NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
COMPONENTS = "#/components/schemas/"
# The fast path unfolds all that a schema refers to: of 900 components that know each other 29 MB for each
# schema that names one. Beyond this many the validator alone reads it, which shares them.
MOST_UNFOLDED = 64
# What JSON calls them.
KINDS: Mapping[type, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean",
    type(None): "null", list: "array", dict: "object",
}  # fmt: skip


class Shared:
    """What the schemas of one document refer to; each part stands here once, and is read once."""

    __slots__ = ("_readings", "root")

    def __init__(self, components: Mapping[str, Json]) -> None:
        self.root: dict[str, Json] = {"components": {"schemas": components}}
        self._readings: dict[str, _Reading] = {}

    def add(self, reference: str, part: Json) -> None:
        """Let a reference lead to a part that stands outside of the components."""
        _plant(self.root, reference, part)

    def unfolded(self, reading: "_Reading") -> dict[str, Json] | None:
        """Give all that a schema refers to, for the fast path; None where it cannot have that."""
        found: dict[str, Json] = {}
        waiting = set(reading.references)
        while waiting:
            reference = waiting.pop()
            if reference not in self._readings:
                self._readings[reference] = _Reading(target(self.root, reference))
            part = self._readings[reference]
            found[reference] = part.schema
            if not part.is_exact or len(found) > MOST_UNFOLDED:
                return None
            waiting |= part.references - found.keys()
        return found


class Schema:
    """One JSON Schema (draft 2020-12); each reader is compiled when it is first needed, or by `warm`."""

    __slots__ = ("_fast_path", "_is_warm", "_report", "_shared", "_validator", "document", "source")

    def __init__(
        self, document: Mapping[str, Json] | bool, source: str, shared: Shared | None = None
    ) -> None:
        self.document = document
        self.source = source  # the place it stands first
        self._shared = shared or Shared({})
        self._validator: Any = None
        self._fast_path: Any = None  # once warm, None: the fast path cannot read this schema exactly
        self._is_warm = False
        self._report = Report(document, self._target)

    def warm(self) -> "Schema":
        """Compile the fast path now, so that the first call does not pay for it."""
        if not self._is_warm:
            self._fast_path = self._compile()
            self._is_warm = True
        return self

    @property
    def has_fast_path(self) -> bool:
        """Whether the fast path can read this schema exactly; else every value waits for the validator."""
        self.warm()
        return self._fast_path is not None

    @property
    def whole(self) -> Json:
        """The schema together with what its document's schemas share, where it refers to any of that."""
        if isinstance(self.document, Mapping) and any(True for _ in keywords(self.document, {"$ref"})):
            return {**self.document, **self._shared.root}
        return self.document

    def accepts(self, value: Json) -> bool:
        """Say whether a value obeys. Takes about a microsecond where it does."""
        return self._accepts_fast(value) or self._obeys(value)

    def _accepts_fast(self, value: Json) -> bool:
        if not self._is_warm:
            self.warm()
        try:
            return self._fast_path is not None and bool(self._fast_path.is_valid(value))
        except ValueError:  # a lone surrogate or a number the fast path cannot hold: the validator can
            return False

    def violations(self, value: Json, base: tuple[str, ...] = ()) -> list[SchemaViolation]:
        """Give every way in which a value breaks the schema, outermost first; empty when it obeys.

        `base` is where the value stands, and begins every path; empty: it is a request's body.
        """
        if self._accepts_fast(value):
            return []
        reported = self._report.broken(self._fast_path, value) if self._fast_path is not None else None
        # What looks at the first items alone finds `not` broken where a later one keeps it.
        if not reported and _has_long_array(value) and self._obeys(value):
            return []
        broken = reported or map(Broken.of, self._errors(value, is_brief=True))
        told = (violation for each in broken for violation in explain(each, base))
        found = list(islice(told, MOST_VIOLATIONS))
        if not found and self._obeys(value):
            return []
        if not found:
            message = f"{spoken(base)} breaks its schema behind the first {MOST_ITEMS} items of an array"
            found = [SchemaViolation(base, "items", "", message)]
        return sorted(found, key=lambda violation: len(violation.path))

    def followed(self, part: Json) -> Json:
        """Follow the references of a part of this schema; what leads in a circle is an empty schema."""
        seen: set[str] = set()
        while isinstance(part, Mapping) and isinstance(part.get("$ref"), str):
            reference = part["$ref"]
            part = {} if reference in seen else self._target(reference) or {}
            seen.add(reference)
        return part

    def types(self, part: Json) -> frozenset[str]:
        """Give the JSON types that a part of this schema speaks of; empty where it speaks of none."""
        part = self.followed(part)
        if not isinstance(part, Mapping):
            return frozenset()
        kind = part.get("type")
        if kind is not None:
            return frozenset([kind] if isinstance(kind, str) else kind)
        listed = part.get("enum", [part["const"]] if "const" in part else [])
        known = {KINDS[type(value)] for value in (listed if isinstance(listed, list) else ())}
        return frozenset(known).union(
            *(self.types(each) for key in ("allOf", "anyOf", "oneOf") for each in part.get(key, ()))
        )

    def part(self, part: Json) -> "Schema":
        """Give a part of this schema as one of its own."""
        return Schema(part, self.source, self._shared)

    def member(self, name: str) -> Json:
        """Give the schema of one member of an object; an empty one where none is documented."""
        part = self.followed(self.document)
        properties = part.get("properties", {}) if isinstance(part, Mapping) else {}
        return properties.get(name, {})

    def items(self) -> Json:
        """Give the schema of the items of an array; an empty one where none is documented."""
        part = self.followed(self.document)
        return part.get("items", {}) if isinstance(part, Mapping) else {}

    def _target(self, reference: str) -> Json:
        part = target(self._shared.root, reference) if reference != "#" else None
        return target(self.document, reference) if part is None else part

    def _compile(self) -> Any:
        """Make the fast path; None where it cannot read this schema exactly."""
        reading = _Reading(self.document)
        # What the document does not hold, the schema itself does: `#/$defs/…`.
        own = {each for each in reading.references if each == "#" or target(self._shared.root, each) is None}
        reading.references -= own
        unfolded = self._shared.unfolded(reading) if reading.is_exact else None
        if unfolded is None:
            return None
        for reference in sorted(unfolded, key=len):
            if target(reading.schema, reference) is None:
                _plant(reading.schema, reference, unfolded[reference])
        try:
            return jsonschema_rs.Draft202012Validator(reading.schema)
        except ValueError:  # what it takes for no schema, the validator does not
            return None

    def _obeys(self, value: Json) -> bool:
        """Let the validator say whether a value obeys."""
        return not any(True for _ in self._errors(value))

    def _errors(self, value: Json, *, is_brief: bool = False) -> Iterator[Any]:
        """Give the errors of a value; brief, only some where there are many."""
        if self._validator is None:
            from mockserver.spec.validator import Brief, Validator  # noqa: PLC0415 - slow, for refusals alone

            self._validator = Validator(self.whole), Brief(self.whole)
        errors: Iterator[Any] = self._validator[is_brief].iter_errors(value)
        return errors


class _Reading:
    """A schema with its patterns rewritten for the fast path, and what was found on the way."""

    __slots__ = ("is_exact", "references", "schema")

    def __init__(self, schema: Json) -> None:
        self.is_exact = True  # False: a pattern cannot be rewritten with certainty
        self.references: set[str] = set()
        self.schema = self._read(schema)

    def _read(self, schema: Json) -> Json:
        if isinstance(schema, list):
            return [self._read(item) for item in schema]
        if not isinstance(schema, Mapping):
            return schema
        return {key: self._read_keyword(key, value) for key, value in schema.items()}

    def _read_keyword(self, key: str, value: Json) -> Json:
        if key in VALUES:
            return value
        self.is_exact &= key != "patternProperties"
        if key in NAMED and isinstance(value, Mapping):
            return {name: self._read(each) for name, each in value.items()}
        if key == "$ref" and isinstance(value, str):
            self.references.add(_component(value))
        elif key == "pattern" and isinstance(value, str):
            pattern = for_rust(value)
            self.is_exact &= pattern is not None
            return pattern
        return self._read(value)


def keywords(schema: Json, wanted: Collection[str], place: str = "") -> Iterator[tuple[str, str, str]]:
    """Give every text that stands under certain keywords, with its place; patterns may be names, too.

    >>> list(keywords({"properties": {"$ref": {"$ref": "#/a"}}, "example": {"$ref": "#/b"}}, {"$ref"}))
    [('properties.$ref.$ref', '$ref', '#/a')]
    """
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from keywords(item, wanted, f"{place}{index}.")
    elif isinstance(schema, Mapping):
        for key, value in schema.items():
            if key in wanted and isinstance(value, str):
                yield f"{place}{key}", key, value
            elif key in NAMED and isinstance(value, Mapping):
                for name, each in value.items():
                    if key == "patternProperties" and "pattern" in wanted:
                        yield f"{place}{key}", "pattern", str(name)
                    yield from keywords(each, wanted, f"{place}{key}.{name}.")
            elif key not in VALUES:
                yield from keywords(value, wanted, f"{place}{key}.")


def target(whole: Json, reference: str) -> Json:
    """Give what a reference leads to within one document; None where that is nothing."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    try:
        return pointer.follow(unquote(reference[1:]), whole)
    except LookupError:
        return None


def _component(reference: str) -> str:
    """Give the whole component in which a reference ends; of any other reference, itself.

    >>> _component("#/components/schemas/Pet/properties/name")
    '#/components/schemas/Pet'
    """
    is_inside = reference.startswith(COMPONENTS) and reference.count("/") > COMPONENTS.count("/")
    return "/".join(reference.split("/")[:4]) if is_inside else reference


def _plant(root: Json, reference: str, part: Json) -> None:
    """Put a part where a reference leads to, making what lies between."""
    *names, last = pointer.read(unquote(reference[1:]))
    for name in names:
        root = root.setdefault(name, {})
    root[last] = part


def _has_long_array(value: Json) -> bool:
    """Whether an array in a value is too long to be looked at whole."""
    rest = [value]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            rest += part.values()
        elif isinstance(part, list):
            if len(part) > MOST_ITEMS:
                return True
            rest += part
    return False
