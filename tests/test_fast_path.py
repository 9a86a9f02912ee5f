"""The fast path against the validator: for every schema of every operation, over generated values.

The bodies are made in three ways: near the schema, near its patterns' traps, and by breaking a valid body.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mockserver.jsontext import parse
from mockserver.spec.catalog import load
from mockserver.spec.explain import SchemaViolation
from mockserver.spec.files import FIXTURES
from mockserver.spec.schema import Schema

pytestmark = pytest.mark.usefixtures("uncounted")
CATALOG = load()
BODIES = [
    (operation, next(iter(operation.body.schemas.values())))
    for operation in CATALOG.operations
    if operation.body and operation.body.example  # the MCP endpoint's body is any JSON
]
TRAPS = [
    "\n",
    "\r",
    "\u2028",
    "\u2029",
    "\x85",
    "\ufeff",
    "\x1c",
    "\x1f",
    "\u180e",
    "\u200b",
    "\u00a0",
    "\x00",
    "\ud800",
    "😀",
    "http",
    "HtTp",
]
STARTS = [
    "",
    "https://",
    "http://",
    "data:image/png;base64,",
    "data:image/svg+xml;base64,",
    "data:image/;base64,",
    "a b-c_1",
]
LENGTHS = [0, 1, 25, 26, 200, 201, 300, 301, 3000, 3001]

texts = st.one_of(
    st.builds("".join, st.lists(st.one_of(st.sampled_from(TRAPS + STARTS), st.text(max_size=5)), max_size=6)),
    st.builds(lambda unit, count: unit * count, st.sampled_from(["a", "é", "😀"]), st.sampled_from(LENGTHS)),
)
scalars = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(-5, 9),
    st.sampled_from(
        [
            1.0,
            4.0,
            0.5,
            -0.0,
            1e300,
            float("inf"),
            10**30,
            "pkz_2",
            "pkz_4",
            "16:9",
            "hd",
            "youtube",
            "medium",
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


def properties(schema: Schema) -> dict[str, Any]:
    assert not isinstance(schema.document, bool)
    return dict(schema.document["properties"])


def named(schema: Schema) -> st.SearchStrategy[Any]:
    """Objects with the schema's own field names, and now and then another."""
    names = [*properties(schema), "unknown", "__proto__", ""]
    own = [st.sampled_from(each["enum"]) for each in properties(schema).values() if "enum" in each]
    return st.dictionaries(st.sampled_from(names), st.one_of(values, *own), max_size=8) | values


def broken(schema: Schema, valid: list[Any]) -> st.SearchStrategy[Any]:
    """A valid body with a few members replaced, added or removed."""
    names = st.sampled_from([*properties(schema), "unknown"])
    changes = st.dictionaries(names, st.one_of(values, st.just(...)), max_size=3)

    def changed(body, change):
        made = {**body, **change}
        return {name: value for name, value in made.items() if value is not ...}

    return st.builds(changed, st.sampled_from(valid), changes)


def canned(operation) -> list[Any]:
    files = (FIXTURES / "requests" / operation.provider).glob("*.json")
    found = [json.loads(file.read_text()) for file in files]
    return [operation.body.example, *(each["body"] for each in found if each["operation"] == operation.id)]


often = pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.soak)])


@often
@pytest.mark.parametrize(("operation", "schema"), BODIES, ids=lambda value: getattr(value, "name", "body"))
def test_the_fast_path_says_of_every_body_what_the_validator_says(operation, schema, times):
    alone = without_fast_path(schema.document)

    @settings(
        max_examples=40 * times, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(named(schema) | broken(schema, canned(operation)))
    @example({})
    @example([])
    def agree(value):
        assert schema.accepts(value) is (alone(value) == [])
        assert schema.violations(value) == alone(value)

    agree()


KEYWORDS: list[dict[str, Any]] = [
    {"type": "string"}, {"type": ["integer", "null"]}, {"enum": ["a", 1, None]}, {"const": 1},
    {"pattern": "^a"}, {"minLength": 2}, {"maxLength": 1}, {"minItems": 2}, {"maxItems": 1},
    {"uniqueItems": True}, {"minimum": 1}, {"maximum": 0}, {"exclusiveMinimum": 0}, {"exclusiveMaximum": 1},
    {"multipleOf": 0.5}, {"required": ["b", "a"]},
    {"additionalProperties": False}, {"additionalProperties": {"type": "null"}},
    {"properties": {"b": False, "a": {"type": "string"}}}, {"items": {"type": "integer"}}, {"items": False},
    {"prefixItems": [{"type": "string"}]}, {"not": {"required": ["a", "b"]}}, {"not": {"type": "string"}},
    {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"anyOf": [{"required": ["a"]}, {"type": "null"}]},
    {"allOf": [{"minProperties": 1}, {"required": ["a"]}]}, {"propertyNames": {"maxLength": 0}},
    {"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"contains": {"const": 1}},
    {"dependentRequired": {"a": ["b"]}}, {"$ref": "#/$defs/loop"},
]  # fmt: skip
LOOP = {"properties": {"a": {"$ref": "#/$defs/loop"}, "b": {"type": "string"}}, "required": ["c"]}
mixed: st.SearchStrategy[dict[str, Any]] = st.lists(st.sampled_from(KEYWORDS), min_size=1, max_size=4).map(
    lambda parts: {key: value for part in parts for key, value in part.items()}
)
nested = st.recursive(
    mixed,
    lambda inner: st.fixed_dictionaries({
        "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2), "items": inner,
        "allOf": st.lists(inner | mixed, min_size=1, max_size=2),
    }),
    max_leaves=4,
)  # fmt: skip
small = st.recursive(
    st.sampled_from(["", "a", "ab", 0, 1, 1.0, 1.5, True, None, "é", "\ud800", 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@often
def test_the_fast_path_says_of_any_schema_what_the_validator_says(times):
    @settings(
        max_examples=150 * times, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(nested, small)
    def agree(document, value):
        document = {**document, "$defs": {"loop": LOOP}}
        assert Schema(document, "any").violations(value) == without_fast_path(document)(value)

    agree()


def without_fast_path(document: dict[str, Any]) -> Any:
    """What the validator alone says: a keyword that the fast path cannot read stands beside the schema."""
    definitions = {"$defs": document["$defs"]} if "$defs" in document else {}
    alone = Schema({"allOf": [document], "patternProperties": {}, **definitions}, "alone")
    assert not alone.has_fast_path

    def said(value: Any) -> list[SchemaViolation]:
        told = alone.violations(value)
        return [replace(each, schema_pointer=each.schema_pointer.removeprefix("/allOf/0")) for each in told]

    return said


@pytest.mark.parametrize(("operation", "schema"), BODIES, ids=lambda value: getattr(value, "name", "body"))
def test_every_refusal_says_what_is_wrong_in_words(operation, schema):
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(broken(schema, canned(operation)))
    def explained(value):
        for violation in schema.violations(value):
            assert violation.message
            assert "under any of the given schemas" not in violation.message
            assert "must NOT" not in violation.message

    explained()


@pytest.mark.parametrize(("operation", "schema"), BODIES, ids=lambda value: getattr(value, "name", "body"))
def test_the_fast_path_reads_every_body_of_the_bundled_documents(operation, schema):
    """Otherwise every valid call of the operation would wait for the validator."""
    assert schema.has_fast_path


@pytest.mark.parametrize("schema", [{"minLength": -1}, {"required": "name"}, {"uniqueItems": "yes"}])
def test_what_the_fast_path_takes_for_no_schema_the_validator_reads(schema):
    assert Schema(schema, "here").accepts("abc")


def test_a_number_beyond_all_that_javascript_holds_is_none():
    for kind in ("number", "integer"):
        assert not Schema({"type": kind}, "here").accepts(parse(b"1e400")[0])


def test_references_that_lead_in_a_circle_are_an_empty_schema():
    circle = {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}
    schema = Schema({"$ref": "#/$defs/a", "$defs": circle}, "here")
    assert (schema.followed(schema.document), schema.types(schema.document)) == ({}, frozenset())
