"""The fast path against the validator: for every schema of every operation, over generated values.

The bodies are made in three ways: near the schema, near its patterns' traps, and by breaking a valid body.
"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mockserver.spec.catalog import load
from mockserver.spec.files import FIXTURES
from mockserver.spec.schema import Schema

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


@pytest.mark.parametrize(("operation", "schema"), BODIES, ids=lambda value: getattr(value, "name", "body"))
def test_the_fast_path_and_the_validator_agree_on_every_body(operation, schema):
    validator = Schema(schema.document, schema.source)

    @settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(named(schema) | broken(schema, canned(operation)))
    @example({})
    @example([])
    def agree(value):
        assert schema.accepts(value) is (validator.violations(value) == [])

    agree()


@pytest.mark.parametrize(("operation", "schema"), BODIES, ids=lambda value: getattr(value, "name", "body"))
def test_every_refusal_says_what_is_wrong_in_words(operation, schema):
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
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
