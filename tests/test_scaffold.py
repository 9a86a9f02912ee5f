"""`mockserver new` writes a folder that passes `mockserver check` and is served as it is."""

import json

import httpx
import pytest
import yaml
from click.testing import CliRunner

from mockserver import Exchange, Request, Server, create_engine
from mockserver.cli import main

PET = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
}


def answer(schema):
    return {"description": "An answer", "content": {"application/json": {"schema": schema}}}


PETS = {
    "openapi": "3.0.3",
    "info": {"title": "Pets: a shop", "version": "1"},
    "servers": [{"url": "https://api.pets.example/v1"}, {"url": "http://localhost:8080"}],
    "security": [{"Key": []}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "responses": {
                    "200": answer({"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}),
                    "default": answer({"$ref": "#/components/schemas/Error"}),
                },
            }
        },
        "/pets/{id}": {
            "delete": {
                "operationId": "on",
                "responses": {
                    "204": {"description": "Gone"},
                    "default": answer({"$ref": "#/components/schemas/Error"}),
                },
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            }
        },
    },
    "components": {
        "schemas": {
            "Pet": PET,
            "Error": {
                "type": "object",
                "additionalProperties": False,
                "required": ["fault", "kind"],
                "properties": {
                    "fault": {
                        "type": "object",
                        "required": ["detail"],
                        "properties": {"detail": {"type": "string"}},
                    },
                    "kind": {"enum": ["refused", "broken"]},
                    "trace_id": {"type": "string"},
                },
            },
        },
        "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "Pet-Key"}},
    },
}
TODO = {
    "openapi": "3.1.0",
    "info": {"title": "Todo"},
    "paths": {
        "/todos": {
            "post": {
                "operationId": "add-todo",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["text"],
                                "properties": {"text": {"type": "string"}},
                            }
                        }
                    },
                },
                "responses": {
                    "201": answer(
                        {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
                    )
                },
            }
        }
    },
}
CALLS = [
    (PETS, "openapi.json", ("GET", "/pets", None), 200),
    (PETS, "pets.yaml", ("DELETE", "/pets/7", None), 204),
    (TODO, "todo.yaml", ("POST", "/todos", {"text": "Test"}), 201),
    (TODO, "todo.json", ("POST", "/todos", {"text": 5}), 400),
]


def new(folder, document, file="openapi.yaml", name="shop"):
    """Run `mockserver new` on a document written to a file; give what became of it."""
    source = folder / file
    source.write_text(json.dumps(document) if file.endswith("json") else yaml.safe_dump(document), "utf-8")
    return CliRunner().invoke(main, ["new", name, str(source), "--into", str(folder)])


@pytest.mark.parametrize(
    ("document", "file", "call", "status"), CALLS, ids=["JSON", "YAML", "no errors", "refused"]
)
def test_what_is_written_passes_check_and_is_served(tmp_path, document, file, call, status):
    assert new(tmp_path, document, file).exit_code == 0
    checked = CliRunner().invoke(main, ["check", str(tmp_path / "shop")])
    assert (checked.exit_code, checked.output.partition(" ")[0]) == (0, "4"), checked.output
    method, path, body = call
    with Server(create_engine(spec_folders=[tmp_path / "shop"])) as server:
        sent = {"Pet-Key": "any", "Content-Type": "application/json"}
        answered = httpx.request(method, server.url + path, json=body, headers=sent)
    assert answered.status_code == status


def test_the_shape_of_errors_is_the_documents_own(tmp_path):
    new(tmp_path, PETS)
    table = yaml.safe_load((tmp_path / "shop" / "behaviour.yaml").read_text("utf-8"))
    assert table["answers"] == {
        "error": {"fault": {"detail": "$message"}, "kind": "refused", "trace_id": "$request_id"}
    }
    assert (table["title"], table["hosts"]) == ("Pets: a shop", ["api.pets.example"])


OWN = answer({"required": ["oops"], "properties": {"oops": {"type": "object", "required": ["text"]}}})
PLAIN = {"description": "No"}
REFUSALS = [
    (PETS, 400),
    (TODO, None),
    ({**TODO, "paths": {"/a": {"get": {"responses": {"422": PLAIN, "404": PLAIN}}}}}, 422),
    ({**TODO, "paths": {"/a": {"get": {"responses": {"4XX": PLAIN}}}}}, 400),
    ({**TODO, "paths": {"/a": {"get": {"responses": {"403": PLAIN}}}}}, 403),
    ({**TODO, "paths": {"/a": {"get": {"responses": {"400": OWN, "409": PLAIN}}}}}, 409),
    ({**TODO, "paths": {f"/{nr}": {"get": {"responses": {nr: PLAIN}}} for nr in ("403", "404")}}, None),
]


@pytest.mark.parametrize(("document", "status"), REFUSALS)
def test_every_line_that_is_a_remark_can_be_made_a_line_of_the_table(tmp_path, document, status):
    new(tmp_path, document)
    file = tmp_path / "shop" / "behaviour.yaml"
    rest = file.read_text("utf-8").partition("\n\n")[2]
    file.write_text(rest.replace("# The errors of", "## The errors of").replace("\n# ", "\n"), "utf-8")
    table = yaml.safe_load(file.read_text("utf-8"))
    assert (table["keys"]["prefix"], table["errors"].get("wrong", {}).get("status")) == ("key_", status)
    checked = CliRunner().invoke(main, ["check", str(tmp_path / "shop")])
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize(
    ("name", "document", "said"),
    [
        ("My Shop", TODO, "is no name for a folder"),
        ("shop", {**TODO, "paths": {}}, "documents no operation"),
        ("shop", {**TODO, "openapi": "2.0"}, "openapi"),
        ("shop", {**TODO, "paths": {"/a": {"get": {"operationId": 5}}}}, "operationId"),
    ],
)
def test_what_cannot_be_served_is_not_written(tmp_path, name, document, said):
    result = new(tmp_path, document, name=name)
    assert (result.exit_code, said in result.output, (tmp_path / name).exists()) == (1, True, False), (
        result.output
    )


def test_operations_without_names_are_called_by_method_and_path(tmp_path):
    nameless = {"responses": {"204": PLAIN}}
    paths = {
        "/v2/pets": {"get": nameless, "post": {"operationId": "get_v2_pets_id", **nameless}},
        "/v2/pets/{id}": {
            "get": nameless,
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}],
        },
        "/v2.pets": {"get": nameless},
        "/": {"get": nameless},
    }
    assert new(tmp_path, {**TODO, "paths": paths}).exit_code == 0
    table = yaml.safe_load((tmp_path / "shop" / "behaviour.yaml").read_text("utf-8"))
    names = ["get_v2_pets", "get_v2_pets_id", "get_v2_pets_id_2", "get_v2_pets_2", "get"]
    assert sorted(table["operations"]) == sorted(names)
    assert CliRunner().invoke(main, ["check", str(tmp_path / "shop")]).exit_code == 0
    engine = create_engine(spec_folders=[tmp_path / "shop"])
    heard: list[Exchange] = []
    engine.listeners.append(heard.append)
    assert engine.handle(Request("GET", "/shop/v2/pets/7", {})).status == 204
    assert heard[0].operation == "shop.get_v2_pets_id_2"


def test_nothing_is_overwritten(tmp_path):
    new(tmp_path, TODO)
    assert "is there already" in new(tmp_path, PETS).output


def refusal(message, code):
    """An error of a store as its document shows it."""
    members = {"message": {"type": "string"}, "code": {"enum": ["no_money", "gone", "late"]}}
    shown = {"schema": {"required": ["message", "code"], "properties": members}}
    shown |= {"example": {"message": message, "code": code}} if message else {}
    return {"description": "No", "content": {"application/json": shown}}


STORE = {
    "openapi": "3.1.0",
    "info": {"title": "Store"},
    "paths": {
        "/buy": {
            "post": {
                "operationId": "buy",
                "responses": {
                    "204": {"description": "Done"},
                    "402": refusal("Top up: $5", "no_money"),
                    "404": refusal("It has gone", "gone"),
                    "503": refusal(None, None),
                },
            },
            "get": {
                "operationId": "look",
                "responses": {"204": {"description": "Done"}, "404": refusal("It has gone", "gone")},
            },
        }
    },
}


def test_a_documented_error_can_be_ordered_in_its_own_words(tmp_path):
    assert new(tmp_path, STORE).exit_code == 0
    checked = CliRunner().invoke(main, ["check", str(tmp_path / "shop")])
    assert checked.exit_code == 0, checked.output
    engine = create_engine(spec_folders=[tmp_path / "shop"])
    told = []
    for status in (402, 404, 503):
        answer = engine.handle(Request("POST", "/shop/buy", {"prefer": f"code={status}"}))
        told.append((answer.status, json.loads(answer.read())))
    assert told == [
        (402, {"message": "There are not enough credits", "code": "no_money"}),
        (404, {"message": "It has gone", "code": "gone"}),
        (503, {"message": "Service Unavailable", "code": "late"}),
    ]


def test_a_code_that_only_an_example_shows_is_the_errors_code(tmp_path):
    document = json.loads(
        json.dumps(STORE).replace('"enum": ["no_money", "gone", "late"]', '"type": "string"')
    )
    new(tmp_path, document)
    rows = yaml.safe_load((tmp_path / "shop" / "behaviour.yaml").read_text("utf-8"))["errors"]
    assert (rows["not_found"]["code"], rows["payment_required_402"]["code"]) == ("gone", "no_money")


def test_a_code_is_looked_for_among_errors_alone(tmp_path):
    def coded(*codes):
        parts = {"code": {"enum": [*codes]}, "message": {"type": "string"}}
        return answer({"type": "object", "required": ["code", "message"], "properties": parts})

    responses = {"200": coded("ok"), "300": coded("moved"), "412": coded("late")}
    new(tmp_path, {**TODO, "paths": {"/a": {"get": {"responses": responses}}}})
    rows = yaml.safe_load((tmp_path / "shop" / "behaviour.yaml").read_text("utf-8"))["errors"]
    assert [(row["status"], row["code"]) for row in rows.values()] == [(412, "late")]


def test_a_documented_error_is_what_its_problem_is_answered_with_where_every_operation_has_it(tmp_path):
    new(tmp_path, STORE)
    engine = create_engine(spec_folders=[tmp_path / "shop"])
    assert json.loads(engine.handle(Request("GET", "/shop/nowhere", {})).read()) == {
        "message": "It has gone",
        "code": "gone",
    }
    rows = yaml.safe_load((tmp_path / "shop" / "behaviour.yaml").read_text("utf-8"))["errors"]
    assert list(rows) == ["payment_required_402", "not_found", "service_unavailable"]
    assert [name for name, row in rows.items() if "only" in row] == []  # each is raised, or known by its code


def test_an_error_that_cannot_be_ordered_is_told_with_the_way_to_change_that(tmp_path):
    new(tmp_path, STORE)
    engine = create_engine(spec_folders=[tmp_path / "shop"])
    answer = engine.handle(Request("POST", "/shop/buy", {"prefer": "code=409"}))
    assert "a row under `errors` in behaviour.yaml adds one" in json.loads(answer.read())["detail"]
