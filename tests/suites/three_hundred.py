"""300 tests of clients of all three APIs, as a project would have them; each leaves its journal in a file.

Not part of our own tests: tests/test_suite_of_300.py runs it, in parallel and in any order.
"""

import hashlib
import json
import os
import ssl
from pathlib import Path

import httpx
import pytest
import requests
import urllib3

CALLS = json.loads(Path(__file__).with_name("calls.json").read_text("utf-8"))
OPERATIONS = list({each["operation"]: each for each in reversed(CALLS)}.values())
PIKZELS, FATTHUMB = "https://api.pikzels.com", "https://fatthumb.klaas.pro"
KEY, PICTURE, PNG = {"x-api-key": "pkz_test"}, "https://example.com/a.png", b"\x89PNG"
TRUSTED = ssl.create_default_context()  # made once: it takes longer than a call


@pytest.fixture(autouse=True)
def journal(request, mockserver):
    yield
    calls = [each.as_json() for each in mockserver.calls()]
    assert calls
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()
    text = json.dumps([request.node.nodeid, calls], indent=1)
    Path(os.environ["JOURNALS"], name).write_text(text, "utf-8")


def with_httpx(call):
    with httpx.Client(verify=TRUSTED) as client:
        return client.post(call["url"], json=call["body"], headers=call["headers"]).status_code


def with_requests(call):
    return requests.post(call["url"], json=call["body"], headers=call["headers"], timeout=30).status_code


def with_urllib3(call):
    with urllib3.PoolManager() as pool:
        return pool.request("POST", call["url"], json=call["body"], headers=call["headers"]).status


every_way = pytest.mark.parametrize("ask", [with_httpx, with_requests, with_urllib3])
every_call = pytest.mark.parametrize("call", CALLS, ids=[each["name"] for each in CALLS])
every_operation = pytest.mark.parametrize("call", OPERATIONS, ids=[each["operation"] for each in OPERATIONS])


@every_call
def test_a_call_over_a_socket(call):
    assert with_requests(call) == 200


@every_call
def test_a_call_without_a_socket(mockserver, call):
    with httpx.Client(transport=mockserver.httpx_transport(), headers=call["headers"]) as client:
        assert client.post(call["url"], json=call["body"]).status_code == 200


@every_way
@every_operation
def test_errors_in_order(mockserver, call, ask):
    mockserver.fail(call["operation"], ["rate_limited", "internal", {"status": 503}, "ok"])
    assert [ask(call) for _ in range(4)] == [429, 500, 503, 200]


@every_way
@pytest.mark.mockserver(scenario="rate-limited")
def test_a_scenario(ask):
    assert {ask(OPERATIONS[0]) for _ in range(9)} == {200, 429}


@pytest.mark.parametrize("kind", ["style", "persona"])
@pytest.mark.parametrize("name", ["One", "Two", "Three"])
def test_a_training(mockserver, kind, name):
    with httpx.Client(verify=TRUSTED, base_url=PIKZELS, headers=KEY) as api:
        body = {"name": name, "image_urls": [PICTURE] * 3}
        path = f"/v2/pikzonality/{api.post(f'/v2/pikzonality/{kind}', json=body).json()['id']}"
        assert api.get(path).json()["status"] == "processing"
        mockserver.clock.advance(2)
        assert api.get(path).json()["status"] == "completed"
        assert api.patch(path, json={"special_instructions": "Brighter"}).is_success
        assert api.delete(path).is_success


@pytest.mark.parametrize("count", range(1, 5))
def test_a_generation(mockserver, count):
    with requests.Session() as api:
        api.headers["x-api-key"] = "nsk_test"
        started = api.post(f"{FATTHUMB}/api/v1/generate", json={"prompt": "A developer", "count": count})
        mockserver.sleep(2)
        done = api.get(f"{FATTHUMB}/api/v1/generations/{started.json()['generationId']}").json()
        assert [api.get(each["url"]).content[:4] for each in done["thumbnails"]] == [PNG] * count


def with_credits(amount):
    accounts = {"pikzels": {"pkz_test": {"credits": amount}}}
    return pytest.param(amount, marks=pytest.mark.mockserver(enforce=["credits"], accounts=accounts))


@pytest.mark.parametrize("amount", [with_credits(each) for each in (0.37, 0.74, 1.11)])
def test_money_runs_out(amount):
    body = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
    with httpx.Client(verify=TRUSTED, base_url=PIKZELS, headers=KEY) as api:
        statuses = [api.post("/v2/thumbnail/text", json=body).status_code for _ in range(4)]
    assert statuses == sorted(statuses)
    assert statuses.count(200) == round(amount / 0.37)


@pytest.mark.mockserver(enforce=["limits"])
@pytest.mark.parametrize("calls", range(9, 13))
def test_a_limit(calls):
    with httpx.Client(verify=TRUSTED, base_url=FATTHUMB, headers={"x-api-key": "nsk_test"}) as api:
        statuses = [api.post("/api/v1/generate", json={"prompt": "a"}).status_code for _ in range(calls)]
    assert statuses == [200] * min(10, calls) + [429] * (calls - 10)


@pytest.mark.parametrize("number", range(46))
def test_a_picture_lives_for_a_day(mockserver, number):
    text = {"prompt": f"number {number}", "model": "pkz_4", "format": "1:1"}
    with httpx.Client(verify=TRUSTED, base_url=PIKZELS, headers=KEY) as api:
        link = api.post("/v2/thumbnail/text", json=text).json()["output"]
        assert api.get(link).content.startswith(PNG)
        mockserver.clock.advance("PT24H")
        assert api.get(link).status_code == 404
