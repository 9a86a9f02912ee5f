"""An OpenAPI document becomes operations; what is not understood is a complaint."""

import copy

import pytest

from mockserver.spec.model import OperationRow
from mockserver.spec.openapi import Document

ROW = OperationRow("generate", "A pet", "the shop's handbook")
GET = {"operationId": "list", "responses": {"200": {"description": "Pets"}}}


def document(version="3.1.0", components=None, path_item=None, **operation):
    """A document with one operation, `GET /pets`."""
    whole = {
        "openapi": version,
        "paths": {"/pets": {"get": {**GET, **operation}, **(path_item or {})}},
        "components": components or {},
    }
    return Document(copy.deepcopy(whole), "shop/openapi.yaml", "shop")


def read(read_from):
    operation = read_from.operations({"list": ROW})["list"]
    assert read_from.complaints == []
    return operation


def complained(read_from):
    read_from.operations({"list": ROW})
    (complaint,) = read_from.complaints
    return complaint


def json_body(schema, **more):
    return {"required": True, "content": {"application/json": {"schema": schema, **more}}}


def accepts(version, schema, value):
    operation = read(document(version, requestBody=json_body(schema)))
    return operation.body.schemas["application/json"].accepts(value)


def test_an_operation_has_all_that_its_document_says():
    operation = read(
        document(summary="List pets", requestBody=json_body({"type": "object"}, example={"a": 1}))
    )
    assert (operation.name, operation.method, operation.path, operation.summary) == (
        "shop.list",
        "GET",
        "/pets",
        "List pets",
    )
    assert (operation.body.is_required, operation.body.example, operation.row) == (True, {"a": 1}, ROW)


def test_what_is_no_path_among_the_paths_hides_none():
    """OpenAPI 3.1, Paths Object: fields are paths, which begin with a slash, and extensions."""
    paths = {"x-owner": {"get": {**GET, "operationId": "x"}}, "/pets": {"x-a": 1, "get": GET}}
    document = Document({"openapi": "3.1.0", "paths": paths}, "f", "p")
    assert [each.path for each in document.operations({"list": ROW}).values()] == ["/pets"]
    assert document.complaints == []


def test_callbacks_are_read_and_one_that_leads_nowhere_is_told():
    sent = {"{$request.body#/url}": {"post": {"requestBody": json_body({"const": 1})}}}
    (schema,) = document(callbacks={"done": sent}).callbacks()
    assert (schema.accepts(1), schema.accepts(2)) == (True, False)
    lost = document(callbacks={"done": {"$ref": "#/components/callbacks/none"}})
    assert lost.callbacks() == ()
    place = "shop/openapi.yaml: paths./pets.get.callbacks.done"
    assert lost.complaints == [f"{place}: there is no #/components/callbacks/none; known are: none"]
    done = {"done": {"$ref": "#/components/callbacks/none"}}
    lost = document(components={"callbacks": {"nine": {}}}, callbacks=done)
    assert lost.callbacks() == ()
    assert lost.complaints[0].endswith("did you mean #/components/callbacks/nine?")


def test_a_schema_with_half_a_character_is_read_like_any_other():
    assert accepts("3.1.0", {"enum": ["\ud800", "a"]}, "a")
    assert not accepts("3.1.0", {"enum": ["\ud800", "a"]}, "b")
    assert not accepts("3.1.0", {"\ud800": 1, "enum": ["a"]}, "b")


def test_operations_stand_in_the_order_of_the_table():
    whole = {
        "openapi": "3.1.0",
        "paths": {"/b": {"get": {**GET, "operationId": "b"}}, "/a": {"get": {**GET, "operationId": "a"}}},
    }
    assert list(Document(whole, "f", "p").operations({"a": ROW, "b": ROW})) == ["a", "b"]


@pytest.mark.parametrize(
    ("schema", "value", "is_accepted"),
    [
        ({"type": "string", "nullable": True}, None, True),
        ({"type": "string", "nullable": False}, None, False),
        ({"type": "string"}, None, False),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, None, True),
        # OpenAPI 3.0.3: `nullable` adds null to the type alone, so an enum without null still refuses it.
        ({"type": "string", "nullable": True, "enum": ["a"]}, None, False),
        ({"type": "string", "nullable": True, "enum": ["a"]}, "a", True),
        ({"type": "string", "nullable": True, "minLength": 2}, None, True),
        ({"type": "array", "items": {"type": "integer", "nullable": True}}, [1, None], True),
        ({"type": "object", "properties": {"a": {"type": "object", "nullable": True}}}, {"a": None}, True),
        ({"allOf": [{"type": "string", "nullable": True}]}, None, True),
        ({"type": "object", "properties": {"nullable": {"type": "string"}}}, {"nullable": 1}, False),
        ({"enum": [{"nullable": True, "type": "string"}]}, {"nullable": True, "type": "string"}, True),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 1, False),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, 1, True),
        ({"type": "integer", "maximum": 4, "exclusiveMaximum": True}, 4, False),
        ({"type": "integer", "maximum": 4, "exclusiveMaximum": True}, 3, True),
        ({"type": "integer", "exclusiveMaximum": True}, 3, True),
    ],
)
def test_a_schema_of_version_3_0_is_read_as_it_was_meant(schema, value, is_accepted):
    assert accepts("3.0.3", schema, value) is is_accepted


@pytest.mark.parametrize(
    ("schema", "value", "is_accepted"),
    [
        ({"type": ["string", "null"]}, None, True),
        ({"type": "integer", "exclusiveMinimum": 1}, 1, False),
        ({"const": 1}, 1.0, True),
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, True, False),
        ({"type": "number"}, 1e400, False),
        ({"maxLength": 1}, "😀", True),
    ],
)
def test_a_schema_of_version_3_1_is_read_as_it_stands(schema, value, is_accepted):
    assert accepts("3.1.0", schema, value) is is_accepted


def test_a_reference_to_a_schema_is_followed_through_further_references():
    components = {
        "schemas": {
            "Pet": {
                "type": "object",
                "properties": {
                    "friend": {"$ref": "#/components/schemas/Pet"},
                    "name": {"$ref": "#/components/schemas/Name"},
                },
            },
            "Name": {"type": "string"},
        }
    }
    schema = read(
        document(components=components, requestBody=json_body({"$ref": "#/components/schemas/Pet"}))
    ).body.schemas["application/json"]
    assert schema.accepts({"friend": {"friend": {"name": "Rex"}}})
    assert not schema.accepts({"friend": {"friend": {"name": 1}}})


def test_a_referenced_schema_of_version_3_0_is_read_so_too():
    components = {"schemas": {"Name": {"type": "string", "nullable": True}}}
    operation = read(
        document("3.0.3", components, requestBody=json_body({"$ref": "#/components/schemas/Name"}))
    )
    assert operation.body.schemas["application/json"].accepts(None)


def test_parameters_bodies_and_responses_may_be_references():
    components = {
        "parameters": {"Limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
        "requestBodies": {"Pet": json_body({"type": "object"})},
        "responses": {
            "No": {"description": "No", "content": {"application/json": {"schema": {"type": "string"}}}}
        },
    }
    refs = {
        name: {"$ref": f"#/components/{name}/{kind}"}
        for name, kind in (("parameters", "Limit"), ("requestBodies", "Pet"), ("responses", "No"))
    }
    operation = read(
        document(
            components=components,
            parameters=[refs["parameters"]],
            requestBody=refs["requestBodies"],
            responses={"4XX": refs["responses"]},
        )
    )
    assert [parameter.name for parameter in operation.parameters] == ["limit"]
    assert "application/json" in operation.body.schemas
    assert operation.response_for(404).schema.accepts("no")


def test_the_nearest_response_documents_a_status():
    responses = {name: {"description": name} for name in ("200", "4XX", "404", "default")}
    operation = read(document(responses=responses))
    assert [operation.response_for(status).status for status in (200, 404, 402, 500)] == [
        "200",
        "404",
        "4XX",
        "default",
    ]


def test_statuses_may_be_numbers_in_yaml():
    assert read(document(responses={200: {"description": "Pets"}})).response_for(200) is not None


@pytest.mark.parametrize(
    ("location", "style", "is_exploded", "is_required"),
    [("query", "form", True, False), ("header", "simple", False, False), ("path", "simple", False, True)],
)
def test_a_parameter_has_the_defaults_of_its_place(location, style, is_exploded, is_required):
    (parameter,) = read(document(parameters=[{"name": "p", "in": location, "schema": {}}])).parameters
    assert (parameter.style, parameter.is_exploded, parameter.is_required) == (
        style,
        is_exploded,
        is_required,
    )


def test_parameters_of_the_path_hold_for_its_operations():
    shared = {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}]}
    operation = read(document(path_item=shared, parameters=[{"name": "limit", "in": "header", "schema": {}}]))
    assert [(each.name, each.location) for each in operation.parameters] == [
        ("limit", "query"),
        ("limit", "header"),
    ]


def test_an_operations_own_parameter_replaces_the_one_of_its_path():
    shared = {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}]}
    operation = read(
        document(
            path_item=shared, parameters=[{"name": "limit", "in": "query", "schema": {"type": "string"}}]
        )
    )
    assert [each.schema.document for each in operation.parameters] == [{"type": "string"}]


def test_the_defaults_of_a_bodys_fields_are_known():
    body = json_body({"type": "object", "properties": {"count": {"default": 1}, "name": {"type": "string"}}})
    assert read(document(requestBody=body)).defaults == {"count": 1}


SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "bearer": {"type": "http", "scheme": "Bearer"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "key"},
    "query": {"type": "apiKey", "in": "query", "name": "apiKey"},
    "basic": {"type": "http", "scheme": "basic"},
    "token": {"type": "oauth2", "flows": {}},
    "mutual": {"type": "mutualTLS"},
}


def secured(*requirements, whole=None):
    """An operation that asks for these; `whole` is what its document asks for."""
    read_from = document(
        components={"securitySchemes": SCHEMES}, **({"security": list(requirements)} if requirements else {})
    )
    read_from.document["security"] = whole or []
    return read(read_from).security


@pytest.mark.parametrize(
    ("name", "kind", "location", "field", "shown"),
    [
        ("key", "apiKey", "header", "x-api-key", "X-Api-Key: "),
        ("bearer", "bearer", "header", "authorization", "Authorization: Bearer "),
        ("query", "apiKey", "query", "apiKey", "?apiKey="),
        ("cookie", "apiKey", "cookie", "key", "Cookie: key="),
        ("basic", "basic", "header", "authorization", "Authorization: Basic "),
        ("token", "bearer", "header", "authorization", "Authorization: Bearer "),
    ],
)
def test_a_key_is_sent_where_its_scheme_says(name, kind, location, field, shown):
    ((scheme,),) = secured({name: []})
    assert (scheme.kind, scheme.location, scheme.field, scheme.shown) == (kind, location, field, shown)


def test_requirements_stay_apart_with_their_schemes():
    assert [[each.name for each in one] for one in secured({"key": [], "basic": []}, {}, {"bearer": []})] == [
        ["key", "basic"],
        [],
        ["bearer"],
    ]


def test_security_of_the_whole_document_holds_where_an_operation_says_nothing():
    assert [[each.name for each in one] for one in secured(whole=[{"key": []}])] == [["key"]]


def test_an_operation_may_ask_for_no_key():
    read_from = document(components={"securitySchemes": SCHEMES}, security=[])
    read_from.document["security"] = [{"key": []}]
    assert read(read_from).security == ()


UNDERSTOOD = "apiKey, http bearer, http basic, oauth2 or openIdConnect"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mutual", f"security scheme 'mutual' is not understood; use {UNDERSTOOD}"),
        ("mutal", "there is no security scheme 'mutal'; did you mean mutual?"),
    ],
)
def test_a_security_scheme_that_is_not_understood_is_a_complaint(name, said):
    complaint = complained(document(components={"securitySchemes": SCHEMES}, security=[{name: []}]))
    assert complaint == f"shop/openapi.yaml: paths./pets.get: {said}"


@pytest.mark.parametrize("media_type", ["application/xml", "multipart/form-data", "text/plain"])
def test_a_media_type_that_is_not_understood_is_a_complaint(media_type):
    complaint = complained(document(requestBody={"content": {media_type: {"schema": {}}}}))
    assert complaint.startswith(
        f"shop/openapi.yaml: paths./pets.get: requestBody: media type {media_type} is not understood"
    )


def test_a_json_media_type_with_a_suffix_is_understood():
    body = {"content": {"application/merge-patch+json": {"schema": {"type": "object"}}}}
    assert list(read(document(requestBody=body)).body.schemas) == ["application/merge-patch+json"]


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "p", "in": "cookie", "schema": {}},
        {"name": "p", "in": "path", "style": "matrix", "schema": {}},
        {"name": "p", "in": "query", "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        {"name": "p", "in": "query", "content": {"application/json": {"schema": {"type": "integer"}}}},
    ],
    ids=["in a cookie", "as a matrix", "an object as a form", "JSON in a parameter"],
)
def test_a_parameter_that_is_not_understood_is_a_complaint(parameter):
    complaint = complained(document(parameters=[parameter]))
    assert "paths./pets.get" in complaint
    assert complaint.endswith("; or remove it: what is not documented is not looked at") is (
        parameter["in"] != "path"
    )


def test_an_operation_without_a_row_is_a_complaint_that_says_what_to_add():
    read_from = document(operationId="adopt")
    assert read_from.operations({"list": ROW}) == {}
    assert (
        "operation 'adopt' has no row under `operations` in behaviour.yaml; add one"
        in read_from.complaints[0]
    )
