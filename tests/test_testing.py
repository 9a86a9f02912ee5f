"""`MockServer`: a mock in the hands of a test, without pytest."""

import asyncio
import contextlib
import socket
import threading

import httpx
import pytest

import mockserver
from mockserver import MockServer, Start
from mockserver.serving import THREAD

SCORE = {"image_url": "https://example.com/a.png"}


@pytest.fixture(scope="module")
def mock():
    with MockServer() as running:
        yield running


def test_a_provider_tells_a_client_where_to_call_and_with_which_key(mock):
    pikzels = mock.pikzels
    answer = httpx.post(f"{pikzels.url}/v2/thumbnail/score", json=SCORE, headers=pikzels.headers)
    assert answer.status_code == 200
    assert pikzels.env() == {"PIKZELS_BASE_URL": pikzels.url, "PIKZELS_API_KEY": "pkz_test"}
    assert mock.fatthumb.headers == {"Authorization": "Bearer nsk_test"}


def test_an_unknown_provider_is_told_with_those_there_are(mock):
    with pytest.raises(AttributeError, match="there is no provider 'pikzel'; there are fatthumb, pikzels"):
        mock.pikzel  # noqa: B018


def test_time_moves_and_nothing_waits(mock):
    mock.clock.freeze("2026-03-01T12:00:00Z")
    before = mock.clock.now()
    mock.clock.advance("PT24H")
    mock.sleep(30)
    asyncio.run(_sleep(mock))
    assert mock.clock.now() - before == 24 * 3600 + 60
    mock.reset()


async def _sleep(mock):
    await mock.sleep(30)


def test_a_sleeper_in_asyncio_leaves_the_others_their_turn(mock):
    async def poll():
        work = asyncio.create_task(asyncio.sleep(0, "done"))
        for _ in range(3):
            if not work.done():
                await mock.sleep(1)
        return work.done()

    assert asyncio.run(poll())
    mock.reset()


def test_it_can_be_all_that_asyncios_own_sleep_can_be(mock, monkeypatch):
    monkeypatch.setattr(asyncio, "sleep", mock.sleep)

    async def use():
        task = asyncio.create_task(asyncio.sleep(5, "slept"))
        return await asyncio.gather(task, asyncio.sleep(0, "x"), asyncio.wait_for(asyncio.sleep(1, "y"), 10))

    mock.clock.freeze("2026-03-01T12:00:00Z")
    assert (asyncio.run(use()), mock.clock.now()) == (["slept", "x", "y"], 1772366406)
    assert asyncio.run(asyncio.sleep(3600, "alone")) == "alone"
    mock.reset()


def test_a_task_that_sleeps_can_be_cancelled(mock):
    async def use():
        task = asyncio.create_task(mock.sleep(5))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(use())
    mock.reset()


def test_a_server_whose_asyncio_sleeps_by_the_mock_does_not_move_its_clock(mock, monkeypatch):
    monkeypatch.setattr(asyncio, "sleep", mock.sleep)
    mock.clock.freeze("2026-03-01T12:00:00Z")
    tick = threading.Thread(target=lambda: asyncio.run(_tick()), name=THREAD)
    tick.start()
    tick.join(10)
    assert (tick.is_alive(), mock.clock.now()) == (False, 1772366400)
    mock.reset(Start())


async def _tick():
    await asyncio.sleep(0.001)


def test_a_test_begins_with_what_it_asks_for_until_it_asks_for_something_else(mock):
    mock.reset(Start(seed=7, clock="2026-03-01T12:00:00Z", enforce=["credits"]))
    first = httpx.post(f"{mock.pikzels.url}/v2/thumbnail/score", json=SCORE, headers=mock.pikzels.headers)
    mock.clock.advance("PT1H")
    mock.reset()
    again = httpx.post(f"{mock.pikzels.url}/v2/thumbnail/score", json=SCORE, headers=mock.pikzels.headers)
    assert (again.content, mock.clock.now()) == (first.content, 1772366400)
    mock.reset(Start())
    assert (mock.engine.world.seed, mock.engine.world.clock.is_frozen) == (0, False)


def test_a_start_that_cannot_be_is_refused(mock):
    accounts = {"pikzels": {"pkz_test": {"plan": "gold"}}}
    with pytest.raises(ValueError, match="accounts: pikzels: pkz_test: plan"):
        mock.reset(Start(accounts=accounts))
    mock.reset(Start())


def test_it_stops_although_callers_keep_connections_open_and_wait():
    waiting = threading.Event()
    mock = MockServer().start()

    def wait():
        waiting.set()
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"{mock.pikzels.url}/v2/thumbnail/score", json=SCORE, headers=headers, timeout=300)

    headers = {**mock.pikzels.headers, "Prefer": "delay=200000"}
    caller, stopping = threading.Thread(target=wait), threading.Thread(target=mock.stop)
    with httpx.Client(base_url=mock.url) as idle, socket.create_connection(_address(mock)) as silent:
        assert idle.get("/__admin/health").status_code == 200
        silent.send(b"POST /v2/thumbnail/score HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        caller.start()
        waiting.wait(10)
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive()
        caller.join(10)
        assert not caller.is_alive()


def _address(mock):
    host, _, port = mock.url.removeprefix("http://").partition(":")
    return host, int(port)


@pytest.mark.parametrize(
    "move",
    [lambda clock: clock.freeze("2026-03-01T12:00:02Z"), lambda clock: clock.advance("PT2S")],
    ids=["freeze", "advance"],
)
def test_what_becomes_due_by_moving_the_clock_is_sent_before_that_returns(move):
    mock = MockServer()  # without a socket, nothing but the clock sends
    mock.clock.freeze("2026-03-01T12:00:00Z")
    api, call = (
        mock.thumbapi,
        {"title": "An island", "format": "youtube", "webhookUrl": "http://127.0.0.1:9/"},
    )
    with httpx.Client(transport=mock.httpx_transport(), base_url=mock.url, headers=api.headers) as client:
        client.put("/__admin/accounts/thumbapi/tb_test", json={"plan": "business"}).raise_for_status()
        client.post("/v1/generate", json=call).raise_for_status()
        assert client.get("/__admin/webhooks").json()["webhooks"][0]["attempts"] == []
        move(mock.clock)
        assert len(client.get("/__admin/webhooks").json()["webhooks"][0]["attempts"]) == 1


def test_it_may_be_started_again_and_sends_webhooks_as_before():
    mock = MockServer()
    for _ in range(2):
        with mock:
            assert httpx.get(f"{mock.url}/__admin/health").status_code == 200
            assert not mock.engine.webhooks._is_over.is_set()
    mock.stop()  # does nothing where nothing listens


@pytest.mark.parametrize("name", mockserver.__all__)
def test_every_public_name_has_an_example(name):
    assert ">>> " in getattr(mockserver, name).__doc__
    assert name in dir(mockserver)


def test_the_package_gives_no_other_name():
    name = "MockServers"
    with pytest.raises(AttributeError, match="module 'mockserver' has no attribute 'MockServers'"):
        getattr(mockserver, name)


def test_it_runs_in_an_async_test_and_frees_its_port():
    async def use():
        async with MockServer() as mock, httpx.AsyncClient() as client:
            server = mock._control.server  # type: ignore[attr-defined] # it is in this process
            assert server is not None
            return server, (await client.get(f"{mock.url}/__admin/health")).status_code

    server, status = asyncio.run(use())
    # Its own socket is asked: another test may listen on that port by now.
    assert (status, [each.fileno() for each in server._sockets]) == (200, [-1])


def test_a_fault_is_ordered_in_one_line_and_what_is_left_can_be_seen(mock):
    mock.fail("pikzels.*", ["TOO_MANY_REQUESTS", {"status": 503, "body": "closed"}, "ok"])
    pikzels = mock.pikzels
    answers = [httpx.post(f"{pikzels.url}/v2/thumbnail/score", json=SCORE, headers=pikzels.headers)]
    assert ([each.status_code for each in answers], len(mock.unused_faults())) == ([429], 1)
    mock.load_scenario("maintenance")
    assert mock.unused_faults() == []
    mock.reset()


def test_a_misspelt_fault_is_told_with_the_nearest(mock):
    with pytest.raises(ValueError, match=r"did you mean TOO_MANY_REQUESTS\?"):
        mock.fail("pikzels.*", "TOO_MANY_REQUEST")
