"""For every operation of every provider: what follows from its documents alone."""

import json
from pathlib import Path

import httpx
import pytest
import yaml
from conftest import KEYS, STRICT

from mockserver import Server, create_engine
from mockserver.spec.catalog import load
from mockserver.spec.files import FIXTURES, SPECS

pytestmark = pytest.mark.usefixtures("uncounted")  # lines that other tests reach, too

CATALOG = load()
REQUESTS = sorted((FIXTURES / "requests").glob("*/*.json"))
ROWS = [(provider, row) for provider in CATALOG.providers.values() for row in provider.errors.values()]
WITH_EXAMPLES = [operation for operation in CATALOG.operations if operation.body and operation.body.example]
SEEDS = Path(__file__).parents[2] / "shared" / "seeds"


def example_call(client, provider, headers=None, operation=None):
    operation = operation or provider.sample_operation
    sent = {**KEYS[provider.name], **(headers or {})}
    return client.request(operation.method, operation.path, json=operation.body.example, headers=sent)


def validated(provider, response, operation=None):
    """The answer's body, which obeys the response documented for its status."""
    documented = (operation or provider.sample_operation).response_for(response.status_code)
    assert documented is not None
    assert documented.schema.violations(response.json()) == []
    return response.json()


@pytest.mark.parametrize("file", REQUESTS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_canned_request_succeeds_and_its_answer_obeys_the_specification(server, client, file):
    provider = CATALOG.providers[file.parent.name]
    canned = json.loads(file.read_text())
    operation = provider.operations[canned["operation"]]
    headers = {**KEYS[provider.name], **canned.get("headers", {})}
    if "key" in canned:
        headers[next(iter(headers))] = canned["key"]
    response = client.request(operation.method, operation.path, json=canned["body"], headers=headers)
    assert response.status_code == 200, response.text
    validated(provider, response, operation)


@pytest.mark.parametrize(("provider", "row"), ROWS, ids=lambda value: value.name)
def test_every_documented_error_is_obtained_by_the_prefer_header(client, provider, row):
    response = example_call(client, provider, {"Prefer": f"code={row.status}, example={row.name}"})
    assert response.status_code == row.status
    assert row.name in response.headers["Preference-Applied"]
    assert row.message in json.dumps(validated(provider, response), ensure_ascii=False)
    if row.code is not None:
        assert f'"{row.code}"' in response.text


@pytest.mark.parametrize(("provider", "row"), ROWS, ids=lambda value: value.name)
def test_every_documented_error_is_obtained_by_a_key_that_ends_in_its_name(client, provider, row):
    name, value = next(iter(KEYS[provider.name].items()))
    response = example_call(client, provider, {name: f"{value}_{row.name.lower()}"})
    assert response.status_code == row.status
    assert row.message in json.dumps(validated(provider, response), ensure_ascii=False)


@pytest.mark.parametrize("provider", CATALOG.providers.values(), ids=lambda provider: provider.name)
def test_a_code_alone_takes_the_first_row_of_its_status(client, provider):
    for status in {row.status for row in provider.errors.values()}:
        first = next(row for row in provider.errors.values() if row.status == status)
        response = example_call(client, provider, {"Prefer": f"code={status}"})
        assert response.status_code == status
        assert first.message in json.dumps(response.json(), ensure_ascii=False)


@pytest.mark.parametrize("provider", CATALOG.providers.values(), ids=lambda provider: provider.name)
def test_an_order_does_not_outlive_its_call(client, provider):
    assert example_call(client, provider, {"Prefer": "code=500"}).status_code == 500
    assert example_call(client, provider).status_code == 200


@pytest.mark.parametrize(("provider", "row"), ROWS, ids=lambda value: value.name)
def test_every_documented_error_is_obtained_by_a_word_in_brackets_and_looks_as_by_header(
    client, provider, row
):
    operation = next(each for each in provider.operations.values() if each.row.order_fields)
    field, example = operation.row.order_fields[0], operation.body.example
    answers = [
        client.request(
            operation.method, operation.path, json=body, headers={**KEYS[provider.name], "Prefer": prefer}
        )
        for body, prefer in (
            ({**example, field: f"please [{row.name.lower()}] now"}, ""),
            (example, f"example={row.name}"),
        )
    ]
    assert [each.status_code for each in answers] == [row.status] * 2
    said = [{**each.json(), "request_id": None} for each in answers]
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "operation", [each for each in CATALOG.operations if each.security], ids=lambda each: each.name
)
def test_without_a_key_every_operation_answers_401(client, operation):
    path = operation.path.replace("{id}", "x")
    response = client.request(operation.method, path, json={})
    assert response.status_code == 401
    validated(CATALOG.providers[operation.provider], response, operation)


@pytest.mark.parametrize("operation", WITH_EXAMPLES, ids=lambda operation: operation.name)
def test_the_same_request_gets_the_same_answer_from_a_fresh_server(operation):
    answers = []
    for _ in range(2):
        with Server(create_engine(STRICT)) as fresh, httpx.Client(base_url="http://same") as client:
            headers = {**KEYS[operation.provider], "Host": "same"}
            path = operation.path.replace("{id}", "x")
            answer = client.request(
                operation.method, f"{fresh.url}{path}", json=operation.body.example, headers=headers
            )
            answers.append((answer.status_code, answer.content, answer.headers.get("X-Request-Id")))
    assert answers[0] == answers[1]


def test_another_seed_gives_other_answers():
    answers = set()
    for seed in (0, 1):
        with Server(create_engine(STRICT.__class__(seed=seed))) as fresh, httpx.Client() as client:
            body = {"image_url": "https://cdn.pikzels.com/example.png"}
            answers.add(
                client.post(f"{fresh.url}/v2/thumbnail/score", json=body, headers=KEYS["pikzels"]).text
            )
    assert len(answers) == 2


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the source documents are not part of the repository")
@pytest.mark.parametrize("number", ["000", "001", "002"])
def test_the_seed_operations_stand_unchanged_in_the_specification(number):
    text = next(SEEDS.glob(f"{number}_*")).read_text()
    seed = yaml.safe_load(text.split("````yaml", 1)[1].split("\n", 1)[1].rsplit("````", 1)[0])
    ours = yaml.safe_load((SPECS / "pikzels" / "openapi.yaml").read_text())
    for path, item in seed["paths"].items():
        assert ours["paths"][path] == item
    assert ours["components"] == seed["components"]
    assert ours["info"] == seed["info"]
