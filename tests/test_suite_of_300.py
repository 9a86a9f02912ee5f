"""A suite of 300 tests for clients of all three APIs: in any order, each leaves the same journal."""

import json
from pathlib import Path

import pytest
from conftest import KEYS

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
def journals(pytester, monkeypatch):
    """Run the suite, and give the journal that each test left."""
    pytester.makeini(INI)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others take their time
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # and so does counting lines
    (pytester.path / "test_suite.py").write_text(SUITE.read_text("utf-8"), "utf-8")
    (pytester.path / "calls.json").write_text(json.dumps(list(calls())), "utf-8")

    def run(name, *options):
        folder = pytester.mkdir(name)
        monkeypatch.setenv("JOURNALS", str(folder))
        done = pytester.runpytest_subprocess(
            *PLUGINS, *options, "-q", "-p", "no:cacheprovider", "-W", "error"
        )
        done.assert_outcomes(passed=300)
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    return run


@pytest.mark.parametrize("orders", [1, pytest.param(9, marks=pytest.mark.soak)])
def test_300_tests_leave_the_same_journals_in_parallel_and_in_any_order(journals, orders):
    in_order = journals("in-order")
    assert len(in_order) == 300
    for seed in map(str, range(orders)):
        assert journals(seed, "-n", "2", "-p", "randomly", f"--randomly-seed={seed}") == in_order
