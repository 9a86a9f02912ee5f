"""What every answer is sent with, and what HTTP allows no body."""

import pytest
from catalogues import a_request, a_world

from mockserver.messages import Response
from mockserver.pipeline.finish import finish

JSON = ("Content-Type", "application/json")
ID = ("Mock-Request-Id", "req-1")
DATE = ("Date", "Sat, 14 Mar 2026 12:00:00 GMT")


def sent(status=200, body=b"{}", *, method="GET", applied="", headers=(JSON,), error=None):
    made = Response(status, headers, body, error)
    return finish(a_request(method=method), made, applied, a_world().clock, "req-1")


def test_an_answer_has_its_length_and_the_worlds_date():
    assert sent() == Response(200, (JSON, ID, ("Content-Length", "2"), DATE), b"{}")


def test_an_empty_body_has_a_length_too():
    assert sent(200, b"").headers == (JSON, ID, ("Content-Length", "0"), DATE)


def test_a_body_that_was_put_off_is_made():
    assert sent(body=lambda: b"drawn") == Response(200, (JSON, ID, ("Content-Length", "5"), DATE), b"drawn")


def test_a_length_is_counted_in_bytes():
    assert ("Content-Length", "6") in sent(body="€ö$".encode()).headers


def test_an_error_keeps_its_status_and_its_name():
    assert sent(404, b"no", error="nowhere") == Response(
        404, (JSON, ID, ("Content-Length", "2"), DATE), b"no", "nowhere"
    )


def test_the_date_follows_the_clock():
    clock = a_world().clock
    clock.advance(86_400)
    answer = finish(a_request(), Response(200, (), b""), "", clock, "req-1")
    assert ("Date", "Sun, 15 Mar 2026 12:00:00 GMT") in answer.headers


@pytest.mark.parametrize("status", [200, 404])
def test_the_answer_to_a_head_has_the_headers_of_a_get_and_no_body(status):
    head, whole = sent(status, b"whole", method="HEAD"), sent(status, b"whole")
    assert (head.status, head.headers, head.body) == (status, whole.headers, b"")
    assert ("Content-Length", "5") in head.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("status", [100, 199, 204, 205, 304])
def test_an_answer_that_has_no_body_has_no_length_and_no_type_either(status, method):
    tag = ("ETag", '"1"')
    answer = sent(status, b"null", method=method, headers=(JSON, tag, ("content-type", "text/plain")))
    assert answer == Response(status, (tag, ID, DATE), b"")


@pytest.mark.parametrize("status", [200, 201, 203, 206, 303, 305, 400, 500])
def test_every_other_answer_has_its_body(status):
    answer = sent(status, b"null")
    assert (answer.body, answer.headers) == (b"null", (JSON, ID, ("Content-Length", "4"), DATE))


@pytest.mark.parametrize("status", [200, 204])
def test_what_was_honoured_is_said_also_where_there_is_no_body(status):
    assert ("Preference-Applied", "code=204, delay=5") in sent(status, applied="code=204, delay=5").headers
    assert "Preference-Applied" not in dict(sent(status).headers)
