"""`/__admin`: the clock, jobs and accounts; what is wrong is told as problem details and changes nothing."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mockserver import Server, create_engine
from mockserver.fixtures import load_fixtures
from mockserver.state.resources import Resource


def problem(answer, status=400):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["detail"]


@pytest.fixture(autouse=True)
def fresh(client):
    client.post("/__admin/reset").raise_for_status()


def test_health_tells_what_is_loaded(client):
    said = client.get("/__admin/health").json()
    assert said["status"] == "ok"
    assert said["operations"]["pikzels"] == 11


def test_the_clock_stops_where_it_is(client):
    client.put("/__admin/clock", json={"frozen": True}).raise_for_status()
    first = client.get("/__admin/clock").json()
    assert first == client.get("/__admin/clock").json()
    assert first["frozen"] is True


def test_the_clock_is_set_and_the_date_header_follows(client):
    client.put("/__admin/clock", json={"now": "2030-01-01T00:00:00Z", "frozen": True}).raise_for_status()
    assert client.get("/__admin/clock").json()["now"] == "2030-01-01T00:00:00.000Z"
    assert client.post("/v2/thumbnail/score").headers["date"] == "Tue, 01 Jan 2030 00:00:00 GMT"


@pytest.mark.parametrize(
    ("by", "now"),
    [
        ("PT24H", "2030-01-02T00:00:00.000Z"),
        ("P1W", "2030-01-08T00:00:00.000Z"),
        ("PT0.5S", "2030-01-01T00:00:00.500Z"),
        ("P1DT1M", "2030-01-02T00:01:00.000Z"),
        (90, "2030-01-01T00:01:30.000Z"),
        (0, "2030-01-01T00:00:00.000Z"),
    ],
)
def test_the_clock_advances_by_durations_and_seconds(client, by, now):
    client.put("/__admin/clock", json={"now": "2030-01-01T00:00:00Z", "frozen": True})
    assert client.post("/__admin/clock/advance", json={"by": by}).json()["now"] == now


@pytest.mark.parametrize(
    "body",
    [
        {"by": "24 hours"},
        {"by": "P1M"},
        {"by": "P"},
        {"by": -1},
        {"by": None},
        {"by": True},
        {},
        {"for": 1},
        [],
    ],
)
def test_a_wrong_duration_is_refused_and_moves_nothing(client, body):
    client.put("/__admin/clock", json={"frozen": True})
    before = client.get("/__admin/clock").json()
    assert problem(client.post("/__admin/clock/advance", json=body))
    assert client.get("/__admin/clock").json() == before


@pytest.mark.parametrize("body", [{"now": "tomorrow"}, {"frozen": "yes"}, {}, {"at": 1}, {"now": 1e300}])
def test_a_wrong_time_is_refused_and_sets_nothing(client, body):
    client.put("/__admin/clock", json={"frozen": True})
    before = client.get("/__admin/clock").json()
    assert problem(client.put("/__admin/clock", json=body))
    assert client.get("/__admin/clock").json() == before


def test_an_account_shows_its_plan_credits_flags_and_ledger(client):
    said = client.get("/__admin/accounts/fatthumb/nsk_free").json()
    assert (said["plan"], said["credits"], said["state"], said["ledger"], said["enforce"]) == (
        "free",
        10,
        "active",
        [],
        [],
    )
    assert said["persons"]["person_withdrawn"] == "withdrawn"


def test_an_account_changes_only_in_what_is_named(client):
    client.put("/__admin/accounts/pikzels/pkz_new", json={"state": "suspended"}).raise_for_status()
    said = client.put("/__admin/accounts/pikzels/pkz_new", json={"credits": 7.5}).json()
    assert (said["state"], said["credits"], said["plan"]) == ("suspended", 7.5, "standard")
    answer = client.post("/v2/thumbnail/score", json={}, headers={"X-Api-Key": "pkz_new"})
    assert answer.json()["error"]["code"] == "ACCOUNT_SUSPENDED"


@pytest.mark.parametrize(
    "body",
    [
        {"plan": "gold"},
        {"credits": "many"},
        {"state": "happy"},
        {"enforce": ["fun"]},
        {"ledger": []},
        {"key": "x"},
        [],
    ],
)
def test_a_wrong_account_is_refused_and_changes_nothing(client, body):
    before = client.get("/__admin/accounts/thumbapi/tb_test").json()
    assert problem(client.put("/__admin/accounts/thumbapi/tb_test", json=body))
    assert client.get("/__admin/accounts/thumbapi/tb_test").json() == before


def test_what_is_not_there_is_told(client):
    assert "pikzels" in problem(client.get("/__admin/accounts/nobody/key"), 404)
    assert "/__admin/jobs" in problem(client.get("/__admin/jobs/nothing"), 404)
    assert problem(client.get("/__admin/nothing"), 404)
    assert problem(client.delete("/__admin/clock"), 405)


def test_a_job_takes_only_the_ends_of_its_api(client):
    key = {"X-Api-Key": "pkz_test"}
    body = {"name": "n", "image_urls": ["https://a/b"] * 3}
    style = client.post("/v2/pikzonality/style", json=body, headers=key).json()["id"]
    assert "completed" in problem(client.put(f"/__admin/jobs/{style}", json={"status": "partial"}))
    said = client.put(f"/__admin/jobs/{style}", json={"status": "failed"}).json()
    assert said["status"] == "failed"
    back = client.put(f"/__admin/jobs/{style}", json={"status": "processing"}).json()
    assert (back["status"], back["duration_s"]) == ("processing", None)


def test_links_follow_the_proxy_that_the_caller_came_through(client):
    body = {"prompt": "a", "model": "pkz_4", "format": "16:9"}
    headers = {"X-Api-Key": "pkz_test", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mock.example.com"}
    output = client.post("/v2/thumbnail/text", json=body, headers=headers).json()["output"]
    assert output.startswith("https://mock.example.com/cdn/pikzels/")
    again = {"image_url": output}
    assert client.post("/v2/thumbnail/score", json=again, headers=headers).status_code == 200


def test_every_admin_answer_carries_the_worlds_date(client):
    client.put("/__admin/clock", json={"now": "2030-01-01T00:00:00Z", "frozen": True})
    answers = [
        client.get("/__admin"),
        client.get("/__admin/health"),
        client.get("/__admin/nothing"),
        client.get("/__admin/clock/"),
        client.delete("/__admin/clock"),
        client.put("/__admin/clock", json={}),
    ]
    assert [answer.headers.get_list("date") for answer in answers] == [["Tue, 01 Jan 2030 00:00:00 GMT"]] * 6


def test_the_routes_are_listed(client):
    routes = client.get("/__admin").json()["routes"]
    assert {"method": "POST", "path": "/__admin/reset", "does": "Forget everything that happened."} in routes
    assert all(set(each) == {"method", "path", "does"} and each["does"].endswith(".") for each in routes)
    for each in routes:
        if each["method"] == "GET" and "{" not in each["path"]:
            assert client.get(each["path"]).status_code == 200


def test_an_unknown_path_lists_the_routes(client):
    answer = client.get("/__admin/acounts")
    assert "GET /__admin lists" in problem(answer, 404)
    assert answer.json()["routes"] == client.get("/__admin").json()["routes"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/clock", "GET, HEAD, PUT"),
        ("/clock/advance", "POST"),
        ("/state", "GET, HEAD, PUT"),
        ("/jobs/x", "GET, HEAD, PUT"),
        ("/webhooks", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client, path, allowed):
    answer = client.delete(f"/__admin{path}")
    assert allowed in problem(answer, 405)
    assert answer.headers["allow"] == allowed


def test_a_bug_of_ours_is_a_problem_and_logged_with_its_traceback(caplog):
    broken = Resource("broken", "pet", "pikzels/pkz_test", 1e300, 1, "completed", "processing", {})
    with Server(create_engine()) as server:
        server.engine.world.resources.put("broken", broken)  # no snapshot can bring such a time
        answer = httpx.get(f"{server.url}/__admin/jobs/broken")
    assert "OverflowError" in problem(answer, 500) or "ValueError" in problem(answer, 500)
    assert "date" in answer.headers
    assert any(record.exc_info and "GET /__admin/jobs/broken" in record.message for record in caplog.records)


def test_a_large_state_is_read_off_the_event_loop(client, server):
    state = client.get("/__admin/state").json()
    state["names"] = {f"n{number}": "x" * 400 for number in range(50_000)}
    text = json.dumps(state).encode()
    waits = []
    with ThreadPoolExecutor(1) as thread, httpx.Client(base_url=server.url, timeout=30) as other:
        other.get("/__admin/health")
        put = thread.submit(client.put, "/__admin/state", content=text)
        while not put.done():
            started = time.perf_counter()
            other.get("/__admin/clock").raise_for_status()
            waits.append(time.perf_counter() - started)
    assert put.result().status_code == 200
    assert len(waits) > 1  # calls were answered meanwhile


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"creditz": 5}, "creditz is not a known field; did you mean credits?"),
        ({"has_api_acces": True}, "did you mean has_api_access?"),
        ({"credits": 1, "colour": "red"}, "colour is not a known field"),
        ({"plan": None}, "plan must be one of: free, creator, pro, business"),
        ({"credits": True}, "credits must be a number or null"),
        ({"smart_balance": {"top_up": -1}}, "smart_balance.top_up must be at least 0"),
        ({"smart_balance": {"topup": 1}}, "topup is not a known field; did you mean top_up?"),
        ({"smart_balance": {"has_unpaid_invoice": "no"}}, "must be true or false"),
        ({"has_api_access": "yes"}, "has_api_access must be true or false"),
        ({"is_test": None}, "is_test must be true or false"),
        ({"webhook_secret": 5}, "webhook_secret must be a string"),
        ({"persons": {"ann": "gone"}}, "persons.ann must be one of: active, withdrawn"),
        ({"persons": ["ann"]}, "persons must be a JSON object"),
        ({"inspirations": [1]}, "inspirations[0] must be a string"),
        ({"assets": {"logo": "images/logo.png"}}, "assets.logo must be a JSON object"),
        ({"assets": {"logo": {}}}, "Provide file or data"),
        ({"assets": {"logo": {"file": "images/logo.png", "data": "data:image/png;base64,"}}}, "not both"),
        (
            {"assets": {"logo": {"file": "images/nothing.png"}}},
            "assets.logo.file: there is no picture 'images/nothing.png'",
        ),
        (
            {"assets": {"logo": {"file": "images/logo.png", "corner": "middle"}}},
            "assets.logo.corner must be one of: top-left",
        ),
        (
            {"assets": {"logo": {"file": "images/logo.png", "scale": 0.01}}},
            "assets.logo.scale must be at least 0.02",
        ),
        (
            {"assets": {"logo": {"file": "images/logo.png", "scale": 0.61}}},
            "assets.logo.scale must be at most 0.6",
        ),
        (
            {"assets": {"logo": {"file": "images/logo.png", "has_shadow": 1}}},
            "assets.logo.has_shadow must be true or false",
        ),
        (
            {"assets": {"logo": {"data": "data:image/png;base64,AAAA"}}},
            "assets.logo.data: this is not a supported picture",
        ),
        ({"assets": {"logo": {"data": "AAAA"}}}, "assets.logo.data: this is not a base64 data URL"),
        (
            {"reference_sets": {"ref": {"format": "16:9", "files": ["images/logo.png"]}}},
            "reference_sets.ref.format must be one of: youtube",
        ),
        (
            {"reference_sets": {"ref": {"format": "x", "files": []}}},
            "reference_sets.ref.files must hold at least 1",
        ),
        (
            {"reference_sets": {"ref": {"format": "x", "files": ["images/logo.png"] * 7}}},
            "reference_sets.ref.files must hold at most 6",
        ),
        ({"reference_sets": {"ref": {"format": "x", "files": ["nothing"]}}}, "there is no picture 'nothing'"),
        ({"reference_sets": {"ref": {"format": "x"}}}, "files"),
        ({"period": "2026-01"}, "period is not a known field"),
        ({"is_blocked": True}, "is_blocked is not a known field"),  # another provider's
    ],
    ids=str,
)
def test_what_an_account_cannot_be_is_told_and_changes_nothing(client, body, said):
    name = next(iter(body))
    account = {
        "smart_balance": "pikzels/pkz_test",
        "persons": "fatthumb/nsk_test",
        "inspirations": "fatthumb/nsk_test",
    }
    page = f"/__admin/accounts/{account.get(name, 'thumbapi/tb_test')}"
    before = client.get(page).json()
    assert said in problem(client.put(page, json={"state": "inactive", **body}))
    assert client.get(page).json() == before
    assert client.get("/__admin/state").json()["pictures"] == {}


@pytest.mark.parametrize(
    ("provider", "key", "body"),
    [
        (
            "pikzels",
            "pkz_test",
            {
                "smart_balance": {"top_up": 2.5, "has_unpaid_invoice": False},
                "allows_equal_names": True,
                "has_api_access": False,
            },
        ),
        ("pikzels", "pkz_test", {"smart_balance": None, "credits": None, "enforce": ["credits", "limits"]}),
        (
            "fatthumb",
            "nsk_test",
            {
                "is_blocked": True,
                "uses_own_keys": True,
                "has_openai_key": False,
                "is_at_generation_cap": True,
                "is_denied": True,
            },
        ),
        (
            "fatthumb",
            "nsk_test",
            {"persons": {"ann": "withdrawn"}, "inspirations": ["a"], "plan": "ultra", "credits": -0.5},
        ),
        ("thumbapi", "tb_test", {"is_test": True, "webhook_secret": "s", "assets": {}, "reference_sets": {}}),
        (
            "thumbapi",
            "tb_test",
            {
                "assets": {
                    "logo": {
                        "file": "images/logo.png",
                        "corner": "top-left",
                        "scale": 0.02,
                        "has_shadow": False,
                    }
                }
            },
        ),
        (
            "thumbapi",
            "tb_test",
            {"reference_sets": {"ref": {"format": "x", "files": ["images/reference-1.png"]}}},
        ),
    ],
    ids=str,
)
def test_what_an_account_can_be_is_taken_as_it_is(client, provider, key, body):
    shown = client.put(f"/__admin/accounts/{provider}/{key}", json=body).raise_for_status().json()
    expected = body | ({"webhook_secret": "..."} if "webhook_secret" in body else {})
    assert {name: shown[name] for name in body} == expected


def test_an_asset_that_is_sent_along_is_kept_and_drawn(client):
    url = "data:image/png;base64," + load_fixtures().pictures["images/logo.png"].small
    body = {"assets": {"logo": {"data": url, "corner": "top-right"}}}
    shown = client.put("/__admin/accounts/thumbapi/tb_test", json=body).raise_for_status().json()["assets"]
    assert set(shown["logo"]) == {"file", "corner"}
    assert list(client.get("/__admin/state").json()["pictures"]) == [shown["logo"]["file"]]
    assert client.put("/__admin/accounts/thumbapi/tb_test", json={"assets": shown}).status_code == 200
    call = {"title": "t", "format": "youtube", "useLogo": True}
    assert client.post("/v1/generate", json=call, headers={"x-api-key": "tb_test"}).status_code == 200


def test_every_account_of_the_fixtures_could_be_told(client):
    for provider, rows in load_fixtures().accounts.items():
        for key, row in rows.items():
            assert client.put(f"/__admin/accounts/{provider}/{key}", json=row).status_code == 200, row


def test_a_job_whose_webhook_was_sent_changes_without_sending_it_again(client):
    never_called = "http://example.invalid/"
    body = {"title": "t", "format": "x", "webhookUrl": never_called}
    job = client.post("/v1/generate", json=body, headers={"x-api-key": "tb_test"}).json()["jobId"]
    client.post("/__admin/clock/advance", json={"by": 60}).raise_for_status()
    before = client.get("/__admin/webhooks").json()
    assert len(before["webhooks"][0]["attempts"]) == 1
    assert client.put(f"/__admin/jobs/{job}", json={"status": "failed"}).json()["status"] == "failed"
    assert client.get("/__admin/webhooks").json() == before


def test_accounts_are_listed_with_balance_and_unit_and_keys_that_are_secret_shortened(client):
    client.put("/__admin/accounts/pikzels/pkz_0123456789", json={"credits": 7.5}).raise_for_status()
    rows = client.get("/__admin/accounts").json()["accounts"]
    known = {(row["provider"], row["key"]): row for row in rows}
    assert known["pikzels", "pkz_...6789"] == {
        "provider": "pikzels",
        "key": "pkz_...6789",
        "state": "active",
        "plan": "standard",
        "credits": 7.5,
        "unit": "USD",
    }
    assert known["fatthumb", "nsk_free"]["unit"] == "credits"
    assert known["thumbapi", "tb_suspended"]["state"] == "suspended"


def test_one_account_is_forgotten_alone(client):
    style = {"name": "Mine", "image_urls": ["https://example.com/1.png"] * 3}
    text = {"prompt": "Island", "model": "pkz_4", "format": "1:1"}
    made = {}
    for key in ("pkz_gone", "pkz_stays"):
        headers = {"X-Api-Key": key}
        id_ = client.post("/v2/pikzonality/style", json=style, headers=headers).json()["id"]
        made[key] = (id_, client.post("/v2/thumbnail/text", json=text, headers=headers).json()["output"])
    client.put("/__admin/accounts/pikzels/pkz_gone", json={"state": "active"}).raise_for_status()
    said = client.delete("/__admin/accounts/pikzels/pkz_gone").raise_for_status().json()
    assert (said["credits"], said["ledger"]) == (100, [])
    found = {
        key: [
            client.get(f"/v2/pikzonality/{id_}", headers={"X-Api-Key": key}).status_code,
            client.get(link).status_code,
            len(client.get(f"/__admin/accounts/pikzels/{key}").json()["ledger"]),
            client.post("/v2/pikzonality/style", json=style, headers={"X-Api-Key": key}).status_code,
        ]
        for key, (id_, link) in made.items()
    }
    assert found == {"pkz_gone": [404, 404, 0, 200], "pkz_stays": [200, 200, 2, 409]}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("pikzels/abc", "'abc': a key of Pikzels v2 begins with pkz_, so no call can come with this one"),
        (
            "fatthumb/pkz_test",
            "'pkz_test': a key of FatThumb begins with nsk_, so no call can come with this one",
        ),
        (
            "thumbapi/%20tb",
            "' tb': a key is printable ASCII without blanks around it, or no header can hold it",
        ),
        (
            "thumbapi/t%C3%BC",
            "'tü': a key is printable ASCII without blanks around it, or no header can hold it",
        ),
    ],
)
def test_an_account_with_an_impossible_key_is_refused(client, path, why):
    assert problem(client.put(f"/__admin/accounts/{path}", json={"credits": 1})) == why
