"""`/__admin/verdict`, `/__admin/requests/verify` and how `/__admin/reset` begins a world."""

import json

import httpx
import pytest

from mockserver.scenarios import delays, read_orders

SCORE = {"image_url": "https://example.com/a.png"}
TITLE, SCORED = "pikzels.post_v2_title_text", "pikzels.post_v2_thumbnail_score"


@pytest.fixture
def client(mock):
    with httpx.Client(transport=mock.httpx_transport(), base_url="http://localhost") as client:
        yield client


def score(client, body=SCORE):
    return client.post("/v2/thumbnail/score", json=body, headers={"x-api-key": "pkz_test"})


def verify(client, **said):
    answer = client.post("/__admin/requests/verify", json=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


def asked(client, **said):
    answer = client.post("/__admin/verdict", json=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestTheVerdict:
    def test_of_right_calls_is_empty(self, client):
        score(client)
        said = client.get("/__admin/verdict").json()
        text = "nothing was done against the contract"
        assert said == {"errors": 0, "warnings": 0, "findings": [], "text": text, "unmet": []}

    def test_says_what_that_of_a_test_says(self, client, mock):
        score(client, {"image_ur": 1})
        client.get("/v2/nowhere")
        mock.fail("download", "HANG")
        said = client.get("/__admin/verdict").json()
        assert said["text"] == str(mock.verdict())
        assert [each["part"] for each in said["findings"]] == ["refusals", "unmatched", "unused_faults"]
        assert (said["errors"], said["warnings"]) == (3, 0)

    def test_tells_of_each_finding_its_call_as_curl_its_operation_and_its_citations(self, client):
        score(client, {"image_ur": 1})
        score(client, {"image_ur": 1})
        (finding,) = client.get("/__admin/verdict").json()["findings"]
        assert (finding["operation"], finding["times"], finding["level"]) == (SCORED, 2, "error")
        assert finding["curl"].startswith("curl -X POST http://localhost/v2/thumbnail/score")
        assert finding["violations"][0]["citation"] == "docs.pikzels.com/openapi.json, Score thumbnail"
        assert "pkz_test" not in json.dumps(finding)

    @pytest.mark.parametrize(
        ("strict", "counts"), [("warn", (0, 1)), ("refusals=off", (0, 0)), ("warn refusals=error", (1, 0))]
    )
    def test_is_as_strict_as_it_is_asked_for(self, client, strict, counts):
        score(client, {})
        said = client.get("/__admin/verdict", params={"strict": strict}).json()
        assert (said["errors"], said["warnings"]) == counts
        assert asked(client, strict=strict) == said

    def test_leaves_out_refusals_that_are_expected_and_tells_those_that_did_not_come(self, client):
        score(client, {})
        meant = {"error": "VALIDATION_ERROR", "operation": SCORED, "status": 400}
        assert asked(client, expect=[meant])["findings"] == []
        assert client.get("/__admin/verdict?expect=VALIDATION_ERROR").json()["findings"] == []
        said = asked(client, expect=[meant, "MISSING_API_KEY"])
        assert (said["unmet"], [each["part"] for each in said["findings"]]) == ([1], ["expected"])

    def test_leaves_out_calls_that_were_declared_by_their_ids(self, client):
        ids = [score(client, {}).headers["mock-request-id"] for _ in range(2)]
        assert asked(client, declared=ids[:1])["errors"] == 1
        assert asked(client, declared=ids)["errors"] == 0

    @pytest.mark.parametrize(
        "question", ["strict=harsh", "strict=refusal%3Doff", "expect=NO_SUCH_ERROR", "strikt=off"]
    )
    def test_is_not_given_for_a_misspelt_question(self, client, question):
        answer = client.get(f"/__admin/verdict?{question}")
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize(
        "body", [{"strict": 1}, {"expect": "X"}, {"expect": [{"eror": "X"}]}, {"declare": []}, []]
    )
    def test_is_not_given_for_a_body_of_another_form(self, client, body):
        assert client.post("/__admin/verdict", json=body).status_code == 400


class TestVerifying:
    def test_a_call_gives_it(self, client):
        score(client)
        expected = {"json": SCORE, "headers": {"X-Api-Key": "pkz_test"}, "status": 200, "account": "pkz_test"}
        for kind in ("called", "called_once_with"):
            said = verify(client, **{"assert": kind}, operation=SCORED, expected=expected)
            assert (said["met"], said["message"]) == (True, None)
            assert [each["operation"] for each in said["requests"]] == [SCORED]

    def test_a_call_that_was_another_shows_where_they_differ_as_the_fixture_does(self, client, mock):
        score(client)
        with pytest.raises(AssertionError) as told:
            mock.assert_called(SCORED, n=2, json={"image_url": "https://example.com/b.png"})
        said = verify(
            client,
            **{"assert": "called"},
            operation=SCORED,
            times=2,
            expected={"json": {"image_url": "https://example.com/b.png"}},
        )
        assert said == {"met": False, "message": str(told.value), "requests": []}

    def test_no_call(self, client):
        never = {"assert": "not_called"}
        assert verify(client, **never)["met"] is True
        score(client)
        assert verify(client, **never, operation=TITLE)["met"] is True
        assert verify(client, **never, operation=SCORED)["message"].startswith(f"{SCORED}: expected no call")

    def test_a_sequence(self, client):
        score(client)
        score(client, {})
        steps = [SCORED, [SCORED, 400]]
        assert len(verify(client, **{"assert": "sequence"}, steps=steps)["requests"]) == 2
        assert verify(client, **{"assert": "sequence"}, steps=steps[:1])["met"] is False

    def test_what_has_arrived_so_far(self, client):
        score(client)
        assert verify(client, **{"assert": "arrived"}, operation=SCORED)["met"] is True
        late = verify(client, **{"assert": "arrived"}, operation=SCORED, times=2, within=5)
        assert late["message"].startswith(f"{SCORED}: expected 2 calls within 5 s, there was 1")

    def test_a_refusal_behind_a_call(self, client):
        first, second = (score(client, {}).headers["mock-request-id"] for _ in range(2))
        refusal = {"error": "VALIDATION_ERROR", "field": "image_url"}
        said = verify(client, **{"assert": "refused"}, after=first, refusal=refusal)
        assert [each["id"] for each in said["requests"]] == [second]
        said = verify(client, **{"assert": "refused"}, after=second, refusal=refusal)
        assert said["message"].startswith("expected the refusal VALIDATION_ERROR (field image_url); nothing")

    @pytest.mark.parametrize(
        "body",
        [
            {"assert": "called"},
            {"assert": "called", "operation": "pikzels.nothing"},
            {"assert": "cald", "operation": SCORED},
            {"assert": "called", "operation": SCORED, "expected": {"jsn": {}}},
            {"assert": "sequence", "steps": [[SCORED]]},
            {"assert": "refused", "refusal": {"error": "NO_SUCH_ERROR"}},
            {},
        ],
    )
    def test_what_is_misspelt_is_refused(self, client, body):
        answer = client.post("/__admin/requests/verify", json=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


class TestAReset:
    def test_begins_as_its_body_says(self, client):
        said = {
            "seed": 7,
            "enforce": ["credits"],
            "assume": {"pikzels.multi_line_prompts": "accepted"},
            "clock": "2026-03-01T12:00:00Z",
            "faults": [{"operation": TITLE, "error": "TOO_MANY_REQUESTS"}],
            "accounts": {"pikzels": {"pkz_poor": {"credits": 0}}},
        }
        assert client.post("/__admin/reset", json=said).json() == {"status": "reset"}
        poor = client.post("/v2/title/text", json={"prompt": "a\nb"}, headers={"x-api-key": "pkz_poor"})
        assert (poor.status_code, poor.json()["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
        poor = client.post("/v2/title/text", json={"prompt": "a\nb"}, headers={"x-api-key": "pkz_poor"})
        assert poor.status_code == 402
        assert client.get("/__admin/clock").json()["now"] == "2026-03-01T12:00:00.000Z"
        assert client.get("/__admin/state").json()["seed"] == 7

    def test_begins_with_a_scenario_in_place_of_what_the_server_began_with(self, client, mock):
        mock.engine.world.plans.begin_with(read_orders(mock.engine.catalog, delays("1ms")))
        client.post("/__admin/reset", json={"scenario": "out-of-credits"})
        assert [each.delay for each in mock.engine.world.plans.orders] == [None]

    def test_keeps_what_was_said_of_pictures_and_assumptions_until_it_is_said_anew(self, client, mock):
        world = mock.engine.world
        client.post("/__admin/reset", json={"pictures": "poster", "assume": {"pikzels.rename": "accepted"}})
        assert client.post("/__admin/reset", json={}).json() == {"status": "reset"}
        assert (world.style, world.assumed) == ("poster", {"pikzels": {"rename": "accepted"}})

    def test_begins_with_a_scenario_by_its_name(self, client):
        client.post("/__admin/reset", json={"scenario": "out-of-credits"})
        assert score(client).status_code == 402

    @pytest.mark.parametrize(
        "body",
        [
            {"sede": 7},
            {"clock": "tomorrow"},
            {"scenario": "flakey"},
            {"enforce": ["fun"]},
            {"assume": {"pikzels.nothing": "accepted"}},
            {"faults": [{"operation": "pikzels.nothing", "error": "X"}]},
            {"accounts": {"pikzels": {"pkz_test": {"plan": "gold"}}}},
            {"accounts": {"nobody": {"key": {}}}},
        ],
    )
    def test_refuses_what_is_misspelt(self, client, body):
        answer = client.post("/__admin/reset", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_scenario_can_be_sent_in_place_of_its_name(client, mock):
    mock.fail("download", "HANG")
    faults = [{"operation": "pikzels.*", "error": "TOO_MANY_REQUESTS"}]
    said = client.put("/__admin/scenario", json={"faults": faults}).json()
    assert [each["operation"] for each in said["faults"]] == ["pikzels.*"]
    for body in ({}, {"name": "flaky", "faults": []}, {"faults": [{"operation": "nothing.*", "error": "X"}]}):
        assert client.put("/__admin/scenario", json=body).status_code == 400
