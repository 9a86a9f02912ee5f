"""What macOS and Windows lack is not asked of them, as far as that can be tried on another system."""

import fcntl
import os
import resource
import sys
from types import SimpleNamespace

import pytest
from conftest import run_python

from mockserver.outlet import Outlet
from mockserver.ownedfile import HeldError, OwnedFile
from mockserver.serving.crowd import MOST, most_connections, raise_limit

# Everything is loaded on a Python that has no more than that of Windows, and one call is answered.
LACKING = """
import asyncio, importlib, multiprocessing, os, pkgutil, select, signal, socket, subprocess, sys
import httpx, jsonschema, PIL.Image, requests, starlette.applications, uvicorn, anyio.from_thread, click
import uvicorn.protocols.http.httptools_impl, _pytest.pytester

sys.platform, signal.SIGBREAK = "win32", signal.SIGUSR1
sys.modules |= {"fcntl": None, "resource": None, "uvloop": None}
for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "fchmod"):
    delattr(os, name)
del select.poll, socket.AF_UNIX

import mockserver
for each in pkgutil.walk_packages(mockserver.__path__, "mockserver."):
    if not each.name.endswith("__main__"):
        importlib.import_module(each.name)
request = mockserver.Request("GET", "/__admin/health", {})
print(mockserver.create_engine().handle(request).status)
"""


@pytest.fixture
def windows(monkeypatch):
    """What is asked where the system is Windows; locks are those of this one."""
    monkeypatch.setattr(sys, "platform", "win32")
    lock = SimpleNamespace(
        LK_NBLCK=fcntl.LOCK_EX | fcntl.LOCK_NB, locking=lambda fd, how, _: fcntl.flock(fd, how)
    )
    monkeypatch.setitem(sys.modules, "msvcrt", lock)


def test_everything_loads_where_there_is_no_more_than_windows_has():
    done = run_python(LACKING)
    assert (done.stdout, done.stderr) == ("200\n", "")


@pytest.mark.usefixtures("windows")
def test_a_file_has_one_owner_on_windows_too(tmp_path):
    first, second = OwnedFile(tmp_path / "state"), OwnedFile(tmp_path / "state")
    first.claim()
    first.replace([b"{}"])
    with pytest.raises(HeldError, match=f"process {os.getpid()}"):
        second.claim()
    first.release()
    second.claim()
    assert second.read() == b"{}"
    second.release()
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


@pytest.mark.usefixtures("windows")
def test_lines_reach_a_stream_that_cannot_be_asked_whether_it_is_read(tmp_path):
    with (tmp_path / "said").open("w", encoding="utf-8") as stream:
        outlet = Outlet(stream, str)
        outlet.put("listens\n")
        outlet.close()
    assert (tmp_path / "said").read_text("utf-8") == "listens\n"


@pytest.mark.usefixtures("windows")
def test_windows_has_no_limit_of_open_files():
    raise_limit()
    assert most_connections() == MOST


def test_a_limit_above_what_the_system_lets_through_is_asked_for_more_modestly(monkeypatch):
    asked: list[tuple[int, int]] = []

    def refuse(_what, limits):
        asked.append(limits)
        if limits[0] > MOST:
            raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _what: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    raise_limit()
    assert [soft for soft, _ in asked] == [2 * MOST, MOST]
