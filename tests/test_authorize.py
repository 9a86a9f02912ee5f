"""Whose key is it: several schemes in one requirement mean all of them, several requirements mean either."""

import base64
import copy

import pytest
from conftest import STRICT, said
from test_new_provider import DOCUMENT, TABLE, write

from mockserver import Request, create_engine
from mockserver.call import Exchange

SCHEMES = {
    "Key": {"type": "apiKey", "in": "header", "name": "Pet-Key"},
    "App": {"type": "apiKey", "in": "header", "name": "Pet-App"},
    "Query": {"type": "apiKey", "in": "query", "name": "key"},
    "Cookie": {"type": "apiKey", "in": "cookie", "name": "key"},
    "Basic": {"type": "http", "scheme": "basic"},
    "Token": {"type": "oauth2", "flows": {}},
}
Security = list[dict[str, list[str]]]
BOTH: Security = [{"Key": [], "App": []}]
EITHER: Security = [{"Key": []}, {"App": []}]
OPTIONAL: Security = [{}, {"Key": []}]


@pytest.fixture
def shop(tmp_path):
    """Ask a pet shop that asks for certain keys; gives the status and whose account was used."""

    def opened(security, is_strict=False):
        document = copy.deepcopy(DOCUMENT) | {"security": security}
        document["components"]["securitySchemes"] = SCHEMES
        write(tmp_path / "petshop", document)
        engine = create_engine(STRICT, [tmp_path])
        heard: list[Exchange] = []
        engine.listeners.append(heard.append)

        def ask(query="limit=1", **headers):
            sent = {name.lower().replace("_", "-"): value for name, value in headers.items()}
            answer = engine.handle(Request("GET", "/pets", {"host": "localhost", **sent}, query))
            account, violations = heard[-1].account, heard[-1].violations
            return (
                answer.status,
                account and account.key,
                [(each.location, each.pointer) for each in violations],
            )

        return ask

    return opened


@pytest.mark.parametrize(
    ("headers", "status", "key"),
    [
        ({}, 401, None),
        ({"pet_key": "pet_1"}, 401, None),
        ({"pet_app": "pet_2"}, 401, None),
        ({"pet_key": "pet_1", "pet_app": "pet_2"}, 200, "pet_1"),
        ({"pet_key": "pet_1", "pet_app": "the till"}, 200, "pet_1"),
        ({"pet_key": "the till", "pet_app": "pet_2"}, 200, "pet_2"),
        ({"pet_key": "the till", "pet_app": "the other"}, 403, None),
        ({"pet_key": "pet_1", "pet_app": "pet_2_bad_key"}, 403, None),
    ],
)
def test_two_schemes_in_one_requirement_are_both_asked_for(shop, headers, status, key):
    assert shop(BOTH)(**headers)[:2] == (status, key)


@pytest.mark.parametrize(
    ("headers", "status", "key"),
    [
        ({}, 401, None),
        ({"pet_key": "pet_1"}, 200, "pet_1"),
        ({"pet_app": "pet_2"}, 200, "pet_2"),
        ({"pet_key": "dog_1", "pet_app": "pet_2"}, 200, "pet_2"),
        ({"pet_key": "dog_1"}, 403, None),
    ],
)
def test_either_of_two_requirements_will_do(shop, headers, status, key):
    assert shop(EITHER)(**headers)[:2] == (status, key)


@pytest.mark.parametrize("security", [OPTIONAL, OPTIONAL[::-1]])
@pytest.mark.parametrize(
    ("headers", "status", "key"),
    [({}, 200, "anonymous"), ({"pet_key": "pet_1"}, 200, "pet_1"), ({"pet_key": "dog_1"}, 403, None)],
)
def test_an_empty_requirement_means_that_the_key_is_optional(shop, security, headers, status, key):
    assert shop(security)(**headers)[:2] == (status, key)


def test_no_requirement_means_that_nobody_is_asked(shop):
    assert shop([])(pet_key="dog_1")[:2] == (200, "anonymous")


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


PLACES = [
    ("Query", {"query": "limit=1&key=pet_1"}, "pet_1"),
    ("Query", {"query": "limit=1&key=pet%5F1"}, "pet_1"),
    ("Cookie", {"cookie": "a=b; key=pet_1; c=d"}, "pet_1"),
    ("Basic", {"authorization": basic("pet_1:")}, "pet_1"),
    ("Basic", {"authorization": basic("pet_1")}, "pet_1"),
    ("Basic", {"authorization": basic(":pet_1").lower().replace("basic", "BASIC", 1)}, None),
    ("Basic", {"authorization": basic("pet_1:secret")}, "pet_1:secret"),
    ("Token", {"authorization": "bearer pet_1"}, "pet_1"),
]


@pytest.mark.parametrize(("scheme", "sent", "key"), [each for each in PLACES if each[2]])
def test_a_key_is_read_where_the_document_says(shop, scheme, sent, key):
    assert shop([{scheme: []}])(**sent)[:2] == (200, key)


@pytest.mark.parametrize(
    ("scheme", "sent"),
    [
        ("Query", {"query": "limit=1&Key=pet_1"}),
        ("Cookie", {"cookie": "keys=pet_1"}),
        ("Cookie", {}),
        ("Basic", {"authorization": "Basic pet_1"}),
        ("Basic", {"authorization": "Bearer pet_1"}),
        ("Basic", {"authorization": basic(":")}),
        ("Token", {"authorization": basic("pet_1:")}),
    ],
)
def test_a_key_in_another_place_or_form_is_none(shop, scheme, sent):
    assert shop([{scheme: []}])(**sent)[0] == 401


@pytest.mark.parametrize(
    ("security", "place", "ways"),
    [
        (BOTH, ("header", "/pet-key"), "Pet-Key: KEY and Pet-App: KEY"),
        (EITHER, ("header", "/pet-key"), "Pet-Key: KEY or Pet-App: KEY"),
        ([{"Query": []}], ("query", "/key"), "?key=KEY"),
        ([{"Cookie": []}], ("header", "/cookie"), "Cookie: key=KEY"),
        ([{"Basic": []}], ("header", "/authorization"), "Authorization: Basic KEY"),
    ],
)
def test_a_missing_key_is_told_where_to_send_it(tmp_path, security, place, ways):
    document = copy.deepcopy(DOCUMENT) | {"security": security}
    document["components"]["securitySchemes"] = SCHEMES
    write(tmp_path / "petshop", document, TABLE)
    engine = create_engine(STRICT, [tmp_path])
    heard: list[Exchange] = []
    engine.listeners.append(heard.append)
    answer = engine.handle(Request("GET", "/pets", {"host": "localhost"}, "limit=1"))
    (violation,) = heard[0].violations
    assert (answer.status, said(answer)["fault"]["name"]) == (401, "E2")
    assert ((violation.location, violation.pointer), violation.message.partition("; send ")[2]) == (
        place,
        ways,
    )
