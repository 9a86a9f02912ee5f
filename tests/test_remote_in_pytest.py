"""Runs of pytest on a server that runs already: `mockserver_url` or MOCKSERVER_URL."""

import json
import socket

import httpx
import pytest
from conftest import PLUGIN
from test_new_provider import write

import mockserver.imaging.rendering
import mockserver.testing.coverage_plugin
import mockserver.testing.shared_plugin  # noqa: F401 - as in test_pytest_plugin.py
from mockserver import Server, Settings, create_engine

pytest_plugins = ["pytester"]

PRELUDE = """
import httpx, pytest, requests

SCORE = {"image_url": "https://example.com/a.png"}
STYLE = {"name": "Creator Studio", "image_urls": ["https://example.com/1.png"] * 3}

def ask(mock, path="/v2/thumbnail/score", body=SCORE):
    return httpx.post(mock.pikzels.url + path, json=body, headers=mock.pikzels.headers)
"""
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")
ONE = "def test_it(mockserver): assert ask(mockserver).is_success"


@pytest.fixture(scope="module")
def server():
    with Server(create_engine()) as server:
        yield server


@pytest.fixture
def run(pytester, server, monkeypatch):
    """Run a test file in this process on the shared server, and see that nothing is left there."""
    monkeypatch.setenv("MOCKSERVER_URL", server.url)

    def run_file(text, *options, ini=""):
        pytester.makeini(f"[pytest]\n{ini}")
        pytester.makepyfile(PRELUDE + text)
        done = pytester.runpytest_inprocess(*PLUGIN, *QUIET, *options)
        assert httpx.get(f"{server.url}/__admin/namespaces").json() == {"namespaces": []}
        return done

    return run_file


@pytest.fixture
def nowhere():
    """Give a URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_each_test_has_a_namespace_of_its_own_in_which_nothing_has_happened(run, server):
    text = f"""
seen = set()

@pytest.mark.parametrize("time", range(3))
def test_it(mockserver, time):
    assert mockserver.url.startswith("{server.url}/ns/")
    assert mockserver.url.endswith(f"test_it-{{time}}")
    assert mockserver.url not in seen
    seen.add(mockserver.url)
    assert ask(mockserver, "/v2/pikzonality/style", STYLE).is_success
    mockserver.assert_called_once_with("pikzels.post_v2_pikzonality_style", json=STYLE)
"""
    run(text).assert_outcomes(passed=3)


def test_markers_and_settings_say_how_it_begins(run):
    text = """
def test_what_the_ini_file_says(mockserver):
    assert mockserver.clock.now() == 1772366400
    assert {ask(mockserver).status_code for _ in range(20)} > {200}

BROKE = {"pikzels": {"pkz_test": {"credits": 0}}}

@pytest.mark.mockserver(enforce=["credits"], accounts=BROKE, scenario=None)
def test_what_the_marker_says(mockserver):
    assert ask(mockserver).status_code == 402
"""
    ini = ("clock = 2026-03-01T12:00:00Z", "scenario = flaky", "strict = unused_faults=off")
    run(text, ini="\n".join(f"mockserver_{each}" for each in ini)).assert_outcomes(passed=2)


def test_a_test_fails_for_what_its_calls_did_against_the_contract(run):
    text = """
def test_wrong(mockserver):
    ask(mockserver, body={"image_ur": 1})
    mockserver.reset()

def test_meant(mockserver):
    with mockserver.expect_refusal("VALIDATION_ERROR"):
        ask(mockserver, body={})

@pytest.mark.mockserver(expect=["VALIDATION_ERROR"])
def test_declared(mockserver):
    ask(mockserver, body={})

@pytest.mark.mockserver(strict="off")
def test_left_alone(mockserver):
    ask(mockserver, body={})
"""
    done = run(text)
    done.assert_outcomes(passed=4, errors=1)
    done.stdout.fnmatch_lines(
        [
            "mockserver: against the contract (refusals):",
            "1. refusals: req-* POST /pikzels/v2/thumbnail/score → 400 VALIDATION_ERROR (*)",
            "   curl -X POST http://127.0.0.1:*/ns/*/pikzels/v2/thumbnail/score *",
        ]
    )


def test_the_mock_of_the_session_is_that_of_the_tests_that_ask_for_it(run):
    text = """
@pytest.fixture(scope="session")
def client(mockserver_session):
    api = mockserver_session.pikzels
    with httpx.Client(base_url=api.url, headers=api.headers) as client:
        yield client

@pytest.mark.parametrize("time", range(2))
def test_with_it(client, mockserver, time):
    assert client.post("/v2/pikzonality/style", json=STYLE).is_success
    assert len(mockserver.calls()) == 1

def test_without_it(mockserver):
    assert mockserver.calls() == []
"""
    run(text).assert_outcomes(passed=3)


def test_calls_to_real_hosts_are_led_there(run):
    text = """
@pytest.mark.parametrize("get", [httpx.get, requests.get])
def test_it(mockserver, get):
    mockserver.expect_refusal
    with mockserver.expect_refusal("MISSING_API_KEY"):
        assert get("https://api.pikzels.com/v2/pikzonality/1").status_code == 401
"""
    run(text, ini="mockserver_intercept = true").assert_outcomes(passed=2)


def test_calls_to_real_hosts_are_stopped(run):
    text = """
from mockserver import RealProviderCallBlocked

def test_it(mockserver):
    with pytest.raises(RealProviderCallBlocked):
        httpx.get("https://api.pikzels.com/v2/pikzonality/1")
"""
    run(text).assert_outcomes(passed=1)


def test_a_test_runs_under_each_reading(run):
    text = """
@pytest.mark.mockserver(assume=["pikzels.rename"], strict="off")
def test_it(mockserver):
    id_ = ask(mockserver, "/v2/pikzonality/style", STYLE).json()["id"]
    api = mockserver.pikzels
    renamed = httpx.patch(f"{api.url}/v2/pikzonality/{id_}", json={"name": "Other"}, headers=api.headers)
    print("status", renamed.status_code)
"""
    done = run(text, "-s")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines_random(["*status 400*", "*status 200*"])


def test_a_unittest_class_finds_its_own(run):
    text = """
import unittest

@pytest.mark.usefixtures("mockserver")
class TestIt(unittest.TestCase):
    def test_a(self): assert "/ns/" in self.mockserver.url and ask(self.mockserver).is_success
"""
    run(text).assert_outcomes(passed=1)


def test_coverage_and_cost_of_all_namespaces_are_added_up(run, pytester):
    text = """
def test_one(mockserver): ask(mockserver)
def test_two(mockserver_session, mockserver): ask(mockserver)
def test_three(mockserver): ask(mockserver, "/v2/title/text", {"prompt": "Islands"})
"""
    done = run(text, "--mockserver-cov", "--mockserver-cov-report=cov.json", "--mockserver-max-cost=0.1")
    done.stdout.fnmatch_lines(
        [
            "*mockserver: contract coverage*",
            "mockserver: would have cost 0.14 USD at pikzels *",
            "mockserver: the run would have cost 0.14 USD, more than 0.10 USD",
        ]
    )
    said = json.loads((pytester.path / "cov.json").read_text("utf-8"))
    met = {name for name, each in said["operations"].items() if each.get("operations", {}).get("met")}
    assert met == {"pikzels.post_v2_thumbnail_score", "pikzels.post_v2_title_text"}
    assert done.ret == pytest.ExitCode.TESTS_FAILED


def test_cost_is_told_without_coverage(run):
    run(ONE).stdout.fnmatch_lines(["mockserver: would have cost 0.03 USD at pikzels *"])


def test_what_needs_a_mock_in_the_process_fails_with_the_way_out(run):
    done = run("def test_it(mockserver): mockserver.httpx_transport()")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*NeedsProcessError: httpx_transport needs *leave out mockserver_url and *"])


class TestTheSetting:
    def test_can_stand_in_the_ini_file(self, run, server, monkeypatch):
        monkeypatch.delenv("MOCKSERVER_URL")
        text = f'def test_it(mockserver): assert mockserver.url.startswith("{server.url}/ns/")'
        run(text, ini=f"mockserver_url = {server.url}/").assert_outcomes(passed=1)

    def test_gives_way_to_the_environment_which_can_take_it_back(self, run, monkeypatch, nowhere):
        run(ONE, ini=f"mockserver_url = {nowhere}").assert_outcomes(passed=1)
        monkeypatch.setenv("MOCKSERVER_URL", "")
        run("def test_it(mockserver): assert mockserver.engine", ini=f"mockserver_url = {nowhere}")

    @pytest.mark.parametrize("way", ["ini", "MOCKSERVER_TOKEN", "MOCKSERVER_ADMIN_TOKEN"])
    def test_comes_with_a_token(self, pytester, monkeypatch, way):
        with Server(create_engine(Settings(admin_token="se cret"))) as server:
            if way != "ini":
                monkeypatch.setenv(way, "se cret")
            token = "mockserver_token = se cret" if way == "ini" else ""
            pytester.makeini(f"[pytest]\nmockserver_url = {server.url}\n{token}")
            pytester.makepyfile(PRELUDE + ONE)
            pytester.runpytest_inprocess(*PLUGIN, *QUIET).assert_outcomes(passed=1)

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("https://api.pikzels.com", "mockserver_url: api.pikzels.com is a provider's real host, *"),
            (
                "localhost:8080",
                "mockserver_url: 'localhost:8080' is no URL of a server; write http://HOST:PORT*",
            ),
        ],
    )
    def test_that_names_no_mock_ends_the_run_before_anything_is_called(self, pytester, url, told):
        pytester.makeini(f"[pytest]\nmockserver_url = {url}\nmockserver_token = secret")
        pytester.makepyfile(PRELUDE + ONE)
        done = pytester.runpytest_inprocess(*PLUGIN, *QUIET)
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        done.stderr.fnmatch_lines([f"ERROR: {told}"])


class TestAServerThatIsNotThere:
    def test_ends_the_run_with_one_sentence(self, pytester, monkeypatch, nowhere):
        monkeypatch.setenv("MOCKSERVER_URL", nowhere)
        pytester.makepyfile(PRELUDE + "\n".join(f"def test_{n}(mockserver): pass" for n in range(9)))
        done = pytester.runpytest_inprocess(*PLUGIN, *QUIET)
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        text = done.stdout.str() + done.stderr.str()
        assert text.count(nowhere) == 1
        done.stderr.fnmatch_lines(
            [f"ERROR: MOCKSERVER_URL: no mockserver answers at {nowhere}: *; start it, *"]
        )

    def test_ends_a_run_in_parallel_with_one_sentence(self, pytester, monkeypatch, nowhere, quick_processes):
        monkeypatch.setenv("MOCKSERVER_URL", nowhere)
        pytester.makepyfile(PRELUDE + "\n".join(f"def test_{n}(mockserver): pass" for n in range(9)))
        plugins = ("-p", "mockserver.pytest_plugin", "-p", "xdist.plugin", "-n", "2")
        done = pytester.runpytest_subprocess(*plugins, "-q", "-p", "no:cacheprovider")
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        assert (done.stdout.str() + done.stderr.str()).count(nowhere) == 1

    def test_is_nothing_to_a_run_that_does_not_need_it(self, pytester, monkeypatch, nowhere):
        monkeypatch.setenv("MOCKSERVER_URL", nowhere)
        pytester.makepyfile("def test_it(): pass")
        pytester.runpytest_inprocess(*PLUGIN, *QUIET).assert_outcomes(passed=1)

    def test_is_nothing_where_tests_are_only_listed(self, pytester, monkeypatch, nowhere):
        monkeypatch.setenv("MOCKSERVER_URL", nowhere)
        pytester.makepyfile(PRELUDE + ONE)
        assert pytester.runpytest_inprocess(*PLUGIN, *QUIET, "--collect-only").ret == pytest.ExitCode.OK


def test_a_server_that_serves_less_is_told_of_once(run, pytester):
    write(pytester.mkdir("specs") / "pet-shop")
    done = run(ONE + "\n" + ONE.replace("test_it", "test_more"), ini="mockserver_specs = specs")
    done.assert_outcomes(passed=2)
    assert done.stdout.str().count("does not serve pet-shop") == 1
