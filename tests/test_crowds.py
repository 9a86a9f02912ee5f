"""More callers than the process may have open files: those that say nothing make room for those that do."""

import asyncio
import contextlib
import json
import resource
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from conftest import KEYS, first_line
from test_slow_and_hostile_connections import HEAD

from mockserver import Server, create_engine
from mockserver.serving.crowd import Standing, make_room, most_connections

PATIENCE_S = 20
FILES = 128
LIMITED = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
from mockserver.cli import main
main(["serve", "--port", "0", "--json", "--quiet"])
"""
SCORE = {"image_url": "https://example.com/a.png"}


@pytest.fixture(scope="module")
def limited():
    """A server that may have few files open, as its URL."""
    with subprocess.Popen([sys.executable, "-c", LIMITED], stdout=subprocess.PIPE, text=True) as process:
        yield httpx.URL(json.loads(first_line(process))["url"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


@pytest.fixture
def near():
    """A server in this process that takes 200 callers, as its URL."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
    try:
        server = Server(create_engine())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with server:
        yield httpx.URL(server.url)


@pytest.fixture(scope="module", autouse=True)
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def score(url):
    return httpx.post(
        url.join("/v2/thumbnail/score"), json=SCORE, headers=KEYS["pikzels"], timeout=PATIENCE_S
    )


def opened(stack, url, count, data=b""):
    for _ in range(count):
        wire = stack.enter_context(socket.create_connection((url.host, url.port or 0), timeout=PATIENCE_S))
        with contextlib.suppress(ConnectionError):
            wire.sendall(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        HEAD + b"Content-Length: 1000\r\n\r\n{",
        HEAD + b"Content-Length: 100000\r\n\r\n{",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["silent", "half a head", "half a body", "half a long body", "idle"],
)
def test_five_hundred_that_say_no_more_keep_nobody_from_being_served(limited, data):
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            opened(stack, limited, 100, data)
            assert score(limited).status_code == 200


def test_who_waits_for_an_answer_keeps_its_connection(near):
    with httpx.Client(base_url=str(near), timeout=PATIENCE_S, headers=KEYS["pikzels"]) as client:
        slow = socket.create_connection((near.host, near.port or 0), timeout=PATIENCE_S)
        with contextlib.ExitStack() as stack, slow:
            body = json.dumps(SCORE).encode()
            slow.sendall(HEAD + b"Prefer: delay=1500\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert client.get("/__admin/health").status_code == 200
            opened(stack, near, 300)
            assert slow.recv(100).startswith(b"HTTP/1.1 200")


def test_who_was_served_keeps_its_connection_before_those_who_never_asked(near):
    with contextlib.ExitStack() as stack:
        served = socket.create_connection((near.host, near.port or 0), timeout=PATIENCE_S)
        stack.enter_context(served)
        for _ in range(2):
            served.sendall(b"GET /__admin/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert served.recv(10_000).startswith(b"HTTP/1.1 200")
            opened(stack, near, 300)


class Line(asyncio.Transport):
    is_gone = False

    def abort(self):
        self.is_gone = True


class Caller:
    def __init__(self, standing: Standing | None) -> None:
        self.transport: asyncio.Transport = Line()
        self._standing = standing

    def standing(self) -> Standing | None:
        return self._standing

    @property
    def is_gone(self):
        return isinstance(self.transport, Line) and self.transport.is_gone


def test_who_was_never_served_goes_first_then_who_is_silent_for_longest():
    callers = [Caller((True, 1.0)), Caller((False, 9.0)), Caller((False, 8.0)), Caller(None)]
    newest = Caller((False, 0.0))
    make_room([*callers, newest], newest, 4)
    assert [each.is_gone for each in callers] == [False, False, True, False]
    assert not newest.is_gone


def test_where_there_are_just_as_many_as_may_be_nobody_is_turned_away():
    newest = Caller((False, 0.0))
    callers = [Caller((True, 1.0)), Caller((False, 9.0)), newest]
    make_room(callers, newest, 3)
    assert not any(each.is_gone for each in callers)


@pytest.mark.parametrize(
    ("allowed", "most"),
    [(1_024, 512), (20_001, 10_000), (10_000, 5_000), (20, 16), (resource.RLIM_INFINITY, 10_000)],
)
def test_connections_take_half_of_what_may_be_open_but_not_fewer_or_more_than_is_of_use(
    monkeypatch, allowed, most
):
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (allowed, allowed))
    assert most_connections() == most


def test_where_there_are_far_too_many_an_eighth_goes_at_once():
    newest = Caller((False, 0.0))
    callers = [Caller((True, float(number))) for number in range(32)]
    make_room([*callers, newest], newest, 32)
    assert [each.is_gone for each in callers] == [True] * 4 + [False] * 28


def test_where_all_are_owed_an_answer_the_newest_is_turned_away():
    newest = Caller((False, 0.0))
    make_room([Caller(None), Caller(None), newest], newest, 2)
    assert newest.is_gone
