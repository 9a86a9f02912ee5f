"""A suite of 300 tests for clients of all three APIs: in any order, each leaves the same journal.

So it does in namespaces of one server that all of its processes share.
"""

import json
from pathlib import Path

import httpx
import pytest
from conftest import KEYS

import mockserver.imaging.rendering  # noqa: F401 - as in test_pytest_plugin.py
from mockserver import Server, create_engine
from mockserver.spec.catalog import load
from mockserver.spec.files import FIXTURES

pytest_plugins = ["pytester"]

SUITE = Path(__file__).parent / "suites" / "three_hundred.py"
HOSTS = {"pikzels": "api.pikzels.com", "fatthumb": "fatthumb.klaas.pro", "thumbapi": "api.thumbapi.dev"}
# Deprecated fields, undocumented ones, and ignored ones.
FROWNED_UPON = ("legacy", "unknown", "reference-set-")
PLUGINS = ("-p", "mockserver.pytest_plugin", "-p", "xdist")
INI = """
[pytest]
mockserver_clock = 2026-03-01T12:00:00Z
mockserver_intercept = true
"""


def calls():
    """Give the canned requests as a client of the real APIs would send them."""
    providers = load().providers
    for file in sorted((FIXTURES / "requests").glob("*/*.json")):
        name, canned = file.parent.name, json.loads(file.read_text("utf-8"))
        if file.stem.startswith(FROWNED_UPON):
            continue
        operation, key = providers[name].operations[canned["operation"]], KEYS[name]
        yield {
            "name": f"{name}-{file.stem}",
            "operation": operation.name,
            "url": f"https://{HOSTS[name]}{operation.path}",
            "headers": {
                **(dict.fromkeys(key, canned["key"]) if "key" in canned else key),
                **canned.get("headers", {}),
            },
            "body": canned["body"],
        }


@pytest.fixture
def journals(pytester, monkeypatch, quick_processes):
    """Run the suite, and give the journal that each test left."""
    pytester.makeini(INI)
    (pytester.path / "test_suite.py").write_text(SUITE.read_text("utf-8"), "utf-8")
    (pytester.path / "calls.json").write_text(json.dumps(list(calls())), "utf-8")

    def run(name, *options, tests=300):
        folder = pytester.mkdir(name)
        monkeypatch.setenv("JOURNALS", str(folder))
        done = pytester.runpytest_subprocess(
            *PLUGINS, *options, "-q", "-p", "no:cacheprovider", "-W", "error"
        )
        done.assert_outcomes(passed=tests)
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    return run


@pytest.mark.parametrize("orders", [1, pytest.param(9, marks=pytest.mark.soak)])
def test_300_tests_leave_the_same_journals_in_parallel_and_in_any_order(journals, orders):
    in_order = journals("in-order")
    assert len(in_order) == 300
    for seed in map(str, range(orders)):
        assert journals(seed, "-n", "2", "-p", "randomly", f"--randomly-seed={seed}") == in_order


# A client without a socket calls the mock in its own process alone.
WITHOUT_A_SOCKET = "httpx.Client(transport=mockserver.httpx_transport(), headers"
SOME = """
def pytest_collection_modifyitems(items):
    chosen = {{each.nodeid for each in sorted(items, key=lambda each: each.nodeid)[::{}]}}
    items[:] = [each for each in items if each.nodeid in chosen]
"""


@pytest.fixture
def shared(journals, pytester, monkeypatch):
    """Run some of the suite on one server, or in processes of their own; give the journals of each test."""
    suite = pytester.path / "test_suite.py"
    text = suite.read_text("utf-8")
    assert WITHOUT_A_SOCKET in text
    suite.write_text(text.replace(WITHOUT_A_SOCKET, "httpx.Client(verify=TRUSTED, headers"), "utf-8")

    def run(name, url, *options, share):
        pytester.makeconftest(SOME.format(share))
        monkeypatch.setenv("MOCKSERVER_URL", url)
        return journals(name, *options, tests=300 // share)

    return run


@pytest.mark.parametrize("share", [10, pytest.param(1, marks=pytest.mark.soak)])
def test_they_leave_the_same_journals_in_namespaces_of_one_server_and_do_so_again(shared, share):
    with Server(create_engine()) as server:
        first = shared("first", server.url, "-n", "4" if share == 1 else "2", share=share)
        several = () if share > 1 else ("-n", "4")
        again = shared("again", server.url, *several, "-p", "randomly", share=share)
        assert httpx.get(f"{server.url}/__admin/namespaces").json() == {"namespaces": []}
    assert again == first


@pytest.mark.soak
def test_journals_of_namespaces_are_those_of_mocks_of_ones_own(shared):
    with Server(create_engine()) as server:
        there = shared("there", server.url, "-n", "2", share=1)
    assert shared("here", "", "-n", "2", share=1) == there
