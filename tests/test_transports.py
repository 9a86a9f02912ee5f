"""Without a socket: httpx and requests reach the engine in this process, and get what a socket would give."""

import asyncio
import io
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry, Timeout

from mockserver import Exchange, MockServer, NeedsSocketError
from mockserver.messages import LARGEST_BODY

SCORE = {"image_url": "https://example.com/a.png"}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}
ID = "00000000-0000-4000-8000-000000000000"
SLOW = {"Prefer": "delay=60000"}  # a minute, which nobody here waits for


@pytest.fixture(scope="module")
def shared():
    return MockServer()


@pytest.fixture
def mock(shared):
    shared.reset()
    return shared


@pytest.fixture(scope="module")
def running():
    with MockServer() as started:
        yield started


@pytest.fixture
def heard(mock):
    exchanges: list[Exchange] = []
    mock.engine.listeners.append(exchanges.append)
    yield exchanges
    mock.engine.listeners.remove(exchanges.append)


@pytest.fixture
def api(mock):
    to = mock.pikzels
    with httpx.Client(transport=mock.httpx_transport(), base_url=to.url, headers=to.headers) as client:
        yield client


@pytest.fixture
def session(mock):
    with requests.Session() as opened:
        opened.mount("http://", mock.requests_adapter())
        opened.mount("https://", mock.requests_adapter())
        opened.headers.update(mock.pikzels.headers)
        yield opened


def async_client(mock):
    to = mock.pikzels
    return httpx.AsyncClient(transport=mock.httpx_transport(), base_url=to.url, headers=to.headers)


def test_httpx_follows_the_link_that_it_was_given(api):
    link = api.post("/v2/thumbnail/text", json=TEXT).json()["output"]
    assert link.startswith("http://mockserver.test/cdn/")
    assert api.get(link).headers["content-type"] == "image/png"
    assert api.head(link).headers["content-length"] == str(len(api.get(link).content))


def test_requests_follows_the_link_that_it_was_given(mock, session):
    answer = session.post(f"{mock.pikzels.url}/v2/thumbnail/text", json=TEXT)
    assert (answer.status_code, answer.reason, answer.encoding) == (200, "OK", "utf-8")
    picture = session.get(answer.json()["output"], stream=True)
    assert next(picture.iter_content(4)) == b"\x89PNG"
    picture.close()
    head = session.head(answer.json()["output"])
    assert (head.content, int(head.headers["Content-Length"]) > 0) == (b"", True)


def test_an_async_client_follows_the_link_that_it_was_given(mock):
    async def ask():
        async with async_client(mock) as client:
            link = (await client.post("/v2/thumbnail/text", json=TEXT)).json()["output"]
            return (await client.get(link)).content[:4]

    assert asyncio.run(ask()) == b"\x89PNG"


def test_all_doors_lead_to_one_world(mock, api, session):
    with mock:
        style = {"name": "Creator Studio", "image_urls": ["https://example.com/1.png"] * 3}
        id_ = session.post(f"{mock.pikzels.url}/v2/pikzonality/style", json=style).json()["id"]
        assert api.get(f"/v2/pikzonality/{id_}").json()["id"] == id_
        over_a_socket = httpx.get(f"{mock.pikzels.url}/v2/pikzonality/{id_}", headers=mock.pikzels.headers)
        assert over_a_socket.json()["id"] == id_


@pytest.mark.parametrize("host", ["https://api.pikzels.com", "http://localhost:8080"])
def test_a_client_keeps_the_address_that_is_written_in_it(api, session, host):
    link = api.post(f"{host}/v2/thumbnail/text", json=TEXT).json()["output"]
    assert link.startswith(f"{host}/cdn/")
    assert session.get(link).content == api.get(link).content


def test_a_refusal_is_the_one_of_the_api(api, session, mock):
    refused = api.post("/v2/thumbnail/score", json={})
    assert refused.status_code == 400
    assert (
        session.post(f"{mock.pikzels.url}/v2/thumbnail/score", json={}).json()["error"]
        == refused.json()["error"]
    )
    with pytest.raises(httpx.HTTPStatusError, match="400 Bad Request"):
        refused.raise_for_status()


@pytest.mark.parametrize("timeout", [0.01, (5, 0.01), Timeout(read=0.01)])
def test_requests_gives_up_when_it_has_waited_long_enough(mock, session, timeout):
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{mock.pikzels.url}/v2/thumbnail/score", json=SCORE, headers=SLOW, timeout=timeout)


def test_httpx_gives_up_when_it_has_waited_long_enough(api):
    with pytest.raises(httpx.ReadTimeout) as raised:
        api.post("/v2/thumbnail/score", json=SCORE, headers=SLOW, timeout=0.01)
    assert raised.value.request.url.path.endswith("/score")


def test_an_async_client_gives_up_too_and_its_exchange_says_so(mock):
    heard: list[Exchange] = []
    mock.engine.listeners.append(heard.append)

    async def ask():
        async with async_client(mock) as client:
            await client.post("/v2/thumbnail/score", json=SCORE, headers=SLOW, timeout=0.01)

    with pytest.raises(httpx.ReadTimeout):
        asyncio.run(ask())
    mock.engine.listeners.remove(heard.append)
    assert [each.is_sent for each in heard] == [False]


def test_a_short_delay_is_waited_for(mock, api, session):
    short = {"Prefer": "delay=1"}

    async def ask():
        async with async_client(mock) as client:
            return await client.post("/v2/thumbnail/score", json=SCORE, headers=short)

    asked = [api.post("/v2/thumbnail/score", json=SCORE, headers=short, timeout=None), asyncio.run(ask())]
    asked.append(session.post(f"{mock.pikzels.url}/v2/thumbnail/score", json=SCORE, headers=short))
    assert [each.headers["Preference-Applied"] for each in asked] == ["delay=1"] * 3


def test_a_call_that_waits_leaves_the_others_their_turn(mock):
    async def ask():
        async with async_client(mock) as client:
            slow = asyncio.create_task(
                client.post("/v2/thumbnail/score", json=SCORE, headers=SLOW, timeout=None)
            )
            quick = await client.post("/v2/thumbnail/score", json=SCORE)
            is_waiting = not slow.done()
            slow.cancel()
            return quick.status_code, is_waiting

    assert asyncio.run(ask()) == (200, True)


@pytest.mark.parametrize("body", [b'{"image_url": "https://example.com/a.png"}', None])
def test_requests_may_send_bytes_text_files_and_pieces(mock, session, body):
    url, text = f"{mock.pikzels.url}/v2/thumbnail/score", '{"image_url": "https://example.com/a.png"}'
    shapes = [text, io.BytesIO(text.encode()), iter([text.encode()])] if body is None else [body]
    headers = {"Content-Type": "application/json"}
    assert [session.post(url, data=each, headers=headers).status_code for each in shapes] == [200] * len(
        shapes
    )
    assert session.post(url, headers=headers).status_code == 400


def test_httpx_may_send_pieces(api):
    pieces = iter([b'{"image_url": ', b'"https://example.com/a.png"}'])
    headers = {"Content-Type": "application/json"}
    assert api.post("/v2/thumbnail/score", content=pieces, headers=headers).status_code == 200


def test_a_body_larger_than_the_server_takes_is_refused_and_told_of_as_over_a_socket(mock, api):
    body, json_type = bytes(LARGEST_BODY + 1), {"Content-Type": "application/json"}
    with mock, httpx.Client(base_url=mock.url, headers=mock.pikzels.headers) as socketed:
        answers = [
            each.request(method, path, content=body, headers=json_type)
            for each in (api, socketed)
            for method, path in (("POST", "/v2/thumbnail/score"), ("GET", f"/v2/pikzonality/{ID}"))
        ]
        assert [each.status_code for each in answers] == [413] * 4
    assert [(each.request.size, each.request.is_cut) for each in mock.calls()] == [(len(body), True)] * 4


@pytest.mark.parametrize(
    ("method", "headers"), [("CONNECT", {}), ("OPTIONS", {"Access-Control-Request-Method": "POST"})]
)
def test_what_only_a_socket_can_do_is_refused_clearly(mock, api, session, method, headers):
    refusal = r"needs a socket; start the mock, and call mock\.url"
    with pytest.raises(NeedsSocketError, match=refusal):
        api.request(method, "/v2/thumbnail/score", headers=headers)
    with pytest.raises(NeedsSocketError, match=refusal):
        session.request(method, f"{mock.url}/v2/thumbnail/score", headers=headers)


FLAKY: Any = {"status_forcelist": [500], "allowed_methods": None, "backoff_factor": 0}
RETRIES = [
    # what max_retries is, the method, what is ordered, how often it is asked, and what comes of it
    (0, "POST", "code=500", 1, 500),
    (3, "POST", "code=500", 1, 500),
    (Retry(2, **FLAKY), "POST", "code=500", 3, "RetryError"),
    (Retry(2, raise_on_status=False, **FLAKY), "POST", "code=500", 3, 500),
    (Retry(2, **FLAKY), "POST", "code=402", 1, 402),
    (Retry(2, status_forcelist=[500]), "POST", "code=500", 1, 500),  # which is not idempotent
    (Retry(2, **FLAKY), "GET", "delay=60000", 3, "ConnectionError"),
    (Retry(2, read=False, **FLAKY), "GET", "delay=60000", 1, "ReadTimeout"),
    (Retry(2), "POST", "delay=60000", 1, "ReadTimeout"),
    (2, "GET", "delay=60000", 3, "ConnectionError"),
    (0, "GET", "delay=60000", 1, "ReadTimeout"),
]


@pytest.mark.parametrize("socket", [True, False], ids=["requests' own", "ours"])
@pytest.mark.parametrize(("max_retries", "method", "prefer", "asked", "outcome"), RETRIES)
def test_retries_are_made_as_by_requests_own_adapter(
    running, mock, heard, socket, max_retries, method, prefer, asked, outcome
):
    asks, patience_s = running if socket else mock, 0.05 if "delay" in prefer else 10
    adapter = HTTPAdapter(max_retries=max_retries) if socket else mock.requests_adapter(max_retries)
    url, headers = f"{asks.pikzels.url}/v2/thumbnail/score", {**asks.pikzels.headers, "Prefer": prefer}
    with requests.Session() as session:
        session.mount("http://", adapter)
        got: int | str
        try:
            got = session.request(method, url, json=SCORE, headers=headers, timeout=patience_s).status_code
        except requests.RequestException as error:
            got = type(error).__name__
    assert (got, len(heard)) == (outcome, 0 if socket else asked)


def test_a_retry_after_is_waited_for_and_the_next_try_may_succeed(mock, monkeypatch):
    paused: list[float] = []
    monkeypatch.setattr(time, "sleep", paused.append)
    mock.fail("pikzels.post_v2_thumbnail_score", ["TOO_MANY_REQUESTS", "INTERNAL_ERROR", "ok"])
    retry = Retry(5, status_forcelist=[429, 500], allowed_methods=None, backoff_factor=0)
    with requests.Session() as session:
        session.mount("http://", mock.requests_adapter(max_retries=retry))
        answer = session.post(
            f"{mock.pikzels.url}/v2/thumbnail/score", json=SCORE, headers=mock.pikzels.headers, timeout=9
        )
    history = [each.status for each in answer.raw.retries.history]
    assert (answer.status_code, history, paused) == (200, [429, 500], [1])


def test_where_requests_is_missing_that_is_said_and_httpx_goes_on():
    program = """
import sys
sys.modules["requests"] = None  # as if it were not installed
from mockserver import MockServer
mock = MockServer()
mock.httpx_transport()
try:
    mock.requests_adapter()
except RuntimeError as error:
    print(error)
assert "uvicorn" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "there is no requests here; `pip install requests` brings it\n"


def test_an_unstarted_mock_has_an_address_that_leads_nowhere_else(mock):
    assert mock.pikzels.url == "http://mockserver.test/pikzels"
    with mock:
        assert mock.url.startswith("http://127.0.0.1:")
    assert mock.url == "http://mockserver.test"
