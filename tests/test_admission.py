"""Who may speak to `/__admin`: this machine and whoever knows the token, never a web page."""

import asyncio
import socket

import httpx
import pytest
from conftest import STRICT, said

from mockserver import MockServer, Request, Server, Settings, create_app, create_engine
from mockserver.admin.admission import Admission
from mockserver.call import Exchange
from mockserver.hosts import OwnPlaces

HEALTH, RESET = "/__admin/health", "/__admin/reset"
LOCAL = ("127.0.0.1", "127.0.0.1")
TOKEN = "let-me-in"


def asked(settings=STRICT, peer=LOCAL, path=HEALTH, own=None, **headers):
    """Ask whether a request that came over a network is answered; give the refusal."""
    sent = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    providers = create_engine(STRICT).catalog.providers.values()
    request = Request("GET", path, {"host": "localhost:8080", **sent}, peer=peer)
    return Admission(settings, providers, own or OwnPlaces()).refusal(request)


@pytest.fixture(scope="module")
def guarded():
    with Server(create_engine(Settings(admin_token=TOKEN))) as running:
        yield running


@pytest.mark.parametrize("path", [HEALTH, RESET, "/__admin", "/__admin/nowhere"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_is_refused(client, path, headers):
    answers = [client.get(path, headers=headers), client.post(path, headers=headers)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert "web page" in answers[0].json()["detail"]
    assert not any(name.startswith("access-control") for each in answers for name in each.headers)


def test_a_refused_page_changes_nothing(client):
    client.put("/__admin/clock", json={"now": "2026-03-01T12:00:00Z", "frozen": True})
    client.post(RESET, headers={"Origin": "https://evil.example"})
    client.put("/__admin/clock", json={"frozen": False}, headers={"Host": "evil.example"})
    assert client.get("/__admin/clock").json()["frozen"] is True
    client.post(RESET)


def test_a_preflight_of_the_admin_pages_allows_nothing(client):
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options(RESET, headers=asks)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_page_of_this_very_server_is_answered(server, client):
    assert client.get(HEALTH, headers={"Origin": server.url}).status_code == 200
    assert client.get(HEALTH, headers={"Origin": server.url.upper()}).status_code == 200
    assert client.get(HEALTH, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert "access-control-allow-origin" not in client.get(HEALTH, headers={"Origin": server.url}).headers


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "8.8.8.8:80",
        "[2001:db8::1]:8080",
        "a b",
        "localhost/",
        "user@localhost",
        "localhost:99999",
    ],
)
def test_a_name_that_a_stranger_can_choose_is_refused(client, host):
    answer = client.get(HEALTH, headers={"Host": host})
    assert answer.status_code == 403
    assert "localhost" in answer.json()["detail"]
    assert "--admin-token" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:1",
        "localhost.",
        "mock.localhost:80",
        "127.0.0.1:8080",
        "127.9.9.9",
        "[::1]",
        "[::1]:8080",
        "[::ffff:127.0.0.1]",
        "0.0.0.0:8080",
        "mock",
        "mock:8080",
        "api.pikzels.com",
        "API.Pikzels.com:443",
        "cdn.pikzels.com",
        "api.thumbapi.dev",
        "fatthumb.klaas.pro",
        "",
    ],
)
def test_a_name_of_this_machine_is_answered(client, host):
    assert client.get(HEALTH, headers={"Host": host}).status_code == 200


def test_the_name_of_this_machine_the_bound_one_and_the_public_one_are_answered():
    own = OwnPlaces(["https://mock.example.com/base"])
    own.add("mock.internal", 8080)
    for host in (socket.gethostname(), "Mock.Example.com", "mock.internal:8080"):
        assert asked(own=own, host=host) is None
    assert asked(host="mock.internal:8080") is not None


@pytest.mark.parametrize(
    "peer", ["10.0.0.7", "203.0.113.9", "2001:db8::7", "fe80::1%eth0", "::ffff:10.0.0.7"]
)
def test_another_machine_is_refused_and_told_the_way(peer):
    refusal = asked(peer=(peer, "10.0.0.1"), host="10.0.0.1:8080")
    assert (refusal.status, "--admin-token" in refusal.detail) == (403, True)


@pytest.mark.parametrize(
    ("peer", "own"),
    [("::1", "::1"), ("::ffff:127.0.0.1", "::"), ("127.0.0.9", "127.0.0.1"), ("10.0.0.1", "10.0.0.1")],
)
def test_this_machine_is_answered_by_whichever_address_it_calls(peer, own):
    assert asked(peer=(peer, own), host=f"[{own}]" if ":" in own else own) is None


@pytest.mark.parametrize(
    "header",
    [
        {"x_forwarded_for": "203.0.113.9"},
        {"x_forwarded_for": "127.0.0.1, 203.0.113.9"},
        {"x_forwarded_for": "unknown"},
        {"x_real_ip": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
    ],
)
def test_another_machine_behind_a_proxy_of_this_one_is_refused(header):
    assert asked(**header).status == 403


def test_a_proxy_that_asks_for_this_machine_is_answered():
    assert asked(x_forwarded_for="127.0.0.1, ::1", x_real_ip="127.0.0.1") is None


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (None, 401),
        ("Bearer", 401),
        ("Bearer let-me-i", 401),
        ("Bearer let-me-inn", 401),
        ("Bearer LET-ME-IN", 401),
        ("Basic let-me-in", 401),
        ("let-me-in", 401),
        ("Bearer let-me-in", 200),
        ("bearer let-me-in", 200),
    ],
)
def test_a_token_is_asked_of_everybody(guarded, sent, status):
    headers = {"Authorization": sent} if sent else {}
    answer = httpx.get(guarded.url + HEALTH, headers=headers)
    assert answer.status_code == status
    assert TOKEN not in answer.text
    assert ("www-authenticate" in answer.headers) is (status == 401)


def test_who_knows_the_token_may_call_from_anywhere_under_any_name_but_not_from_a_page():
    settings, known = Settings(admin_token=TOKEN), f"Bearer {TOKEN}"
    far = ("203.0.113.9", "10.0.0.1")
    assert asked(settings, far, host="mock.example.com", authorization=known) is None
    assert asked(settings, far, authorization=known, origin="https://evil.example").status == 403


@pytest.mark.parametrize("token", ["", " ", "a\nb", "\x00"])
def test_a_token_that_nobody_or_anybody_could_send_stops_the_start(token):
    with pytest.raises(ValueError, match="admin_token"):
        create_engine(Settings(admin_token=token))


def test_a_token_is_not_shown_with_the_settings():
    assert TOKEN not in repr(Settings(admin_token=TOKEN))


def test_without_admin_pages_nobody_is_answered_in_process_either():
    engine = create_engine(Settings(has_admin=False))
    answer = engine.handle(Request("GET", HEALTH, {}))
    assert (answer.status, "--no-admin" in said(answer)["detail"]) == (403, True)


def test_what_holds_the_engine_may_ask_everything():
    mock = MockServer(Settings(admin_token=TOKEN))
    with httpx.Client(transport=mock.httpx_transport(), base_url="http://api.example") as inside:
        assert inside.get(HEALTH).status_code == 200


@pytest.mark.parametrize("base", ["http://test", "http://testserver", "http://localhost"])
def test_an_asgi_client_is_answered_by_the_names_that_they_use(base):
    async def ask():
        transport = httpx.ASGITransport(create_app(create_engine()))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return (await client.get(HEALTH)).status_code

    assert asyncio.run(ask()) == 200


def test_of_a_refused_caller_no_body_is_kept(server, client):
    heard: list[Exchange] = []
    server.engine.listeners.append(heard.append)
    big = b"x" * 100_000
    answer = client.put("/__admin/state", content=big, headers={"Host": "evil.example"})
    server.settle()
    server.engine.listeners.remove(heard.append)
    assert answer.status_code == 403
    assert (heard[0].request.body, heard[0].request.size) == (b"", len(big))


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "localhost"])
def test_a_server_of_any_address_answers_this_machine(host):
    with Server(create_engine(), host=host) as running:
        name = "[::1]" if host == "::1" else "127.0.0.1"
        assert httpx.get(f"http://{name}:{running.address.port}{HEALTH}").status_code == 200
