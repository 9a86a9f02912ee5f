"""Text and bytes become values: parameter styles, media types and charsets, for a provider made by hand."""

import json

import pytest

from mockserver import Request
from mockserver.messages import LARGEST_BODY
from mockserver.pipeline.decode import decode
from mockserver.pipeline.route import Router
from mockserver.pipeline.validate import validate
from mockserver.problems import Problem, ProblemType
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SPECS
from mockserver.spec.openapi import Document
from mockserver.spec.schema import Schema
from mockserver.spec.table import Table

INTEGERS = {"type": "array", "items": {"type": "integer"}}
TEXTS = {"type": "array", "items": {"type": "string"}}
FILTER = {"type": "object", "properties": {"age": {"type": "integer"}, "is_good": {"type": "boolean"}}}
TABLE = {"title": "Pet shop", "operations": {"ask": {"behaviour": "generate"}}}
SCHEMA = Schema(json.loads((SPECS / "behaviour.schema.json").read_text("utf-8")), "behaviour.schema.json")


def parameter(name, schema, where="query", **more):
    return {"name": name, "in": where, "schema": schema, **more}


def routed(request, path="/pets", row=None, **operation):
    """Make a provider of one operation, whose row in the table may say more, and find that operation."""
    details = {"operationId": "ask", "responses": {"200": {"description": "Yes"}}, **operation}
    components = {"schemas": {"Limit": {"type": "integer", "maximum": 9}}}
    whole = {"openapi": "3.1.0", "paths": {path: {request.method.lower(): details}}, "components": components}
    table, document = (
        Table(
            {**TABLE, "operations": {"ask": {"behaviour": "generate", **(row or {})}}},
            "shop/behaviour.yaml",
            SCHEMA,
        ),
        Document(whole, "shop/openapi.yaml", "shop"),
    )
    provider = table.provider("shop", document.operations(table.rows()))
    assert table.complaints + document.complaints == []
    return Router(Catalog({"shop": provider})).route(request)


def queried(query, schema, **more):
    """Decode a query by one parameter."""
    request = Request("GET", "/pets", {}, query)
    return decode(routed(request, parameters=[parameter("p", schema, **more)]), request).query.get("p")


SCALARS = [
    ("p=7", {"type": "integer"}, 7),
    ("p=-7", {"type": "integer"}, -7),
    ("p=1.5", {"type": "number"}, 1.5),
    ("p=1e3", {"type": "number"}, 1000.0),
    ("p=true", {"type": "boolean"}, True),
    ("p=false", {"type": "boolean"}, False),
    ("p=yes", {"type": "boolean"}, "yes"),
    ("p=true", {"type": "string"}, "true"),
    ("p=7", {"type": "string"}, "7"),
    ("p=7", {}, "7"),
    ("p=7", {"type": ["integer", "null"]}, 7),
    ("p=x", {"type": ["integer", "string"]}, "x"),
    ("p=a+b%20c", {"type": "string"}, "a b c"),
    ("p=%F0%9F%98%80", {"type": "string"}, "😀"),
    ("p=", {"type": "string"}, ""),
    ("p=1", {"enum": [1, 2]}, 1),
    ("p=1.5", {"const": 1.5}, 1.5),
    ("p=true", {"anyOf": [{"const": True}, {"enum": ["auto", None]}]}, True),
    ("p=1", {"enum": ["1", "2"]}, "1"),
    ("p=1&p=2", {"type": "integer"}, 2),
    ("q=1", {"type": "integer"}, None),
    ("", {"type": "integer"}, None),
]
# What is no number stays a text, for the schema to refuse.
NO_NUMBERS = ["x", "", "1.0", "1e3", "+1", "1 ", "0x1", "1_0", "٣", "²", "9" * 400, "1\n"]
ARRAYS = [
    ("p=1&p=2", INTEGERS, {}, [1, 2]),
    ("p=1", INTEGERS, {}, [1]),
    ("p=1,2", INTEGERS, {"explode": False}, [1, 2]),
    ("p=1,2", TEXTS, {}, ["1,2"]),
    ("p=1|2", INTEGERS, {"style": "pipeDelimited"}, [1, 2]),
    ("p=1%7C2", INTEGERS, {"style": "pipeDelimited"}, [1, 2]),
    ("p=1%202", INTEGERS, {"style": "spaceDelimited"}, [1, 2]),
    ("p=1&p=2", INTEGERS, {"style": "pipeDelimited", "explode": True}, [1, 2]),
    ("p=1&p=x", INTEGERS, {}, [1, "x"]),
    ("p=", TEXTS, {}, [""]),
]
OBJECTS = [
    ("p[age]=3&p[is_good]=true", {"age": 3, "is_good": True}),
    ("p%5Bage%5D=3", {"age": 3}),
    ("p[age]=old&p[other]=1", {"age": "old", "other": "1"}),
    ("p=3&pp[age]=3", None),
]


@pytest.mark.parametrize(("query", "schema", "value"), SCALARS)
def test_a_query_parameter_has_the_type_of_its_schema(query, schema, value):
    assert queried(query, schema) == value


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_whole_number_stays_a_text(text):
    assert isinstance(
        queried("p=" + "".join(f"%{byte:02X}" for byte in text.encode()), {"type": "integer"}), str
    )


@pytest.mark.parametrize(("query", "schema", "more", "value"), ARRAYS)
def test_an_array_in_a_query_is_read_in_its_style(query, schema, more, value):
    assert queried(query, schema, **more) == value


@pytest.mark.parametrize(("query", "value"), OBJECTS)
def test_an_object_in_a_query_is_read_as_a_deep_object(query, value):
    assert queried(query, FILTER, style="deepObject") == value


def test_a_parameter_whose_schema_is_a_reference_has_its_type():
    assert queried("p=7", {"$ref": "#/components/schemas/Limit"}) == 7


def test_items_whose_schema_is_a_reference_have_its_type():
    assert queried("p=7&p=8", {"type": "array", "items": {"$ref": "#/components/schemas/Limit"}}) == [7, 8]


@pytest.mark.parametrize(
    ("schema", "sent", "value"),
    [({"type": "integer"}, "7", 7), (INTEGERS, "1,2", [1, 2]), (TEXTS, "a", ["a"])],
)
def test_a_header_is_read_by_its_name_in_any_case(schema, sent, value):
    request = Request("GET", "/pets", {"x-limit": sent})
    match = routed(request, parameters=[parameter("X-Limit", schema, where="header")])
    assert decode(match, request).header == {"X-Limit": value}


PATHS = [
    ("/pets/{id}", "/pets/7", {"type": "integer"}, {"id": 7}),
    ("/pets/{id}", "/pets/7,8", INTEGERS, {"id": [7, 8]}),
    ("/pets/{id}", "/pets/a b", {"type": "string"}, {"id": "a b"}),
    ("/pets/{id}/toys", "/pets/7/toys", {"type": "integer"}, {"id": 7}),
    ("/pets/{pet-id}", "/pets/7", {"type": "integer"}, {"pet-id": 7}),
    ("/pets/{pet.id}", "/pets/7", {"type": "integer"}, {"pet.id": 7}),
    ("/pets/{1st}", "/pets/7", {"type": "integer"}, {"1st": 7}),
]


@pytest.mark.parametrize(("template", "path", "schema", "values"), PATHS)
def test_a_path_holds_its_parameters(template, path, schema, values):
    request = Request("GET", path, {})
    match = routed(
        request,
        path=template,
        parameters=[parameter(next(iter(values)), schema, where="path", required=True)],
    )
    assert decode(match, request).path == values


def test_a_path_that_is_decoded_already_is_not_decoded_again():
    request = Request("GET", "/pets/100%25", {})  # /pets/100%2525 on the wire
    match = routed(request, path="/pets/{id}", parameters=[parameter("id", {"type": "string"}, where="path")])
    assert decode(match, request).path == {"id": "100%25"}


def test_a_violation_in_a_parameter_names_the_parameter_and_the_item():
    request = Request("GET", "/pets", {}, "ids=1&ids=x")
    match = routed(
        request,
        parameters=[parameter("ids", INTEGERS), parameter("limit", {"type": "integer"}, required=True)],
    )
    with pytest.raises(Problem) as caught:
        validate(match, decode(match, request))
    said = {violation.pointer: violation.message for violation in caught.value.violations}
    assert said == {"/ids/1": "ids[1] must be a whole number", "/limit": "limit is required"}


JSON_BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
GOOD_TYPES = [
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json ; Charset=utf8",
    "application/json; charset=us-ascii",
    "application/json; version=1",
]
BAD_TYPES = [
    "text/" + "x" * 200,
    "",
    "text/plain",
    "application/json; charset=latin-1",
    "application/json; charset=utf-16",
    "application/jsonp",
    "*/*",
    "text/json",
]


def body_of(content_type, raw, body=JSON_BODY):
    request = Request("POST", "/pets", {"content-type": content_type}, "", raw)
    return decode(routed(request, requestBody=body), request)


@pytest.mark.parametrize("content_type", GOOD_TYPES)
def test_json_is_known_by_its_media_type_in_any_spelling(content_type):
    assert body_of(content_type, b'{"a": 1}').body == {"a": 1}


@pytest.mark.parametrize("content_type", BAD_TYPES)
def test_any_other_media_type_and_charset_is_refused_by_name(content_type):
    with pytest.raises(Problem) as caught:
        body_of(content_type, b'{"a": 1}')
    assert caught.value.type is ProblemType.UNSUPPORTED_MEDIA_TYPE
    sent = f"not {content_type[:100]}" if content_type else "but it is missing"
    assert caught.value.violations[0].message == f"Content-Type must be application/json, {sent}"


@pytest.mark.parametrize(
    ("raw", "reason"), [(b"", "the body is empty"), (b"{", "line 1"), (b"\xff", "not UTF-8")]
)
def test_a_body_that_is_no_json_is_refused_with_the_reason(raw, reason):
    with pytest.raises(Problem, match=reason) as caught:
        body_of("application/json", raw)
    assert caught.value.type is ProblemType.MALFORMED_BODY


def test_a_body_that_need_not_be_sent_may_be_missing_with_its_media_type():
    assert body_of("", b"", {"content": JSON_BODY["content"]}).body is None


@pytest.mark.parametrize("documented", [{"requestBody": JSON_BODY}, {}], ids=["a body", "no body"])
def test_a_body_that_is_too_large_is_refused_whether_or_not_one_is_documented(documented):
    request = Request("GET", "/pets", {"content-type": "application/json"}, whole_size=LARGEST_BODY + 1)
    with pytest.raises(Problem) as caught:
        decode(routed(request, **documented), request)
    assert caught.value.type is ProblemType.BODY_TOO_LARGE


def test_a_body_that_is_just_not_too_large_is_read():
    raw = b'{"a": 1}' + b" " * (LARGEST_BODY - 8)
    assert body_of("application/json", raw).body == {"a": 1}


def test_a_body_where_none_is_documented_is_ignored():
    request = Request("GET", "/pets", {}, "", b"{")
    assert decode(routed(request), request).body is None


def test_a_repeated_member_is_a_warning_and_no_refusal():
    arguments = body_of("application/json", b'{"a": 1, "a": 2}')
    assert (arguments.body, [warning.keyword for warning in arguments.warnings]) == (
        {"a": 2},
        ["duplicateKey"],
    )


TWO_BODIES = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "required": ["name"]}},
        "application/merge-patch+json; charset=utf-8": {"schema": {"type": "object", "required": ["motto"]}},
    },
}


@pytest.mark.parametrize(
    ("content_type", "missing"),
    [
        ("application/json", "name"),
        ("Application/JSON; charset=utf-8", "name"),
        ("application/merge-patch+json", "motto"),
        ("application/merge-patch+json;charset=utf8", "motto"),
    ],
)
def test_a_body_is_judged_by_the_schema_of_its_own_media_type(content_type, missing):
    request = Request("POST", "/pets", {"content-type": content_type}, "", b"{}")
    match = routed(request, requestBody=TWO_BODIES)
    with pytest.raises(Problem) as caught:
        validate(match, decode(match, request))
    assert [violation.pointer for violation in caught.value.violations] == [f"/{missing}"]


def test_a_null_is_judged_also_where_no_body_need_be_sent():
    request = Request("POST", "/pets", {"content-type": "application/json"}, "", b"null")
    match = routed(request, requestBody={**JSON_BODY, "required": False})
    with pytest.raises(Problem) as caught:
        validate(match, decode(match, request))
    assert caught.value.type is ProblemType.INVALID_REQUEST


SIZED = {"type": "object", "properties": {"size": {"enum": ["s", "l"]}, "name": {}, "nested": {}}}


@pytest.mark.parametrize(
    ("row", "sent", "read"),
    [
        ({}, {"size": None, "name": ""}, {"size": None, "name": ""}),
        ({"ignores": ["null"]}, {"size": None, "name": "", "nested": [None]}, {"name": "", "nested": [None]}),
        ({"ignores": ["empty_text"]}, {"name": "", "size": 0, "nested": [""]}, {"size": 0, "nested": [""]}),
        ({"ignores": ["null", "empty_text"]}, {"name": "", "size": None, "other": False}, {"other": False}),
        ({"forgives": ["size"]}, {"size": "xl", "name": None}, {"name": None}),
        ({"forgives": ["size"]}, {"size": ["s"]}, {}),
        ({"forgives": ["size"]}, {"size": "l"}, {"size": "l"}),
        ({"ignores": ["null"], "forgives": ["size"]}, [None], [None]),
    ],
)  # fmt: skip
def test_a_table_says_what_counts_as_not_sent(row, sent, read):
    request = Request("POST", "/pets", {"content-type": "application/json"}, "", json.dumps(sent).encode())
    body = {"content": {"application/json": {"schema": SIZED}}}
    assert decode(routed(request, row=row, requestBody=body), request).body == read
