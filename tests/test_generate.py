"""What `generate` answers with, by what its document says: no JSON, no body, no success at all."""

import copy
from collections import Counter

import pytest
from conftest import STRICT, header, said
from test_new_provider import DOCUMENT, NO, write

from mockserver import Request, create_engine
from mockserver.behaviours.generate import WORDS, _word, make_value
from mockserver.seeded import Random
from mockserver.spec.model import ResponseSpec
from mockserver.spec.schema import Schema


@pytest.fixture
def answer(tmp_path):
    """Ask for the pets of a shop whose document lists these responses."""

    def asked(responses):
        document = copy.deepcopy(DOCUMENT) | {"openapi": "3.1.0"}
        document["paths"]["/pets"]["get"]["responses"] = {**responses, "4XX": NO, "5XX": NO}
        write(tmp_path / "petshop", document)
        sent = {"host": "localhost", "pet-key": "pet_1"}
        return create_engine(STRICT, [tmp_path]).handle(Request("GET", "/pets", sent, "limit=1"))

    return asked


def made_from(schema):
    return make_value(ResponseSpec("200", Schema(schema, "here")), Random(b""))


def test_what_has_no_end_at_all_has_no_value_and_another_choice_is_taken_where_there_is_one():
    endless = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/$defs/node"}}}
    assert made_from({"$ref": "#/$defs/node", "$defs": {"node": endless}}) is None
    choice = {"oneOf": [{"$ref": "#/$defs/node"}, {"const": "end"}]}
    assert made_from({**choice, "$defs": {"node": endless}}) == "end"


def test_every_word_is_as_likely_as_any_other():
    made = Counter(_word(Random(number.to_bytes(2)), "a") for number in range(1_000))
    assert made.keys() == set(WORDS)
    assert all(60 <= times <= 140 for times in made.values())


def test_a_boolean_is_true_about_as_often_as_not():
    documented = ResponseSpec("200", Schema({"type": "boolean"}, "here"))
    made = [make_value(documented, Random(bytes([number]))) for number in range(200)]
    assert 85 <= sum(made) <= 115


def test_a_member_without_an_end_is_left_out_where_it_may_be_and_all_others_stay():
    node = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"const": 1}, "next": {"$ref": "#/$defs/node"}, "name": {"const": "a"}},
    }
    document = {"$ref": "#/$defs/node", "$defs": {"node": node}}
    made = make_value(ResponseSpec("200", Schema(document, "here")), Random(b""))
    assert made == {"id": 1, "name": "a"}


@pytest.mark.parametrize("bounds", [{"minItems": 2, "maxItems": 2}, {"minItems": 3}, {"maxItems": 1}])
def test_a_list_of_different_items_holds_as_many_as_it_may(bounds):
    schema = {"type": "array", "uniqueItems": True, "items": {"type": "integer"}, **bounds}
    made = make_value(ResponseSpec("200", Schema(schema, "here")), Random(b""))
    assert isinstance(made, list)
    assert len(made) == len(set(made)) == bounds.get("minItems", 1)


def test_a_list_of_different_items_is_filled_where_few_items_are_left():
    part = {"enum": [*range(8)]}
    made = made_from({"type": "array", "uniqueItems": True, "minItems": 8, "items": part})
    assert sorted(made) == [*range(8)]


OTHERS = [
    ({"text/plain": {"example": "pong"}}, "text/plain", b"pong"),
    ({"text/plain": {"examples": {"a": {"value": "pong"}}}}, "text/plain", b"pong"),
    ({"text/plain": {"schema": {"type": "string", "example": "pong"}}}, "text/plain", b"pong"),
    ({"text/plain; charset=utf-8": {"example": "pöng"}}, "text/plain", "pöng".encode()),
    ({"application/xml": {"example": "<a/>"}}, "application/xml", b"<a/>"),
    ({"application/xml": {}}, "application/xml", b""),
    ({"image/png": {"schema": {"type": "string", "format": "binary"}}}, "image/png", b""),
    ({"text/event-stream": {}}, "text/event-stream", b""),
]


@pytest.mark.parametrize(("media", "content_type", "body"), OTHERS)
def test_what_is_no_json_is_answered_as_what_it_is(answer, media, content_type, body):
    made = answer({"200": {"description": "Yes", "content": media}})
    assert (made.status, header(made, "content-type"), made.read()) == (200, content_type, body)


def test_a_text_of_which_nothing_is_known_is_a_word(answer):
    made = answer({"200": {"description": "Yes", "content": {"text/plain": {"schema": {"type": "string"}}}}})
    assert (header(made, "content-type"), made.read().isalpha()) == ("text/plain", True)


@pytest.mark.parametrize(
    ("media", "content_type"),
    [
        ({"application/hal+json": {"schema": {"const": {"a": 1}}}}, "application/hal+json"),
        (
            {"text/csv": {}, "application/problem+json": {"schema": {"const": {"a": 1}}}},
            "application/problem+json",
        ),
        ({"text/csv": {}, "application/json": {"schema": {"const": {"a": 1}}}}, "application/json"),
        ({"application/json; charset=utf-8": {"schema": {"const": {"a": 1}}}}, "application/json"),
        ({"*/*": {"schema": {"const": {"a": 1}}}}, "application/json"),
    ],
)
def test_json_is_answered_under_its_documented_media_type(answer, media, content_type):
    made = answer({"200": {"description": "Yes", "content": media}})
    assert (said(made), header(made, "content-type")) == ({"a": 1}, content_type)


JSON = {"application/json": {"schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        ({"200": {"description": "Yes"}}, 200),
        ({"204": {"description": "Yes"}}, 204),
        ({"204": {"description": "Yes", "content": JSON}}, 204),
        ({"205": {"description": "Yes", "content": JSON}}, 205),
        ({"304": {"description": "Yes", "content": JSON}}, 304),
        ({"302": {"description": "There"}}, 302),
        ({"3XX": {"description": "There"}}, 302),
        ({"302": {"description": "There"}, "default": NO}, 302),
        ({}, 204),
    ],
)
def test_an_answer_without_a_body_has_no_content_type_either(answer, responses, status):
    made = answer(responses)
    assert (made.status, made.read(), header(made, "content-type")) == (status, b"", None)


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        ({"default": {"description": "Any", "content": JSON}}, 200),
        ({"2XX": {"description": "Any", "content": JSON}}, 200),
        ({"2XX": {"description": "Any"}, "201": {"description": "Yes", "content": JSON}}, 201),
        ({"302": {"description": "There"}, "201": {"description": "Yes", "content": JSON}}, 201),
    ],
)
def test_the_nearest_to_a_success_is_answered(answer, responses, status):
    made = answer(responses)
    assert (made.status, said(made)) == (status, {})
