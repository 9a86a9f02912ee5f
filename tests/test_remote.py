"""A mock on a server that runs already: a namespace of its own, where it does what others do."""

import asyncio
import math
import operator
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import requests

from mockserver import (
    ContractWarning,
    MockServer,
    NeedsProcessError,
    Server,
    Settings,
    SharedServer,
    Start,
    create_engine,
)
from mockserver.testing.pages import NoAnswerError, PageError, read_place
from mockserver.tls.authority import Authority
from mockserver.verdict.refusals import told

SCORE = {"image_url": "https://example.com/a.png"}
TEXT = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
SCORED, WRITTEN = "pikzels.post_v2_thumbnail_score", "pikzels.post_v2_thumbnail_text"


@pytest.fixture(scope="module")
def server():
    with Server(create_engine()) as server:
        yield server


@pytest.fixture(scope="module")
def shared(server):
    shared = SharedServer(server.url)
    yield shared
    shared.close()


@pytest.fixture
def mock(shared):
    with MockServer(at=shared, name="test") as mock:
        mock.reset(Start())
        yield mock


def ask(mock, path="/v2/thumbnail/score", body=SCORE, **more):
    api = mock.pikzels
    return httpx.post(api.url + path, json=body, headers=api.headers, **more)


def names(server):
    return [each["name"] for each in httpx.get(f"{server.url}/__admin/namespaces").json()["namespaces"]]


class TestItsNamespace:
    def test_is_made_for_it_and_forgotten_with_it(self, server, shared):
        with MockServer(at=shared, name="tests/test_a.py::test_é[1]") as mock:
            assert mock.url.startswith(f"{server.url}/ns/")
            assert [name for name in names(server) if name.endswith("-tests-test_a.py-test_-1")] == [
                mock.url.rpartition("/")[2]
            ]
        assert mock.url.rpartition("/")[2] not in names(server)
        mock.stop()  # which has nothing to forget any more

    def test_is_nobody_elses(self, shared, mock):
        with MockServer(at=shared) as other:
            ask(other)
            ask(other, "/v2/pikzonality/style", {"name": "Mine", "image_urls": [SCORE["image_url"]] * 3})
            assert (len(mock.calls()), len(other.calls())) == (0, 2)
            other.clock.freeze("2026-03-01T12:00:00Z")
            assert mock.clock.now() != other.clock.now()

    def test_answers_as_any_other_does(self, shared, mock):
        with MockServer(at=shared) as other:
            answers = [ask(each, "/v2/thumbnail/score").json() for each in (mock, other)]
        assert answers[0] == answers[1]

    def test_hands_out_links_that_lead_back_into_it(self, mock):
        link = ask(mock, "/v2/thumbnail/text", TEXT).json()["output"]
        assert link.startswith(f"{mock.url}/cdn/pikzels/")
        assert httpx.get(link).content.startswith(b"\x89PNG")


class TestWhatATestDoes:
    def test_it_begins_as_it_is_told(self, mock):
        accounts = {"pikzels": {"pkz_test": {"credits": 0.1}}}
        assume = {"pikzels.multi_line_prompts": "accepted"}
        start = Start(7, ["credits"], accounts, "plain", "2026-03-01T12:00:00Z", "flaky", assume)
        mock.reset(start)
        assert mock.clock.now() == 1772366400
        seen = [ask(mock, "/v2/title/text", {"prompt": "a\nb"}).status_code for _ in range(20)]
        assert set(seen) > {200, 402}
        mock.reset()
        assert [ask(mock, "/v2/title/text", {"prompt": "a\nb"}).status_code for _ in range(20)] == seen

    @pytest.mark.parametrize(
        "start",
        [
            Start(clock="tomorrow"),
            Start(scenario="flakey"),
            Start(assume={"pikzels.nothing": "accepted"}),
            Start(assume="each"),
            Start(accounts={"pikzels": {"pkz_test": {"plan": "gold"}}}),
            Start(strict="harsh"),
            Start(expect=["NO_SUCH_ERROR"]),
        ],
    )
    def test_it_begins_in_no_way_that_there_is_not(self, mock, start):
        with pytest.raises(ValueError, match=r"\w"):
            mock.reset(start)

    def test_its_pictures_are_as_it_wants_them(self, mock):
        plain = httpx.get(ask(mock, "/v2/thumbnail/text", TEXT).json()["output"]).content
        mock.reset(Start(pictures="poster"))
        poster = httpx.get(ask(mock, "/v2/thumbnail/text", TEXT).json()["output"]).content
        assert len(poster) > 2 * len(plain)

    def test_time_moves_at_once(self, mock):
        link = ask(mock, "/v2/thumbnail/text", TEXT).json()["output"]
        mock.clock.freeze()
        now_s = mock.clock.now()
        mock.clock.advance("PT24H")
        mock.sleep(2)
        assert mock.clock.now() == pytest.approx(now_s + 86_402)
        assert httpx.get(link).status_code == 404
        mock.clock.resume()
        mock.clock.freeze(at=1000)
        assert mock.clock.now() == 1000

    def test_sleep_can_be_awaited(self, mock):
        mock.clock.freeze()
        now_s = mock.clock.now()
        assert asyncio.run(mock.sleep(5, "slept")) == "slept"
        assert mock.clock.now() == pytest.approx(now_s + 5)

    def test_faults_are_ordered_and_those_left_can_be_seen(self, mock):
        mock.fail("pikzels.*", ["TOO_MANY_REQUESTS", {"status": 503, "body": "closed"}, "HANG"])
        assert [ask(mock).status_code, ask(mock).status_code] == [429, 503]
        assert [(each["operation"], each["left"]) for each in mock.unused_faults()] == [("pikzels.*", 1)]
        with pytest.raises(ValueError, match="did you mean"):
            mock.fail("pikzels.*", ["ok", "TOO_MANY_REQUEST"])
        assert len(mock.unused_faults()) == 1

    def test_a_scenario_is_loaded_by_name_or_file(self, mock, tmp_path):
        mock.load_scenario("out-of-credits")
        assert ask(mock).status_code == 402
        file = tmp_path / "mine.yaml"
        file.write_text("description: mine\nfaults: [{operation: '*', error: rate_limited}]\n", "utf-8")
        mock.load_scenario(file)
        assert ask(mock).status_code == 429

    def test_what_calls_would_have_cost_is_told(self, mock):
        ask(mock, "/v2/title/text", {"prompt": "Islands"})
        assert (mock.spent["pikzels"], str(mock.spent)) == (0.08, "0.08 USD at pikzels")

    def test_what_was_met_is_told(self, mock):
        ask(mock)
        assert mock.measured().was_called(SCORED)
        assert mock.measured(has_coverage=False).entries == {}

    def test_providers_are_found_by_their_names(self, mock):
        assert mock.provider("pikzels") == mock.pikzels
        assert mock.pikzels.env()["PIKZELS_BASE_URL"] == f"{mock.url}/pikzels"
        with pytest.raises(LookupError, match="there is no provider 'pixels'"):
            mock.provider("pixels")
        with pytest.raises(AttributeError):
            _ = mock.pixels


class TestItsCalls:
    def test_are_told_as_a_mock_in_the_process_tells_them(self, mock):
        own = MockServer()
        with own:
            for each in (own, mock):
                ask(each, "/v2/thumbnail/score?a=b%20c", {"image_ur": 1})
            (here,), (there,) = own.calls(), mock.calls()
        assert math.isnan(there.duration_s)
        for name in ("operation", "account", "status", "error", "ordered", "charge"):
            assert getattr(here, name) == getattr(there, name)
        assert list(map(told, here.violations)) == list(map(told, there.violations))
        assert (here.request.path, here.request.query, here.request.body) == (
            there.request.path,
            there.request.query,
            there.request.body,
        )
        assert there.request.url == f"{mock.url}/pikzels/v2/thumbnail/score?a=b%20c"
        assert here.response
        assert there.response
        assert here.response.body == there.response.body

    def test_can_be_filtered(self, mock):
        ask(mock)
        ask(mock, body={})
        assert [each.status for each in mock.calls("pikzels.*", status=400, account="pkz_test")] == [400]
        with pytest.raises(LookupError, match="there is no operation"):
            mock.calls("pikzels.nothing")

    def test_can_be_asserted(self, mock):
        mock.assert_not_called()
        ask(mock)
        mock.assert_called(SCORED, n=1, json=SCORE, headers={"x-api-key": "pkz_test"}, account="pkz_test")
        assert mock.assert_called_once_with(SCORED, status=200).status == 200
        assert len(mock.assert_sequence([(SCORED, 200)])) == 1
        mock.assert_not_called(WRITTEN)

    def test_that_were_others_are_told_with_what_differs(self, mock):
        ask(mock)
        with pytest.raises(AssertionError, match=r"/json/image_url: expected .*b.png.*, sent .*a.png"):
            mock.assert_called_once_with(SCORED, json={"image_url": "https://example.com/b.png"})
        with pytest.raises(AssertionError, match="expected no call, there was 1"):
            mock.assert_not_called(SCORED)
        with pytest.raises(AssertionError, match="in this order"):
            mock.assert_sequence([WRITTEN])
        with pytest.raises(LookupError, match="there is no operation"):
            mock.assert_called("pikzels.nothing")

    def test_are_waited_for(self, mock):
        ask(mock)
        assert len(mock.wait_for(SCORED)) == 1
        with pytest.raises(AssertionError, match=r"expected 2 calls within 0.05 s, there was 1"):
            mock.wait_for(SCORED, n=2, timeout=0.05)

    def test_are_waited_for_in_an_event_loop(self, mock):
        async def both():
            async def call():
                await asyncio.to_thread(ask, mock)

            task = asyncio.create_task(call())
            found = await mock.wait_for(SCORED)
            await task
            return found

        assert len(asyncio.run(both())) == 1


class TestTheVerdict:
    def test_reads_as_that_of_a_mock_in_the_process(self, mock):
        with MockServer() as own:
            for each in (own, mock):
                ask(each, body={"image_ur": 1})
                httpx.get(f"{each.pikzels.url}/v2/nowhere")
                each.fail("download", "HANG")
            here, there = own.verdict(), mock.verdict()
        assert [each.part for each in here.findings] == [each.part for each in there.findings]
        shown = [[list(map(told, each.violations)) for each in of.findings] for of in (here, there)]
        assert shown[0] == shown[1]
        assert here.strictness == there.strictness
        assert f"curl -X POST {mock.pikzels.url}/v2/thumbnail/score" in str(there)

    def test_is_as_strict_as_the_world_began(self, mock):
        mock.reset(Start(strict="warn"))
        ask(mock, body={})
        with pytest.warns(ContractWarning, match="VALIDATION_ERROR"):
            mock.assert_contract()
        mock.reset(Start(strict="off"))
        ask(mock, body={})
        mock.assert_contract()

    def test_leaves_out_refusals_that_a_block_declares(self, mock):
        ask(mock)
        with mock.expect_refusal("VALIDATION_ERROR", field="image_url", status=400) as refused:
            ask(mock, body={})
        assert [each.status for each in refused.calls] == [400]
        mock.assert_contract()

    def test_fails_a_block_that_declares_what_does_not_come(self, mock):
        ask(mock, body={})
        with pytest.raises(AssertionError, match="expected the refusal VALIDATION_ERROR; instead"):  # noqa: SIM117
            with mock.expect_refusal("VALIDATION_ERROR"):
                ask(mock)
        with pytest.raises(ValueError, match="there is no error"):
            mock.expect_refusal("NO_SUCH_ERROR")

    def test_leaves_out_refusals_that_a_world_begins_with(self, mock):
        mock.reset(Start(expect=["VALIDATION_ERROR", {"status": 401}]))
        ask(mock, body={})
        assert [each.summary.partition(";")[0] for each in mock.verdict().errors] == [
            "expected the refusal of any kind (status 401)"
        ]

    def test_forgets_nothing_in_a_reset_while_a_test_runs(self, mock):
        mock.reset(Start(expect=["VALIDATION_ERROR"]))
        with mock.judge.sitting("test_a.py", ()):
            ask(mock, body={})
            httpx.get(f"{mock.pikzels.url}/v2/nowhere")
            mock.fail("download", "HANG")
            with mock.expect_refusal("MISSING_API_KEY") as refused:
                httpx.get(f"{mock.pikzels.url}/v2/pikzonality/1")
                mock.reset()
            ask(mock, body={})
            httpx.get(f"{mock.pikzels.url}/v2/nowhere")
            verdict = mock.verdict()
        assert [(each.part, each.times) for each in verdict.findings] == [("unmatched", 2)]
        assert len(refused.calls) == 1


class TestIntercepting:
    @pytest.mark.parametrize("post", [httpx.post, requests.post])
    def test_leads_calls_to_real_hosts_into_the_namespace(self, mock, post):
        with mock.intercept():
            answer = post(
                "https://api.pikzels.com/v2/thumbnail/text", json=TEXT, headers={"x-api-key": "pkz_test"}
            )
            link = answer.json()["output"]
            assert link.startswith("https://api.pikzels.com/cdn/pikzels/")
            assert requests.get(link, timeout=10).content == httpx.get(link).content
        assert [each.operation for each in mock.calls()] == [WRITTEN, "download", "download"]

    def test_leads_calls_without_tls_and_asynchronous_ones_there_too(self, mock):
        async def call():
            async with httpx.AsyncClient(headers={"x-api-key": "pkz_test"}) as client:
                for scheme in ("http", "https"):
                    yield (await client.post(f"{scheme}://api.pikzels.com/v2/thumbnail/score", json=SCORE))

        async def calls():
            return [each.status_code async for each in call()]

        with mock.intercept():
            assert asyncio.run(calls()) == [200, 200]
            assert requests.get("http://api.pikzels.com/v2/nowhere", timeout=10).status_code == 404
        assert len(mock.calls()) == 3


@pytest.mark.parametrize("what", ["engine", "httpx_transport", "requests_adapter"])
def test_what_needs_the_mock_in_the_process_says_so_and_names_the_way_out(mock, what):
    told = rf"{what} needs a mock in this process.*MOCKSERVER_URL"
    with pytest.raises(NeedsProcessError, match=told):
        operator.methodcaller(what)(mock)


class TestTheServer:
    def test_answers_with_its_token_alone(self):
        with Server(create_engine(Settings(admin_token="secret"))) as server:
            with MockServer(at=SharedServer(server.url, "secret")) as mock:
                assert ask(mock).status_code == 200
                mock.assert_called(SCORED)
            for token in (None, "other"):
                with pytest.raises(
                    NoAnswerError, match=r"refuses: this server was started with --admin-token"
                ):
                    MockServer(at=SharedServer(server.url, token))

    def test_can_speak_https_by_the_authority_of_this_machine(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MOCKSERVER_CA_DIR", str(tmp_path))
        authority = Authority(tmp_path)
        trusting = ssl.create_default_context(cafile=str(authority.certificate))
        with Server(create_engine(), tls=authority.server_context(["localhost"])) as server:
            shared = SharedServer(f"https://localhost:{server.address.port}")
            mock = MockServer(at=shared)
            assert ask(mock, verify=trusting).status_code == 200
            mock.assert_called(SCORED)
            with pytest.raises(NeedsProcessError, match="intercept"):
                mock.intercept()
            shared.close()

    def test_that_is_not_there_is_told_with_its_url(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(
            NoAnswerError, match=rf"no mockserver answers at http://127.0.0.1:{port}: .*refused"
        ):
            MockServer(at=SharedServer(f"http://127.0.0.1:{port}"))

    def test_that_is_none_of_ours_is_told(self, server):
        url = f"{server.url}/cdn/nothing"
        with pytest.raises(NoAnswerError, match=r"refuses: .* was never handed out"):
            MockServer(at=SharedServer(url))

    @pytest.mark.parametrize(
        ("status", "kind", "body"),
        [
            (200, "text/html", b"<h1>Welcome</h1>"),
            (200, "application/json", b'{"status": "ok"}'),
            (200, "application/json", b"[]"),
            (200, "application/json", b"{"),
            (302, "text/html", b"over there"),
            (404, "application/json", b'"nothing"'),
            (401, "application/json", b'{"error": "Who are you?"}'),
        ],
    )
    def test_that_is_somebody_elses_is_told_and_sees_neither_token_nor_key(self, status, kind, body):
        seen = []

        class Stranger(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, dict(self.headers)))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as stranger:
            threading.Thread(target=stranger.serve_forever, args=(0.01,)).start()
            url = f"http://127.0.0.1:{stranger.server_port}"
            with pytest.raises(NoAnswerError, match=rf"{url} is no mockserver"):
                MockServer(at=SharedServer(url, "secret"))
            stranger.shutdown()
        ((path, headers),) = seen
        assert path == "/__admin/health"
        assert headers.keys() <= {"Host", "Accept-Encoding"}

    @pytest.mark.parametrize("url", ["https://api.pikzels.com", "http://API.thumbapi.dev:8080/mock"])
    def test_is_never_a_provider(self, url):
        with pytest.raises(ValueError, match="is a provider's real host"):
            SharedServer(url)

    @pytest.mark.parametrize(
        "url", ["", "localhost:8080", "ftp://a", "http://", "http://a:b", "http://a/?b", "http://u:p@a"]
    )
    def test_has_a_url_of_a_server(self, url):
        with pytest.raises(ValueError, match="is no URL of a server; write http://HOST:PORT"):
            read_place(url)

    def test_is_no_namespace_of_one(self):
        with pytest.raises(ValueError, match=r"is the namespace alice .*; write http://a:8080/mock$"):
            SharedServer("http://a:8080/mock/ns/alice/")

    def test_that_closes_a_connection_is_called_anew(self, shared, mock):
        ask(mock)
        pages = shared._pages
        assert pages is not None
        pages._connection.sock.shutdown(socket.SHUT_RDWR)
        assert len(mock.calls()) == 1

    def test_of_another_version_is_told(self, shared):
        ours = len(shared.catalog.providers["pikzels"].operations)
        assert shared._differences({"version": "0.0.1", "operations": {"pikzels": 1}})[1:] == [
            f"the server at {shared.url} does not serve fatthumb",
            f"the server at {shared.url} knows 1 operations of pikzels, this one {ours}",
            f"the server at {shared.url} does not serve thumbapi",
        ]

    def test_refuses_in_its_words(self, mock):
        with pytest.raises(PageError, match="there is no") as refused:
            mock._control._pages.ask("POST", "/nothing")
        assert refused.value.status == 404


def test_a_call_is_known_as_soon_as_it_is_answered(mock):
    for number in range(1, 51):
        ask(mock)
        assert len(mock.calls(SCORED)) == number


def test_aiohttp_is_led_there_too(mock):
    aiohttp = pytest.importorskip("aiohttp")

    async def statuses():
        async with aiohttp.ClientSession(headers={"x-api-key": "pkz_test"}) as session:
            for scheme in ("http", "https"):
                async with session.post(
                    f"{scheme}://api.pikzels.com/v2/thumbnail/score", json=SCORE
                ) as answer:
                    yield answer.status

    async def collected():
        return [each async for each in statuses()]

    with mock.intercept():
        assert asyncio.run(collected()) == [200, 200]
    assert len(mock.calls(SCORED)) == 2
