"""What only a socket shows: upgrades that are ignored, answers without a body, requests that break off."""

import socket
import subprocess
import threading

import httpx
import pytest
import yaml
from conftest import STRICT

from mockserver import Server, create_engine
from mockserver.call import Exchange
from mockserver.serving.heads import write_head, write_without_upgrade
from mockserver.serving.workers import Workers

BODY = b'{"image_url": "https://example.com/a.png"}'
HEAD = b"POST /v2/thumbnail/score HTTP/1.1\r\nHost: x\r\n"
HEAD += b"X-Api-Key: pkz_test\r\nContent-Type: application/json\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
UPGRADE += b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
CALL = HEAD + b"Content-Length: %d\r\n" % len(BODY)


def converse(server, *parts):
    """Send parts of a stream one after the other; give all that comes back until the server closes."""
    with socket.create_connection((server.address.host, server.address.port), timeout=10) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            wire.sendall(part)
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
    return answer


LAST = b"GET /__admin/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("cut", [0, 10, len(CALL) + 5, len(CALL + UPGRADE) + 2, len(CALL + UPGRADE) + 9])
def test_an_upgrade_is_ignored_and_the_connection_stays_usable(server, cut):
    call = CALL + UPGRADE + b"\r\n" + BODY
    answer = converse(server, call[:cut], call[cut:] + call, LAST)
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.count(b'"main_score"') == 2


def test_a_chunked_body_behind_an_upgrade_is_read(server):
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    answer = converse(server, HEAD + UPGRADE + chunked + LAST)
    assert (answer.count(b"HTTP/1.1 200"), answer.count(b'"main_score"')) == (2, 1)


def test_curl_with_http2_posts_twice_on_one_connection(server):
    call = ["-s", "--http2", f"{server.url}/v2/thumbnail/score", "-H", "X-Api-Key: pkz_test"]
    call += [
        "-H",
        "Content-Type: application/json",
        "-d",
        BODY.decode(),
        "-w",
        "%{http_code} %{num_connects}\n",
    ]
    told = subprocess.run(
        ["curl", *call, "--next", *call], capture_output=True, check=True, timeout=30
    ).stdout
    assert [line.rpartition(b"}")[2] for line in told.splitlines()] == [b"200 1", b"200 0"]


def test_a_tunnel_is_refused(server):
    assert b" 400 " in converse(server, b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n")


def test_answers_to_requests_sent_without_waiting_come_in_their_order(server):
    """Some are answered at once, some by a worker, and more than fit into one turn of the event loop."""
    calls = [
        CALL + b"\r\n" + BODY if each % 3 else b"GET /nowhere/%d HTTP/1.1\r\nHost: x\r\n\r\n" % each
        for each in range(60)
    ]
    calls[30] = LAST.replace(b"Connection: close\r\n", b"")
    answer = converse(server, b"".join(calls) + LAST)
    statuses = [int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200 if each % 3 or each == 30 else 404 for each in range(60)] + [200]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_request_in_pieces_is_answered_as_a_whole_one(server, size):
    call = CALL + b"\r\n" + BODY
    answer = converse(server, *(call[at : at + size] for at in range(0, len(call), size)), LAST)
    assert (answer.count(b"HTTP/1.1 200"), answer.count(b'"main_score"')) == (2, 1)


def test_a_caller_of_http_1_0_is_told_that_the_connection_ends(server):
    old = CALL.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Connection: keep-alive\r\n\r\n" + BODY
    assert b"connection: close" in converse(server, old).lower()


@pytest.mark.parametrize("path", [b"/\xff", b"/v2/\xc3\xa9", b"http://[", b"http://x", b"http://x?a", b"*"])
def test_a_path_that_is_none_is_refused_and_others_are_served(server, path):
    answer = converse(server, b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path + LAST)
    assert answer[9:12] in {b"400", b"404"}
    assert b" 200 " in converse(server, LAST)


@pytest.mark.parametrize("target", [b"http://x", b"http://x?a"])
def test_an_address_without_a_path_is_answered_at_once(server, target):
    place = server.address.host, server.address.port
    with socket.create_connection(place, timeout=20) as wire:
        wire.sendall(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
        assert wire.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_half_a_request_is_none(server):
    heard: list[Exchange] = []
    server.engine.listeners.append(heard.append)
    with socket.create_connection((server.address.host, server.address.port), timeout=10) as wire:
        wire.sendall(HEAD + b"Content-Length: 1000\r\n\r\n" + BODY)  # which would parse, if it were all
    converse(server, LAST)
    server.engine.listeners.remove(heard.append)
    assert [each.operation for each in heard] == ["admin"]


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "paths": {
        "/notes/{id}": {
            "delete": {
                "operationId": "delete_note",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": "Gone"}, "default": {"description": "Wrong"}},
            }
        }
    },
}


@pytest.fixture
def notes(tmp_path):
    table = {"title": "Notes", "operations": {"delete_note": {"behaviour": "generate"}}}
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "openapi.yaml").write_text(yaml.safe_dump(DOCUMENT))
    (folder / "behaviour.yaml").write_text(yaml.safe_dump(table))
    with Server(create_engine(STRICT, [tmp_path])) as server:
        yield server


def test_an_answer_without_a_body_leaves_the_connection_usable(notes):
    call = b"DELETE /notes/7 HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = converse(notes, call + call, LAST)
    assert (answer.count(b"HTTP/1.1 204"), answer.count(b"HTTP/1.1 200"), b"null" in answer) == (2, 1, False)
    assert b"content-length" not in answer.partition(b"\r\n\r\n")[0].lower()


def test_a_link_is_followed_with_head_and_without_a_body(server):
    text = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
    link = httpx.post(f"{server.url}/v2/thumbnail/text", json=text, headers={"X-Api-Key": "pkz_test"}).json()[
        "output"
    ]
    head, whole = httpx.head(link), httpx.get(link)
    assert (head.status_code, head.content, head.headers["content-length"]) == (
        200,
        b"",
        str(len(whole.content)),
    )


def test_of_a_head_only_what_speaks_of_upgrading_is_left_out():
    headers = [(b"host", b"a"), (b"connection", b" UPGRADE , HTTP2-Settings"), (b"http2-settings", b"x")]
    headers += [(b"upgrade", b"h2c"), (b"x", b"upgrade")]
    written = write_without_upgrade(b"POST", b"/a?b", "1.1", headers)
    assert written == b"POST /a?b HTTP/1.1\r\nhost: a\r\nx: upgrade\r\n\r\n"


@pytest.mark.parametrize("count", [1, 3])
def test_so_many_work_at_once_and_no_more(count):
    workers, begun, may_end = Workers(count), threading.Semaphore(0), threading.Event()

    def work():
        begun.release()
        return may_end.wait(20)

    futures = [workers.submit(work) for _ in range(count + 1)]
    assert all(begun.acquire(timeout=20) for _ in range(count))
    assert not begun.acquire(blocking=False)
    may_end.set()
    assert all(each.result(20) for each in futures)


def test_a_header_that_holds_an_end_of_a_line_is_not_written():
    for value in ("a\nb", "a\rb", "a\r\nSet-Cookie: b"):
        with pytest.raises(ValueError, match="holds the end of a line"):
            write_head(200, [("Note", value)])


def test_an_answer_that_takes_the_long_way_names_no_server_and_one_date(server):
    body = b'{"image_url": "https://example.com/%b"}' % (b"a" * 20_000)
    answer = converse(server, HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, LAST)
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert (b"server:" in head, head.count(b"\ndate:")) == (False, 1)


def test_who_settles_waits_for_what_was_begun_before():
    done: list[bool] = []

    def be_busy():  # for a while: nobody opens this gate
        done.append(threading.Event().wait(0.1))

    with Server(create_engine()) as server:
        loop = server._uvicorn.loop
        assert loop
        for _ in range(3):
            loop.call_soon_threadsafe(be_busy)
        server.settle()
        assert done == [False] * 3
