"""The whole life of ThumbAPI over HTTP: quota, plans, rates, webhooks that come again. No sleep."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from conftest import STRICT

from mockserver import Server, create_engine

CALL = {"title": "10 Tips to Grow Your YouTube Channel", "format": "youtube"}
ACCOUNT = "/__admin/accounts/thumbapi/tb_life"


@pytest.fixture
def api():
    with Server(create_engine(STRICT)) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        client.headers["x-api-key"] = "tb_life"
        client.put("/__admin/clock", json={"now": "2026-03-30T12:00:00Z", "frozen": True}).raise_for_status()
        yield client


class Receiver(ThreadingHTTPServer):
    """A receiver of webhooks that answers with what `answers` holds next, 200 when it is empty."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.arrived = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.server.arrived.set()
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_message(self, format, *args):  # noqa: A002 - the name of the method that it replaces
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def advance(api, by):
    api.post("/__admin/clock/advance", json={"by": by}).raise_for_status()


def promised(api, receiver, **headers):
    answer = api.post("/v1/generate", json={**CALL, "webhookUrl": receiver.url}, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.json().keys() == {"jobId", "status", "webhookUrl"}
    return answer.json()["jobId"]


def delivery(api, job):
    return next(each for each in api.get("/__admin/webhooks").json()["webhooks"] if each["jobId"] == job)


@pytest.mark.parametrize(
    ("reading", "written"),
    [
        ("hex", lambda digest: digest.hex()),
        ("upper_hex", lambda digest: digest.hex().upper()),
        ("prefixed_hex", lambda digest: f"sha256={digest.hex()}"),
        ("base64", lambda digest: base64.b64encode(digest).decode()),
    ],
)
def test_a_signature_is_written_as_the_documents_are_read(api, receiver, reading, written):
    api.put("/__admin/assumptions", json={"thumbapi.signature": reading}).raise_for_status()
    promised(api, receiver)
    advance(api, 2)
    headers, body = receiver.got[-1]
    assert headers["X-ThumbAPI-Signature"] == written(hmac.new(b"whsec_test", body, hashlib.sha256).digest())


def test_a_webhook_refused_twice_is_delivered_with_a_right_signature(api, receiver):
    receiver.answers += [500, 503]
    job = promised(api, receiver)
    advance(api, 1)
    assert receiver.got == []
    advance(api, 1)
    assert len(receiver.got) == 1
    advance(api, 1)
    assert len(receiver.got) == 2
    advance(api, 1)
    assert len(receiver.got) == 2, "the second pause is longer than the first"
    advance(api, 1)
    shown = delivery(api, job)
    assert (shown["status"], [each.get("status") for each in shown["attempts"]]) == (
        "delivered",
        [500, 503, 200],
    )
    headers, body = receiver.got[-1]
    assert headers["X-ThumbAPI-Signature"] == hmac.new(b"whsec_test", body, hashlib.sha256).hexdigest()
    payload = json.loads(body)
    assert (payload["event"], payload["jobId"]) == ("generation.completed", job)
    assert payload["data"]["image"].startswith("data:image/webp;base64,")
    assert payload["data"]["dimensions"] == {"width": 1280, "height": 720}
    assert payload["timestamp"] == "2026-03-30T12:00:02.000Z"


def test_one_long_advance_does_everything_that_became_due(api, receiver):
    receiver.answers += [500, 500]
    job = promised(api, receiver)
    advance(api, "PT24H")
    assert delivery(api, job)["status"] == "delivered"
    assert [each["at"][11:19] for each in delivery(api, job)["attempts"]] == [
        "12:00:02",
        "12:00:03",
        "12:00:05",
    ]


def test_after_three_retries_it_is_given_up(api, receiver):
    receiver.answers += [500] * 9
    job = promised(api, receiver)
    advance(api, "P1D")
    assert delivery(api, job)["status"] == "given up"
    assert len(receiver.got) == 4


def test_a_failed_job_tells_the_webhook_so(api, receiver):
    job = promised(api, receiver, Prefer="job=failed")
    advance(api, 2)
    payload = json.loads(receiver.got[0][1])
    assert payload == {
        "event": "generation.failed",
        "jobId": job,
        "error": "Image generation timed out",
        "timestamp": "2026-03-30T12:00:02.000Z",
    }


def test_a_manual_job_tells_the_webhook_when_the_admin_ends_it(api, receiver):
    job = promised(api, receiver, Prefer="job=manual")
    advance(api, "P1D")
    assert receiver.got == []
    api.put(f"/__admin/jobs/{job}", json={"status": "completed"}).raise_for_status()
    assert delivery(api, job)["status"] == "delivered"


def test_another_host_than_this_machine_is_never_called(api):
    job = api.post("/v1/generate", json={**CALL, "webhookUrl": "https://hooks.example.com/a"}).json()["jobId"]
    advance(api, "PT1M")
    shown = delivery(api, job)
    assert shown["status"] == "blocked"
    assert "--allow-webhook-host hooks.example.com" in shown["attempts"][0]["error"]


def test_a_receiver_that_is_not_there_is_tried_again(api, receiver):
    job = api.post("/v1/generate", json={**CALL, "webhookUrl": "http://127.0.0.1:9/none"}).json()["jobId"]
    advance(api, 2)
    shown = delivery(api, job)
    assert (shown["status"], len(shown["attempts"])) == ("waiting", 1)
    assert shown["attempts"][0]["error"]


def test_a_webhook_below_business_is_refused_and_nothing_is_sent(api, receiver):
    api.put(ACCOUNT, json={"plan": "pro"}).raise_for_status()
    answer = api.post("/v1/generate", json={**CALL, "webhookUrl": receiver.url})
    assert (answer.status_code, answer.json()["code"]) == (403, "UPGRADE_REQUIRED")
    advance(api, 60)
    assert receiver.got == []


def test_the_server_sends_by_itself_when_time_runs(receiver):
    with Server(create_engine(STRICT)) as server:
        httpx.post(
            f"{server.url}/v1/generate",
            json={**CALL, "webhookUrl": receiver.url},
            headers={"x-api-key": "tb_test"},
        )
        server.engine.world.clock.advance(2)
        assert receiver.arrived.wait(10)


@pytest.mark.parametrize(
    ("body", "cost"),
    [
        ({}, 10),
        ({"usePhoto": True}, 12),
        ({"model": "hd", "usePhoto": True, "useLogo": True}, 24),
        ({"model": "hd", "usePhoto": True, "useLogo": True, "customAssetsId": "ref_brand_v2"}, 26),
    ],
)
def test_a_call_costs_what_the_examples_say(api, body, cost):
    api.post(
        "/v1/generate", json={**CALL, **body}, headers={"x-api-key": "tb_live_abc123"}
    ).raise_for_status()
    shown = api.get("/__admin/accounts/thumbapi/tb_live_abc123").json()
    assert [entry["amount"] for entry in shown["ledger"]] == [cost]


def test_the_quota_runs_out_and_comes_back_with_the_next_month(api):
    api.put(ACCOUNT, json={"plan": "free", "credits": 50, "enforce": ["credits"]}).raise_for_status()
    left = [api.post("/v1/generate", json=CALL).headers["X-RateLimit-Remaining"] for _ in range(5)]
    assert left == ["40", "30", "20", "10", "0"]
    refused = api.post("/v1/generate", json=CALL)
    assert (refused.status_code, refused.json()["error"]) == (429, "Generation limit exceeded")
    assert refused.headers["X-RateLimit-Limit"] == "50"
    assert refused.headers["X-RateLimit-Reset"] == "2026-04-01T00:00:00.000Z"
    advance(api, "P2D")
    again = api.post("/v1/generate", json=CALL)
    assert (again.status_code, again.headers["X-RateLimit-Remaining"]) == (200, "40")


def test_the_rate_of_a_plan_holds_for_a_second(api):
    api.put(ACCOUNT, json={"plan": "creator", "enforce": ["limits"]}).raise_for_status()
    assert [api.post("/v1/generate", json=CALL).status_code for _ in range(3)] == [200, 200, 429]
    assert api.post("/v1/generate", json=CALL).json() == {"error": "Rate limit exceeded"}
    advance(api, 1)
    assert api.post("/v1/generate", json=CALL).status_code == 200


def test_a_failed_job_gives_back_what_it_cost_in_its_own_month(api, receiver):
    promised(api, receiver, Prefer="job=failed")
    advance(api, 2)
    assert api.get(ACCOUNT).json()["credits"] == 10000
    promised(api, receiver, Prefer="job=manual")
    advance(api, "P3D")
    assert api.post("/v1/generate", json=CALL).headers["X-RateLimit-Remaining"] == "9990"
    (manual,) = [each["id"] for each in api.get("/__admin/jobs").json()["jobs"] if not each["duration_s"]]
    api.put(f"/__admin/jobs/{manual}", json={"status": "failed"}).raise_for_status()
    account = api.get(ACCOUNT).json()
    assert account["credits"] == 9990
    assert [entry["amount"] for entry in account["ledger"]] == [10, -10, 10, -10, 10]


def test_a_snapshot_knows_what_is_still_to_be_given_back(api, receiver):
    promised(api, receiver, Prefer="job=failed")
    snapshot = api.get("/__admin/state").content
    api.post("/__admin/reset")
    api.put("/__admin/state", content=snapshot).raise_for_status()
    advance(api, 2)
    assert api.get(ACCOUNT).json()["credits"] == 10000


def test_the_public_test_key_pays_nothing(api):
    for _ in range(3):
        api.post("/v1/generate", json=CALL, headers={"x-api-key": "thumbapi_test"}).raise_for_status()
    assert api.get("/__admin/accounts/thumbapi/thumbapi_test").json()["ledger"] == []


def test_saved_assets_are_given_and_taken_away(api):
    call = {**CALL, "usePhoto": True}
    assert api.post("/v1/generate", json=call).json()["error"].startswith("Photo asset required")
    api.put(ACCOUNT, json={"assets": {"photo": {"file": "images/photo.png"}}}).raise_for_status()
    assert api.post("/v1/generate", json=call).status_code == 200
    api.put(ACCOUNT, json={"plan": "creator"}).raise_for_status()
    assert api.post("/v1/generate", json=call).json()["code"] == "UPGRADE_REQUIRED"


def order(api, **members):
    api.post("/__admin/faults", json={"operation": "webhook", **members}).raise_for_status()


def test_a_planned_webhook_is_lost_or_answered_in_the_receivers_place(api, receiver):
    order(api, fault="CONNECTION_RESET_BY_PEER")
    order(api, stub={"status": 503})
    order(api, fault="HTML_GATEWAY_PAGE", delay=1)
    job = promised(api, receiver)
    advance(api, "PT1H")
    attempts = [each.get("status") or each["error"] for each in delivery(api, job)["attempts"]]
    assert attempts == ["CONNECTION_RESET_BY_PEER, as ordered", 503, 502, 200]
    assert len(receiver.got) == 1


def test_a_planned_webhook_arrives_spoiled_and_signed_as_it_is(api, receiver):
    order(api, fault="INVALID_JSON", account="tb_life")
    promised(api, receiver)
    advance(api, 2)
    headers, body = receiver.got[0]
    assert headers["X-ThumbAPI-Signature"] == hmac.new(b"whsec_test", body, hashlib.sha256).hexdigest()
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_a_webhook_without_a_picture_says_that_none_can_be_broken(api, receiver):
    order(api, fault="IMAGE_TRUNCATED")
    job = promised(api, receiver, Prefer="job=failed")
    advance(api, 2)
    assert "holds no picture" in delivery(api, job)["attempts"][0]["error"]


def test_headers_that_count_calls_tell_when_the_next_one_may_come(api):
    api.put("/__admin/assumptions", json={"thumbapi.counted_by_headers": "calls"}).raise_for_status()
    api.put(ACCOUNT, json={"plan": "creator", "enforce": ["limits"]}).raise_for_status()
    answers = [api.post("/v1/generate", json=CALL) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["1", "0", "0"]
    assert {each.headers["X-RateLimit-Reset"] for each in answers} == {"2026-03-30T12:00:01.000Z"}


def test_headers_that_count_calls_do_so_where_limits_are_not_enforced(api):
    api.put("/__admin/assumptions", json={"thumbapi.counted_by_headers": "calls"}).raise_for_status()
    api.put(ACCOUNT, json={"plan": "free", "enforce": []}).raise_for_status()
    answers = [api.post("/v1/generate", json=CALL) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["0", "0"]
    advance(api, 1)
    assert api.get("/v1/generate").headers["X-RateLimit-Reset"] == "2026-03-30T12:00:02.000Z"
