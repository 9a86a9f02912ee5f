"""In pytest: real calls are stopped in every test, and led to the mock by a fixture or a setting."""

import pytest
from conftest import PLUGIN
from test_new_provider import write

import mockserver.testing.intercept
import mockserver.testing.mock  # noqa: F401 - a run within this process forgets what it was the first to import

pytest_plugins = ["pytester"]

CLIENT = """
import socket, unittest
import pytest, requests
from mockserver import RealProviderCallBlocked

def score(host="api.pikzels.com"):
    return requests.post(
        f"https://{host}/v2/thumbnail/score",
        json={"image_url": "https://example.com/a.png"},
        headers={"X-Api-Key": "pkz_test"},
        timeout=10,
    )
"""


@pytest.fixture
def run(pytester):
    """Run a test file, in order, in this process."""

    def run_file(text, ini=""):
        pytester.makepyfile(CLIENT + text)
        pytester.makeini(f"[pytest]\n{ini}")
        return pytester.runpytest_inprocess(
            *PLUGIN, "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error"
        )

    return run_file


def test_a_test_that_calls_a_real_provider_fails_and_is_told_the_way_out(run):
    result = run("def test_a_call():\n    score()")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*::test_a_call called the real api.pikzels.com; nothing was sent. *"])


def test_the_fixture_leads_calls_to_the_mock_until_its_test_ends(run):
    text = """
def test_with_it(mockserver_intercept, mockserver):
    assert mockserver_intercept is mockserver
    assert score().status_code == 200

def test_without_it(mockserver):
    with pytest.raises(RealProviderCallBlocked):
        score()
"""
    run(text).assert_outcomes(passed=2)


def test_the_setting_leads_calls_of_every_test_to_the_mock(run):
    text = """
def test_a_function():
    assert score().status_code == 200

class TestInAClass(unittest.TestCase):
    def test_a_method(self):
        assert score().status_code == 200
"""
    run(text, "mockserver_intercept = true").assert_outcomes(passed=2)


REAL = """
@pytest.fixture
def asked(monkeypatch):
    asked, before = [], socket.getaddrinfo
    def look_up(host, *args, **kwargs):
        if host == "127.0.0.1":
            return before(host, *args, **kwargs)
        asked.append(host)
        raise socket.gaierror(f"this test asks nobody for {host}")
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked
"""


@pytest.mark.parametrize("allowed", ["api.pikzels.com", "*", "api.thumbapi.dev api.pikzels.com"])
def test_the_setting_lets_calls_out(run, allowed):
    text = """
def test_it(asked):
    with pytest.raises(requests.ConnectionError):
        score()
    assert asked == ["api.pikzels.com"]
"""
    run(REAL + text, f"mockserver_allow_live = {allowed}").assert_outcomes(passed=1)


def test_a_host_that_is_not_let_out_is_stopped_and_an_intercepted_one_is_led_to_the_mock(run):
    text = """
def test_the_one_that_is_not_named():
    with pytest.raises(RealProviderCallBlocked):
        score("cdn.pikzels.com")

def test_the_fixture_leaves_out_what_is_allowed(mockserver_intercept, asked):
    with pytest.raises(requests.ConnectionError):
        score()
    assert requests.get("https://api.thumbapi.dev/__admin/health", timeout=10).status_code == 200
    assert asked == ["api.pikzels.com"]
"""
    run(REAL + text, "mockserver_allow_live = api.pikzels.com").assert_outcomes(passed=2)


def test_the_hosts_of_a_provider_of_ones_own_are_stopped_too(run, tmp_path):
    write(tmp_path / "petshop")
    text = """
def test_it():
    with pytest.raises(RealProviderCallBlocked):
        score("pets.example")
"""
    run(text, f"mockserver_specs = {tmp_path}").assert_outcomes(passed=1)
