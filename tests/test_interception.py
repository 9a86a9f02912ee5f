"""Unchanged clients with hard-coded hosts: led to the mock by `intercept()`, stopped by `guard()`."""

import asyncio
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
import uvloop
from conftest import KEYS
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mockserver import RealProviderCallBlocked
from mockserver.call import Exchange
from mockserver.links import provider_hosts
from mockserver.spec.catalog import load
from mockserver.testing.clients import CONNECTORS
from mockserver.testing.guard import guard
from mockserver.testing.mock import MockServer

TEXT = "https://api.pikzels.com/v2/thumbnail/text"
CDN = "https://cdn.pikzels.com"
BODY = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}
HEADERS = {"X-Api-Key": "pkz_test", "Content-Type": "application/json"}
HOSTS = ("api.pikzels.com", "cdn.pikzels.com")


class Answer(NamedTuple):
    status: int
    url: str  # as the client gives it
    content: bytes
    headers: Any

    @property
    def json(self):
        return json.loads(self.content)


# The clients: each is somebody's program, which knows the real hosts and nothing of a mock.


def with_requests(method, url, body=None, headers=HEADERS):
    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=Retry(1, status_forcelist=[])))
        got = session.request(method, url, data=body, headers=headers, timeout=10)
        assert got.request.url == url
        assert "proto" not in str(got.request.headers).lower()
        return Answer(got.status_code, got.url, got.content, got.headers)


def with_httpx(method, url, body=None, headers=HEADERS):
    with httpx.Client() as client:
        got = client.request(method, url, content=body, headers=headers)
        assert got.request.url == url
        return Answer(got.status_code, str(got.url), got.content, got.headers)


def with_httpx_async(method, url, body=None, headers=HEADERS):
    async def call():
        async with httpx.AsyncClient() as client:
            got = await client.request(method, url, content=body, headers=headers)
            return Answer(got.status_code, str(got.url), got.content, got.headers)

    return asyncio.run(call())


def with_httpx2(method, url, body=None, headers=HEADERS):
    with httpx2.Client() as client:
        got = client.request(method, url, content=body, headers=headers)
        return Answer(got.status_code, str(got.url), got.content, got.headers)


def with_urllib3(method, url, body=None, headers=HEADERS):
    with urllib3.PoolManager() as pool:
        got = pool.request(method, url, body=body, headers=headers, timeout=10)
        return Answer(got.status, urljoin(url, got.geturl()), got.data, got.headers)


def with_aiohttp(method, url, body=None, headers=HEADERS):
    async def call():
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=body, headers=headers) as got,
        ):
            return Answer(got.status, str(got.url), await got.read(), got.headers)

    return asyncio.run(call())


def with_aiohttp_on_uvloop(method, url, body=None, headers=HEADERS):
    async def call():
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=body, headers=headers) as got,
        ):
            return Answer(got.status, str(got.url), await got.read(), got.headers)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(call())


def with_urllib(method, url, body=None, headers=HEADERS):
    asked = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as got:
            return Answer(got.status, got.url, got.read(), got.headers)
    except urllib.error.HTTPError as got:
        with got:
            return Answer(got.code, got.url, got.read(), got.headers)


CLIENTS = [
    with_requests,
    with_httpx,
    with_httpx_async,
    with_httpx2,
    with_urllib3,
    with_aiohttp,
    with_aiohttp_on_uvloop,
    with_urllib,
]
every_client = pytest.mark.parametrize("call", CLIENTS)


def post(call, body=BODY, **headers):
    sent = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return call("POST", TEXT, json.dumps(body).encode(), sent)


def load_hosts():
    return provider_hosts(load().providers.values())


@pytest.fixture(scope="module")
def mock():
    with MockServer() as running:
        yield running


@every_client
def test_a_client_with_hard_coded_hosts_is_answered_by_the_mock(mock, call):
    with mock.intercept():
        answer = post(call)
    assert (answer.status, answer.url) == (200, TEXT)
    assert answer.json["output"].startswith("https://api.pikzels.com/")


APIS = [
    (f"https://{host}{path}", {"Content-Type": "application/json", **KEYS[name]}, body)
    for name, host, path, body in [
        ("pikzels", "api.pikzels.com", "/v2/thumbnail/score", {"image_url": "https://example.com/a.png"}),
        ("fatthumb", "fatthumb.klaas.pro", "/api/v1/generate", {"prompt": "A focused developer"}),
        ("thumbapi", "api.thumbapi.dev", "/v1/generate", {"title": "Ten tips", "format": "youtube"}),
    ]
]


@every_client
def test_each_api_is_answered_at_its_own_host_and_blocked_without_the_mock(mock, call):
    for url, headers, body in APIS:
        sent = json.dumps(body).encode()
        with mock.intercept():
            assert call("POST", url, sent, headers).status == 200
        with guard(load_hosts), pytest.raises(RealProviderCallBlocked) as raised:
            call("POST", url, sent, headers)
        assert raised.value.host == urlsplit(url).hostname


# The Python example of FatThumb's documentation, as it stands there.
EXAMPLE = """
import os, requests, time

resp = requests.post(
    "https://fatthumb.klaas.pro/api/v1/generate",
    headers={
        "Authorization": f"Bearer {os.environ['FATTHUMB_API_KEY']}",
        "Content-Type": "application/json",
    },
    json={"prompt": "Viral YouTube Dev thumbnail with big text", "count": 1},
)
resp.raise_for_status()
generation_id = resp.json()["generationId"]

# Poll until done.
while True:
    poll = requests.get(
        f"https://fatthumb.klaas.pro/api/v1/generations/{generation_id}",
        headers={"Authorization": f"Bearer {os.environ['FATTHUMB_API_KEY']}"},
    )
    data = poll.json()
    if data["status"] in ("succeeded", "failed", "partial"):
        break
    time.sleep(3)
"""


def test_a_program_that_knows_only_the_real_api_runs_unchanged(mock, monkeypatch):
    monkeypatch.setattr(time, "sleep", mock.sleep)
    monkeypatch.setenv("FATTHUMB_API_KEY", mock.fatthumb.key)
    names: dict[str, Any] = {}
    with mock.intercept():
        exec(EXAMPLE, names)
    assert names["data"]["status"] == "succeeded"
    with guard(load_hosts), pytest.raises(RealProviderCallBlocked, match=r"real fatthumb\.klaas\.pro"):
        exec(EXAMPLE, {})


@every_client
def test_a_refusal_arrives_as_the_api_writes_it(mock, call):
    with mock.intercept():
        answer = post(call, BODY | {"prompt": 5})
    assert (answer.status, answer.json["error"]["code"]) == (400, "VALIDATION_ERROR")


@every_client
def test_an_ordered_error_arrives(mock, call):
    with mock.intercept():
        answer = post(call, Prefer="code=429")
    assert answer.status == 429
    assert answer.headers["Retry-After"]


@every_client
def test_pictures_come_by_their_link_and_from_the_cdn_host(mock, call):
    with mock.intercept():
        link = post(call).json["output"]
        by_link = call("GET", link)
        from_cdn = call("GET", CDN + link.partition("/cdn/pikzels")[2])
    assert by_link.content.startswith(b"\x89PNG")
    assert from_cdn.content == by_link.content
    assert from_cdn.url.startswith(CDN)


@every_client
def test_plain_http_is_led_to_the_mock_whose_links_are_the_hosts_own(mock, call):
    with mock.intercept():
        answer = call("POST", TEXT.replace("https:", "http:"), json.dumps(BODY).encode())
    assert answer.json["output"].startswith("https://api.pikzels.com/")


@every_client
def test_a_call_without_intercept_is_blocked_at_once(mock, call):
    with guard(HOSTS), pytest.raises(RealProviderCallBlocked) as raised:
        post(call)
    assert raised.value.host == "api.pikzels.com"
    assert str(raised.value).startswith(
        "tests/test_interception.py::test_a_call_without_intercept_is_blocked"
    )


@every_client
def test_other_hosts_are_untouched(mock, call):
    with MockServer() as other, mock.intercept():
        health = f"{other.url}/__admin/health"
        answer = call("GET", health)
    assert (answer.status, answer.url) == (200, health)


@every_client
def test_past_a_proxy_a_call_is_led_to_the_mock_and_blocked_without_it(mock, call, monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with mock.intercept():
        assert post(call).status == 200
    with guard(HOSTS), pytest.raises(RealProviderCallBlocked):
        post(call)


@pytest.fixture
def proxy():
    """A proxy that opens every tunnel, into nothing."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            for _ in range(20):
                caller, _ = listening.accept()
                with caller:
                    caller.recv(65536)
                    caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    caller.recv(65536)
        except OSError:
            return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(10)


# The message, and what else is blocked


def test_the_block_names_host_and_test_and_the_way_out():
    with guard(HOSTS), pytest.raises(RealProviderCallBlocked) as raised:
        socket.getaddrinfo("API.pikzels.com.", 443)
    for part in (
        "api.pikzels.com",
        "::test_the_block_names",
        "mockserver.intercept()",
        "mockserver_allow_live",
    ):
        assert part in str(raised.value)


def test_outside_a_test_none_is_named(monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    with guard(HOSTS), pytest.raises(RealProviderCallBlocked, match=r"^This program called the real"):
        socket.gethostbyname("api.pikzels.com")


@pytest.mark.parametrize(
    "reach",
    [
        lambda host: socket.create_connection((host, 443)),
        lambda host: socket.gethostbyname_ex(host),  # noqa: PLW0108 - as it is then
        lambda host: _connect_to(host),  # noqa: PLW0108
        lambda host: ssl.create_default_context().wrap_bio(
            ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host
        ),
        lambda host: asyncio.run(_open_connection(host)),
        lambda host: uvloop.run(_open_connection(host)),
        lambda host: uvloop.run(_look_up(host)),
    ],
)
def test_a_library_that_nobody_thought_of_is_blocked_too(reach):
    with guard(HOSTS), pytest.raises(RealProviderCallBlocked):
        reach("api.pikzels.com")


def _connect_to(host):
    with socket.socket() as made:
        made.connect((host, 443))


async def _open_connection(host):
    await asyncio.open_connection(host, 443, ssl=True)


async def _look_up(host):
    await asyncio.get_running_loop().getaddrinfo(host, 443)


def test_intercept_blocks_what_it_cannot_lead(mock):
    with mock.intercept(), pytest.raises(RealProviderCallBlocked):
        socket.create_connection(("cdn.thumbapi.dev", 443))


def test_what_is_allowed_goes_out_to_the_real_host(mock, monkeypatch):
    asked: list[str] = []

    def look_up(host, *_args, **_kwargs):
        asked.append(host)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with mock.intercept(allow=["api.pikzels.com"]), pytest.raises(requests.ConnectionError):
        requests.post(TEXT, json=BODY, timeout=1)
    with guard(HOSTS), guard(HOSTS, allow=["api.pikzels.com"]), pytest.raises(requests.ConnectionError):
        requests.post(TEXT, json=BODY, timeout=1)
    assert asked == ["api.pikzels.com"] * 2


def test_hosts_are_found_when_a_name_of_another_machine_is_first_called(mock):
    asked = []

    def hosts():
        asked.append("now")
        return frozenset(HOSTS)

    with guard(hosts):
        assert httpx.get(f"{mock.url}/__admin/health").status_code == 200
        socket.getaddrinfo("localhost", 80)
        assert asked == []
        with pytest.raises(RealProviderCallBlocked):
            post(with_requests)
    assert asked


def test_the_hosts_are_those_of_the_apis_and_their_cdns():
    assert provider_hosts(load().providers.values()) == {
        "api.pikzels.com",
        "cdn.pikzels.com",
        "api.thumbapi.dev",
        "cdn.thumbapi.dev",
        "fatthumb.klaas.pro",
    }


# Sessions, pools and retries


def test_a_session_keeps_its_connection_and_its_cookies(mock):
    cookies = set()
    mock.engine.listeners.append(lambda exchange: cookies.add(exchange.request.headers.get("cookie")))
    with mock.intercept(), requests.Session() as session:
        session.cookies.set("a", "1", domain="api.pikzels.com", secure=True)
        for _ in range(3):
            assert session.post(TEXT, json=BODY, headers=HEADERS, timeout=10).status_code == 200
        adapter: Any = session.get_adapter(TEXT)
        pools = adapter.poolmanager.pools
        [pool] = [pools[key] for key in pools.keys()]  # noqa: SIM118 - it is no mapping
        assert (pool.num_connections, pool.num_requests) == (1, 3)
    mock.engine.listeners.pop()
    assert cookies == {"a=1"}


def test_retries_are_the_clients_own(mock):
    seen: list[Exchange] = []
    mock.engine.listeners.append(seen.append)
    retry = Retry(2, status_forcelist=[500], allowed_methods=None, raise_on_status=False, backoff_factor=0)
    with mock.intercept(), requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retry))
        ordered = HEADERS | {"Prefer": "code=500"}
        assert session.post(TEXT, json=BODY, headers=ordered, timeout=10).status_code == 500
    mock.engine.listeners.pop()
    assert len(seen) == 3


def test_a_pool_goes_on_after_interception_with_no_connection_to_the_mock(mock):
    with requests.Session() as session, httpx.Client() as client, guard(HOSTS):
        with mock.intercept():
            assert session.post(TEXT, json=BODY, headers=HEADERS, timeout=10).status_code == 200
            assert client.post(TEXT, json=BODY, headers=HEADERS).status_code == 200
        with pytest.raises(RealProviderCallBlocked):
            session.post(TEXT, json=BODY, headers=HEADERS, timeout=10)
        with pytest.raises(RealProviderCallBlocked):
            client.post(TEXT, json=BODY, headers=HEADERS)


def test_many_threads_and_tasks_call_at_once(mock):
    async def call(client):
        return (await client.post(TEXT, json=BODY, headers=HEADERS)).status_code

    async def main():
        async with mock.intercept(), httpx.AsyncClient() as client:
            return await asyncio.gather(*(call(client) for _ in range(8)))

    statuses = asyncio.run(main())
    assert statuses.count(200) == len(statuses)


# Nothing stays


def everything():
    found = {}
    for module, owner, name, _ in CONNECTORS:
        parent = __import__(module, fromlist=["_"])
        if hasattr(parent, owner):
            found[module, owner, name] = vars(getattr(parent, owner)).get(name)
    places: list[tuple[Any, str]] = [
        (socket, "getaddrinfo"),
        (socket, "gethostbyname"),
        (socket, "gethostbyname_ex"),
    ]
    places += [(socket.socket, "connect"), (socket.socket, "connect_ex"), (ssl.SSLContext, "wrap_socket")]
    places += [(ssl.SSLContext, "wrap_bio"), (uvloop.Loop, "getaddrinfo"), (uvloop.Loop, "create_connection")]
    return found | {place: vars(place[0]).get(place[1]) for place in places}


def test_nothing_is_left_replaced_after_an_exception(mock):
    before = everything()
    with pytest.raises(RuntimeError, match=r"in the middle"), mock.intercept():
        raise RuntimeError("in the middle" if everything() != before else "nothing is replaced")
    assert everything() == before


def test_nested_use_ends_with_the_last_in_whatever_order(mock):
    before = everything()
    outer, inner, watch = mock.intercept(), mock.intercept(), guard(HOSTS)
    outer.__enter__()
    inner.__enter__()
    watch.__enter__()
    outer.__exit__(None, None, None)
    assert post(with_requests).status == 200
    inner.__exit__(None, None, None)
    with pytest.raises(RealProviderCallBlocked):
        post(with_requests)
    watch.__exit__(None, None, None)
    assert everything() == before


def test_a_mock_that_does_not_listen_refuses_to_intercept():
    with pytest.raises(RuntimeError, match=r"with mock, mock\.intercept"):
        MockServer().intercept()


def test_the_inner_of_two_mocks_is_asked(mock):
    with MockServer() as other, mock.intercept(), other.intercept():
        seen: list[Exchange] = []
        other.engine.listeners.append(seen.append)
        assert post(with_httpx).status == 200
    assert len(seen) == 1


def test_what_another_library_replaced_meanwhile_stands(mock):
    connection: Any = http.client.HTTPSConnection
    before, theirs = connection.connect, lambda self: None
    try:
        with mock.intercept():
            connection.connect = theirs
        assert connection.connect is theirs
    finally:
        connection.connect = before
