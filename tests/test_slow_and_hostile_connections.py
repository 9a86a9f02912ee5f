"""What a stranger may do to a connection: heads without end, bytes that do not come, answers nobody reads."""

import socket
import threading

import pytest
from conftest import STRICT

from mockserver import Server, create_engine
from mockserver.serving.heads import LARGEST_HEAD
from mockserver.settings import Timeouts

HEAD = b"POST /v2/thumbnail/score HTTP/1.1\r\nHost: x\r\nX-Api-Key: pkz_test\r\n"
HEAD += b"Content-Type: application/json\r\n"
BODY = b'{"image_url": "https://example.com/a.png"}'
CALL = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
TEXT = b'{"prompt": "a", "model": "pkz_4", "format": "16:9"}'
THUMB = b'{"title": "A title", "format": "youtube"}'
GENERATE = (
    b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nX-Api-Key: tb_test\r\nContent-Type: application/json\r\n"
)
LAST = b"GET /__admin/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
IMPATIENT = Timeouts(head_s=0.3, body_s=0.3)


@pytest.fixture(scope="module")
def impatient():
    with Server(create_engine(STRICT), timeouts=IMPATIENT) as server:
        yield server


def connect(server):
    wire = socket.create_connection((server.address.host, server.address.port), timeout=20)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def read_all(wire):
    """Give all that comes until the server closes; bytes that were sent in vain may make that a reset."""
    answer = b""
    try:
        while piece := wire.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def converse(server, *parts):
    with connect(server) as wire:
        for part in parts:
            wire.sendall(part)
        return read_all(wire)


def padded(size):
    """Give a call whose URL, names and values of headers take just so many bytes."""
    known = len(b"/v2/thumbnail/scoreHostxX-Api-Keypkz_testContent-Typeapplication/jsonContent-Length")
    known += len(str(len(BODY))) + len(b"X-Pad")
    return CALL.replace(b"\r\n\r\n", b"\r\nX-Pad: %b\r\n\r\n" % (b"x" * (size - known)), 1)


def test_a_head_of_64_kib_is_read(server):
    assert converse(server, padded(LARGEST_HEAD), LAST).count(b"HTTP/1.1 200") == 2


def test_a_head_of_more_is_answered_431_and_the_connection_closed(server):
    answer = converse(server, padded(LARGEST_HEAD + 1))
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in answer


@pytest.mark.parametrize(
    "piece", [b"x" * 65536, b"X-A: b\r\n" * 8192, b"\r\n" * 32768], ids=["one", "many", "none"]
)
def test_a_head_without_an_end_is_cut_off(server, piece):
    with connect(server) as wire:
        wire.sendall(HEAD + (b"X-Pad: " if piece[0:1] == b"x" else b"") if piece[0:1] != b"\r" else b"")
        for _ in range(64):
            try:
                wire.sendall(piece)
            except (ConnectionResetError, BrokenPipeError):
                break
        else:
            assert read_all(wire)[9:12] in {b"431", b"400"}
    assert converse(server, CALL, LAST).count(b"HTTP/1.1 200") == 2


def test_a_long_body_does_not_count_as_head(server):
    long = b'{"image_url": "https://example.com/%b"}' % (b"a" * 300_000)
    call = HEAD + b"Content-Length: %d\r\n\r\n" % len(long) + long
    assert b" 431 " not in converse(server, call + call[:20], call[20:], LAST)


@pytest.mark.parametrize("part", [b"", b"POST /v2", HEAD], ids=["nothing", "a word", "half a head"])
def test_a_connection_that_sends_no_whole_head_is_closed(impatient, part):
    assert converse(impatient, part) == b""


def test_a_connection_that_was_served_is_closed_when_nothing_comes_for_a_while():
    with Server(create_engine(STRICT), timeouts=IMPATIENT) as server:
        server._uvicorn.config.timeout_keep_alive = 0  # five seconds elsewhere
        assert converse(server, CALL).count(b"HTTP/1.1 200") == 1


def test_a_connection_that_sends_no_more_of_a_body_is_closed(impatient):
    for length in (1_000, 100_000):  # read to be answered at once, and not
        head = HEAD + b"Content-Length: %d\r\n\r\n" % length
        assert converse(impatient, head + b"x" * (length // 2)) == b""


def test_a_caller_that_waits_for_its_answer_is_not_too_slow(impatient):
    call = CALL.replace(b"Host: x\r\n", b"Host: x\r\nPrefer: delay=900\r\n")
    with connect(impatient) as wire:
        wire.sendall(call)
        assert wire.recv(100).startswith(b"HTTP/1.1 200")


def test_a_slow_caller_keeps_nobody_waiting(impatient):
    slow = [connect(impatient) for _ in range(200)]
    for wire in slow:
        wire.sendall(HEAD)
    assert converse(impatient, CALL, LAST).count(b"HTTP/1.1 200") == 2
    for wire in slow:
        assert read_all(wire) == b""
        wire.close()


@pytest.mark.parametrize(
    ("head", "body"),
    [(HEAD, BODY), (GENERATE, THUMB), (HEAD.replace(b"score", b"text"), TEXT)],
    ids=["at once", "drawn by a worker", "a link"],
)
def test_a_caller_that_ceases_to_send_gets_its_answer(server, head, body):
    for _ in range(20):
        with connect(server) as wire:
            wire.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            wire.shutdown(socket.SHUT_WR)
            assert read_all(wire).startswith(b"HTTP/1.1 200")


def test_several_requests_before_the_end_are_all_answered(server):
    with connect(server) as wire:
        generate = GENERATE + b"Content-Length: %d\r\n\r\n" % len(THUMB) + THUMB
        wire.sendall(CALL + generate + CALL + generate)
        wire.shutdown(socket.SHUT_WR)
        assert read_all(wire).count(b"HTTP/1.1 200") == 4


def test_many_upgrades_at_once_are_ignored_one_by_one(server):
    upgrade = b"GET /__admin/health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert converse(server, upgrade * 1_500 + LAST).count(b"HTTP/1.1 200") == 1_501


def test_requests_are_read_no_faster_than_they_are_answered(server):
    """Of requests whose answers nobody reads only so many are taken as fit into the buffers on the way."""
    generate = GENERATE + b"Content-Length: %d\r\n\r\n" % len(THUMB) + THUMB
    data, sent, limit = memoryview(generate * 200), 0, 24 * 1024 * 1024
    with connect(server) as wire:
        wire.settimeout(2)
        try:
            while sent < limit:
                sent += wire.send(data)
        except TimeoutError:
            pass
    assert sent < limit
    assert converse(server, CALL, LAST).count(b"HTTP/1.1 200") == 2


def test_a_body_in_single_bytes_is_read_in_linear_time(server):
    """The server handles a body that comes in thousands of chunks as fast as its bytes come."""
    body = b'{"image_url": "https://example.com/%b"}' % (b"a" * 8_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    ended = threading.Event()
    answers = []

    def call():
        answers.append(converse(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, LAST))
        ended.set()

    threading.Thread(target=call, daemon=True).start()
    assert ended.wait(10)
    assert b" 200 " in answers[0] or b" 400 " in answers[0]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Host", "example.com", "localhost"),
        ("X-Forwarded-For", "192.0.2.1", "127.0.0.1"),
        ("Origin", "http://example.com", "http://localhost"),
    ],
)
def test_who_says_twice_who_asks_is_held_to_both(server, name, first, last):
    """Of two, one of which a proxy adds, a stranger could choose the one that counts."""
    hosts = b"" if name == "Host" else b"Host: localhost\r\n"
    for pair in ((first, last), (last, first)):
        lines = "".join(f"{name}: {each}\r\n" for each in pair).encode()
        request = b"GET /__admin/state HTTP/1.1\r\nConnection: close\r\n" + hosts + lines + b"\r\n"
        assert converse(server, request).startswith(b"HTTP/1.1 403 ")


def test_two_namespaces_in_one_request_are_refused_and_blanks_around_one_are_not(server):
    head = HEAD.replace(b"\r\n", b"\r\nMock-Namespace: a%b", 1) + b"Content-Length: %d\r\n" % len(BODY)
    end = b"Connection: close\r\n\r\n" + BODY
    refused = converse(server, head % b"\r\nMock-Namespace: b\r\n" + end)
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert b"'a, b' names no namespace" in refused
    assert converse(server, head % b" \t\r\n" + end).startswith(b"HTTP/1.1 200 ")
