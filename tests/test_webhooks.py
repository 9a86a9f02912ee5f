"""Webhooks to receivers that hang, drip, redirect, reset the world or call back. Nothing sleeps."""

import contextlib
import dataclasses
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import msgspec
import pytest
from conftest import KEYS, STRICT, said

from mockserver import Request, Server, Settings, create_engine
from mockserver.state.deliveries import DELIVERED, GIVEN_UP, WAITING, Attempt, Delivery
from mockserver.state.store import MemoryStore
from mockserver.state.values import replace
from mockserver.state.worlds import Worlds
from mockserver.webhooks import OWN, WebhookSender, _Outbox

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
]


@pytest.fixture
def world(engine):
    engine.world.clock.set(1_800_000_000, is_frozen=True)
    return engine.world


@pytest.fixture
def sender(engine, world):
    yield (made := WebhookSender(engine.readings, engine.worlds))
    made.stop()


@pytest.fixture
def patience(engine, monkeypatch):
    """Make receivers have 0.3 real seconds to answer."""
    provider = engine.catalog.providers["thumbapi"]
    webhooks = msgspec.structs.replace(provider.webhooks, patience_s=0.3)
    hurried = dataclasses.replace(provider, webhooks=webhooks)
    monkeypatch.setitem(engine.catalog.providers, "thumbapi", hurried)


class Receivers(ThreadingHTTPServer):
    """Takes many connections at once, and notes what they asked for."""

    request_queue_size = 64

    def __init__(self, *options):
        super().__init__(*options)
        self.paths: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def listen():
    """Start a receiver that does what a function says, and answers the status that it gives, or 200."""
    with contextlib.ExitStack() as stack:

        def start(act=lambda handler: 200):
            class Receiver(BaseHTTPRequestHandler):
                def do_POST(self):
                    self.rfile.read(int(self.headers["Content-Length"]))
                    server.paths.append(self.path)
                    status = act(self)
                    with contextlib.suppress(OSError):
                        self.send_response(200 if status is None else status)
                        self.send_header("Location", "/elsewhere")
                        self.end_headers()

                def log_message(self, *_):
                    pass

            server = Receivers(("127.0.0.1", 0), Receiver)
            threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return server

        yield start


@pytest.fixture
def hung(listen):
    """A receiver that answers nobody before the test is over."""
    is_over, arrived, answered = threading.Event(), threading.Event(), threading.Event()

    def hang(handler):
        arrived.set()
        is_over.wait(60)
        answered.set()

    server = listen(hang)
    server.arrived, server.answered = arrived, answered
    yield server
    is_over.set()


@pytest.fixture
def promised(ask, world):
    """Ask for a picture that fails (so none is drawn) and that a webhook to this URL tells of."""

    def promise(url):
        body = {**CALL, "webhookUrl": "http://127.0.0.1:9/"}
        job = said(ask("POST", "/v1/generate", body, prefer="job=failed", **KEYS["thumbapi"]))["jobId"]
        world.deliveries.put(job, replace(world.deliveries.get(job), url=url))
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
def test_a_bad_url_is_given_up_at_once_and_stops_nobody_else(world, sender, listen, promised, url):
    receiver = listen()
    bad, good = promised(url), promised(receiver.url)
    world.clock.advance(2)
    assert sender.run_due(world) == 2
    (attempt,) = world.deliveries.get(bad).attempts
    assert (attempt.at, world.deliveries.get(bad).status) == ("2027-01-15T08:00:02.000Z", GIVEN_UP)
    assert "URL" in attempt.error
    assert world.deliveries.get(good).status == DELIVERED
    assert sender.run_due(world) == 0


def test_a_bug_in_an_attempt_is_written_down_as_its_error(world, sender, listen, promised):
    job = promised(listen().url)
    world.deliveries.put(job, replace(world.deliveries.get(job), secret="\ud800"))
    world.clock.advance(2)
    assert sender.run_due(world) == 1
    assert world.deliveries.get(job).attempts[0].error.startswith("UnicodeEncodeError")
    assert (world.deliveries.get(job).status, world.deliveries.get(job).due_at_s) == (WAITING, 1_800_000_003)


def test_a_job_of_an_api_that_is_not_here_stops_nobody_else(world, sender, listen, promised):
    receiver = listen()
    bad, good = promised(receiver.url), promised(receiver.url)
    world.resources.put(bad, replace(world.resources.get(bad), account="nobody/key"))
    world.clock.advance(2)
    assert sender.run_due(world) == 2
    assert (world.deliveries.get(bad).attempts, world.deliveries.get(good).status) == ((), DELIVERED)
    assert sender.run_due(world) == 0


def test_the_thread_survives_what_goes_wrong(world, sender, listen, promised):
    arrived = threading.Event()
    receiver = listen(lambda handler: arrived.set())
    sender.start()
    for url in (*BAD_URLS, receiver.url):
        promised(url)
    world.clock.advance(2)
    assert arrived.wait(10)


@pytest.mark.parametrize(
    "dripped", [b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000, b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000]
)
def test_a_receiver_that_drips_has_no_more_time_than_one_that_is_silent(
    world, sender, patience, promised, background, dripped
):
    is_over = threading.Event()

    def drip(listening):
        connection = listening.accept()[0]
        with connection, contextlib.suppress(OSError):
            for byte in dripped[:1000]:
                connection.send(bytes([byte]))
                if is_over.wait(0.02):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        background(lambda: drip(listening))
        job = promised(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        world.clock.advance(2)
        sender.run_due(world)
        is_over.set()
    assert world.deliveries.get(job).attempts[0].error == "no answer within 0.3 s"


def test_the_status_counts_however_long_the_body_is(world, sender, promised, background):
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
        sender.run_due(world)
    assert world.deliveries.get(job).status == DELIVERED


def test_a_stop_waits_for_no_receiver_and_leaves_the_delivery_waiting(
    world, sender, hung, promised, background
):
    job = promised(hung.url)
    before = world.deliveries.get(job)
    sender.start()
    world.clock.advance(2)
    waiting = background(lambda: sender.run_due(world))
    assert hung.arrived.wait(10)
    sender.stop()
    waiting.join(10)
    assert (waiting.is_alive(), hung.answered.is_set()) == (False, False)
    assert world.deliveries.get(job) == before


def test_what_an_abandoned_attempt_comes_to_is_not_written_down(world, sender, listen, promised, background):
    arrived, may_answer = threading.Event(), threading.Event()

    def answer(handler):
        arrived.set()
        may_answer.wait(10)

    receiver = listen(answer)
    before = world.deliveries.get(promised(receiver.url))
    world.clock.advance(2)
    background(lambda: sender.run_due(world))
    assert arrived.wait(10)
    sending = [thread for thread in threading.enumerate() if thread.name == "mockserver-webhook"]
    sender.stop()
    may_answer.set()
    for thread in sending:
        thread.join(10)
    assert world.deliveries.get(before.id) == before


def test_a_server_stops_although_a_receiver_hangs(hung):
    with Server(create_engine(STRICT)) as server:
        body = {**CALL, "webhookUrl": hung.url}
        httpx.post(f"{server.url}/v1/generate", json=body, headers=KEYS["thumbapi"]).raise_for_status()
        server.engine.world.clock.advance(2)
        assert hung.arrived.wait(10)
    assert not hung.answered.is_set()


def test_what_is_due_is_sent_at_the_same_time(world, sender, listen, promised):
    everybody = threading.Barrier(8)
    receiver = listen(lambda handler: 200 if everybody.wait(5) < 8 else 500)
    jobs = [promised(receiver.url) for _ in range(8)]
    world.clock.advance(2)
    assert sender.run_due(world) == 8
    assert {world.deliveries.get(job).status for job in jobs} == {DELIVERED}


def test_far_more_than_fits_at_once_is_done_when_the_sender_returns(world, sender, listen, promised):
    def answer(handler):
        return 500 if receiver.paths.count(handler.path) < 3 else 200

    receiver = listen(answer)
    jobs = [promised(f"{receiver.url}/{number}") for number in range(100)]
    world.clock.advance(3600)
    assert sender.run_due(world) == 300
    assert {world.deliveries.get(job).status for job in jobs} == {DELIVERED}


def test_the_thread_sends_on_while_a_receiver_hangs(world, sender, hung, listen, promised):
    arrived = threading.Event()
    receiver = listen(lambda handler: arrived.set())
    sender.start()
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

    answers: list[httpx.Response] = []
    receiver = listen(move)
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
    world, sender, listen, promised
):
    receiver = listen()
    sender.start()
    for _ in range(30):
        job = promised(receiver.url)
        world.clock.advance(2)
        sender.run_due(world)
        assert world.deliveries.get(job).status == DELIVERED


def test_what_a_reset_swept_away_does_not_come_back(world, sender, listen, promised):
    receiver = listen(lambda handler: world.reset())
    promised(receiver.url)
    world.clock.advance(2)
    assert sender.run_due(world) == 1
    assert len(world.deliveries) == 0


def test_an_attempt_from_before_a_reset_says_nothing_of_the_same_job_after_it(
    world, sender, listen, promised
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
    sender.run_due(world)
    assert jobs[0] == jobs[1]
    assert world.deliveries.get(jobs[1]).attempts == ()
    world.clock.advance(2)
    sender.run_due(world)
    assert [each.status for each in world.deliveries.get(jobs[1]).attempts] == [200]


def test_a_webhook_without_its_job_is_dropped(world, sender, listen, promised):
    receiver = listen()
    world.resources.delete(promised(receiver.url))
    world.clock.advance(2)
    sender.run_due(world)
    assert (len(world.deliveries), receiver.paths) == (0, [])
    assert sender.run_due(world) == 0


def test_thousands_of_finished_webhooks_cost_nothing():
    """They are looked through when one of them has changed, and not whenever somebody asks."""

    class Counting(MemoryStore):
        lists = 0

        def list(self, kind, prefix=""):
            self.lists += kind.name == "deliveries"
            return super().list(kind, prefix)

    store = Counting()
    engine = create_engine(STRICT, store=store)
    sender, deliveries = engine.webhooks, engine.world.deliveries
    for number in range(9_999):
        deliveries.put(f"old_{number}", Delivery(f"old_{number}", "a", "u", "s", DELIVERED, None))
    for _ in range(2_000):
        sender.run_due(engine.world)
    assert store.lists == 1
    deliveries.put("old_0", Delivery("old_0", "a", "u", "s", GIVEN_UP, None))
    sender.run_due(engine.world)
    assert store.lists == 2


def test_an_attempt_is_made_by_one_of_two_senders(engine, world, listen, promised, background):
    receiver = listen()
    jobs = [promised(f"{receiver.url}/{number}") for number in range(40)]
    senders = [WebhookSender(engine.readings, engine.worlds) for _ in range(2)]
    world.clock.advance(2)
    counts = []
    threads = [background(lambda each=each: counts.append(each.run_due(world))) for each in senders]
    for thread in threads:
        thread.join(20)
    assert sum(counts) == len(receiver.paths) == 40
    assert {world.deliveries.get(job).attempts for job in jobs} == {
        (Attempt("2027-01-15T08:00:02.000Z", 200),)
    }


def test_the_thread_looks_at_every_world(engine, world, listen, promised):
    arrived = threading.Event()
    receiver = listen(lambda handler: arrived.set() if handler.path == "/second" else None)
    second = create_engine(STRICT).world
    worlds = Worlds(world, lambda: second)
    job = promised(f"{receiver.url}/second")
    second.restore(world.snapshot())
    world.deliveries.delete(job)
    sender = WebhookSender(engine.readings, worlds)
    sender.start()
    assert worlds.find(Request("GET", "/ns/second", {})) is second
    second.clock.advance(2)
    assert arrived.wait(10)
    sender.stop()


def test_a_clock_that_is_set_back_makes_what_was_due_wait_again(world, sender, listen, promised):
    job = promised(listen().url)
    world.clock.set(1_700_000_000)
    assert sender.run_due(world) == 0
    world.clock.set(1_800_000_002)
    assert sender.run_due(world) == 1
    assert world.deliveries.get(job).status == DELIVERED


def test_what_was_due_at_the_last_look_waits_where_the_clock_was_set_back_since(world, promised):
    job, outbox = promised("http://127.0.0.1:9/"), _Outbox(world)
    world.clock.advance(2)
    assert outbox.has_due()
    world.clock.set(1_800_000_001)
    assert outbox.claim() is None
    world.clock.set(1_800_000_002)
    assert [each and each.id for each in (outbox.claim(), outbox.claim())] == [job, None]


def test_what_has_been_due_for_longest_is_sent_first(world, promised):
    jobs = [promised("http://127.0.0.1:9/") for _ in range(3)]
    for job, due_at_s in zip(jobs, (1_800_000_009, 1_800_000_007, 1_800_000_008), strict=True):
        world.deliveries.put(job, replace(world.deliveries.get(job), due_at_s=due_at_s))
    world.clock.advance(9)
    outbox = _Outbox(world)
    claimed = [outbox.claim() for _ in jobs]
    assert [each and each.id for each in claimed] == [jobs[1], jobs[2], jobs[0]]


def test_a_webhook_that_was_tried_waits_on_although_its_job_is_told_another_end(
    world, sender, listen, promised
):
    job = promised(listen(lambda handler: 500).url)
    world.clock.advance(2)
    assert sender.run_due(world) == 1
    waiting = world.deliveries.get(job)
    assert waiting.status == WAITING
    world.clock.advance(0.5)
    changed = world.resources.update(job, lambda known: known.ended("completed", world.clock.now()))
    world.reschedule(changed)
    assert world.deliveries.get(job) == waiting


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 404, 500])
def test_only_200_counts_and_no_redirect_is_followed(world, sender, listen, promised, status):
    receiver = listen(lambda handler: status)
    job = promised(f"{receiver.url}/here")
    world.clock.advance(3600)
    assert sender.run_due(world) == 4
    assert world.deliveries.get(job).status == GIVEN_UP
    assert [each.status for each in world.deliveries.get(job).attempts] == [status] * 4
    assert set(receiver.paths) == {"/here"}


def test_the_next_attempt_waits_for_the_pause_and_for_as_long_as_the_attempt_took(
    world, sender, listen, promised
):
    receiver = listen(lambda handler: world.clock.advance(5) or 500)
    job = promised(receiver.url)
    world.clock.advance(2)
    sender.run_due(world)
    shown = world.deliveries.get(job)
    assert [each.at[11:19] for each in shown.attempts] == ["08:00:02"]
    assert shown.due_at_s == 1_800_000_002 + 5 + 1


def test_no_proxy_of_the_environment_stands_between(world, sender, listen, promised, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    job = promised(listen().url)
    world.clock.advance(2)
    sender.run_due(world)
    assert world.deliveries.get(job).status == DELIVERED


OWN_NAMES = [
    "http://127.0.0.1", "http://localhost", "http://LOCALHOST", "http://127.9.9.9", "http://0.0.0.0", "http://[::1]",
    "http://[::]", "http://[::ffff:127.0.0.1]", "http://mock.localhost", "https://127.0.0.1", "http://user@127.0.0.1",
]  # fmt: skip


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "localhost"])
def running(engine, request):
    """Serve the engine, whose clock stands."""
    engine.world.clock.set(1_800_000_000, is_frozen=True)
    with Server(engine, host=request.param) as server:
        yield server


def tried(engine, promised, url):
    """Let a webhook become due; give what became of it."""
    job = promised(url)
    engine.world.clock.advance(10)
    engine.webhooks.run_due(engine.world)
    delivery = engine.world.deliveries.get(job)
    return delivery.status, delivery.attempts[0].error


def test_this_very_server_is_never_called(engine, running, promised, heard):
    for name in OWN_NAMES:
        status, error = tried(engine, promised, f"{name}:{running.address.port}/v1/generate")
        assert (status, error) == ("blocked", OWN), name
    running.settle()
    assert [each.request.path for each in heard if each.request.peer or each.operation is None] == []


def test_nor_by_a_name_that_leads_to_it(engine, promised, heard):
    names = ("127.1", "2130706433", "0x7f.1")  # which are 127.0.0.1 to whoever looks them up
    engine.webhooks = WebhookSender(engine.readings, engine.worlds, Settings(webhook_hosts=frozenset(names)))
    with Server(engine) as server:
        for name in names:
            url = f"http://{name}:{server.address.port}/v1/generate"
            assert tried(engine, promised, url) == ("blocked", OWN)
    assert [each for each in heard if each.request.path == "/v1/generate" and each.request.peer] == []


def test_nor_by_its_public_address(engine, promised):
    settings = Settings(
        public_url="https://mock.example/base",
        public_urls={"thumbapi": "http://one.example"},
        webhook_hosts=frozenset({"mock.example", "one.example"}),
    )
    engine.webhooks = WebhookSender(engine.readings, engine.worlds, settings)
    for url in ("https://mock.example/x", "https://MOCK.example:443/", "http://one.example:80/x"):
        assert tried(engine, promised, url) == ("blocked", OWN)


def test_a_receiver_at_another_port_of_this_machine_is_called(engine, running, listen, promised):
    receiver = listen()
    assert tried(engine, promised, f"{receiver.url}/here") == ("delivered", None)
