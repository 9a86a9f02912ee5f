"""One core behind every door: what `Engine.handle` answers and what its listeners hear, without a socket."""

import threading

import orjson
import pytest
from conftest import said

from mockserver import Request, Response, Settings, create_engine
from mockserver.behaviours import pikzels
from mockserver.call import Exchange
from mockserver.walk import Wait

KEY = {"x_api_key": "pkz_test"}
SCORE = {"image_url": "https://example.com/a.png"}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}
THUMB = {"title": "A title", "format": "youtube"}


def path_of(link):
    return "/" + link.split("/", 3)[3]


def test_a_link_that_was_just_given_is_followed_in_process(ask):
    link = said(ask("POST", "/v2/thumbnail/text", TEXT, **KEY))["output"]
    answer = ask("GET", path_of(link))
    assert (answer.status, answer.body[:8]) == (200, b"\x89PNG\r\n\x1a\n")


def test_the_admin_pages_answer_in_process(ask):
    assert ask("PUT", "/__admin/clock", {"now": "2026-03-01T12:00:00Z", "frozen": True}).status == 200
    assert said(ask("GET", "/__admin/clock"))["now"] == "2026-03-01T12:00:00.000Z"
    assert dict(ask("GET", "/__admin/health").headers)["Date"] == "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("method", "path", "operation", "status"),
    [
        ("POST", "/v2/thumbnail/score", "pikzels.post_v2_thumbnail_score", 400),
        ("GET", "/v2/thumbnail/score", None, 404),
        ("GET", "/nowhere", None, 404),
        ("GET", "/cdn/pikzels/rest-api/x.png", "download", 404),
        ("GET", "/__admin/jobs", "admin", 200),
        ("GET", "/__admin/jobz", "admin", 404),
    ],
)
def test_every_request_is_heard_of_once(ask, heard, method, path, operation, status):
    answer = ask(method, path, **KEY)
    assert [(each.operation, each.response.status, each.is_sent) for each in heard] == [
        (operation, status, True)
    ]
    assert heard[0].response == answer


def test_several_may_listen(engine, ask, heard):
    others: list[Exchange] = []
    engine.listeners.append(others.append)
    ask("POST", "/v2/thumbnail/score", SCORE, **KEY)
    assert others == heard


def test_an_exchange_says_who_called_what_was_ordered_and_what_was_wrong(ask, heard):
    ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test_conflict")
    ask("POST", "/v2/thumbnail/score", {}, **KEY)
    ordered, refused = heard
    assert (ordered.account.key, ordered.override.error, ordered.override.origin) == (
        "pkz_test",
        "CONFLICT",
        "key",
    )
    assert (refused.override.error, len(refused.violations)) == (None, 1)


def test_bodies_are_heard_of_as_they_were_sent(ask, heard):
    answer = ask("POST", "/v1/generate", THUMB, x_api_key="tb_test")
    assert heard[0].response.body == answer.body
    assert said(answer)["image"].startswith("data:image/")


def test_what_an_operation_asks_of_another_is_no_exchange_of_its_own(ask, heard):
    call = {"name": "generate_thumbnail", "arguments": {"prompt": "x"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    assert (
        said(ask("POST", "/api/mcp", message, authorization="Bearer nsk_test"))["result"]["isError"] is False
    )
    assert [each.operation for each in heard] == ["fatthumb.post_api_mcp"]


def test_a_delay_ordered_at_a_door_is_waited_for_once(engine):
    call = {"name": "generate_thumbnail", "arguments": {"prompt": "x"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {
        "authorization": "Bearer nsk_test",
        "content-type": "application/json",
        "prefer": "delay=60000",
    }
    walk = engine.walk(Request("POST", "/api/mcp", headers, "", orjson.dumps(message)))
    assert next(walk) == Wait(60.0)
    assert isinstance(next(walk), Response)


def test_what_leads_nowhere_is_heard_of_with_what_was_near(ask, heard):
    ask("POST", "/v2/thumbnail/scor", SCORE, **KEY)
    assert "the nearest is /v2/thumbnail/score" in heard[0].violations[0].message


def walk_to_the_pause(engine, heard):
    headers = {"x-api-key": "pkz_test", "content-type": "application/json", "prefer": "delay=60000"}
    body = b'{"image_url": "https://example.com/a.png"}'
    walk = engine.walk(Request("POST", "/v2/thumbnail/score", headers, "", body))
    assert next(walk) == Wait(60.0)
    assert heard == []
    return walk


def test_a_call_given_up_during_a_delay_is_heard_of(engine, heard):
    walk_to_the_pause(engine, heard).close()
    assert [(each.response.status, each.is_sent) for each in heard] == [(200, False)]


def test_a_call_given_up_during_a_delay_gives_back_its_slot(engine, heard, ask):
    engine.world.clock.set(is_frozen=True)
    ask("PUT", "/__admin/accounts/pikzels/pkz_test", {"enforce": ["limits"]})
    heard.clear()
    walks = [walk_to_the_pause(engine, heard) for _ in range(10)]
    assert ask("POST", "/v2/thumbnail/score", SCORE, **KEY).status == 429
    for walk in walks:
        walk.close()
    assert ask("POST", "/v2/thumbnail/score", SCORE, **KEY).status == 200


def test_a_bug_while_drawing_is_answered_as_the_documented_500(monkeypatch, caplog):
    engine = create_engine(Settings())
    heard: list[Exchange] = []
    engine.listeners.append(heard.append)
    monkeypatch.setattr("mockserver.imaging.rendering.render", lambda _scene: 1 / 0)
    headers = {"x-api-key": "tb_test", "content-type": "application/json"}
    answer = engine.handle(Request("POST", "/v1/generate", headers, "", b'{"title": "boom", "format": "x"}'))
    assert (answer.status, said(answer)) == (500, {"error": "Internal server error"})
    assert "ZeroDivisionError" in caplog.text
    assert (heard[0].response, heard[0].charge) == (answer, 0)
    assert list(engine.world.ledger) == []  # what was not drawn is not paid


def test_an_answer_against_the_specification_is_a_500_that_says_why(monkeypatch):
    engine = create_engine(Settings(checks_answers=True))
    heard: list[Exchange] = []
    engine.listeners.append(heard.append)
    monkeypatch.setattr(pikzels, "_guessed", lambda *_: {"main_score": "high"})
    headers = {"x-api-key": "pkz_test", "content-type": "application/json"}
    asked = Request("POST", "/v2/thumbnail/score", headers, "", b'{"image_url":"https://example.com/a.png"}')
    answer = engine.handle(asked)
    assert (answer.status, said(answer)["title"]) == (500, "Answer against the specification")
    assert "/main_score" in [
        each["pointer"] for each in orjson.loads(dict(answer.headers)["Mock-Violations"])
    ]
    assert heard[0].response == answer


def test_a_bug_is_raised_where_that_is_wished_and_still_heard_of(engine, ask, heard, monkeypatch):
    monkeypatch.setattr(pikzels, "_guessed", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ask("POST", "/v2/thumbnail/score", SCORE, **KEY)
    assert [each.response for each in heard] == [None]


def test_ids_of_one_account_do_not_hang_on_other_headers(engine, ask):
    first = ask("POST", "/v2/thumbnail/score", SCORE, **KEY)
    second = create_engine().handle(
        Request(
            "POST",
            "/v2/thumbnail/score",
            {"x-api-key": "pkz_test", "authorization": "Bearer other", "content-type": "application/json"},
            "",
            b'{"image_url":"https://example.com/a.png"}',
        )
    )
    assert dict(first.headers)["X-Request-Id"] == dict(second.headers)["X-Request-Id"]


def test_ids_hang_on_all_that_says_what_is_asked_for(ask, engine):
    ids = []
    for path, key in (
        ("/v2/pikzonality/a", "pkz_test"),
        ("/v2/pikzonality/b", "pkz_test"),
        ("/v2/pikzonality/a?x=1", "pkz_test"),
        ("/v2/pikzonality/a", "pkz_other"),
    ):
        engine.world.reset()
        ids.append(said(ask("GET", path, x_api_key=key))["request_id"])
    assert len(set(ids)) == 4


def test_a_head_request_has_the_length_and_not_the_body(ask):
    whole, head = ask("GET", "/__admin/health"), ask("HEAD", "/__admin/health")
    assert (head.status, head.body) == (200, b"")
    assert dict(head.headers)["Content-Length"] == str(len(whole.body))


def test_the_engine_may_be_asked_from_many_threads(engine):
    headers = {"x-api-key": "pkz_test", "content-type": "application/json"}
    body, answers = b'{"image_url": "https://example.com/a.png"}', []

    def score():
        answers.append(engine.handle(Request("POST", "/v2/thumbnail/score", headers, "", body)))

    threads = [threading.Thread(target=score) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({dict(answer.headers)["X-Request-Id"] for answer in answers}) == 20
