"""The client's tests with respx: routes for httpx, each answer by hand."""

import base64
import json

import httpx
import pytest
from side_by_side.thumbnails import HOSTS, RefusedError, Thumbnails

PICTURE, PNG = "https://example.com/a.png", b"\x89PNG\r\n\x1a\n"
PIKZELS, FATTHUMB = HOSTS["pikzels"], HOSTS["fatthumb"]
SCORE, STYLE = f"{PIKZELS}/v2/thumbnail/score", f"{PIKZELS}/v2/pikzonality/style"
SCORED = httpx.Response(200, json={"main_score": 71, "request_id": "r"})


def refused(status, code, headers=None):
    error = {"code": code, "message": "no"}
    return httpx.Response(status, json={"error": error, "request_id": "r"}, headers=headers)


@pytest.fixture
def client(respx_mock):
    with httpx.Client() as http:
        yield Thumbnails(http, sleep=lambda _: None)


def test_a_picture_has_a_score(client, respx_mock):
    respx_mock.post(SCORE).mock(SCORED)
    assert client.score(PICTURE) == 71


def test_a_poster_is_downloaded(client, respx_mock):
    link = "https://cdn.pikzels.com/1.png"
    respx_mock.post(f"{PIKZELS}/v2/thumbnail/text").respond(json={"output": link, "request_id": "r"})
    respx_mock.get(link).respond(content=PNG)
    assert client.poster("I bought my own island") == PNG


def test_a_cover_comes_within_its_answer(client, respx_mock):
    image = f"data:image/webp;base64,{base64.b64encode(b'RIFF').decode()}"
    respx_mock.post(f"{HOSTS['thumbapi']}/v1/generate").respond(json={"image": image})
    assert client.cover("Ten tips") == b"RIFF"


def test_all_variations_of_a_job_are_waited_for(client, respx_mock):
    links = [f"{FATTHUMB}/{number}.png" for number in (1, 2)]
    started = {"generationId": "gen_1", "thumbnailIds": ["1", "2"], "status": "processing"}
    done = {"id": "gen_1", "status": "succeeded", "thumbnails": [{"url": link} for link in links]}
    respx_mock.post(f"{FATTHUMB}/api/v1/generate").respond(json=started)
    polled = respx_mock.get(f"{FATTHUMB}/api/v1/generations/gen_1")
    polled.side_effect = [httpx.Response(200, json=each) for each in ({"status": "processing"}, done)]
    for link in links:
        respx_mock.get(link).respond(content=PNG)
    assert client.variations("A focused developer", 2) == [PNG, PNG]


def test_whoever_was_too_fast_tries_again(client, respx_mock):
    route = respx_mock.post(SCORE)
    route.side_effect = [refused(429, "TOO_MANY_REQUESTS", {"Retry-After": "2"}), SCORED]
    client.score(PICTURE)
    assert route.call_count == 2


def test_an_empty_balance_is_told(client, respx_mock):
    respx_mock.post(SCORE).mock(refused(402, "INSUFFICIENT_CREDITS"))
    with pytest.raises(RefusedError, match="INSUFFICIENT_CREDITS"):
        client.score(PICTURE)


def test_what_the_documents_forbid_is_refused(client, respx_mock):
    respx_mock.post(SCORE).mock(refused(400, "VALIDATION_ERROR"))
    with pytest.raises(RefusedError, match="VALIDATION_ERROR"):
        client.score("http://example.com/a.png")


def test_just_this_was_sent(client, respx_mock):
    route = respx_mock.post(SCORE).mock(SCORED)
    client.score(PICTURE)
    (sent,) = [call.request for call in route.calls]
    assert json.loads(sent.content) == {"image_url": PICTURE}
    assert sent.headers["x-api-key"] == "pkz_test"


@pytest.mark.parametrize("time", ["once", "again"])
def test_a_name_is_taken_once_in_each_test(client, respx_mock, time):
    created = httpx.Response(200, json={"id": "1", "request_id": "r"})
    respx_mock.post(STYLE).side_effect = [created, refused(409, "NAME_ALREADY_EXISTS")]
    respx_mock.get(f"{PIKZELS}/v2/pikzonality/1").respond(json={"id": "1", "status": "completed"})
    client.train("Creator Studio", [PICTURE] * 3)
    with pytest.raises(RefusedError, match="NAME_ALREADY_EXISTS"):
        client.train("Creator Studio", [PICTURE] * 3)
