"""The client's tests with responses: answers for requests, each by hand."""

import base64

import pytest
import requests
import responses
from responses.matchers import header_matcher, json_params_matcher
from side_by_side.thumbnails import HOSTS, RefusedError, Thumbnails

PICTURE, PNG = "https://example.com/a.png", b"\x89PNG\r\n\x1a\n"
PIKZELS, FATTHUMB = HOSTS["pikzels"], HOSTS["fatthumb"]
SCORE, STYLE = f"{PIKZELS}/v2/thumbnail/score", f"{PIKZELS}/v2/pikzonality/style"
SCORED = {"main_score": 71, "request_id": "r"}


def refusal(code):
    return {"error": {"code": code, "message": "no"}, "request_id": "r"}


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client(api):
    with requests.Session() as http:
        yield Thumbnails(http, sleep=lambda _: None)


def test_a_picture_has_a_score(client, api):
    api.post(SCORE, json=SCORED)
    assert client.score(PICTURE) == 71


def test_a_poster_is_downloaded(client, api):
    link = "https://cdn.pikzels.com/1.png"
    api.post(f"{PIKZELS}/v2/thumbnail/text", json={"output": link, "request_id": "r"})
    api.get(link, body=PNG)
    assert client.poster("I bought my own island") == PNG


def test_a_cover_comes_within_its_answer(client, api):
    image = f"data:image/webp;base64,{base64.b64encode(b'RIFF').decode()}"
    api.post(f"{HOSTS['thumbapi']}/v1/generate", json={"image": image})
    assert client.cover("Ten tips") == b"RIFF"


def test_all_variations_of_a_job_are_waited_for(client, api):
    links = [f"{FATTHUMB}/{number}.png" for number in (1, 2)]
    started = {"generationId": "gen_1", "thumbnailIds": ["1", "2"], "status": "processing"}
    done = {"id": "gen_1", "status": "succeeded", "thumbnails": [{"url": link} for link in links]}
    api.post(f"{FATTHUMB}/api/v1/generate", json=started)
    for polled in ({"status": "processing"}, done):
        api.get(f"{FATTHUMB}/api/v1/generations/gen_1", json=polled)
    for link in links:
        api.get(link, body=PNG)
    assert client.variations("A focused developer", 2) == [PNG, PNG]


def test_whoever_was_too_fast_tries_again(client, api):
    api.post(SCORE, status=429, json=refusal("TOO_MANY_REQUESTS"), headers={"Retry-After": "2"})
    api.post(SCORE, json=SCORED)
    client.score(PICTURE)
    api.assert_call_count(SCORE, 2)


def test_an_empty_balance_is_told(client, api):
    api.post(SCORE, status=402, json=refusal("INSUFFICIENT_CREDITS"))
    with pytest.raises(RefusedError, match="INSUFFICIENT_CREDITS"):
        client.score(PICTURE)


def test_what_the_documents_forbid_is_refused(client, api):
    api.post(SCORE, status=400, json=refusal("VALIDATION_ERROR"))
    with pytest.raises(RefusedError, match="VALIDATION_ERROR"):
        client.score("http://example.com/a.png")


def test_just_this_was_sent(client, api):
    body, headers = json_params_matcher({"image_url": PICTURE}), header_matcher({"x-api-key": "pkz_test"})
    api.post(SCORE, json=SCORED, match=[body, headers])
    client.score(PICTURE)
    api.assert_call_count(SCORE, 1)


@pytest.mark.parametrize("time", ["once", "again"])
def test_a_name_is_taken_once_in_each_test(client, api, time):
    api.post(STYLE, json={"id": "1", "request_id": "r"})
    api.post(STYLE, status=409, json=refusal("NAME_ALREADY_EXISTS"))
    api.get(f"{PIKZELS}/v2/pikzonality/1", json={"id": "1", "status": "completed"})
    client.train("Creator Studio", [PICTURE] * 3)
    with pytest.raises(RefusedError, match="NAME_ALREADY_EXISTS"):
        client.train("Creator Studio", [PICTURE] * 3)
