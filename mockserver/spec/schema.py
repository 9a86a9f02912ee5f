"""JSON Schema: whether a value obeys, and every way in which it does not.

Two readers of one schema: the fast path (`jsonschema-rs`) accepts in a microsecond, the validator (`jsonschema`
with `regress`) explains every refusal and has the last word. The fast path never accepts what that one refuses.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from mockserver import pointer
from mockserver.jsontext import Json
from mockserver.spec.explain import ARTICLES, SchemaViolation, explain, located, nearest
from mockserver.spec.patterns import for_rust, matcher

VALUES = frozenset(
    {"enum", "const", "default", "example", "examples"}
)  # keywords below which no schema stands
NAMED = frozenset(
    {"properties", "$defs", "definitions", "dependentSchemas"}
)  # below which names stand, not keywords


class Schema:
    """One JSON Schema (draft 2020-12); each reader is compiled when it is first needed, or by `warm`."""

    __slots__ = ("_fast_path", "_is_warm", "_validator", "document", "source")

    def __init__(self, document: Mapping[str, Json] | bool, source: str) -> None:
        self.document = document
        self.source = source
        self._validator: Any = None
        self._fast_path: Any = None  # once warm, None: the fast path cannot read this schema exactly
        self._is_warm = False

    def warm(self) -> "Schema":
        """Compile the fast path now, so that the first call does not pay for it. Raises ValueError for what is no schema."""
        if not self._is_warm:
            readable, is_exact = _for_fast_path(self.document)
            self._fast_path = jsonschema_rs.Draft202012Validator(readable) if is_exact else None
            self._is_warm = True
        return self

    @property
    def has_fast_path(self) -> bool:
        """Whether the fast path can read this schema exactly; otherwise every value waits for the validator."""
        self.warm()
        return self._fast_path is not None

    def accepts(self, value: Json) -> bool:
        """Say whether a value obeys. Takes about a microsecond where it does."""
        if not self._is_warm:
            self.warm()
        if self._fast_path is not None:
            try:
                if self._fast_path.is_valid(value):
                    return True
            except ValueError:  # a lone surrogate or a number the fast path cannot hold: the validator can
                pass
        return not any(True for _ in self._errors(value))

    def violations(self, value: Json) -> list[SchemaViolation]:
        """Give every way in which a value breaks the schema, outermost first; empty when it obeys."""
        found = [violation for error in self._errors(value) for violation in explain(error)]
        return sorted(found, key=lambda violation: len(violation.path))

    def followed(self, part: Json) -> Json:
        """Follow the references of a part of this schema; what leads nowhere or in a circle is an empty schema."""
        seen: set[str] = set()
        while isinstance(part, Mapping) and isinstance(part.get("$ref"), str):
            reference = part["$ref"]
            part = {} if reference in seen else target(self.document, reference) or {}
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
        return frozenset[str]().union(
            *(self.types(each) for key in ("allOf", "anyOf", "oneOf") for each in part.get(key, ()))
        )

    def member(self, name: str) -> Json:
        """Give the schema of one member of an object; an empty one where none is documented."""
        part = self.followed(self.document)
        properties = part.get("properties", {}) if isinstance(part, Mapping) else {}
        return properties.get(name, {})

    def items(self) -> Json:
        """Give the schema of the items of an array; an empty one where none is documented."""
        part = self.followed(self.document)
        return part.get("items", {}) if isinstance(part, Mapping) else {}

    def _errors(self, value: Json) -> Iterator[Any]:
        if self._validator is None:
            from mockserver.spec.validator import Validator  # noqa: PLC0415 - a tenth of a second, for refusals alone

            self._validator = Validator(self.document)
        errors: Iterator[Any] = self._validator.iter_errors(value)
        return errors


def complaints(part: Json, whole: Json) -> list[str]:
    """Say what is wrong with a schema itself, whose references lead into `whole`; empty when nothing is."""
    from mockserver.spec.validator import Validator  # noqa: PLC0415 - a tenth of a second, for what is broken or checked

    found = []
    for error in Validator(Validator.META_SCHEMA).iter_errors(part):
        if error.absolute_path and error.absolute_path[-1] == "type" and error.validator == "anyOf":
            place = ".".join(map(str, error.absolute_path))
            found.append(f"{place}: there is no type {error.instance!r}; {nearest(error.instance, ARTICLES)}")
        else:
            found += [located(part, violation) for violation in explain(error)]
    for place, pattern in keywords(part, "pattern"):
        try:
            matcher(pattern)
        except ValueError as error:
            found.append(f"{place}: {error}")
    for place, reference in keywords(part, "$ref"):
        if target(whole, reference) is None:
            found.append(f"{place}: there is no {reference}; add it, or correct the reference")
    return found


def keywords(schema: Json, wanted: str, place: str = "") -> Iterator[tuple[str, str]]:
    """Give every text that stands under one keyword in a schema, with its place.

    >>> list(keywords({"properties": {"$ref": {"$ref": "#/a"}}, "example": {"$ref": "#/b"}}, "$ref"))
    [('properties.$ref.$ref', '#/a')]
    """
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from keywords(item, wanted, f"{place}{index}.")
    elif isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == wanted and isinstance(value, str):
                yield f"{place}{key}", value
            elif key in NAMED and isinstance(value, Mapping):
                for name, each in value.items():
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


def _for_fast_path(schema: Json) -> tuple[Json, bool]:
    """Rewrite all patterns for the fast path; the flag is False where one cannot be read exactly."""
    if isinstance(schema, list):
        parts = [_for_fast_path(item) for item in schema]
        return [part for part, _ in parts], all(exact for _, exact in parts)
    if not isinstance(schema, Mapping):
        return schema, True
    rewritten: dict[str, Json] = {}
    is_exact = True
    for key, value in schema.items():
        if key in VALUES:
            rewritten[key] = value
        elif key in NAMED and isinstance(value, Mapping):
            members = {name: _for_fast_path(each) for name, each in value.items()}
            rewritten[key] = {name: part for name, (part, _) in members.items()}
            is_exact &= all(exact for _, exact in members.values())
        elif key == "pattern" and isinstance(value, str):
            pattern = for_rust(value)
            is_exact &= pattern is not None
            rewritten[key] = pattern
        else:
            rewritten[key], exact = _for_fast_path(value)
            is_exact &= exact and key != "patternProperties"
    return rewritten, is_exact
