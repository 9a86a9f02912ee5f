"""Bodies that cannot matter are not read, those that can have a bound together; every caller can read why."""

import asyncio
import json
import re
import socket
import threading

import httpx
import pytest
from conftest import STRICT
from test_slow_and_hostile_connections import BODY, CALL, HEAD, LAST, connect, converse, read_all

from mockserver import Request, Server, create_app, create_engine
from mockserver.call import Exchange
from mockserver.serving import reading, room, transport
from mockserver.serving.room import NoRoomError, Room
from mockserver.settings import Settings, Timeouts

MB = 1024 * 1024
SCORE = b"POST /v2/thumbnail/score HTTP/1.1\r\nHost: x\r\n"
KEY, JSON, TEXT = (
    b"X-Api-Key: pkz_test\r\n",
    b"Content-Type: application/json\r\n",
    b"Content-Type: text/plain\r\n",
)
REFUSED = {  # what is decided by the path and the headers alone
    "unknown path": (b"POST /nowhere HTTP/1.1\r\nHost: x\r\n" + JSON, 404),
    "unknown path of an API": (b"POST /v2/nowhere HTTP/1.1\r\nHost: x\r\n" + KEY + JSON, 404),
    "unknown method": (SCORE.replace(b"POST", b"PUT") + KEY + JSON, 404),
    "no key": (SCORE + JSON, 401),
    "a malformed key": (SCORE + b"X-Api-Key: nonsense\r\n" + JSON, 401),
    "another media type": (SCORE + KEY + TEXT, 400),
    "no media type": (SCORE + KEY, 400),
    "an operation without a body": (b"DELETE /v2/pikzonality/a HTTP/1.1\r\nHost: x\r\n" + KEY + JSON, 404),
    "a page of ours that is none": (b"POST /__admin/nothing HTTP/1.1\r\nHost: x\r\n", 404),
    "a link": (b"POST /cdn/pikzels/rest-api/a.png HTTP/1.1\r\nHost: x\r\n", 405),
}
EARLY = {name: case for name, case in REFUSED.items() if "ours" not in name}
TYPED = {"Content-Type": "application/json"}
ASKING = b"Expect: 100-continue\r\n"


def announced(size):
    return b"Content-Length: %d\r\n\r\n" % size


def read_answer(wire):
    """Read one answer; give its status, head and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = wire.recv(65536)
        assert piece, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += wire.recv(65536)
    return int(head[9:12]), head, body


def words(body):
    """Give what an answer says, without the ids that each has its own of."""
    return re.sub(rb"[0-9a-f-]{32,36}|req_\w+", b"ID", body)


@pytest.mark.parametrize("case", EARLY)
@pytest.mark.parametrize("size", [20_000, 5 * MB, 10**15])
def test_what_path_and_headers_decide_is_answered_without_a_byte_of_the_body(server, case, size):
    head, status = EARLY[case]
    with connect(server) as wire:
        wire.sendall(head + announced(min(size, 64 * MB) if case == "another media type" else size))
        assert read_answer(wire)[0] in {status, 413}


@pytest.mark.parametrize("case", EARLY)
def test_an_early_answer_says_what_a_late_one_says(server, case):
    head, status = EARLY[case]
    answers = []
    for size in (100, MB):
        with connect(server) as wire:
            wire.sendall(head + announced(size) + b" " * 100)
            answers.append(read_answer(wire))
    late, early = answers
    assert (late[0], words(late[2])) == (early[0], words(early[2]))
    assert late[0] == status


def test_a_body_that_is_announced_as_too_large_is_refused_without_a_byte_of_it(server):
    with connect(server) as wire:
        wire.sendall(HEAD + announced(64 * MB + 1))
        assert read_answer(wire)[0] == 413


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("is_chunked", [False, True], ids=["announced", "in chunks"])
def test_a_refused_body_leaves_the_connection_usable(server, case, is_chunked):
    head, status = REFUSED[case]
    body = b"x" * (3 * MB)
    if is_chunked:
        sent = (
            head + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n" % (len(body), body) + b"0\r\n\r\n"
        )
    else:
        sent = head + announced(len(body)) + body
    answer = converse(server, sent, CALL, sent, LAST)
    assert [int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]] == [status, 200, status, 200]


@pytest.mark.parametrize("case", EARLY)
def test_nothing_is_kept_of_a_body_that_cannot_matter_but_its_size(server, case):
    heard: list[Exchange] = []
    server.engine.listeners.append(heard.append)
    converse(server, EARLY[case][0] + announced(MB) + b"x" * MB, LAST)
    server.settle()
    server.engine.listeners.remove(heard.append)
    assert [(each.request.body, each.request.size) for each in heard[:1]] == [(b"", MB)]


@pytest.mark.parametrize(("first", "status"), [("key", 401), ("body", 400)])
def test_a_wrong_body_without_a_key_matters_where_bodies_are_judged_first(first, status):
    settings = Settings(assume={"pikzels.judged_first": first}, raises_bugs=True)
    with Server(create_engine(settings)) as server:
        for body in (b"{}", b"{}".ljust(MB)):
            answer = httpx.post(f"{server.url}/v2/thumbnail/score", content=body, headers=TYPED)
            assert answer.status_code == status
            assert "JSON" not in answer.text


def test_a_short_body_is_kept_for_whoever_looks_why_it_was_refused(server):
    heard: list[Exchange] = []
    server.engine.listeners.append(heard.append)
    converse(server, REFUSED["no key"][0] + announced(len(BODY)) + BODY, LAST)
    server.settle()
    server.engine.listeners.remove(heard.append)
    assert heard[0].request.body == BODY


@pytest.mark.parametrize("case", EARLY)
@pytest.mark.parametrize("size", [10, MB])
def test_a_caller_that_asks_before_it_sends_is_refused_at_once_and_the_connection_ends(server, case, size):
    head, status = EARLY[case]
    with connect(server) as wire:
        wire.sendall(head + ASKING + announced(size))
        answered, told, _ = read_answer(wire)
        assert (answered, b"connection: close" in told.lower(), wire.recv(1)) == (status, True, b"")


@pytest.mark.parametrize("size", [len(BODY), 500_000])
def test_a_caller_that_asks_and_is_welcome_may_send(server, size):
    body = BODY.ljust(size)
    with connect(server) as wire:
        for _ in range(2):
            wire.sendall(HEAD + ASKING + announced(size))
            assert wire.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
            wire.sendall(body)
            assert read_answer(wire)[0] == 200


def test_who_sends_all_before_it_reads_is_told_why(server):
    """In any order of sizes around the bounds: nobody meets a reset in an answer's place."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for size in (0, 10_000, 16_385, 65_537, MB, 70 * MB):
            answer = client.post("/nowhere", content=bytes(size))
            assert answer.status_code == 404
        assert client.get("/__admin/health").status_code == 200


def test_the_rest_of_a_refused_body_has_a_bound(server, monkeypatch):
    monkeypatch.setattr(transport, "MOST_DRAINED", MB)
    with connect(server) as wire:
        wire.sendall(REFUSED["no key"][0] + announced(10**12))
        status, head, _ = read_answer(wire)
        assert (status, b"connection: close" in head) == (401, True)
        sent = 0
        try:
            while sent < 64 * MB:
                wire.sendall(bytes(65536))
                sent += 65536
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert sent < 64 * MB
    assert converse(server, CALL, LAST).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    "raw", [b"no HTTP at all\r\n\r\n", CALL.replace(b"Host: x", b"X-Pad: " + b"x" * 70_000)]
)
def test_who_sends_on_can_read_why_its_head_was_refused(server, raw):
    for _ in range(10):
        with connect(server) as wire:
            wire.sendall(raw + b"x" * 100_000)
            wire.sendall(b"x" * 100_000)
            answer = read_answer(wire)
            assert answer[0] in {400, 431}
            assert wire.recv(1) == b""


def test_an_early_answer_does_not_keep_a_silent_caller(monkeypatch):
    with Server(create_engine(STRICT), timeouts=Timeouts(0.3, 0.3)) as server, connect(server) as wire:
        wire.sendall(REFUSED["no key"][0] + announced(MB) + b"x" * 100)
        assert b" 401 " in read_all(wire)


def run(work):
    return asyncio.run(asyncio.wait_for(work, 20))


def test_the_oldest_body_is_never_held_up():
    async def work():
        shared = Room(100)
        with shared.place() as first, shared.place() as second:
            await first.take(60)
            await second.take(40)
            await first.take(1_000)
            late = asyncio.create_task(second.take(1))
            await asyncio.sleep(0)
            assert (late.done(), second.is_waiting, shared.left) == (False, True, -1_000)
            shared.give_back(first)
            await late
        return shared.left

    assert run(work()) == 100


def test_whoever_waits_too_long_for_room_is_refused_and_gives_back_its_own(monkeypatch):
    monkeypatch.setattr(room, "PATIENCE_S", 0.01)

    async def work():
        shared = Room(100)
        with shared.place() as first:
            await first.take(90)
            with shared.place() as second:
                await second.take(10)
                with pytest.raises(NoRoomError):
                    await second.take(1)
            return shared.left

    assert run(work()) == 10


@pytest.fixture
def crowded(monkeypatch):
    monkeypatch.setattr(room.Room.__init__, "__defaults__", (MB,))
    with Server(create_engine(STRICT), timeouts=Timeouts(10, 20)) as server:
        yield server


def test_bodies_that_do_not_fit_together_come_one_after_the_other(crowded):
    body = json.dumps({"image_url": "https://example.com/a.png", "x": "y" * (900 * 1024)}).encode()
    statuses = []

    def call():
        answer = converse(crowded, HEAD + announced(len(body)) + body, LAST)
        statuses.append([int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]])

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert statuses == [[400, 200]] * 8


def test_a_body_without_room_is_refused_in_the_end_and_short_ones_are_not(crowded, monkeypatch):
    monkeypatch.setattr(room, "PATIENCE_S", 0.1)
    with connect(crowded) as greedy, connect(crowded) as late:
        greedy.sendall(HEAD + announced(2 * MB) + b" " * (2 * MB - 1))
        assert converse(crowded, CALL, LAST).count(b"HTTP/1.1 200") == 2
        late.sendall(HEAD + announced(MB) + b" " * (MB - 1))
        status, head, body = read_answer(late)
        assert (status, json.loads(body)["title"]) == (503, "Service Unavailable")
        assert b"retry-after: 1" in head.lower()
        greedy.sendall(b"1")
        assert read_answer(greedy)[0] == 400


def test_in_process_an_application_reads_no_more_than_matters():
    async def work():
        asked = []

        async def endless():
            for _ in range(100):
                asked.append(1)
                yield bytes(reading.LARGEST_INLINE)

        inside = httpx.ASGITransport(create_app(create_engine(STRICT)))
        async with httpx.AsyncClient(transport=inside, base_url="http://inside") as client:
            answer = await client.post("/nowhere", content=endless())
        return answer.status_code, len(asked)

    status, asked = run(work())
    assert (status, asked < 100) == (404, True)


def test_a_body_takes_room_for_all_of_it_from_its_first_large_piece_on():
    sizes = [10_000, 10_000, 5_000]

    async def receive():
        return {"type": "http.request", "body": bytes(sizes.pop(0)), "more_body": bool(sizes)}

    async def work():
        scope = {"method": "POST", "path": "/", "query_string": b"", "headers": []}
        shared = Room(100_000)
        with shared.place() as place:
            await reading.read(scope, receive, lambda _: 50_000, place)
            return place.size, shared.left

    assert run(work()) == (25_000, 75_000)


@pytest.mark.parametrize(
    ("expect", "waits"), [("100-continue", True), ("100-Continue", True), ("", False), ("200-ok", False)]
)
def test_a_caller_waits_to_send_where_it_expects_to_be_asked(expect, waits):
    assert reading.waits_to_send(Request("POST", "/", {"expect": expect} if expect else {})) is waits


def test_a_caller_that_goes_away_gives_its_room_back(crowded):
    for _ in range(5):
        with connect(crowded) as wire:
            wire.sendall(HEAD + announced(2 * MB) + b" " * (MB + 1))
            wire.shutdown(socket.SHUT_WR)
            assert read_all(wire) == b""
    body = b" " * (MB // 2)
    assert b" 400 " in converse(crowded, HEAD + announced(len(body)) + body, LAST)


@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize(("size", "is_kept"), [(20_000, True), (20_001, False)])
def test_a_body_of_just_the_size_that_can_matter_is_kept_and_a_larger_one_not(size, is_kept, is_announced):
    length = (b"content-length", b"%d" % size) if is_announced else (b"transfer-encoding", b"chunked")
    scope = {"method": "POST", "path": "/", "query_string": b"", "headers": [length]}
    pieces = iter([(bytes(10_000), True), (bytes(size - 10_000), False)])

    async def receive():
        piece, has_more = next(pieces)
        return {"type": "http.request", "body": piece, "more_body": has_more}

    with Room().place() as place:
        request = asyncio.run(reading.read(scope, receive, lambda _: 20_000, place))
        assert place.size == (size if is_kept else 0)
    assert request is not None
    assert (len(request.body), request.whole_size) == ((size, None) if is_kept else (0, size))
