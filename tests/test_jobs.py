"""Jobs that a table alone describes: begun by one operation, polled by another, without Python."""

import copy
import json
import re
from typing import Any

import pytest
from catalogues import a_provider
from click.testing import CliRunner
from conftest import STRICT, header, said
from test_new_provider import write

from mockserver import Request, create_engine
from mockserver.cli import main
from mockserver.pipeline.behave import bind
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SpecificationError
from mockserver.state.resources import Resource

RENDER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "status", "title", "url"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "status": {"enum": ["running", "done", "failed"]},
        "title": {"type": "string"},
        "url": {"type": "string"},
    },
}
WRONG = {"description": "No", "content": {"application/json": {"schema": {"type": "object"}}}}


def answers(status):
    return {
        status: {"description": "Yes", "content": {"application/json": {"schema": RENDER}}},
        "default": WRONG,
    }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Studio", "version": "1"},
    "security": [{"Key": []}],
    "paths": {
        "/renders": {
            "post": {
                "operationId": "begin",
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": answers("202"),
            }
        },
        "/renders/{id}": {
            "get": {
                "operationId": "look",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": answers("200"),
            }
        },
    },
    "components": {
        "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "Key"}},
        "schemas": {"render": RENDER},
    },
}
TABLE: dict[str, Any] = {
    "title": "Studio",
    "citations": {"handbook": "the page that says so"},
    "jobs": {
        "running": "running", "success": "done", "failure": "failed", "quick_s": 2, "realistic_s": 60,
        "provenance": "documented", "citation": "handbook",
    },
    "operations": {
        "begin": {"behaviour": "jobs.start", "job": "render"},
        "look": {"behaviour": "jobs.read"},
    },
}  # fmt: skip


@pytest.fixture
def studio(tmp_path):
    write(tmp_path / "studio", DOCUMENT, TABLE)
    engine = create_engine(STRICT, [tmp_path])
    engine.world.clock.set(1_800_000_000, is_frozen=True)
    return engine


def ask(engine, method, path, body=None, *, key="mine", prefer=""):
    headers = {"host": "localhost", "key": key, "content-type": "application/json", "prefer": prefer}
    return engine.handle(
        Request(method, f"/studio{path}", headers, "", json.dumps(body).encode() if body else b"")
    )


def begin(engine, **more):
    return said(ask(engine, "POST", "/renders", {"title": "A title"}, **more))


def status(engine, job):
    return said(ask(engine, "GET", f"/renders/{job['id']}"))["status"]


def test_a_job_runs_until_its_time_is_over(studio):
    job = begin(studio)
    assert (job["status"], status(studio, job)) == ("running", "running")
    studio.world.clock.advance(2)
    assert status(studio, job) == "done"


def test_a_table_with_such_jobs_passes_check(tmp_path):
    write(tmp_path / "studio", DOCUMENT, TABLE)
    result = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert result.exit_code == 0, result.output


def test_an_unknown_job_is_told_by_the_beginning_of_its_id(studio):
    answer = ask(studio, "GET", f"/renders/{'x' * 200}")
    assert answer.status == 404
    told = f"this account has no {'x' * 60}"
    assert json.loads(str(header(answer, "Mock-Violations")))[0]["message"] == told


def test_every_job_is_another_one(studio):
    assert begin(studio)["id"] != begin(studio)["id"]


def test_no_job_gets_the_id_of_one_that_lives(studio):
    first, second = begin(studio), begin(studio)
    studio.world.reset()
    living = Resource(second["id"], "render", "studio/yours", 0, 2, "done", "running", {})
    studio.world.resources.put(living.id, living)
    assert begin(studio)["id"] == first["id"]
    assert begin(studio)["id"] not in {first["id"], second["id"]}
    assert studio.world.resources.get(living.id) == living


def test_two_looks_show_the_same_and_what_was_said_at_first(studio):
    job = begin(studio)
    first, second = (said(ask(studio, "GET", f"/renders/{job['id']}")) for _ in range(2))
    assert first == second
    assert (first["id"], first["title"], first["url"]) == (job["id"], "A title", job["url"])


def test_a_job_of_another_account_is_not_there(studio):
    path = f"/renders/{begin(studio)['id']}"
    assert [ask(studio, "GET", path, key=key).status for key in ("mine", "yours")] == [200, 404]


def test_a_job_that_was_never_begun_is_not_there(studio):
    answer = ask(studio, "GET", "/renders/nowhere")
    assert answer.status == 404
    assert "this account has no nowhere" in (header(answer, "mock-violations") or "")


def test_a_caller_may_order_another_end(studio):
    job = begin(studio, prefer="job=failed")
    studio.world.clock.advance(2)
    assert status(studio, job) == "failed"


@pytest.mark.parametrize("kind", [{"type": "integer"}, {"type": "string", "pattern": "^[0-9a-f]{24}$"}])
def test_an_id_has_the_form_that_the_document_asks_for(tmp_path, kind):
    document = copy.deepcopy(DOCUMENT)
    for path in document["paths"].values():
        for operation in path.values():
            content = next(iter(operation["responses"].values()))["content"]["application/json"]
            content["schema"] = {**RENDER, "properties": {**RENDER["properties"], "id": kind}}
    write(tmp_path / "studio", document, TABLE)
    engine = create_engine(STRICT, [tmp_path])
    assert status(engine, begin(engine)) == "running"


@pytest.mark.parametrize(
    ("operation", "member", "told"),
    [
        (
            "begin",
            {"id": "di"},
            "the success of this operation is no object with a member 'di'; known are: id, status",
        ),
        ("begin", {"status": "state"}, "no object with a member 'state'"),
        ("look", {"status": "statuss"}, "did you mean status?"),
        ("look", {"id": "idd"}, "this operation has no parameter 'idd'; did you mean id?"),
    ],
)
def test_a_misspelt_member_stops_the_start(operation, member, told):
    table = copy.deepcopy(TABLE)
    table["operations"][operation]["settings"] = member
    provider = a_provider("studio", DOCUMENT, table)
    with pytest.raises(SpecificationError, match=f"operations.{operation}.settings.*") as caught:
        bind(Catalog({"studio": provider}))
    assert told in str(caught.value)


def test_ids_that_a_provider_makes_are_a_prefix_and_24_hexadecimal_digits():
    engine = create_engine()
    fatthumb = {"authorization": "Bearer nsk_test", "content-type": "application/json"}
    thumbapi = {"x-api-key": "tb_test", "content-type": "application/json"}
    body = {"title": "A title", "format": "youtube"}
    made = [
        engine.handle(Request("POST", path, headers, body=json.dumps(sent).encode()))
        for path, headers, sent in (
            ("/api/v1/generate", fatthumb, {"prompt": "A cat", "count": 2}),
            ("/v1/generate", thumbapi, body),
            ("/v1/generate", thumbapi, {**body, "webhookUrl": "https://example.com/hook"}),
        )
    ]
    ids = re.findall(rb'"((?:gen|thumb|job)_[^"]*)"', b"".join(each.read() for each in made))
    assert len(ids) == 5
    assert [each for each in ids if not re.fullmatch(rb"[a-z]+_[0-9a-f]{24}", each)] == []


def test_a_generation_tells_the_millisecond_in_which_it_began():
    engine = create_engine()
    engine.world.clock.set(1_772_366_400.25, is_frozen=True)
    headers = {"authorization": "Bearer nsk_test", "content-type": "application/json"}
    begun = said(engine.handle(Request("POST", "/api/v1/generate", headers, body=b'{"prompt": "A cat"}')))
    engine.world.clock.advance(60)
    told = said(engine.handle(Request("GET", f"/api/v1/generations/{begun['generationId']}", headers)))
    assert told["createdAt"] == 1_772_366_400_250
