"""Faults over real sockets: what a raw one sees, and that clients take them for a really broken server."""

import asyncio
import base64
import json
import re
import shutil
import socket
import socketserver
import struct
import subprocess
import threading

import aiohttp
import httpx
import pytest
import requests

from mockserver import Settings
from mockserver.messages import Fault, Response
from mockserver.serving.spoil import SHORT_S, Wire, leaves_within, spoil
from mockserver.spec.files import FIXTURES
from mockserver.testing.mock import MockServer

BODY = b'{"image_url": "https://example.com/a.png"}'
NAME = "pikzels.post_v2_thumbnail_score"
HEADERS = {"X-Api-Key": "pkz_test", "Content-Type": "application/json"}
HEAD = b"POST /v2/thumbnail/score HTTP/1.1\r\nHost: x\r\n" + b"".join(
    f"{name}: {value}\r\n".encode() for name, value in HEADERS.items()
)
LAST = b"Connection: close\r\n"
CALL = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
PATIENCE_S = 20


@pytest.fixture(scope="module")
def running():
    with MockServer(Settings(pictures="plain", raises_bugs=True)) as mock:
        yield mock


@pytest.fixture
def mock(running):
    yield running
    running.reset()


@pytest.fixture
def heard(mock):
    """Every exchange of this test, and an event for its first."""
    exchanges, is_heard = [], threading.Event()

    def listen(exchange):
        exchanges.append(exchange)
        is_heard.set()

    mock.engine.listeners.append(listen)
    yield exchanges, is_heard
    mock.engine.listeners.remove(listen)


def connect(mock):
    host, _, port = mock.url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def received(mock, call=CALL):
    """Give all that comes back until the connection is closed."""
    with connect(mock) as wire:
        wire.sendall(call)
        return b"".join(iter(lambda: wire.recv(65536), b""))


def test_an_empty_response_is_a_closed_connection(mock):
    mock.fail(NAME, "EMPTY_RESPONSE")
    assert received(mock) == b""


def test_a_reset_is_seen_as_one(mock):
    mock.fail(NAME, "CONNECTION_RESET_BY_PEER")
    with pytest.raises(ConnectionResetError):
        received(mock)


def test_random_data_is_no_http(mock):
    mock.fail(NAME, "RANDOM_DATA_THEN_CLOSE")
    data = received(mock)
    assert len(data) > 16
    assert b"HTTP" not in data


def test_a_malformed_chunk_comes_behind_a_good_head(mock):
    mock.fail(NAME, "MALFORMED_RESPONSE_CHUNK")
    head, _, rest = received(mock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"content-length" not in head.lower()
    with pytest.raises(ValueError, match="invalid literal"):
        int(rest.split(b"\r\n")[0], 16)


def test_a_slow_body_comes_whole_and_in_pieces(mock):
    mock.fail(NAME, "SLOW_BODY", delay=200)
    with httpx.stream("POST", f"{mock.url}/v2/thumbnail/score", content=BODY, headers=HEADERS) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 3
    assert "main_score" in json.loads(b"".join(pieces))


def test_an_empty_slow_body_ends(mock):
    mock.fail("download", "SLOW_BODY", delay=50)
    text = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
    link = httpx.post(f"{mock.url}/v2/thumbnail/text", json=text, headers=HEADERS).json()["output"]
    assert (httpx.head(link).status_code, mock.unused_faults()) == (200, [])


def last_of(call=CALL):
    """Ask for the connection to be closed behind the answer."""
    return call.replace(b"Host: x\r\n", b"Host: x\r\n" + LAST)


@pytest.mark.parametrize(
    ("fault", "status", "media_type", "is_json"),
    [
        ("INVALID_JSON", b"200 OK", b"application/json", False),
        ("WRONG_CONTENT_TYPE", b"200 OK", b"text/html; charset=utf-8", True),
        ("HTML_GATEWAY_PAGE", b"502 Bad Gateway", b"text/html", False),
    ],
)
def test_an_answer_with_other_bytes_is_whole_http(mock, fault, status, media_type, is_json):
    mock.fail(NAME, fault)
    head, _, body = received(mock, last_of()).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 " + status
    assert {b"content-type: " + media_type, b"content-length: %d" % len(body)} < {
        name.lower() + b": " + value for name, _, value in (line.partition(b": ") for line in lines[1:])
    }
    try:
        assert (json.loads(body) is not None) == is_json
    except ValueError:
        assert not is_json


@pytest.mark.parametrize(
    ("fault", "begins"), [("IMAGE_TRUNCATED", b"\x89PNG"), ("IMAGE_WRONG_TYPE", b"GIF89a")]
)
def test_a_spoiled_picture_comes_in_whole_http(mock, fault, begins):
    text = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
    link = httpx.post(f"{mock.url}/v2/thumbnail/text", json=text, headers=HEADERS).json()["output"]
    call = last_of(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % link.removeprefix(mock.url).encode())
    whole = received(mock, call).partition(b"\r\n\r\n")[2]
    mock.fail("download", fault)
    head, _, body = received(mock, call).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: image/png" in head.lower()
    assert body.startswith(begins)
    assert len(body) < len(whole)


def test_the_connection_stays_usable_after_faults_that_change_only_bytes(mock):
    mock.fail(NAME, ["INVALID_JSON", "HTML_GATEWAY_PAGE", {"status": 204}, "ok"])
    answer = received(mock, CALL * 3 + last_of())
    statuses = re.findall(rb"HTTP/1.1 (\d+) ", answer)
    assert statuses == [b"200", b"502", b"204", b"200"]


def test_a_hanging_call_ends_when_the_caller_leaves(mock, heard):
    exchanges, is_heard = heard
    mock.fail(NAME, "HANG")
    with connect(mock) as wire:
        wire.sendall(CALL)
        wire.settimeout(0.2)
        with pytest.raises(TimeoutError):
            wire.recv(1)
    assert is_heard.wait(PATIENCE_S)
    assert (exchanges[0].is_sent, exchanges[0].override.fault) == (False, "HANG")


def test_a_hanging_call_ends_when_its_caller_sends_no_more(mock, heard):
    mock.fail(NAME, "HANG")
    picture = base64.b64encode((FIXTURES / "images" / "photo.png").read_bytes()).decode()
    body = json.dumps({"image_base64": f"data:image/png;base64,{picture}"}).encode()  # looked at in a thread
    with connect(mock) as wire:
        wire.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(1) == b""
    assert heard[1].wait(PATIENCE_S)


@pytest.mark.parametrize(("fault", "options"), [("HANG", {}), ("SLOW_BODY", {"delay": 600_000})])
def test_what_may_never_end_ends_with_the_server(fault, options, capfd):
    with MockServer() as mock, connect(mock) as wire:
        mock.fail(NAME, fault, **options)
        wire.sendall(CALL)
        httpx.get(f"{mock.url}/__admin/health")  # which is read behind the call
        assert mock.unused_faults() == []
    assert "Cancel" not in capfd.readouterr().err  # as uvicorn says of what it had to wait for


def test_fifty_delays_are_waited_for_together(mock, heard):
    mock.fail("*", {"delay": 500})

    async def ask():
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=PATIENCE_S, limits=limits) as client:
            url = f"{mock.url}/v2/thumbnail/score"
            calls = [client.post(url, content=BODY, headers=HEADERS) for _ in range(50)]
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    assert asyncio.run(ask()) == [200] * 50
    spans = [(each.at_s, each.at_s + each.duration_s) for each in heard[0]]
    assert max(begin for begin, _ in spans) < min(end for _, end in spans)


class Broken(socketserver.ThreadingTCPServer):
    """A server that is really broken, written by hand."""

    allow_reuse_address = daemon_threads = True
    fault = ""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.is_over = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v2/thumbnail/score"


HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n"
JSON, HTML = HTTP % b"application/json", HTTP % b"text/html"
ANSWERS = {
    "RANDOM_DATA_THEN_CLOSE": b"\x16\x03\x01\x00\xff no http at all \x00\x01\x02",
    "MALFORMED_RESPONSE_CHUNK": JSON + b"Transfer-Encoding: chunked\r\n\r\n\xfe\xff not a size",
    "SLOW_BODY": JSON + b"Content-Length: 500\r\n\r\n",
    "INVALID_JSON": JSON + b'Content-Length: 9\r\n\r\n{"a": "b"',
    "WRONG_CONTENT_TYPE": HTML + b"Content-Length: 2\r\n\r\n{}",
    "HTML_GATEWAY_PAGE": HTML.replace(b"200 OK", b"502 Bad Gateway") + b"Content-Length: 6\r\n\r\n<html>",
}


class Handler(socketserver.BaseRequestHandler):
    server: Broken

    def handle(self):
        data = b""
        for piece in iter(lambda: self.request.recv(65536), b""):
            data += piece
            if data.endswith(BODY):
                break
        self.request.sendall(ANSWERS.get(self.server.fault, b""))
        if self.server.fault in {"HANG", "SLOW_BODY"}:
            self.server.is_over.wait(PATIENCE_S)
        elif self.server.fault == "CONNECTION_RESET_BY_PEER":
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(self.request.detach())


@pytest.fixture(scope="module")
def broken():
    with Broken(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.is_over.set()
        server.shutdown()


def with_requests(url):
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one is the question
        requests.post(url, data=BODY, headers=HEADERS, timeout=1).json()
    return raised.type


def with_httpx(url):
    with pytest.raises(Exception) as raised:  # noqa: PT011
        httpx.post(url, content=BODY, headers=HEADERS, timeout=1).json()
    return raised.type


def with_aiohttp(url):
    async def ask():
        timeout = aiohttp.ClientTimeout(total=1)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=BODY, headers=HEADERS) as answer,
        ):
            return await answer.json()

    with pytest.raises(Exception) as raised:  # noqa: PT011
        asyncio.run(ask())
    return raised.type


FETCH = """
const [url, headers, body] = JSON.parse(process.argv[1]);
const signal = AbortSignal.timeout(1000);
fetch(url, {method: "POST", headers, body, signal}).then(answer => answer.json()).then(
  () => console.log("nothing"), error => console.log(error.name, error.cause?.code ?? ""));
"""


def with_fetch(url):
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    program = [node, "-e", FETCH, json.dumps([url, HEADERS, BODY.decode()])]
    return subprocess.run(program, capture_output=True, check=True, text=True, timeout=PATIENCE_S).stdout


FAULTS = ["EMPTY_RESPONSE", "CONNECTION_RESET_BY_PEER", "RANDOM_DATA_THEN_CLOSE", "MALFORMED_RESPONSE_CHUNK",
          "HANG", "SLOW_BODY", "INVALID_JSON", "HTML_GATEWAY_PAGE"]  # fmt: skip
CLIENTS = [with_requests, with_httpx, with_aiohttp, with_fetch]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_client_takes_a_fault_for_a_really_broken_server(mock, broken, client, fault):
    broken.fault = fault
    mock.fail(NAME, fault, times=None, **({"delay": 600_000} if fault == "SLOW_BODY" else {}))
    assert client(f"{mock.url}/v2/thumbnail/score") == client(broken.url) != "nothing\n"


def test_a_client_that_looks_at_the_type_notices_a_wrong_one(mock, broken):
    broken.fault = "WRONG_CONTENT_TYPE"
    mock.fail(NAME, "WRONG_CONTENT_TYPE")
    assert (
        with_aiohttp(f"{mock.url}/v2/thumbnail/score") is with_aiohttp(broken.url) is aiohttp.ContentTypeError
    )


@pytest.mark.parametrize("was_held", [True, False])
@pytest.mark.parametrize("delay_s", [60.0, 0.01])
def test_a_server_that_ends_waits_for_a_short_pause_and_for_no_long_one(was_held, delay_s):
    wire, seen = Wire(asyncio.Transport()), []
    wire.is_held = was_held

    async def leave():
        seen.append((wire.is_held, wire.is_waited_on))
        return {"type": "http.disconnect"}

    assert asyncio.run(leaves_within(leave, delay_s, wire)) is True
    assert seen == [(was_held or delay_s > SHORT_S, True)]
    assert (wire.is_held, wire.is_waited_on) == (was_held, False)


def test_who_stays_for_a_pause_has_not_left():
    async def stay():
        return await asyncio.Event().wait()

    wire = Wire(asyncio.Transport())
    assert asyncio.run(leaves_within(stay, 0.01, wire)) is False
    assert (wire.is_held, wire.is_waited_on) == (False, False)
    assert asyncio.run(leaves_within(stay, 0.01, None)) is False


def test_an_answer_that_comes_slowly_ends_where_its_caller_leaves():
    async def leave():
        return {"type": "http.disconnect"}

    sent: list[str] = []

    async def send(message):
        sent.append(message["type"])

    wire, fault = Wire(asyncio.Transport()), Fault("SLOW_BODY", lasts_s=60)
    assert asyncio.run(spoil(wire, fault, Response(200, (), b"ab"), leave, send)) is False
    assert sent == ["http.response.start"]


def test_a_server_that_ends_waits_for_no_answer_that_comes_slowly():
    wire, seen = Wire(asyncio.Transport()), list[tuple[bool, bool]]()

    async def stay():
        return await asyncio.Event().wait()

    async def send(message):
        seen.append((wire.is_held, message.get("more_body", True)))

    fault, answer = Fault("SLOW_BODY", lasts_s=0.01), Response(200, (), b"ab")
    assert asyncio.run(spoil(wire, fault, answer, stay, send)) is True
    assert (seen, wire.is_held) == ([(True, True), (True, True), (True, False)], False)
