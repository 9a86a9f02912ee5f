"""What the tests share: an engine that raises its bugs and checks its answers, and a server around one."""

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from mockserver import Engine, MockServer, Request, Response, Server, Settings, Start, caches, create_engine
from mockserver.call import Exchange

KEYS = {
    "pikzels": {"X-Api-Key": "pkz_test"},
    "fatthumb": {"Authorization": "Bearer nsk_test"},
    "thumbapi": {"x-api-key": "tb_test"},
}
# What loads the plugin in a run of pytest within a test; an installed one is there by itself.
IS_INSTALLED = "mockserver" in entry_points(group="pytest11").names
PLUGIN = [] if IS_INSTALLED else ["-p", "mockserver.pytest_plugin"]
PLUGIN += ["-p", "no:schemathesis"]  # which each of these runs would load anew: a third of a second
STRICT = Settings(raises_bugs=True, checks_answers=True)
Ask = Callable[..., Response]
# httpx reads whom to trust for each client that it makes: 25 ms for all authorities, which no test here asks.
os.environ.setdefault("SSL_CERT_FILE", str(Path(__file__).with_name("nobody.pem")))


def pytest_collection_finish() -> None:
    """Let the collector look no more at what is loaded for good: six thousand tests and what they read."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as `mockserver serve` does


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A fresh world behind the bundled specifications."""
    _forget_scores()
    yield create_engine(STRICT)
    _forget_scores()


def _forget_scores() -> None:
    """Drop what was kept by functions that a test put in the place of ours; engines share their providers."""
    caches.GUESSES.clear()
    caches.SCORES.clear()


@pytest.fixture
def ask(engine: Engine) -> Ask:
    """Send one request to the engine, without a socket."""

    def send(method: str, path: str, body: Any = None, **headers: str) -> Response:
        sent = {name.lower().replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        if body is not None:
            sent.setdefault("content-type", "application/json")
        path, _, query = path.partition("?")
        return engine.handle(Request(method, path, {"host": "localhost", **sent}, query, raw))

    return send


@pytest.fixture
def heard(engine: Engine) -> list[Exchange]:
    """Every exchange of that engine, oldest first."""
    exchanges: list[Exchange] = []
    engine.listeners.append(exchanges.append)
    return exchanges


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server on a free port, for tests whose world may be shared."""
    with Server(create_engine(STRICT)) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of that server."""
    with httpx.Client(base_url=server.url, timeout=30) as opened:
        yield opened


@pytest.fixture(scope="module")
def loaded() -> MockServer:
    """A mock without a socket, which the tests of a module share."""
    return MockServer()


@pytest.fixture
def mock(loaded: MockServer) -> MockServer:
    """That mock, as if it had just begun."""
    loaded.reset(Start())
    return loaded


@contextmanager
def counting_paused() -> Iterator[None]:
    """Count no lines, which takes half as long again: for many values on lines that other tests reach."""
    # The benchmark of mutations asks of every test what it reaches.
    is_surveyed, coverage = "REACHED" in os.environ, sys.modules.get("coverage")
    counting = coverage.Coverage.current() if coverage and not is_surveyed else None
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - unmeasured().keys():
            patch.delenv(name)  # nor in processes that start meanwhile
        if counting:
            counting.stop()
        try:
            yield
        finally:
            if counting:
                counting.start()


@pytest.fixture(scope="module")
def uncounted() -> Iterator[None]:
    """Count no lines in a module."""
    with counting_paused():
        yield


@pytest.fixture
def quick_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest in processes of their own load no other plugins, which takes seconds, and count no lines."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in os.environ.keys() - unmeasured().keys():
        monkeypatch.delenv(name)


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let threads interrupt each other as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def meanwhile(work: Callable[[], Any]) -> threading.Thread:
    """Let another thread do something just now, unless it must wait for whoever is at it; give the thread."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(0.05)
    return thread


def unmeasured(**variables: str) -> dict[str, str]:
    """Give the environment of a process whose lines other tests reach: counting them takes a third longer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**kept, "PYTEST_ADDOPTS": "", **variables}


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own to its end."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=unmeasured(), capture_output=True, text=True, timeout=60, check=False)


def first_line(process: subprocess.Popen[str]) -> str:
    """Wait for the first line that a server in a process of its own prints."""
    assert process.stdout is not None
    return process.stdout.readline()


def said(response: Response) -> Any:
    """Read an answer's JSON."""
    return orjson.loads(response.read())


def header(response: Response, name: str) -> str | None:
    """Read one header of an answer."""
    return {key.lower(): value for key, value in response.headers}.get(name.lower())
