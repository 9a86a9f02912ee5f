"""A provider is a folder: made here in a temporary one, served without a change anywhere else."""

import copy
from typing import Any

import httpx
import pytest
import yaml
from conftest import STRICT, header, said

from mockserver import Request, Server, create_engine
from mockserver.call import Exchange
from mockserver.spec.files import SpecificationError

PET: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "kind", "age", "tags", "owner", "born", "shots"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "name": {"type": "string", "minLength": 12, "maxLength": 12},
        "kind": {"enum": ["cat", "dog"]},
        "age": {"type": "integer", "minimum": 1, "maximum": 3},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "owner": {"$ref": "#/components/schemas/Owner"},
        "born": {"type": "string", "format": "date-time"},
        "shots": {"type": "boolean"},
    },
}
PROBLEM = {
    "type": "object",
    "required": ["fault"],
    "properties": {"fault": {"type": "object", "required": ["name", "text"]}},
}
NO = {
    "description": "No",
    "headers": {"Shop-Id": {"schema": {"type": "string"}}},
    "content": {"application/json": {"schema": PROBLEM}},
}


def yes(schema, **more):
    return {
        "200": {"description": "Yes", "content": {"application/json": {"schema": schema, **more}}},
        "default": NO,
    }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pet shop", "version": "1"},
    "servers": [{"url": "https://pets.example"}],
    "security": [{"Key": []}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "list_pets",
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 1, "maximum": 9},
                    },
                    {"name": "kind", "in": "query", "schema": {"enum": ["cat", "dog"]}},
                ],
                "responses": yes({"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}),
            },
            "post": {
                "operationId": "add_pet",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string", "minLength": 1},
                                    "motto": {"type": "string", "nullable": True},
                                },
                            }
                        }
                    },
                },
                "responses": yes(
                    {"type": "object", "required": ["name", "age"]}, example={"name": "Rex", "age": 3}
                ),
            },
        }
    },
    "components": {
        "schemas": {
            "Pet": PET,
            "Owner": {
                "type": "object",
                "required": ["email"],
                "properties": {"email": {"type": "string", "format": "email"}},
            },
        },
        "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "Pet-Key"}},
    },
}


def error(status, message):
    return {"status": status, "message": message, "cause": "anything"}


PROBLEMS = {
    "unknown_path": "nowhere",
    "unknown_method": "nowhere",
    "key_missing": "no_key",
    "key_malformed": "bad_key",
    "key_unknown": "bad_key",
    "key_inactive": "bad_key",
    "key_deleted": "bad_key",
    "account_suspended": "bad_key",
    "access_disabled": "bad_key",
    "body_too_large": "wrong",
    "unsupported_media_type": "wrong",
    "malformed_body": "wrong",
    "invalid_request": "wrong",
    "internal": "broken",
}
TABLE: dict[str, Any] = {
    "title": "Pet shop",
    "hosts": ["pets.example"],
    "citations": {"ours": "the shop's handbook"},
    "defaults": {"errors": {"provenance": "assumed", "citation": "ours"}},
    "keys": {"prefix": "pet_"},
    "answers": {
        "headers": {"Shop-Id": "$request_id"},
        "error": {"fault": {"name": "$code", "text": "$message"}},
    },
    "problems": {name: {"error": row} for name, row in PROBLEMS.items()}
    | {"invalid_request": {"error": "wrong", "message": "$violation"}},
    "errors": {
        "wrong": {**error(400, "Wrong"), "code": "E1"},
        "no_key": {**error(401, "No key"), "code": "E2"},
        "bad_key": {**error(403, "Bad key"), "code": "E3"},
        "nowhere": {**error(404, "Nowhere"), "code": "E4"},
        "asleep": {
            **error(503, "The shop sleeps"),
            "code": "E5",
            "headers": {"Retry-After": "60"},
            "only": "ordered",
        },
        "broken": {**error(500, "Broken"), "code": "E6"},
    },
    "operations": {name: {"behaviour": "generate", "citation": "ours"} for name in ("list_pets", "add_pet")},
}


def write(folder, document=None, table=None):
    folder.mkdir(parents=True)
    (folder / "openapi.yaml").write_text(yaml.safe_dump(document or DOCUMENT, sort_keys=False), "utf-8")
    (folder / "behaviour.yaml").write_text(yaml.safe_dump(table or TABLE, sort_keys=False), "utf-8")


@pytest.fixture
def engine(tmp_path):
    write(tmp_path / "petshop")
    return create_engine(STRICT, [tmp_path])


def test_a_valid_query_is_answered_with_a_body_that_obeys_its_schema(engine, ask, heard):
    answer = ask("GET", "/pets?limit=3&kind=cat", pet_key="pet_1")
    assert (answer.status, heard[0].operation) == (200, "petshop.list_pets")
    documented = engine.catalog.providers["petshop"].operations["list_pets"].response_for(200)
    assert documented.schema.violations(said(answer)) == []
    assert set(said(answer)[0]) == set(PET["properties"])


def test_a_valid_body_is_echoed_in_the_documented_example(ask):
    assert said(ask("POST", "/pets", {"name": "Tom"}, pet_key="pet_1")) == {"name": "Tom", "age": 3}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "fault"),
    [
        ("GET", "/pets", None, 400, {"name": "E1", "text": "limit is required"}),
        ("GET", "/pets?limit=10", None, 400, {"name": "E1", "text": "limit must be at most 9"}),
        ("GET", "/pets?limit=x", None, 400, {"name": "E1", "text": "limit must be a whole number"}),
        (
            "GET",
            "/pets?limit=1&kind=fish",
            None,
            400,
            {"name": "E1", "text": "kind must be one of: cat, dog"},
        ),
        ("POST", "/pets", {}, 400, {"name": "E1", "text": "name is required"}),
        (
            "POST",
            "/pets",
            {"name": "Tom", "nme": 1},
            400,
            {"name": "E1", "text": "nme is not a known field; did you mean name?"},
        ),
        ("POST", "/pets", b"{", 400, {"name": "E1", "text": "Wrong"}),
        ("PUT", "/pets", {}, 404, {"name": "E4", "text": "Nowhere"}),
        ("GET", "/petshop/nothing", None, 404, {"name": "E4", "text": "Nowhere"}),
    ],
)
def test_a_refusal_speaks_its_dialect(ask, method, path, body, status, fault):
    answer = ask(method, path, body, pet_key="pet_1")
    assert (answer.status, said(answer)) == (status, {"fault": fault})


def test_a_null_that_the_document_allows_is_accepted(ask):
    assert ask("POST", "/pets", {"name": "Tom", "motto": None}, pet_key="pet_1").status == 200


@pytest.mark.parametrize(
    ("headers", "name"), [({}, "E2"), ({"pet_key": "dog_1"}, "E3"), ({"pet_key": "pet_1_asleep"}, "E5")]
)
def test_keys_follow_the_table(ask, headers, name):
    assert said(ask("GET", "/pets?limit=1", **headers))["fault"]["name"] == name


@pytest.mark.parametrize(
    ("prefer", "status"), [("code=503", 503), ("example=asleep", 503), ("code=404", 404), ("code=200", 200)]
)
def test_its_errors_can_be_ordered(ask, prefer, status):
    answer = ask("GET", "/pets?limit=1", pet_key="pet_1", prefer=prefer)
    assert (answer.status, header(answer, "Preference-Applied")) == (status, prefer)
    assert header(answer, "Retry-After") == ("60" if status == 503 else None)


def test_every_answer_carries_its_headers(ask):
    assert header(ask("GET", "/pets?limit=1", pet_key="pet_1"), "Shop-Id") != header(
        ask("GET", "/pets"), "Shop-Id"
    )


def test_it_answers_at_the_root_below_its_name_and_by_its_host(ask, heard):
    for path, host in (("/pets", "localhost"), ("/petshop/pets", "localhost"), ("/pets", "pets.example:80")):
        ask("GET", f"{path}?limit=1", pet_key="pet_1", host=host)
        assert heard[-1].operation == "petshop.list_pets"


def test_a_provider_may_be_called_like_the_first_part_of_its_paths(tmp_path):
    write(tmp_path / "pets")
    engine, heard = create_engine(STRICT, [tmp_path]), list[Exchange]()
    engine.listeners.append(heard.append)
    assert engine.handle(Request("GET", "/pets", {"pet-key": "pet_1"}, "limit=1")).status == 200
    assert heard[0].operation == "pets.list_pets"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/pets/nowhere", "/pets/nowhere"),
        ("/pets/owners/7/pets", "/pets/owners/7/pets"),
        ("/pets/pets/nowhere", "/pets/nowhere"),
        ("/pets/pet", "/pets/pet"),
    ],
)
def test_of_an_unknown_path_all_is_shown_where_its_first_part_is_no_prefix(tmp_path, path, shown):
    write(tmp_path / "pets")
    answer = create_engine(STRICT, [tmp_path]).handle(Request("GET", path, {"pet-key": "pet_1"}))
    said = dict(answer.headers)["Mock-Violations"]
    assert (answer.status, f"There is no path {shown}; the nearest is /pets" in said) == (404, True), said


def test_the_bundled_providers_stay(ask):
    assert (
        ask(
            "POST", "/v2/thumbnail/score", {"image_url": "https://example.com/a.png"}, x_api_key="pkz_test"
        ).status
        == 200
    )


def test_it_is_served_over_a_socket(engine):
    with Server(engine) as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/__admin/health").json()["operations"]["petshop"] == 2
        assert client.get("/pets", params={"limit": 1}, headers={"Pet-Key": "pet_1"}).status_code == 200


def test_a_folder_with_the_name_of_a_bundled_provider_replaces_it(tmp_path):
    write(tmp_path / "pikzels")
    engine = create_engine(STRICT, [tmp_path])
    assert list(engine.catalog.providers["pikzels"].operations) == ["list_pets", "add_pet"]
    assert engine.handle(Request("POST", "/v2/thumbnail/score", {})).status == 404


def test_of_two_folders_with_one_name_the_later_counts(tmp_path):
    write(tmp_path / "first" / "petshop")
    write(tmp_path / "second" / "petshop", table={**TABLE, "title": "The other shop"})
    engine = create_engine(STRICT, [tmp_path / "first", tmp_path / "second"])
    assert engine.catalog.providers["petshop"].title == "The other shop"


MADE = {
    "a share": {"type": "number", "minimum": 0.2, "maximum": 0.8},
    "less than five": {"type": "integer", "exclusiveMaximum": 5},
    "more than five": {"type": "integer", "exclusiveMinimum": 5},
    "below zero": {"type": "integer", "maximum": -5},
    "a multiple": {"type": "integer", "multipleOf": 7, "minimum": 1},
    "two at once": {
        "allOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
            {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}},
        ]
    },
    "one of two": {
        "oneOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            {"type": "null"},
        ]
    },
    "no items": {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    "a family": {"$ref": "#/components/schemas/Node"},
    "a text or null": {"type": ["string", "null"], "minLength": 1},
    "a constant": {"const": {"a": 1}},
    "anything": {},
    "tenths": {"type": "number", "multipleOf": 0.1, "minimum": 0.25, "maximum": 0.75},
    "whole tens": {"type": "integer", "multipleOf": 2.5, "minimum": 1, "maximum": 5},
    "between two numbers": {"type": "number", "exclusiveMinimum": 0.1, "exclusiveMaximum": 0.2},
    "a short text": {"type": "string", "minLength": 2, "maxLength": 3},
    "an empty text": {"type": "string", "maxLength": 0},
    "at most what two say": {"allOf": [{"type": "integer", "maximum": 9}, {"minimum": 8}]},
    "either of two members": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "one more than an owner": {
        "allOf": [
            {"$ref": "#/components/schemas/Owner"},
            {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer"}}},
        ]
    },
    "an owner twice": {
        "allOf": [{"$ref": "#/components/schemas/Owner"}, {"allOf": [{"$ref": "#/components/schemas/Owner"}]}]
    },
    "a list of families": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}, "minItems": 2},
    "different items": {
        "type": "array",
        "items": {"enum": ["a", "b", "c"]},
        "minItems": 3,
        "uniqueItems": True,
    },
    "a pair": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "items": False,
        "minItems": 2,
    },
    "a member that is required and not described": {
        "type": "object",
        "required": ["a"],
        "additionalProperties": {"type": "integer"},
    },
    "an enum with null": {"enum": [None]},
    "bounds without a type": {"minimum": 3, "maximum": 3},
}


@pytest.mark.parametrize("schema", MADE.values(), ids=MADE)
def test_a_value_made_from_a_schema_obeys_it(tmp_path, schema):
    document = copy.deepcopy(DOCUMENT) | {"openapi": "3.1.0"}
    node = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}},
    }
    document["components"]["schemas"]["Node"] = node
    tree = {
        "type": "object",
        "required": ["branches"],
        "properties": {"branches": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    }
    document["components"]["schemas"]["Tree"] = tree
    document["paths"]["/pets"]["get"]["responses"] = yes(schema)
    write(tmp_path / "petshop", document)
    answer = create_engine(STRICT, [tmp_path]).handle(
        Request("GET", "/pets", {"pet-key": "pet_1"}, "limit=1")
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/v1/pets", "pets.example", 200),
        ("/petshop/v1/pets", "localhost", 200),
        ("/v1/pets", "localhost", 200),
        ("/pets", "localhost", 200),
        ("/v2/pets", "pets.example", 404),
    ],
)
def test_the_path_of_a_documented_server_may_stand_before_every_path(tmp_path, path, host, status):
    servers = [{"url": "https://pets.example/v1/"}, {"url": "https://{region}.pets.example/{base}"}]
    write(tmp_path / "petshop", {**DOCUMENT, "servers": servers})
    headers = {"pet-key": "pet_1", "host": host}
    answer = create_engine(STRICT, [tmp_path]).handle(Request("GET", path, headers, "limit=1"))
    assert answer.status == status


def test_a_misspelt_operation_or_host_is_told_with_the_nearest_right_one(tmp_path):
    rows = {f"{name}t" if name == "list_pets" else name: row for name, row in TABLE["operations"].items()}
    write(tmp_path / "petshop", table={**TABLE, "operations": rows})
    with pytest.raises(SpecificationError, match=r"operations\.list_petst: .* did you mean list_pets\?"):
        create_engine(STRICT, [tmp_path])
