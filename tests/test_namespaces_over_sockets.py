"""Namespaces over sockets: three ways in, ports of their own, browsers, webhooks, and how they end."""

import contextlib
import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from conftest import STRICT

from mockserver import Request, Server, create_engine
from mockserver.state import ports
from mockserver.state.worlds import IDLE_S

KEY = {"X-Api-Key": "pkz_test"}
SCORE = {"image_url": "https://example.com/a.png"}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}
SCORED = "/v2/thumbnail/score"
Ways = list[tuple[str, dict[str, str]]]  # addresses, and headers that name a namespace


@pytest.fixture
def engine():
    return create_engine(STRICT)


@pytest.fixture
def server(engine):
    with Server(engine) as running:
        yield running


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, timeout=30, headers=KEY) as opened:
        yield opened


def opened(client, name):
    """Make a namespace with a port of its own; give its address."""
    made = client.post("/__admin/namespaces", json={"name": name, "port": True})
    assert made.status_code == 201
    said = made.json()
    assert said == {"name": name, "url": f"http://127.0.0.1:{said['port']}", "port": said["port"]}
    return said["url"]


def calls(client, below):
    return client.get(f"{below}/__admin/requests").json()["meta"]["total"]


def refuses(url):
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), 5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("size", [10, 20_000])  # answered at once, and in a task
def test_every_way_in_leads_to_its_world(client, size):
    body = {**SCORE, "title": "x" * 100}
    content = json.dumps(body).encode() + b" " * size
    json_type = {"Content-Type": "application/json"}
    port = opened(client, "carol")
    client.post(SCORED, content=content, headers=json_type)
    client.post(f"/ns/alice{SCORED}", content=content, headers=json_type)
    client.post(SCORED, content=content, headers={**json_type, "Mock-Namespace": "bob"})
    client.post(f"{port}{SCORED}", content=content, headers=json_type)
    belows = ("", "/ns/alice", "/ns/bob", "/ns/carol")
    assert [calls(client, below) for below in belows] == [1, 1, 1, 1]
    assert calls(client, port) == 1


def test_an_encoded_path_is_the_same(client):
    assert client.post(f"/%6Es/%61lice{SCORED}", json=SCORE).status_code == 200
    assert client.post(f"/ns%2Falice{SCORED}", json=SCORE).status_code == 200
    assert calls(client, "/ns/alice") == 2


@pytest.mark.parametrize("name", ["%00", "%2e%2e", "a%20b", "%C3%A4", "x" * 101, ""])
def test_a_malformed_name_is_refused(client, name):
    answer = client.post(f"/ns/{name}{SCORED}", json=SCORE)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_links_of_each_way_in_lead_back(client, server):
    port = opened(client, "carol")
    answers = [
        client.post("/ns/alice/v2/thumbnail/text", json=TEXT),
        client.post("/v2/thumbnail/text", json=TEXT, headers={"Mock-Namespace": "bob"}),
        client.post(f"{port}/v2/thumbnail/text", json=TEXT),
    ]
    links = [each.json()["output"] for each in answers]
    leads = [re.sub(r"/cdn/.*", "", link) for link in links]
    bases = [f"{server.url}/ns/alice", f"{server.url}/ns/bob", port]
    assert leads == bases
    assert [httpx.get(link).status_code for link in links] == [200] * 3
    pairs = [
        (index, taker)
        for index, link in enumerate(links)
        for taker, base in enumerate(bases)
        if client.post(f"{base}{SCORED}", json={"image_url": link}).status_code == 200
    ]
    assert pairs == [(0, 0), (1, 1), (2, 2)]


def test_the_port_wins_over_path_and_header(client):
    port = opened(client, "carol")
    client.post(f"{port}/ns/alice{SCORED}", json=SCORE, headers={"Mock-Namespace": "bob"})
    assert [calls(client, f"/ns/{name}") for name in ("alice", "bob", "carol")] == [0, 0, 1]


def test_other_namespaces_have_the_main_address_where_a_port_of_its_own_is_asked(client, server):
    port = opened(client, "carol")
    assert (
        httpx.post(f"{port}/__admin/namespaces", json={"name": "dave"}).json()["url"]
        == f"{server.url}/ns/dave"
    )


def test_a_port_is_opened_once(client):
    port = opened(client, "carol")
    again = client.post("/__admin/namespaces", json={"name": "carol", "port": True})
    assert (again.status_code, again.json()["url"]) == (200, port)
    (listed,) = client.get("/__admin/namespaces").json()["namespaces"]
    assert listed["url"] == port


def test_a_namespace_can_have_a_port_later(client):
    client.post(f"/ns/alice{SCORED}", json=SCORE)
    port = client.post("/__admin/namespaces", json={"name": "alice", "port": True}).json()["url"]
    assert calls(client, port) == 1


def test_there_are_only_so_many_ports(client, monkeypatch):
    monkeypatch.setattr(ports, "MOST_PORTS", 2)
    opened(client, "a")
    opened(client, "b")
    refused = client.post("/__admin/namespaces", json={"name": "c", "port": True})
    assert (refused.status_code, refused.json()["title"]) == (409, "No port")
    client.delete("/__admin/namespaces/a")
    opened(client, "c")


def test_a_port_is_closed_with_its_namespace_and_so_are_those_who_wait_there(client):
    port = opened(client, "carol")
    with httpx.Client(base_url=port, headers=KEY) as other:
        assert other.post(SCORED, json=SCORE).status_code == 200
        assert other.delete("/__admin/namespaces/carol").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{port}/__admin/health")
    assert client.get("/__admin/namespaces").json() == {"namespaces": []}


def test_a_namespace_that_is_deleted_while_it_is_made_leaves_no_port_behind(client, engine):
    class Late(ports.Ports):
        def open(self, name):
            engine.worlds.drop(name)
            return super().open(name)

    engine.worlds.ports.__class__ = Late
    answer = client.post("/__admin/namespaces", json={"name": "alice", "port": True})
    assert (answer.status_code, answer.json()["title"]) == (409, "Deleted")
    assert engine.worlds.ports.of("alice") is None


def test_a_port_is_closed_when_its_namespace_was_idle(client, engine):
    port = opened(client, "carol")
    now_s = engine.worlds.now_s()
    engine.worlds.now_s = lambda: now_s + 2 * IDLE_S
    assert client.get("/__admin/namespaces").json() == {"namespaces": []}
    client.get("/__admin/health")  # the event loop has gone round
    assert refuses(port)


def test_all_ports_are_closed_with_the_server_and_opened_by_the_next_one(engine):
    with Server(engine) as server, httpx.Client(base_url=server.url) as client:
        first = opened(client, "carol")
    assert refuses(first)
    assert engine.worlds.ports.of("carol") is None
    with Server(engine) as server, httpx.Client(base_url=server.url, headers=KEY) as client:
        assert calls(client, "/ns/carol") == 0
        url = client.post("/__admin/namespaces", json={"name": "carol", "port": True}).json()["url"]
        assert client.post(f"{url}{SCORED}", json=SCORE).status_code == 200


def test_a_page_may_send_the_header_and_its_preflight_has_an_id_of_the_namespace(client):
    asked = {
        "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "mock-namespace, x-api-key, content-type",
    }  # fmt: skip
    for _ in range(2):
        answer = client.options(f"/ns/alice{SCORED}", headers=asked)
    assert "mock-namespace" in answer.headers["access-control-allow-headers"]
    assert answer.headers["mock-request-id"] == "req-2"
    assert client.options(SCORED, headers=asked).headers["mock-request-id"] == "req-1"
    sent = client.post(
        SCORED, json=SCORE, headers={"Origin": "https://app.example", "Mock-Namespace": "alice"}
    )
    assert (sent.headers["access-control-allow-origin"], calls(client, "/ns/alice")) == ("*", 1)


def test_a_page_of_another_origin_cannot_ask_the_admin_pages_of_a_namespace(client):
    page = {"Origin": "https://app.example"}
    assert client.get("/ns/alice/__admin/requests", headers=page).status_code == 403
    assert client.post("/__admin/namespaces", json={}, headers=page).status_code == 403
    assert client.get(f"{opened(client, 'carol')}/__admin/requests", headers=page).status_code == 403


def test_the_faults_of_a_connection_are_done_in_a_namespace_alone(client):
    port = opened(client, "carol")
    order = {"operation": "pikzels.*", "fault": "EMPTY_RESPONSE"}
    client.post("/ns/carol/__admin/faults", json=order)
    assert client.post(SCORED, json=SCORE).status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(f"{port}{SCORED}", json=SCORE)


@contextlib.contextmanager
def receiver():
    """Listen for webhooks; give the address and what came."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/", came
        http.shutdown()


def begin_job(client, below, hook):
    client.put(f"{below}/__admin/clock", json={"frozen": True})
    body = {"title": "a", "format": "youtube", "webhookUrl": hook}
    answer = client.post(f"{below}/v1/generate", json=body, headers={"x-api-key": "tb_live_abc123"})
    assert answer.status_code == 202


def test_the_webhooks_of_a_namespace_are_sent_when_its_clock_says_so(client):
    with receiver() as (hook, came):
        for below in ("/ns/alice", "/ns/bob"):
            begin_job(client, below, hook)
        client.post("/ns/bob/__admin/clock/advance", json={"by": 60})
        assert len(came) == 1
        statuses = [
            client.get(f"{below}/__admin/webhooks").json()["webhooks"][0]["status"]
            for below in ("/ns/alice", "/ns/bob")
        ]
        assert statuses == ["waiting", "delivered"]


def test_no_webhook_goes_to_a_port_of_our_own(client):
    port = opened(client, "carol")
    begin_job(client, "/ns/alice", f"{port}/hook")
    client.post("/ns/alice/__admin/clock/advance", json={"by": 60})
    (webhook,) = client.get("/ns/alice/__admin/webhooks").json()["webhooks"]
    assert webhook["status"] == "blocked"
    assert calls(client, "/ns/carol") == 0


def run_of_300(client, urls):
    """Send six calls to each of 50 namespaces from four threads; give all answers."""

    def work(number):
        url, named = urls[number]
        sent = {**KEY, **named}
        client.post(
            f"{url}/__admin/faults",
            json={"operation": "pikzels.*", "error": "INTERNAL_ERROR", "after": number % 4},
            headers=sent,
        )
        answers = [client.post(f"{url}{SCORED}", json=SCORE, headers=sent) for _ in range(4)]
        made = client.post(f"{url}/v2/thumbnail/text", json=TEXT, headers=sent)
        answers += [
            made,
            client.post(f"{url}{SCORED}", json={"image_url": made.json()["output"]}, headers=sent),
        ]
        # The last one sends a link, whose port is another one the next time, and its id follows from that.
        told = [re.sub(r"127\.0\.0\.1:\d+", "here", each.text) for each in answers[:-1]]
        kept = client.get(f"{url}/__admin/requests", headers=sent).json()["meta"]["total"]
        return [each.status_code for each in answers], told, kept

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(work, range(50)))


def test_300_calls_over_50_namespaces_by_every_way_in_are_answered_the_same_twice(client, engine):
    runs = []
    for _ in range(2):
        by_port: Ways = [(opened(client, f"p{number}"), {}) for number in range(10)]
        by_path: Ways = [(f"/ns/n{number}", {}) for number in range(20)]
        by_header = [("", {"Mock-Namespace": f"h{number}"}) for number in range(20)]
        runs.append(run_of_300(client, by_port + by_path + by_header))
        for each in engine.worlds.namespaces():
            client.delete(f"/__admin/namespaces/{each.name}")
    for once, again in zip(*runs, strict=True):
        assert once == again
    for number, (statuses, _, kept) in enumerate(runs[0]):
        wanted = [200] * 6
        wanted[number % 4] = 500
        assert (statuses, kept) == (wanted, 6)
    assert len(list(engine.world.journal)) == 0


def test_a_request_of_the_default_world_names_none(engine):
    assert engine.worlds.find(Request("GET", "/", {})) is engine.world
