"""Verification: what a test may assert of its calls, and what a failure tells."""

import asyncio
import threading

import httpx
import pytest

from mockserver import Request
from mockserver.jsontext import dump
from mockserver.testing.mock import MockServer

SCORED, TITLED = "pikzels.post_v2_thumbnail_score", "pikzels.post_v2_title_text"
URL = "https://example.com/a.png"


@pytest.fixture(scope="module")
def running():
    with MockServer() as mock:
        yield mock


@pytest.fixture
def mock(running):
    running.reset()
    return running


def score(mock, body=None, key="pkz_test", path="/v2/thumbnail/score", **headers):
    sent = {"host": "localhost", "content-type": "application/json", "x-api-key": key, **headers}
    path, _, query = path.partition("?")
    body = {"image_url": URL} if body is None else body
    return mock.engine.handle(Request("POST", path, sent, query, dump(body)))


def told(check, *args, **kwargs):
    with pytest.raises(AssertionError) as caught:
        check(*args, **kwargs)
    return str(caught.value)


def test_calls_are_typed_records_newest_last(mock):
    score(mock)
    score(mock, {}, key="pkz_other")
    first, second = mock.calls(SCORED)
    assert (first.status, first.request.json, first.response.json["main_score"]) == (
        200,
        {"image_url": URL},
        69,
    )
    assert (second.status, [each.keyword for each in second.violations]) == (400, ["oneOf"])
    assert mock.calls(status=200) == mock.calls("pikzels.*", account="pkz_test") == [first]


def test_a_call_over_a_socket_is_known_when_its_answer_is(mock):
    with httpx.Client(base_url=mock.pikzels.url, headers=mock.pikzels.headers) as client:
        for number in range(1, 101):
            client.post("/v2/thumbnail/score", json={"image_url": URL})
            assert len(mock.calls(SCORED)) == number


@pytest.mark.parametrize(
    "ask", ["calls", "assert_called", "assert_called_once_with", "assert_not_called", "wait_for"]
)
def test_a_misspelt_operation_is_an_error_with_the_nearest_right_one(mock, ask):
    with pytest.raises(LookupError, match=rf"did you mean {SCORED}\?"):
        getattr(mock, ask)("pikzels.post_v2_thumbnail_scor")
    with pytest.raises(LookupError, match=rf"did you mean {SCORED}\?"):
        mock.assert_sequence([("pikzels.post_v2_thumbnail_scor", 200)])


def test_a_misspelt_expectation_is_an_error(mock):
    with pytest.raises(TypeError, match="did you mean json"):
        mock.assert_called_once_with(SCORED, jsn={})


def test_what_is_as_expected_is_given_back(mock):
    score(mock, path="/v2/thumbnail/score?a=1")
    expected = {"json": {"image_url": URL}, "headers": {"X-Api-Key": "pkz_test"}, "query": {"a": "1"}}
    call = mock.assert_called_once_with(SCORED, **expected, status=200, account="pikzels/pkz_test")
    assert mock.assert_called(SCORED, n=1, account="pkz_test") == mock.assert_sequence([SCORED]) == [call]
    mock.assert_not_called(TITLED)


def test_a_failure_shows_just_what_differs(mock):
    score(mock, {"image_url": URL, "title": "x"})
    text = told(
        mock.assert_called_once_with, SCORED, json={"image_url": "https://example.com/b.png", "extra": True}
    )
    assert text.splitlines() == [
        f"{SCORED}: expected 1 such call, there was none; the nearest of 1 other call: {mock.calls()[0]}",
        f'  /json/image_url: expected "https://example.com/b.png", sent "{URL}"',
        "  /json/extra: expected true, sent nothing",
        '  /json/title: expected nothing, sent "x"',
    ]


def test_a_failure_shows_the_nearest_call(mock):
    score(mock, {"image_url": "https://example.com/1.png", "title": "x"})
    score(mock, {"image_url": URL, "title": "x"})
    text = told(mock.assert_called, SCORED, json={"image_url": URL, "title": "y"})
    assert "the nearest of 2 other calls: req-2" in text
    assert text.count("expected") == 2  # the sentence, and the one member that differs


def test_a_failure_shows_no_secret(mock):
    score(mock, {"image_url": URL, "apiKey": "sk-9876543210"}, key="pkz_live_0123456789")
    expected = {"headers": {"x-api-key": "pkz_live_abcdefghij"}, "account": "pkz_live_abcdefghij"}
    text = told(mock.assert_called, SCORED, **expected, json={"image_url": URL, "apiKey": "sk-1111111111"})
    assert '/headers/x-api-key: expected "pkz_...ghij", sent "pkz_...6789"' in text
    assert '/json/apiKey: expected "sk-...1111", sent "sk-...3210"' in text
    assert not [each for each in ("0123456789", "abcdefghij", "9876543210", "1111111111") if each in text]


def test_a_failure_without_a_call_lists_what_was_called_instead(mock):
    assert told(mock.assert_called, TITLED).endswith("there was none; nothing was called at all")
    score(mock, {})
    assert told(mock.assert_called, TITLED).splitlines() == [
        f"{TITLED}: expected a call, there was none; instead there were:",
        f"  req-1 POST /v2/thumbnail/score → 400 VALIDATION_ERROR ({SCORED})",
    ]


def test_a_long_list_shows_the_newest(mock):
    for _ in range(12):
        score(mock)
    lines = told(mock.assert_not_called).splitlines()
    assert (lines[0], lines[1], len(lines)) == (
        "anything: expected no call, there were 12:",
        "  (2 older ones)",
        12,
    )


def test_a_number_of_calls_can_be_expected(mock):
    score(mock)
    score(mock)
    assert len(mock.assert_called(SCORED, n=2)) == 2
    assert "expected 3 calls, there were 2:" in told(mock.assert_called, SCORED, n=3)
    assert "expected one call, there were 2:" in told(mock.assert_called_once_with, SCORED)


def test_a_body_that_is_no_json_differs_from_all_json(mock):
    mock.engine.handle(
        Request("POST", "/v2/thumbnail/score", {"host": "x", "x-api-key": "pkz_test"}, "", b"{")
    )
    assert '/json: expected {}, sent "{"' in told(mock.assert_called, SCORED, json={})


def test_what_is_expected_need_not_be_json(mock):
    score(mock)
    assert "/json/image_url: expected" in told(mock.assert_called, SCORED, json={"image_url": object()})


def test_a_picture_that_the_journal_has_shortened_is_still_compared(mock):
    body = {"image_base64": "data:image/png;base64," + "A" * 100_000}
    score(mock, body)
    mock.assert_called_once_with(SCORED, json=body)
    text = told(mock.assert_called, SCORED, json={"image_base64": body["image_base64"] + "A"})
    assert "/json/image_base64" in text
    assert len(text) < 1000


def test_a_sequence_is_exact(mock):
    score(mock, prefer="code=429")
    score(mock)
    mock.assert_sequence([(SCORED, 429), (SCORED, 200)])
    mock.assert_sequence([SCORED, SCORED])
    assert told(mock.assert_sequence, [(SCORED, 429), (SCORED, 503), TITLED]).splitlines() == [
        "expected 3 calls in this order, there were 2 (- expected, + sent):",
        f"  {SCORED} → 429",
        f"- {SCORED} → 503",
        f"+ {SCORED} → 200",
        f"- {TITLED}",
    ]


def test_downloads_count_in_a_sequence_where_one_is_named(mock):
    score(mock)
    mock.engine.handle(Request("GET", "/cdn/pikzels/rest-api/x.png", {"host": "localhost"}))
    mock.assert_sequence([SCORED])
    mock.assert_sequence([SCORED, ("download", 404)])
    mock.engine.handle(Request("GET", "/nowhere", {"host": "localhost"}))
    assert "+ GET /nowhere" in told(mock.assert_sequence, [SCORED])


def test_whoever_waits_gets_the_calls_that_others_make(mock):
    threads = [threading.Thread(target=score, args=(mock,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    calls = mock.wait_for(SCORED, n=3)
    assert [each.operation for each in calls] == [SCORED] * 3
    for thread in threads:
        thread.join()


def test_whoever_waits_in_vain_is_told_what_there_was(mock):
    score(mock)
    text = told(mock.wait_for, SCORED, n=2, timeout=0.01)
    assert text.startswith(f"{SCORED}: expected 2 calls within 0.01 s, there was 1:")


def test_an_async_test_awaits_calls_of_its_own_loop(mock):
    async def run():
        async with httpx.AsyncClient(base_url=mock.pikzels.url, headers=mock.pikzels.headers) as client:
            body = {"image_url": URL}
            tasks = [asyncio.create_task(client.post("/v2/thumbnail/score", json=body)) for _ in range(2)]
            calls = await mock.wait_for(SCORED, n=2)
            await asyncio.gather(*tasks)
            return calls

    assert [each.status for each in asyncio.run(run())] == [200, 200]


def test_an_async_test_is_told_when_it_waits_in_vain(mock):
    async def run():
        await mock.wait_for(SCORED, timeout=0.01)

    with pytest.raises(AssertionError, match=r"expected 1 call within 0\.01 s, there was none"):
        asyncio.run(run())


def test_waiting_without_a_loop_may_be_awaited_later_as_well(mock):
    score(mock)
    waited = mock.wait_for(SCORED)

    async def run():
        return await waited

    assert asyncio.run(run()) == mock.calls(SCORED)
