"""The client's tests with pytest-httpserver: a real server on this machine, each answer by hand."""

import base64

import httpx
import pytest
from side_by_side.thumbnails import HOSTS, RefusedError, Thumbnails

PICTURE, PNG = "https://example.com/a.png", b"\x89PNG\r\n\x1a\n"
SCORE, STYLE = "/v2/thumbnail/score", "/v2/pikzonality/style"
SCORED = {"main_score": 71, "request_id": "r"}


def refusal(code):
    return {"error": {"code": code, "message": "no"}, "request_id": "r"}


@pytest.fixture
def client(httpserver):
    with httpx.Client() as http:
        yield Thumbnails(http, dict.fromkeys(HOSTS, httpserver.url_for("")), lambda _: None)


def test_a_picture_has_a_score(client, httpserver):
    httpserver.expect_request(SCORE, "POST").respond_with_json(SCORED)
    assert client.score(PICTURE) == 71


def test_a_poster_is_downloaded(client, httpserver):
    made = {"output": httpserver.url_for("/1.png"), "request_id": "r"}
    httpserver.expect_request("/v2/thumbnail/text", "POST").respond_with_json(made)
    httpserver.expect_request("/1.png").respond_with_data(PNG)
    assert client.poster("I bought my own island") == PNG


def test_a_cover_comes_within_its_answer(client, httpserver):
    image = f"data:image/webp;base64,{base64.b64encode(b'RIFF').decode()}"
    httpserver.expect_request("/v1/generate", "POST").respond_with_json({"image": image})
    assert client.cover("Ten tips") == b"RIFF"


def test_all_variations_of_a_job_are_waited_for(client, httpserver):
    thumbnails = [{"url": httpserver.url_for(f"/{number}.png")} for number in (1, 2)]
    started = {"generationId": "gen_1", "thumbnailIds": ["1", "2"], "status": "processing"}
    done = {"id": "gen_1", "status": "succeeded", "thumbnails": thumbnails}
    httpserver.expect_request("/api/v1/generate", "POST").respond_with_json(started)
    for polled in ({"status": "processing"}, done):
        httpserver.expect_oneshot_request("/api/v1/generations/gen_1").respond_with_json(polled)
    for number in (1, 2):
        httpserver.expect_request(f"/{number}.png").respond_with_data(PNG)
    assert client.variations("A focused developer", 2) == [PNG, PNG]


def test_whoever_was_too_fast_tries_again(client, httpserver):
    too_fast = httpserver.expect_ordered_request(SCORE, "POST")
    too_fast.respond_with_json(refusal("TOO_MANY_REQUESTS"), 429, {"Retry-After": "2"})
    httpserver.expect_ordered_request(SCORE, "POST").respond_with_json(SCORED)
    client.score(PICTURE)
    assert len(httpserver.log) == 2


def test_an_empty_balance_is_told(client, httpserver):
    httpserver.expect_request(SCORE, "POST").respond_with_json(refusal("INSUFFICIENT_CREDITS"), 402)
    with pytest.raises(RefusedError, match="INSUFFICIENT_CREDITS"):
        client.score(PICTURE)


def test_what_the_documents_forbid_is_refused(client, httpserver):
    httpserver.expect_request(SCORE, "POST").respond_with_json(refusal("VALIDATION_ERROR"), 400)
    with pytest.raises(RefusedError, match="VALIDATION_ERROR"):
        client.score("http://example.com/a.png")


def test_just_this_was_sent(client, httpserver):
    sent = httpserver.expect_oneshot_request(
        SCORE, "POST", json={"image_url": PICTURE}, headers={"x-api-key": "pkz_test"}
    )
    sent.respond_with_json(SCORED)
    client.score(PICTURE)
    httpserver.check()
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("time", ["once", "again"])
def test_a_name_is_taken_once_in_each_test(client, httpserver, time):
    httpserver.expect_oneshot_request(STYLE, "POST").respond_with_json({"id": "1", "request_id": "r"})
    httpserver.expect_request("/v2/pikzonality/1").respond_with_json({"id": "1", "status": "completed"})
    httpserver.expect_oneshot_request(STYLE, "POST").respond_with_json(refusal("NAME_ALREADY_EXISTS"), 409)
    client.train("Creator Studio", [PICTURE] * 3)
    with pytest.raises(RefusedError, match="NAME_ALREADY_EXISTS"):
        client.train("Creator Studio", [PICTURE] * 3)
