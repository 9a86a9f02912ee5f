"""`/__admin`: the clock, jobs and accounts; what is wrong is told as problem details and changes nothing."""

import pytest


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
    [("PT24H", "2030-01-02T00:00:00.000Z"), ("P1W", "2030-01-08T00:00:00.000Z"), ("PT0.5S", "2030-01-01T00:00:00.500Z"),
     ("P1DT1M", "2030-01-02T00:01:00.000Z"), (90, "2030-01-01T00:01:30.000Z"), (0, "2030-01-01T00:00:00.000Z")],
)  # fmt: skip
def test_the_clock_advances_by_durations_and_seconds(client, by, now):
    client.put("/__admin/clock", json={"now": "2030-01-01T00:00:00Z", "frozen": True})
    assert client.post("/__admin/clock/advance", json={"by": by}).json()["now"] == now


@pytest.mark.parametrize("body", [{"by": "24 hours"}, {"by": "P1M"}, {"by": "P"}, {"by": -1}, {"by": None}, {"by": True}, {}, {"for": 1}, []])
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
    assert (said["plan"], said["credits"], said["state"], said["ledger"], said["enforce"]) == ("free", 10, "active", [], [])
    assert said["persons"]["person_withdrawn"] == "withdrawn"


def test_an_account_changes_only_in_what_is_named(client):
    client.put("/__admin/accounts/pikzels/pkz_new", json={"state": "suspended"}).raise_for_status()
    said = client.put("/__admin/accounts/pikzels/pkz_new", json={"credits": 7.5}).json()
    assert (said["state"], said["credits"], said["plan"]) == ("suspended", 7.5, "standard")
    answer = client.post("/v2/thumbnail/score", json={}, headers={"X-Api-Key": "pkz_new"})
    assert answer.json()["error"]["code"] == "ACCOUNT_SUSPENDED"


@pytest.mark.parametrize(
    "body", [{"plan": "gold"}, {"credits": "many"}, {"state": "happy"}, {"enforce": ["fun"]}, {"ledger": []}, {"key": "x"}, []]
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
