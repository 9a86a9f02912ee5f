"""The whole life of FatThumb over HTTP: generate, poll, download; credits, plans, rate limits. No sleep."""

import httpx
import pytest
from conftest import STRICT

from mockserver import Server, create_engine

CALL = {"prompt": "A focused developer at a laptop", "count": 2}
ACCOUNT = "/__admin/accounts/fatthumb/nsk_life"


@pytest.fixture
def api():
    with Server(create_engine(STRICT)) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        client.headers["Authorization"] = "Bearer nsk_life"
        client.put("/__admin/clock", json={"frozen": True}).raise_for_status()
        yield client


def advance(api, by):
    api.post("/__admin/clock/advance", json={"by": by}).raise_for_status()


def generate(api, call=CALL, **headers):
    answer = api.post("/api/v1/generate", json=call, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["generationId"]


def read(api, id_):
    return api.get(f"/api/v1/generations/{id_}").json()


def statuses(shown):
    return shown["status"], [each["status"] for each in shown["thumbnails"]]


def test_a_generation_is_polled_until_it_has_succeeded(api):
    id_, seen = generate(api), []
    for _ in range(3):
        seen.append(statuses(read(api, id_)))
        advance(api, "PT1S")
    assert seen == [
        ("processing", ["processing", "processing"]),
        ("processing", ["succeeded", "processing"]),
        ("succeeded", ["succeeded", "succeeded"]),
    ]
    for each in read(api, id_)["thumbnails"]:
        assert httpx.get(each["url"]).headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("failed", ["failed", "failed"]),
        ("partial", ["succeeded", "failed"]),
        ("succeeded", ["succeeded"] * 2),
    ],
)
def test_a_generation_ends_as_ordered(api, end, last):
    id_ = generate(api, Prefer=f"job={end}")
    assert read(api, id_)["status"] == "processing"
    advance(api, 2)
    shown = read(api, id_)
    assert statuses(shown) == (end, last)
    for each in shown["thumbnails"]:
        assert (each["url"] is None) == (each["status"] == "failed")
        assert (each["error"] is None) == (each["status"] == "succeeded")


def test_a_manual_generation_ends_when_the_admin_says_so(api):
    id_ = generate(api, Prefer="job=manual")
    advance(api, "PT1H")
    assert read(api, id_)["status"] == "processing"
    api.put(f"/__admin/jobs/{id_}", json={"status": "partial"}).raise_for_status()
    assert statuses(read(api, id_)) == ("partial", ["succeeded", "failed"])


def test_a_generation_of_one_does_not_end_in_part(api):
    id_ = generate(api, {"prompt": "one"}, Prefer="job=manual")
    answer = api.put(f"/__admin/jobs/{id_}", json={"status": "partial"})
    assert (answer.status_code, answer.json()["title"]) == (400, "Impossible status")
    assert read(api, id_)["status"] == "processing"


def test_another_organisation_does_not_see_it(api):
    id_ = generate(api)
    answer = api.get(f"/api/v1/generations/{id_}", headers={"Authorization": "Bearer nsk_else"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_out_of_credits_topped_up_and_on_again(api):
    api.put(ACCOUNT, json={"credits": 3, "enforce": ["credits"]}).raise_for_status()
    generate(api)
    refused = api.post("/api/v1/generate", json=CALL)
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_balance")
    api.put(ACCOUNT, json={"credits": 10}).raise_for_status()
    generate(api)
    assert api.get(ACCOUNT).json()["credits"] == 8


def test_the_cost_is_count_times_model_and_own_keys_cost_nothing(api):
    api.post("/api/v1/generate", json={**CALL, "count": 3, "model": "gpt-image-2"}).raise_for_status()
    assert [entry["amount"] for entry in api.get(ACCOUNT).json()["ledger"]] == [12]
    own = {"Authorization": "Bearer nsk_byo"}
    api.post("/api/v1/generate", json=CALL, headers=own).raise_for_status()
    assert api.get("/__admin/accounts/fatthumb/nsk_byo").json()["ledger"] == []


def test_a_rejected_prompt_is_not_charged(api):
    answer = api.post("/api/v1/generate", json={"prompt": "[content_rejected]"})
    assert (answer.status_code, answer.json()["code"]) == (422, "content_rejected")
    assert api.get(ACCOUNT).json()["ledger"] == []


def test_the_eleventh_generation_in_a_minute_waits_while_polling_goes_on(api):
    api.put(ACCOUNT, json={"enforce": ["limits"]}).raise_for_status()
    ids = [generate(api) for _ in range(10)]
    refused = api.post("/api/v1/generate", json=CALL)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert read(api, ids[0])["id"] == ids[0]
    advance(api, int(refused.headers["Retry-After"]))
    assert generate(api)


def test_the_thousand_and_first_call_in_an_hour_waits(api):
    api.put(ACCOUNT, json={"enforce": ["limits"]}).raise_for_status()
    id_ = generate(api)
    for _ in range(999):
        assert read(api, id_)["id"] == id_
    refused = api.get(f"/api/v1/generations/{id_}")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    advance(api, "PT1H")
    assert read(api, id_)["id"] == id_


def test_the_free_plan_is_upgraded_and_may_more(api):
    api.put(ACCOUNT, json={"plan": "free"}).raise_for_status()
    refused = api.post("/api/v1/generate", json=CALL)
    assert (refused.status_code, refused.json()["code"]) == (402, "count_exceeds_plan")
    api.put(ACCOUNT, json={"plan": "ultra"}).raise_for_status()
    assert generate(api)


def test_consent_is_withdrawn_while_the_account_lives(api):
    api.put(ACCOUNT, json={"persons": {"anna": "active"}}).raise_for_status()
    call = {**CALL, "personIds": ["anna"]}
    assert api.post("/api/v1/generate", json=call).status_code == 200
    api.put(ACCOUNT, json={"persons": {"anna": "withdrawn"}}).raise_for_status()
    refused = api.post("/api/v1/generate", json=call)
    assert (refused.status_code, refused.json()["code"]) == (422, "consent_withdrawn")


def test_where_unknown_persons_are_ignored_one_who_withdrew_consent_is_refused_as_ever(ask, engine):
    engine.world.assume({"fatthumb.unknown_ids": "ignored"})
    answers = [
        ask("POST", "/api/v1/generate", {**CALL, "personIds": [person]}, authorization="Bearer nsk_test")
        for person in ("person_nobody", "person_test", "person_withdrawn")
    ]
    assert [each.error for each in answers] == [None, None, "consent_withdrawn"]
