"""The document of `/__admin`: valid, complete, and what the pages are made from."""

import importlib
import inspect
import json
import pkgutil

import pytest
from conftest import KEYS, STRICT, said

from mockserver import Request, Settings, admin, create_engine
from mockserver.admin import document, pages
from mockserver.admin.pages import all_pages
from mockserver.journal import matching
from mockserver.spec.files import SPECS, SpecificationError, read_yaml
from mockserver.spec.openapi import Document
from mockserver.spec.schema import Schema, Shared

FILE = "specs/admin.openapi.json"
PAGES = {page.details["operationId"]: page for page in all_pages()}
WHOLE = document.write_document(create_engine().catalog, create_engine().world)
SCHEMAS = WHOLE["components"]["schemas"]
STYLE = {"name": "Mine", "image_urls": ["https://example.com/1.png"] * 3}


def functions():
    """Give every function that answers a page, by the id that it has to have."""
    for info in pkgutil.iter_modules(admin.__path__):
        module = importlib.import_module(f"mockserver.admin.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            parameters = [*inspect.signature(function).parameters]
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if is_own and parameters in (["asked"], ["_asked"]):
                yield f"{info.name}.{name}"


def operation(page):
    return WHOLE["paths"][page.path][page.method.lower()]


def schema_of(media):
    return Schema(media["schema"], "a test", Shared(SCHEMAS))


def test_it_is_valid_openapi():
    import schemathesis

    schemathesis.openapi.from_dict(WHOLE).validate()


def test_our_own_reader_understands_all_of_it():
    shape = Schema(read_yaml(SPECS / "openapi.schema.json"), "specs/openapi.schema.json")
    read = Document(WHOLE, FILE, "admin", shape)
    assert len(set(read.ids)) == len(read.ids) == len(PAGES)
    assert [each for each in read.complaints if "operation" not in each] == []


def test_every_function_of_a_page_has_an_entry():
    missing = [
        f"{each} has no entry: give {FILE} an operation with `operationId: {each}`, what it takes and answers"
        for each in functions()
        if each not in PAGES
    ]
    assert missing == []


def test_a_path_without_values_is_asked_before_one_that_it_is_like():
    paths = [*pages.read_pages()]
    assert paths == sorted(paths, key=lambda path: "{" in path)


def test_an_entry_without_a_function_is_told_with_the_nearest():
    with pytest.raises(SpecificationError) as caught:
        pages._page("POST", "/__admin/clock/advance", {"post": {"operationId": "clock.advence"}})
    said = "there is no function 'advence' in mockserver/admin/clock.py; did you mean advance?"
    assert str(caught.value) == f"{FILE}: POST /__admin/clock/advance: {said}"


@pytest.mark.parametrize("page", [*PAGES.values()], ids=[*PAGES])
def test_every_page_is_described_in_full(page):
    described = operation(page)
    assert described["summary"].endswith("."), "its function has no docstring"
    successes = [each for status, each in described["responses"].items() if status[0] == "2"]
    media = [each for success in successes for each in success["content"].values()]
    assert media, "it does not say what it answers"
    assert all(each["schema"] for each in media)
    assert {"401", "403", "405", "413"} <= described["responses"].keys()
    assert ("400" in described["responses"]) is bool(page.takes.body or page.takes.query)
    named = [*WHOLE["paths"][page.path].get("parameters", ()), *described.get("parameters", ())]
    assert all(each["description"] and each["schema"] for each in named)


def open_objects(schema, place):
    """Give every place at which a schema of an object does not say what else it may hold."""
    if isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from open_objects(each, f"{place}[{index}]")
    elif isinstance(schema, dict):
        if "properties" in schema and isinstance(schema["properties"], dict):
            if "additionalProperties" not in schema:
                yield place
            yield from open_objects([*schema["properties"].values()], place)
        for key in ("items", "additionalProperties", "anyOf", "oneOf"):
            yield from open_objects(schema.get(key), f"{place}.{key}")


def test_objects_are_closed_where_they_are_ours_alone():
    found = [place for name, schema in SCHEMAS.items() for place in open_objects(schema, name)]
    assert found == ["Account", "Report"]  # what an API adds; the part of a report that is read again


def examples():
    for name, page in PAGES.items():
        if page.takes.body and name != "worlds.change_state":
            body = operation(page)["requestBody"]
            body = WHOLE["components"]["requestBodies"]["RequestPattern"] if "$ref" in body else body
            media = body["content"]["application/json"]
            assert media["examples"], f"{name} has no example of a body"
            for key, each in media["examples"].items():
                yield pytest.param(page, media, each["value"], id=f"{name} {key}")


@pytest.mark.parametrize(("page", "media", "body"), [*examples()])
def test_every_example_works(page, media, body):
    assert schema_of(media).violations(body) == []
    engine = create_engine(STRICT)
    headers = {
        **{name.lower(): value for name, value in KEYS["pikzels"].items()},
        "content-type": "application/json",
    }
    job = said(
        engine.handle(Request("POST", "/v2/pikzonality/style", headers, body=json.dumps(STYLE).encode()))
    )
    path = page.path.format(id=job["id"], provider="pikzels", key="pkz_test", name="alice")
    answer = engine.handle(Request(page.method, path, {}, body=json.dumps(body).encode()))
    assert answer.status in {200, 201}, answer.read()


def test_a_snapshot_is_as_described():
    engine = create_engine(STRICT)
    state = said(engine.handle(Request("GET", "/__admin/state", {})))
    assert Schema(SCHEMAS["State"], "a test", Shared(SCHEMAS)).violations(state) == []
    assert set(SCHEMAS["State"]["properties"]) == set(state)


def test_words_for_requests_are_those_that_are_understood():
    options = {name for word in matching.WORDS.values() for name in word.options}
    assert set(SCHEMAS["RequestPattern"]["properties"]) == set(matching.ATTRIBUTES)
    assert set(SCHEMAS["Matcher"]["properties"]) == set(matching.WORDS) | options
    assert [each["required"] for each in SCHEMAS["Matcher"]["oneOf"]] == [[name] for name in matching.WORDS]
    assert set(SCHEMAS["Matcher"]["dependentRequired"]) == options


def test_each_api_says_what_its_accounts_can_have():
    named = [each["$ref"].rpartition("/")[2] for each in SCHEMAS["AccountChange"]["anyOf"]]
    assert named == [f"AccountChange_{name}" for name in SCHEMAS["Provider"]["enum"]]
    assert "smart_balance" in SCHEMAS["AccountChange_pikzels"]["properties"]


class TestAServer:
    def served(self, settings=STRICT, **headers):
        answer = create_engine(settings).handle(Request("GET", "/__admin/openapi.json", headers))
        assert answer.status == 200
        return said(answer)

    def test_names_the_address_that_it_was_called_by(self):
        assert self.served(host="mock:9000")["servers"] == [{"url": "http://mock:9000"}]

    def test_asks_for_a_token_where_it_has_one(self):
        assert self.served()["security"] == [{}, {"token": []}]
        assert self.served(Settings(admin_token="secret"))["security"] == [{"token": []}]

    def test_names_the_document_in_its_list_of_routes(self, ask):
        listed = said(ask("GET", "/__admin"))
        assert listed["document"] == "/__admin/openapi.json"
        assert listed["document"] in {each["path"] for each in listed["routes"]}


class TestARefusal:
    def test_names_each_violation_with_its_place(self, ask):
        answer = ask("PUT", "/__admin/clock", {"frozen": 1, "nwo": 2})
        told = said(answer)["violations"]
        assert [(each["location"], each["pointer"], each["keyword"]) for each in told] == [
            ("body", "/frozen", "type"),
            ("body", "/nwo", "additionalProperties"),
        ]
        assert told[1]["message"] == "nwo is not a known field; did you mean now?"

    def test_shows_no_key_that_stood_where_none_belongs(self, ask):
        answer = ask("PUT", "/__admin/clock", {"pkz_0123456789": 2})
        assert b"pkz_0123456789" not in answer.read()

    @pytest.mark.parametrize(
        ("query", "hint"),
        [
            ("requests?status=99", "status must be at least 100"),
            (f"requests?limit={'9' * 5000}", "is no whole number"),
            ("requests?limit=-1", "limit must be at least 0"),
            ("health?verbos", "did you mean verbose?"),
            ("health?verbose=maybe", "there is no verbose 'maybe'; known are: true, false"),
        ],
    )
    def test_tells_what_is_wrong_with_a_query(self, ask, query, hint):
        answer = ask("GET", f"/__admin/{query}")
        assert (answer.status, hint in said(answer)["detail"]) == (400, True)

    def test_of_a_snapshot_names_what_none_holds(self, ask):
        state = said(ask("GET", "/__admin/state"))
        answer = ask("PUT", "/__admin/state", {**state, "acounts": {}})
        assert (answer.status, said(answer)["detail"]) == (400, "acounts is nothing that a snapshot holds")

    @pytest.mark.parametrize("seed", [2**64, -(2**64), 10**400])
    def test_of_a_seed_leaves_the_world_as_it_is(self, ask, seed):
        ask("POST", "/__admin/reset", {"seed": 7.0})
        assert said(ask("GET", "/__admin/state"))["seed"] == 7
        answer = ask("POST", "/__admin/reset", json.dumps({"seed": seed}).encode())
        assert (answer.status, said(ask("GET", "/__admin/state"))["seed"]) == (400, 7)


def test_more_is_told_of_what_is_kept_only_on_request(ask):
    found = [
        "memory" in said(ask("GET", f"/__admin/health{query}"))
        for query in ("", "?verbose", "?verbose=false")
    ]
    assert found == [False, True, False]


def test_an_answer_against_the_document_is_told(ask, monkeypatch):
    page = PAGES["clock.show"]
    broken = page._replace(answer=lambda _asked: {"now": 7})
    monkeypatch.setitem(pages.read_pages()[page.path], "GET", broken)
    answer = ask("GET", "/__admin/clock")
    assert (answer.status, "frozen is required" in said(answer)["detail"]) == (500, True)
