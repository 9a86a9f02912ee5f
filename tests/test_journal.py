"""The journal: what it keeps, for how long, and what of a secret it shows."""

import base64
import threading

import orjson
import pytest
from conftest import header, meanwhile, said

from mockserver import Request, Settings, create_engine
from mockserver.journal.export import har
from mockserver.journal.keeping import LARGEST_KEPT, cut
from mockserver.journal.records import record
from mockserver.journal.redaction import Redaction, redaction_of
from mockserver.spec.catalog import load
from mockserver.state.journal import MOST

KEY = {"x_api_key": "pkz_test"}
SCORE = {"image_url": "https://example.com/a.png"}


def records(engine):
    redaction = redaction_of(engine.catalog.providers.values())
    return [record(each, redaction) for each in engine.world.journal]


@pytest.mark.parametrize(
    ("method", "path", "status", "id_"),
    [
        ("POST", "/v2/thumbnail/score", 200, "req-1"),
        ("POST", "/v2/thumbnail/text", 400, "req-1"),
        ("GET", "/nowhere", 404, "req-1"),
        ("GET", "/cdn/pikzels/rest-api/x.png", 404, "req-1"),
        ("GET", "/__admin/health", 200, "admin-1"),
        ("GET", "/__admin/jobz", 404, "admin-1"),
    ],
)
def test_every_answer_carries_an_id(ask, method, path, status, id_):
    answer = ask(method, path, SCORE if method == "POST" else None, **KEY)
    assert (answer.status, header(answer, "Mock-Request-Id")) == (status, id_)


def test_a_look_at_the_emulator_changes_no_id_of_a_call(ask):
    ids = []
    for page in ("health", "clock", "nothing"):
        ask("GET", f"/__admin/{page}")
        ids.append(header(ask("GET", "/nowhere"), "Mock-Request-Id"))
    assert ids == ["req-1", "req-2", "req-3"]


def test_a_browser_may_read_the_id(client):
    answer = client.get("/nowhere", headers={"Origin": "https://example.com"})
    assert answer.headers["mock-request-id"]
    assert "Mock-Request-Id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("BREW", 400)])
def test_a_preflight_has_an_id_of_its_own_and_is_not_kept(client, method, status):
    sent = {"Origin": "https://example.com", "Access-Control-Request-Method": method}
    answers = [client.options("/v2/thumbnail/score", headers=sent) for _ in range(2)]
    ids = {answer.headers["mock-request-id"] for answer in answers}
    assert ([answer.status_code for answer in answers], len(ids)) == ([status] * 2, 2)
    assert not ids & {each["id"] for each in client.get("/__admin/requests").json()["requests"]}


def test_a_record_tells_all_of_a_call(engine, ask):
    engine.world.clock.set(0, is_frozen=True)
    ask("POST", "/v2/thumbnail/score?a=1", SCORE, **KEY)
    [call] = records(engine)
    assert (call.id, call.operation, call.status) == ("req-1", "pikzels.post_v2_thumbnail_score", 200)
    assert (call.request.json, call.request.url) == (SCORE, "http://localhost/v2/thumbnail/score?a=1")
    assert (call.response.json["main_score"], call.charge) == (69, 0.03)
    assert (call.at.isoformat(), call.account) == ("1970-01-01T00:00:00+00:00", "pikzels/pkz_...test")
    assert str(call) == "req-1 POST /v2/thumbnail/score → 200 (pikzels.post_v2_thumbnail_score)"


def test_a_refused_call_is_free_and_says_why_with_a_citation(engine, ask):
    ask("POST", "/v2/thumbnail/score", {}, **KEY)
    [call] = records(engine)
    [violation] = call.violations
    assert (call.charge, call.error, call.status) == (0, "VALIDATION_ERROR", 400)
    assert violation.citation == "docs.pikzels.com/openapi.json, Score thumbnail"


def test_what_a_referral_pays_is_the_callers_charge(engine, ask):
    call = {"name": "generate_thumbnail", "arguments": {"prompt": "x"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    ask("POST", "/api/mcp", body, authorization="Bearer nsk_test")
    ask("POST", "/api/v1/generate", {"prompt": "x"}, authorization="Bearer nsk_test")
    by_mcp, by_rest = records(engine)
    assert by_mcp.charge == by_rest.charge > 0


def test_downloads_and_unknown_paths_are_kept_and_admin_pages_are_not(engine, ask):
    ask("GET", "/cdn/pikzels/rest-api/x.png")
    ask("GET", "/nowhere")
    ask("GET", "/__admin/health")
    assert [each.operation for each in engine.world.journal] == ["download", None]


def test_a_reset_begins_the_journal_anew(engine, ask):
    ask("GET", "/nowhere")
    engine.world.reset()
    assert list(engine.world.journal) == []
    assert header(ask("GET", "/nowhere"), "Mock-Request-Id") == "req-1"


def test_what_began_before_a_reset_is_not_in_the_journal_after_it(engine):
    walk = engine.walk(Request("GET", "/nowhere", {"host": "localhost"}))
    next(walk)
    engine.world.reset()
    next(walk, None)
    assert list(engine.world.journal) == []


def test_a_caller_who_went_away_is_in_the_journal(engine):
    walk = engine.walk(Request("GET", "/nowhere", {"host": "localhost"}))
    next(walk)
    walk.close()
    [exchange] = engine.world.journal
    assert not exchange.is_sent


def test_the_newest_thousand_are_kept(engine, ask):
    for _ in range(MOST.entries + 5):
        ask("GET", "/nowhere")
    kept = [each.request_id for each in engine.world.journal]
    assert (len(kept), kept[0], kept[-1]) == (MOST.entries, "req-6", f"req-{MOST.entries + 5}")


def test_what_is_kept_is_bounded_by_bytes(engine, ask):
    for _ in range(MOST.entries):
        ask("POST", "/nowhere", b"\xff" * (LARGEST_KEPT + 1))
    kept = engine.world.journal.usage.bytes
    assert kept == sum(each.weight for each in engine.world.journal)
    assert MOST.bytes // 2 < kept <= MOST.bytes


def test_who_holds_the_journal_has_the_calls_from_before_every_reset(engine, ask):
    journal = engine.world.journal
    with journal.held():
        for number in range(3):
            ask("GET", f"/v2/{number}")
            engine.world.reset()
        assert [each.request.path for _, each in journal.everything()] == ["/v2/0", "/v2/1", "/v2/2"]
    assert journal.everything() == []


def test_what_a_reset_forgets_is_gone_where_nobody_holds_the_journal(engine, ask):
    journal = engine.world.journal
    for _ in range(2):
        ask("POST", "/v2/thumbnail/score", SCORE, **KEY)
        ask("POST", "/__admin/reset")
        assert journal.everything() == []
        with journal.held():
            pass


def test_calls_are_forgotten_although_others_come_at_the_same_time(engine, ask):
    ids = [str(header(ask("GET", "/v2/nope"), "Mock-Request-Id")) for _ in range(3)]
    threads: list[threading.Thread] = []

    class Asked(frozenset[str]):
        def __contains__(self, each):
            if not threads:
                threads.append(meanwhile(lambda: ask("GET", "/v2/late")))
            return super().__contains__(each)

    engine.world.journal.remove(Asked(ids[:2]))
    threads[0].join()
    assert [each.request.path for each in engine.world.journal] == ["/v2/nope", "/v2/late"]


def test_a_large_body_is_cut_and_marked_but_whole_for_those_who_listen(engine, ask, heard):
    body = b"\xff" * 64_000_000
    ask("POST", "/nowhere", body)
    [call] = records(engine)
    assert (len(call.request.body), call.request.size, call.request.is_cut) == (LARGEST_KEPT, len(body), True)
    assert heard[0].request.body is body
    with pytest.raises(ValueError, match=r"of its 64000000 bytes 65536 were kept"):
        _ = call.request.json


def test_a_body_that_was_too_large_to_be_read_is_marked_with_its_size(engine, ask, heard):
    walk = engine.walk(Request("POST", "/nowhere", {"host": "localhost"}, whole_size=70_000_000))
    next(walk)
    walk.close()
    told = record(heard[0], redaction_of([]))
    for call in (*records(engine), told):
        assert (call.request.body, call.request.size, call.request.is_cut) == (b"", 70_000_000, True)
    assert har([told])["log"]["entries"][0]["request"]["postData"]["comment"].endswith(
        "it had 70000000 bytes"
    )


def test_a_picture_in_json_loses_its_middle_and_the_rest_can_still_be_read(engine, ask):
    picture = "data:image/png;base64," + base64.b64encode(b"picture" * 20_000).decode()
    ask("POST", "/v2/thumbnail/score", {"image_base64": picture, "title": "A title"}, **KEY)
    [call] = records(engine)
    assert call.request.is_cut
    assert call.request.json["title"] == "A title"
    assert call.request.json["image_base64"].startswith(picture[:500])
    assert f"... ({len(picture)} bytes) ..." in call.request.json["image_base64"]


@pytest.mark.parametrize("value", [["é" * 40_000], [1] * 40_000, ["\\" * 70_000], "x" * 70_000])
def test_whatever_cannot_be_shortened_as_json_is_cut_at_its_end(value):
    body = orjson.dumps(value)
    assert cut(body) == body[:LARGEST_KEPT]


def test_only_keys_that_a_document_asks_for_are_found_by_name():
    found = redaction_of(load().providers.values())
    assert found.headers == {"authorization", "proxy-authorization", "x-api-key"}
    assert set(found.prefixes) == {"pkz_", "nsk_"}


PLACES = Redaction(frozenset({"authorization", "x-key"}), frozenset({"key"}), frozenset({"sid"}), ("pkz_",))


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("x-key", "pkz_0123456789", "pkz_...6789"),
        ("x-key", "whsec_0123456789", "whsec_...6789"),
        ("x-key", "0123456789", "...6789"),
        ("x-key", "abc", "..."),
        ("x-key", "", ""),
        ("authorization", "Bearer pkz_0123456789", "Bearer pkz_...6789"),
        ("authorization", "Basic dXNlcjpwYXNzd29yZA==", "Basic ...ZA=="),
        ("cookie", "a=1; sid=0123456789", "a=1; sid=...6789"),
        ("accept", "0123456789", "0123456789"),
    ],
)
def test_a_secret_in_a_header_is_shortened(name, value, shown):
    assert PLACES.header(name, value) == shown


def test_a_secret_in_a_query_is_shortened_and_any_other_query_stays_as_it_was_written():
    assert PLACES.query_string("a=%20b&k%65y=pkz_0123456789") == "a=+b&key=pkz_...6789"
    assert PLACES.query_string("a=%20b&&c") == "a=%20b&&c"


def test_a_secret_in_a_body_is_shortened():
    told = PLACES.text('{"webhook_secret": "whsec_0123456789", "apiKey":"0123456789", "title": "secret"}')
    assert told == '{"webhook_secret": "whsec_...6789", "apiKey":"...6789", "title": "secret"}'


def test_no_page_of_the_journal_shows_a_key(engine, ask):
    secret = "pkz_live_0123456789abcdef"
    ask("POST", "/v2/thumbnail/score", {**SCORE, "webhookSecret": "whsec_0123456789"}, x_api_key=secret)
    ask("GET", "/nowhere", authorization=f"Bearer {secret}")
    for page in ("", "?format=har", "/req-1", "/req-1/curl", "/req-2/curl"):
        text = ask("GET", f"/__admin/requests{page}").body.decode()
        assert secret not in text
        assert "whsec_0123456789" not in text
        assert "pkz_...cdef" in text


def test_two_runs_leave_the_same_journal():
    def run():
        engine = create_engine(Settings(pictures="plain"))
        engine.world.clock.set(1_800_000_000, is_frozen=True)
        headers = {"host": "localhost", "x-api-key": "pkz_test", "content-type": "application/json"}
        for body in (orjson.dumps(SCORE), b"{}", b"{"):
            engine.handle(Request("POST", "/v2/thumbnail/score", headers, "", body))
        return engine.handle(Request("GET", "/__admin/requests", {"host": "localhost"})).body

    assert run() == run()


def test_a_bug_of_ours_is_in_the_journal_without_an_answer(engine, ask, monkeypatch):
    def break_down(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "_make", break_down)
    with pytest.raises(ZeroDivisionError):
        ask("POST", "/v2/thumbnail/score", SCORE, **KEY)
    [call] = said(ask("GET", "/__admin/requests"))["requests"]
    assert (call["response"], call["operation"]) == (None, "pikzels.post_v2_thumbnail_score")
