"""Every violation is a sentence that a person can act on, at the place that is wrong."""

from typing import Any

import pytest

from mockserver.pointer import write
from mockserver.spec.explain import spoken
from mockserver.spec.schema import Schema

TWO = {"oneOf": [{"required": ["url"]}, {"required": ["base64"]}]}
THREE = {"oneOf": [{"required": [name]} for name in ("a", "b", "c")]}
KNOWN = {"properties": {"image_url": {}, "title": {}}, "additionalProperties": False}

# schema of the field `f`, a value that breaks it, the sentence
SENTENCES: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "string"}, 1, "f must be a string"),
    ({"type": "number"}, "1", "f must be a number"),
    ({"type": "integer"}, 1.5, "f must be a whole number"),
    ({"type": "integer"}, True, "f must be a whole number"),
    ({"type": "boolean"}, 0, "f must be true or false"),
    ({"type": "array"}, {}, "f must be an array"),
    ({"type": "object"}, [], "f must be a JSON object"),
    ({"type": "null"}, 0, "f must be null"),
    ({"type": ["string", "null"]}, 1, "f must be a string or null"),
    ({"type": ["string", "integer", "null"]}, [], "f must be a string, a whole number or null"),
    ({"enum": ["pkz_2", "pkz_4"]}, "pkz_5", "f must be one of: pkz_2, pkz_4"),
    ({"const": "yes"}, "no", "f must be yes"),
    ({"minLength": 1}, "", "f must not be empty"),
    ({"minLength": 3}, "ab", "f must have at least 3 characters"),
    ({"maxLength": 2}, "😀😀😀", "f must have at most 2 characters (it has 3)"),
    ({"pattern": "^a$"}, "b", "f must match the pattern ^a$"),
    ({"minItems": 2}, [1], "f must hold at least 2 items (it holds 1)"),
    ({"maxItems": 2}, [1, 2, 3], "f must hold at most 2 items (it holds 3)"),
    ({"minItems": 2, "maxItems": 2}, [1, 2, 3], "f must hold exactly 2 items (it holds 3)"),
    ({"minimum": 1}, 0, "f must be at least 1"),
    ({"maximum": 4}, 5, "f must be at most 4"),
    ({"exclusiveMinimum": 0}, 0, "f must be more than 0"),
    ({"exclusiveMaximum": 9}, 9, "f must be less than 9"),
    ({"multipleOf": 5}, 7, "f must be a multiple of 5"),
    ({"uniqueItems": True}, [1, 1], "f must not hold the same item twice"),
    ({"minProperties": 1}, {}, "f breaks the rule “minProperties” of its schema"),
]
# schema of the whole value, the value, what is said and where
CHOICES = [
    (TWO, {}, ["/url"], "Provide url or base64"),
    (TWO, {"url": 1, "base64": 1}, ["/url"], "Provide either url or base64, not both"),
    ({"not": {"required": ["a", "b"]}}, {"a": 1, "b": 1}, ["/a"], "Provide either a or b, not both"),
    (
        {"not": {"required": ["a", "b", "c"]}},
        {"a": 1, "b": 1, "c": 1},
        [""],
        "The request body breaks the rule “not” of its schema",
    ),
    (THREE, {}, ["/a"], "Provide exactly one of a, b or c"),
    (THREE, {"a": 1, "b": 1}, ["/a"], "Provide exactly one of a, b or c"),
    ({"anyOf": THREE["oneOf"]}, {}, ["/a"], "Provide at least one of a, b or c"),
    ({"required": ["title"]}, {}, ["/title"], "title is required"),
    (KNOWN, {"image_ur": 1}, ["/image_ur"], "image_ur is not a known field; did you mean image_url?"),
    (KNOWN, {"zzz": 1}, ["/zzz"], "zzz is not a known field"),
    ({"type": "object"}, [], [""], "The request body must be a JSON object"),
    ({"enum": [[1], {"a": None}]}, 0, [""], "The request body must be one of: [1], {'a': None}"),
]


def said(schema, value):
    return [
        (write(violation.path), violation.message) for violation in Schema(schema, "here").violations(value)
    ]


@pytest.mark.parametrize(
    ("schema", "value", "sentence"), SENTENCES, ids=[next(iter(row[0])) for row in SENTENCES]
)
def test_a_broken_rule_is_one_sentence_at_its_field(schema, value, sentence):
    assert said({"properties": {"f": schema}}, {"f": value}) == [("/f", sentence)]


@pytest.mark.parametrize(("schema", "value", "places", "sentence"), CHOICES)
def test_what_is_wrong_with_the_whole_is_said_at_the_field_that_people_would_change(
    schema, value, places, sentence
):
    assert said(schema, value) == [(place, sentence) for place in places]


def test_a_value_that_obeys_is_not_complained_of():
    assert said({"properties": {"f": {"type": "string"}}}, {"f": ""}) == []


def test_every_missing_and_every_unknown_field_has_its_own_sentence():
    schema = {**KNOWN, "required": ["image_url", "title"]}
    assert sorted(place for place, _ in said(schema, {"a": 1, "b": 2})) == [
        "/a",
        "/b",
        "/image_url",
        "/title",
    ]


def test_an_item_of_an_array_is_named_by_its_number():
    schema = {"properties": {"urls": {"type": "array", "items": {"type": "string"}}}}
    assert said(schema, {"urls": ["a", 1]}) == [("/urls/1", "urls[1] must be a string")]


@pytest.mark.parametrize(
    ("index", "told"),
    [
        (999, [("/urls/999", "urls[999] must be a string")]),
        (1000, [("", "the request body breaks its schema behind the first 1000 items of an array")]),
    ],
)
def test_of_an_array_the_first_thousand_items_are_looked_at(index, told):
    schema = {"properties": {"urls": {"type": "array", "items": {"type": "string"}}}}
    assert said(schema, {"urls": [*"a" * index, 1]}) == told


def test_the_outermost_violation_comes_first():
    deep = {"properties": {"b": {"properties": {"c": {"type": "null"}}}}}
    for schema in ({"required": ["a"], **deep}, {**deep, "required": ["a"]}):
        assert [place for place, _ in said(schema, {"b": {"c": 1}})] == ["/a", "/b/c"]


def test_names_with_slashes_and_tildes_are_escaped_in_pointers_alone():
    assert said({"properties": {"a/b~c": {"type": "null"}}}, {"a/b~c": 1}) == [
        ("/a~1b~0c", "a/b~c must be null")
    ]


def test_a_choice_knows_all_its_fields_and_its_place_in_the_schema():
    (violation,) = Schema({"allOf": [TWO]}, "here").violations({})
    assert (violation.fields, violation.keyword, violation.schema_pointer) == (
        ("url", "base64"),
        "oneOf",
        "/allOf/0/oneOf",
    )


def test_a_violation_of_a_pattern_carries_the_pattern():
    (violation,) = Schema({"pattern": "^a$"}, "here").violations("b")
    assert violation.pattern == "^a$"


def test_a_large_value_is_not_repeated_in_its_sentence():
    assert (
        max(
            len(message)
            for _, message in said({"type": "null", "pattern": "^a$", "maxLength": 9}, "x" * 5_000_000)
        )
        < 100
    )


def test_a_rule_over_required_fields_that_means_more_is_not_read_as_a_choice():
    schema = {"oneOf": [{"required": ["a", "b"]}, {"required": ["c"]}]}
    assert said(schema, {}) == [("", "The request body breaks the rule “oneOf” of its schema")]


def test_nothing_is_valid_where_the_schema_is_false():
    assert said({"properties": {"f": False}}, {"f": 1})[0][0] == "/f"


def test_places_are_spoken_as_programmers_write_them():
    assert [spoken([]), spoken(["a"]), spoken(["a", 0, "b"])] == ["the request body", "a", "a[0].b"]


def test_what_stands_under_the_empty_name_is_told_at_its_place():
    named = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = Schema({"properties": {"names": named, "count": {"type": "integer"}}}, "a test")
    told = schema.violations({"names": {"": None}, "count": "one"})
    assert sorted(each.path for each in told) == [("count",), ("names", "")]


IN_MANY = {
    "properties": {"a": {"type": "string"}, "b": {"items": {"$ref": "#/$defs/part"}}},
    "allOf": [{"properties": {"c": {"properties": {"d": {"enum": [1]}}}}}],
    "$defs": {"part": {"properties": {"e": {"minimum": 1}}}},
}


@pytest.mark.parametrize("value", [{"a": 1}, {"b": [{"e": 0}]}, {"c": {"d": 2}}])
def test_what_is_wrong_further_in_is_told_without_the_slow_reader(value):
    schema = Schema(IN_MANY, "here")
    assert len(schema.violations(value)) == 1
    assert schema._validator is None  # it was never made
