"""The client's tests with our fixture."""

import httpx
import pytest
from side_by_side.thumbnails import RefusedError, Thumbnails

PICTURE = "https://example.com/a.png"
SCORE = "pikzels.post_v2_thumbnail_score"


@pytest.fixture
def client(mockserver_intercept):
    with httpx.Client() as http:
        yield Thumbnails(http, sleep=mockserver_intercept.sleep)


def test_a_picture_has_a_score(client):
    assert 0 <= client.score(PICTURE) <= 100


def test_a_poster_is_downloaded(client):
    assert client.poster("I bought my own island").startswith(b"\x89PNG")


def test_a_cover_comes_within_its_answer(client):
    assert client.cover("Ten tips").startswith(b"RIFF")


def test_all_variations_of_a_job_are_waited_for(client):
    assert [each[:4] for each in client.variations("A focused developer", 2)] == [b"\x89PNG"] * 2


def test_whoever_was_too_fast_tries_again(client, mockserver):
    mockserver.fail(SCORE, ["TOO_MANY_REQUESTS", "ok"])
    client.score(PICTURE)
    mockserver.assert_sequence([(SCORE, 429), (SCORE, 200)])


@pytest.mark.mockserver(enforce=["credits"], accounts={"pikzels": {"pkz_test": {"credits": 0.01}}})
def test_an_empty_balance_is_told(client):
    with pytest.raises(RefusedError, match="INSUFFICIENT_CREDITS"):
        client.score(PICTURE)


def test_what_the_documents_forbid_is_refused(client, mockserver):
    with mockserver.expect_refusal("VALIDATION_ERROR"), pytest.raises(RefusedError):
        client.score("http://example.com/a.png")


def test_just_this_was_sent(client, mockserver):
    client.score(PICTURE)
    mockserver.assert_called_once_with(SCORE, json={"image_url": PICTURE}, headers={"x-api-key": "pkz_test"})


@pytest.mark.parametrize("time", ["once", "again"])
def test_a_name_is_taken_once_in_each_test(client, time):
    client.train("Creator Studio", [PICTURE] * 3)
    with pytest.raises(RefusedError, match="NAME_ALREADY_EXISTS"):
        client.train("Creator Studio", [PICTURE] * 3)
