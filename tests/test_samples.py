"""The call that `serve` prints for each provider: pasted, it succeeds, whatever the document shows."""

import shlex
import subprocess

import pytest
from catalogues import notes
from test_scaffold import PETS, TODO, new

from mockserver import Server, create_engine
from mockserver.pipeline.route import Router
from mockserver.printing import curl
from mockserver.samples import make_sample
from mockserver.spec.catalog import load

DONE = {"200": {"description": "Done"}}
SCHEMAS = {
    "a whole number": {"type": "integer", "minimum": 5},
    "one of some": {"enum": ["a b", "c&d"]},
    "a truth": {"type": "boolean"},
    "a list": {"type": "array", "items": {"type": "integer"}, "minItems": 3},
    "a uuid": {"type": "string", "format": "uuid"},
    "a moment": {"type": "string", "format": "date-time"},
}


def api(method, details, path="/things", **more):
    """A document of one operation."""
    paths = {path: {method: {"responses": DONE, **details}}}
    return {"openapi": "3.1.0", "info": {"title": "Things"}, "paths": paths, **more}


def sent(name, place, schema, **more):
    return {"name": name, "in": place, "required": True, "schema": schema, **more}


def taking(schema, media_type="application/json", **more):
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema, **more}}}}


def keyed(scheme):
    return {"security": [{"Key": []}], "components": {"securitySchemes": {"Key": scheme}}}


NOTE = {
    "type": "object",
    "required": ["text", "size"],
    "properties": {"text": {"type": "string", "minLength": 9}, "size": {"enum": [1, 2]}},
}
DOCUMENTS = {
    "pets": PETS,
    "todo": TODO,
    "a body without an example": api("post", taking(NOTE)),
    "a body with an example": api("put", taking(NOTE, example={"text": "It's a 'quote' — $HOME", "size": 2})),
    "a body of another media type": api("patch", taking(NOTE, "application/vnd.things+json")),
    "a body that need not be": api("post", {"requestBody": {"content": {"application/json": {}}}}),
    "a body that is null": api("post", taking({"type": "null"})),
    "a HEAD": api("head", {}),
    "a DELETE": api("delete", {}),
    "a path like another API's": api("post", taking(NOTE), "/v2/thumbnail/text"),
    "basic": api("get", {}, **keyed({"type": "http", "scheme": "basic"})),
    "a bearer": api("get", {}, **keyed({"type": "http", "scheme": "bearer"})),
    "a key in a cookie": api("get", {}, **keyed({"type": "apiKey", "in": "cookie", "name": "key"})),
    "a key in the query": api(
        "get",
        {"parameters": [sent("q", "query", {"type": "string"})]},
        **keyed({"type": "apiKey", "in": "query", "name": "key"}),
    ),
    "deep": api(
        "get",
        {
            "parameters": [
                sent("filter", "query", NOTE, style="deepObject", explode=True),
                sent("names", "query", SCHEMAS["a list"], style="pipeDelimited", explode=False),
            ]
        },
    ),
    **{
        f"{what} in a {place}": api(
            "get",
            {"parameters": [sent("it", place, schema)]},
            "/things/{it}/more" if place == "path" else "/things",
        )
        for what, schema in SCHEMAS.items()
        for place in ("path", "query", "header")
    },
}


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """What one server of all documents answers to the printed calls, by document."""
    folder = tmp_path_factory.mktemp("specs")
    names = {title: f"api{index}" for index, title in enumerate(DOCUMENTS)}
    for title, name in names.items():
        result = new(folder, DOCUMENTS[title], name=name)
        assert result.exit_code == 0, result.output
    (folder / "openapi.yaml").unlink()
    catalog = load([folder])
    with Server(create_engine(spec_folders=[folder])) as server:
        router = Router(catalog)
        printed = {title: curl(catalog.providers[name], server.url, router) for title, name in names.items()}
        statuses = {
            title: subprocess.run(
                ["sh", "-c", f"{call} -o /dev/null -w '%{{http_code}}'"],
                capture_output=True,
                text=True,
                check=True,
                timeout=20,
            ).stdout
            for title, call in printed.items()
        }
    return {title: (call, statuses[title]) for title, call in printed.items()}


@pytest.mark.parametrize("title", DOCUMENTS)
def test_a_printed_call_succeeds(calls, title):
    call, status = calls[title]
    assert (status[:1], shlex.split(call)[0]) == ("2", "curl"), (call, status)


NONE = {
    "a body of which no value is found": api("post", taking({"type": "string", "pattern": "^[0-9]{9}-X$"})),
    "a path of which none is found": api(
        "get", {"parameters": [sent("it", "path", {"type": "string", "format": "uri"})]}, "/things/{it}"
    ),
    "a list without items": api(
        "get", {"parameters": [sent("it", "query", {"type": "array", "maxItems": 0})]}
    ),
}


@pytest.mark.parametrize("title", NONE)
def test_where_no_call_can_be_made_it_says_so_or_shows_another_operation(tmp_path, title):
    new(tmp_path, NONE[title])
    provider = load([tmp_path / "shop"]).providers["shop"]
    assert [make_sample(each) for each in provider.operations.values()] == [None]
    said = "# no call could be made from its schemas; give an operation of shop an example"
    assert curl(provider, "http://localhost", Router(load())) == said


def test_an_operation_of_which_no_call_can_be_made_is_passed_over(tmp_path):
    document = next(iter(NONE.values()))
    document = {**document, "paths": {**document["paths"], "/other": {"get": {"responses": DONE}}}}
    new(tmp_path, document)
    catalog = load([tmp_path / "shop"])
    made = curl(catalog.providers["shop"], "http://localhost", Router(catalog))
    assert made == "curl -s -X GET http://localhost/other"


def test_an_optional_parameter_is_left_out():
    operation = load().providers["pikzels"].operations["get_v2_pikzonality_id"]
    sample = make_sample(operation)
    assert sample is not None
    assert (sample.query, sample.body, sample.path.startswith("/v2/pikzonality/")) == ("", None, True)


def test_a_key_in_examples_is_that_of_the_table_or_one_of_the_right_form():
    asked = [{"prefix": "note_", "sample": "note_mine"}, {"prefix": "note_"}, {}]
    rows = [{**each, "new_account": {"plan": "small"}} for each in asked]
    assert [notes(keys=each).sample_key for each in rows] == ["note_mine", "note_test", "test"]
