"""The courier against receivers over real sockets that hang, drip, redirect, reset the world or call back. Nothing sleeps."""

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from conftest import KEYS, STRICT, said

from mockserver import Server, create_engine
from mockserver.state.deliveries import DELIVERED, GIVEN_UP, WAITING, Delivery
from mockserver.webhooks import WebhookSender

CALL = {"title": "10 Tips to Grow Your YouTube Channel", "format": "youtube"}
BAD_URLS = [
    "http://[::1/x",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:x/",
    "http://127.0.0.1/\ud800",
    "http://\udfff/",
    "http:///x",
    "ftp://127.0.0.1/",
    5,
    None,
    ["http://127.0.0.1/"],
]


@pytest.fixture
def world(engine):
    engine.world.clock.set(1_800_000_000, is_frozen=True)
    return engine.world


@pytest.fixture
def courier(engine, world):
    yield (made := WebhookSender(engine.catalog, engine.worlds))
    made.stop()


@pytest.fixture
def patience(engine, monkeypatch):
    """Make receivers have 0.3 real seconds to answer."""
    monkeypatch.setitem(engine.catalog.providers["thumbapi"].webhooks, "patience_s", 0.3)


@pytest.fixture
def listen():
    """Start a receiver that does what a function of its handler says, and answers 200 unless that gives another status."""
    with contextlib.ExitStack() as stack:

        def start(act=lambda handler: 200):
            class Receiver(BaseHTTPRequestHandler):
                def do_POST(self):
                    self.rfile.read(int(self.headers["Content-Length"]))
                    self.server.paths.append(self.path)
                    status = act(self)
                    with contextlib.suppress(OSError):
                        self.send_response(200 if status is None else status)
                        self.send_header("Location", "/elsewhere")
                        self.end_headers()

                def log_message(self, *_):
                    pass

            server = type("Server", (ThreadingHTTPServer,), {"request_queue_size": 64})(
                ("127.0.0.1", 0), Receiver
            )
            server.paths = []
            server.url = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return server

        yield start


@pytest.fixture
def hung(listen):
    """A receiver that answers nobody before the test is over."""
    is_over, arrived = threading.Event(), threading.Event()

    def hang(handler):
        arrived.set()
        is_over.wait(60)

    server = listen(hang)
    server.arrived = arrived
    yield server
    is_over.set()


@pytest.fixture
def promised(ask, world):
    """Ask for a picture that fails (so none is drawn) and that a webhook tells of, as if the URL had been this."""

    def promise(url):
        body = {**CALL, "webhookUrl": "http://127.0.0.1:9/"}
        job = said(ask("POST", "/v1/generate", body, prefer="job=failed", **KEYS["thumbapi"]))["jobId"]
        world.deliveries.put(job, world.deliveries.get(job)._replace(url=url))
        return job

    return promise


@pytest.fixture
def background():
    """Run a function in a thread that the test waits for at its end."""
    with contextlib.ExitStack() as stack:

        def run(function):
            thread = threading.Thread(target=function, daemon=True)
            thread.start()
            stack.callback(thread.join, 20)
            return thread

        yield run


@pytest.mark.parametrize("url", BAD_URLS, ids=ascii)
def test_a_bad_url_is_given_up_at_once_and_stops_nobody_else(world, courier, listen, promised, url):
    receiver = listen()
    bad, good = promised(url), promised(receiver.url)
    world.clock.advance(2)
    assert courier.run_due() == 2
    (attempt,) = world.deliveries.get(bad).attempts
    assert (attempt["at"], world.deliveries.get(bad).status) == ("2027-01-15T08:00:02.000Z", GIVEN_UP)
    assert "URL" in attempt["error"]
    assert world.deliveries.get(good).status == DELIVERED
    assert courier.run_due() == 0


def test_a_bug_in_an_attempt_is_written_down_as_its_error(world, courier, listen, promised):
    job = promised(listen().url)
    world.deliveries.put(job, world.deliveries.get(job)._replace(secret="\ud800"))
    world.clock.advance(2)
    assert courier.run_due() == 1
    assert world.deliveries.get(job).attempts[0]["error"].startswith("UnicodeEncodeError")
    assert (world.deliveries.get(job).status, world.deliveries.get(job).due_at_s) == (WAITING, 1_800_000_003)


@pytest.mark.parametrize("wrong", [{"due_at_s": "soon"}, {"due_at_s": -1e20}, {"attempts": None}], ids=str)
def test_a_row_of_a_snapshot_that_makes_no_sense_stops_nobody_else(world, courier, listen, promised, wrong):
    receiver = listen()
    bad, good = promised(receiver.url), promised(receiver.url)
    world.deliveries.put(bad, world.deliveries.get(bad)._replace(**wrong))
    world.clock.advance(2)
    courier.run_due()
    assert world.deliveries.get(good).status == DELIVERED


def test_the_thread_survives_what_goes_wrong(world, courier, listen, promised):
    arrived = threading.Event()
    receiver = listen(lambda handler: arrived.set())
    courier.start()
    for url in (*BAD_URLS, receiver.url):
        promised(url)
    world.clock.advance(2)
    assert arrived.wait(10)


@pytest.mark.parametrize(
    "dripped", [b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000, b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000]
)
def test_a_receiver_that_drips_has_no_more_time_than_one_that_is_silent(
    world, courier, patience, promised, background, dripped
):
    is_over = threading.Event()

    def drip(listening):
        connection = listening.accept()[0]
        with connection, contextlib.suppress(OSError):
            for byte in dripped:
                connection.send(bytes([byte]))
                if is_over.wait(0.02):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        background(lambda: drip(listening))
        job = promised(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        world.clock.advance(2)
        began = time.monotonic()
        courier.run_due()
        took_s = time.monotonic() - began
        is_over.set()
    assert world.deliveries.get(job).attempts[0]["error"] == "no answer within 0.3 s"
    assert took_s < 3


def test_the_status_counts_however_long_the_body_is(world, courier, promised, background):
    def flood(listening):
        connection = listening.accept()[0]
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        background(lambda: flood(listening))
        job = promised(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        world.clock.advance(2)
        courier.run_due()
    assert world.deliveries.get(job).status == DELIVERED


def test_a_stop_waits_for_no_receiver_and_leaves_the_delivery_waiting(
    world, courier, hung, promised, background
):
    job = promised(hung.url)
    before = world.deliveries.get(job)
    courier.start()
    world.clock.advance(2)
    waiting = background(courier.run_due)
    assert hung.arrived.wait(10)
    began = time.monotonic()
    courier.stop()
    waiting.join(10)
    assert time.monotonic() - began < 1
    assert not waiting.is_alive()
    assert world.deliveries.get(job) is before


def test_what_an_abandoned_attempt_comes_to_is_not_written_down(world, courier, listen, promised, background):
    arrived, may_answer = threading.Event(), threading.Event()

    def answer(handler):
        arrived.set()
        may_answer.wait(10)

    receiver = listen(answer)
    before = world.deliveries.get(promised(receiver.url))
    world.clock.advance(2)
    background(courier.run_due)
    assert arrived.wait(10)
    sending = [thread for thread in threading.enumerate() if thread.name == "mockserver-webhook"]
    courier.stop()
    may_answer.set()
    for thread in sending:
        thread.join(10)
    assert world.deliveries.get(before.id) is before


def test_a_server_stops_although_a_receiver_hangs(hung):
    with Server(create_engine(STRICT)) as server:
        body = {**CALL, "webhookUrl": hung.url}
        httpx.post(f"{server.url}/v1/generate", json=body, headers=KEYS["thumbapi"]).raise_for_status()
        server.engine.world.clock.advance(2)
        assert hung.arrived.wait(10)
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_what_is_due_is_sent_at_the_same_time(world, courier, listen, promised):
    everybody = threading.Barrier(8)
    receiver = listen(lambda handler: 200 if everybody.wait(5) < 8 else 500)
    jobs = [promised(receiver.url) for _ in range(8)]
    world.clock.advance(2)
    assert courier.run_due() == 8
    assert {world.deliveries.get(job).status for job in jobs} == {DELIVERED}


def test_far_more_than_fits_at_once_is_done_when_the_courier_returns(world, courier, listen, promised):
    receiver = listen(lambda handler: 500 if receiver.paths.count(handler.path) < 3 else 200)
    jobs = [promised(f"{receiver.url}/{number}") for number in range(100)]
    world.clock.advance(3600)
    assert courier.run_due() == 300
    assert {world.deliveries.get(job).status for job in jobs} == {DELIVERED}


def test_the_thread_sends_on_while_a_receiver_hangs(world, courier, hung, listen, promised):
    arrived = threading.Event()
    receiver = listen(lambda handler: arrived.set())
    courier.start()
    promised(hung.url)
    world.clock.advance(2)
    assert hung.arrived.wait(10)
    promised(receiver.url)
    world.clock.advance(2)
    assert arrived.wait(5)


@pytest.mark.parametrize("by", [1, 7200])
def test_a_receiver_may_move_the_clock_from_its_handler(listen, by):
    def move(handler):
        if handler.path == "/first":
            answers.append(httpx.post(f"{server.url}/__admin/clock/advance", json={"by": by}, timeout=9))

    answers, receiver = [], listen(move)
    with Server(create_engine(STRICT)) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        client.put("/__admin/clock", json={"now": "2026-03-30T12:00:00Z", "frozen": True})
        for path in ("/first", "/second"):
            client.post(
                "/v1/generate", json={**CALL, "webhookUrl": receiver.url + path}, headers=KEYS["thumbapi"]
            )
            client.post("/__admin/clock/advance", json={"by": 1})
        client.post("/__admin/clock/advance", json={"by": 1})
        client.post("/__admin/clock/advance", json={"by": 1})
        shown = client.get("/__admin/webhooks").json()["webhooks"]
    assert [answer.status_code for answer in answers] == [200]
    assert [[each["status"] for each in row["attempts"]] for row in shown] == [[200], [200]]
    assert sorted(receiver.paths) == ["/first", "/second"]


def test_whoever_moves_the_clock_finds_everything_done_although_the_thread_looks_too(
    world, courier, listen, promised
):
    receiver = listen()
    courier.start()
    for _ in range(30):
        job = promised(receiver.url)
        world.clock.advance(2)
        courier.run_due()
        assert world.deliveries.get(job).status == DELIVERED


def test_what_a_reset_swept_away_does_not_come_back(world, courier, listen, promised):
    receiver = listen(lambda handler: world.reset())
    promised(receiver.url)
    world.clock.advance(2)
    assert courier.run_due() == 1
    assert len(world.deliveries) == 0


def test_an_attempt_from_before_a_reset_says_nothing_of_the_same_job_after_it(
    world, courier, listen, promised
):
    def start_again(handler):
        if handler.path == "/old":
            world.reset()
            world.clock.set(1_800_000_000, is_frozen=True)
            jobs.append(promised(f"{receiver.url}/new"))
            return 500
        return 200

    receiver = listen(start_again)
    jobs = [promised(f"{receiver.url}/old")]
    world.clock.advance(2)
    courier.run_due()
    assert jobs[0] == jobs[1]
    assert world.deliveries.get(jobs[1]).attempts == []
    world.clock.advance(2)
    courier.run_due()
    assert [each["status"] for each in world.deliveries.get(jobs[1]).attempts] == [200]


def test_a_webhook_without_its_job_is_dropped(world, courier, listen, promised):
    receiver = listen()
    world.resources.delete(promised(receiver.url))
    world.clock.advance(2)
    courier.run_due()
    assert (len(world.deliveries), receiver.paths) == (0, [])
    assert courier.run_due() == 0


def test_thousands_of_finished_webhooks_cost_nothing(world, courier, listen, promised):
    for number in range(9_999):
        world.deliveries.put(f"old_{number}", Delivery(f"old_{number}", "a", "u", "s", DELIVERED, None, []))
    job = promised(listen().url)
    courier.run_due()
    began = time.process_time()
    for _ in range(2_000):
        courier.run_due()
    assert time.process_time() - began < 0.5, "each look through all of them takes over a millisecond"
    world.clock.advance(2)
    assert courier.run_due() == 1
    assert world.deliveries.get(job).status == DELIVERED


def test_a_clock_that_is_set_back_makes_what_was_due_wait_again(world, courier, listen, promised):
    job = promised(listen().url)
    world.clock.set(1_700_000_000)
    assert courier.run_due() == 0
    world.clock.set(1_800_000_002)
    assert courier.run_due() == 1
    assert world.deliveries.get(job).status == DELIVERED


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 404, 500])
def test_only_200_counts_and_no_redirect_is_followed(world, courier, listen, promised, status):
    receiver = listen(lambda handler: status)
    job = promised(f"{receiver.url}/here")
    world.clock.advance(3600)
    assert courier.run_due() == 4
    assert world.deliveries.get(job).status == GIVEN_UP
    assert [each["status"] for each in world.deliveries.get(job).attempts] == [status] * 4
    assert set(receiver.paths) == {"/here"}


def test_the_next_attempt_waits_for_the_pause_and_for_as_long_as_the_attempt_took(
    world, courier, listen, promised
):
    receiver = listen(lambda handler: world.clock.advance(5) or 500)
    job = promised(receiver.url)
    world.clock.advance(2)
    courier.run_due()
    shown = world.deliveries.get(job)
    assert [each["at"][11:19] for each in shown.attempts] == ["08:00:02"]
    assert shown.due_at_s == 1_800_000_002 + 5 + 1
