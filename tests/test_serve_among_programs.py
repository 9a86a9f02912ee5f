"""`serve` as a program starts it: a ready line, a file with the port, and an end with whoever started it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner
from test_cli import PATIENCE_S, serving

from mockserver.cli import main
from mockserver.cli.parent import ending_with_parent
from mockserver.cli.port_file import PortFile

STARTER = """
import subprocess, sys
started = subprocess.Popen([sys.executable, "-m", "mockserver", "serve", "--port", "0", *sys.argv[1:]])
started.wait()
"""


def test_the_first_line_is_all_that_a_program_needs_and_the_file_is_there_by_then(tmp_path):
    file = tmp_path / "port"
    with serving("--quiet", "--port-file", str(file)) as (process, first):
        ready = re.fullmatch(r"mockserver listens on (http://127\.0\.0\.1:(\d+))\n", first)
        assert ready is not None
        assert file.read_bytes() == f"{ready[2]}\n".encode()
        assert httpx.get(f"{ready[1]}/__admin/health").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_makes_certificates_is_loaded_by_whoever_speaks_tls_alone(monkeypatch):
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with serving("--quiet") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        loaded = re.findall(r"\| +([a-z_.]+)$", process.stderr.read(), re.MULTILINE)
    assert "mockserver.serving.server" in loaded
    assert [each for each in loaded if each.startswith(("cryptography", "trustme"))] == []


def test_a_server_ends_with_the_process_that_started_it_even_when_that_is_killed(tmp_path):
    file = tmp_path / "port"
    options = ("--json", "--exit-with-parent", "--port-file", str(file))
    command = [sys.executable, "-c", STARTER, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert json.loads(starter.stdout.readline())["event"] == "start"
        starter.kill()
        assert starter.stdout.read() == ""  # the end of it, which the server had open, too
    assert not file.exists()


def test_a_parent_that_lives_ends_nothing():
    called: list[bool] = []
    with ending_with_parent(lambda: called.append(True)):
        pass
    assert called == []


@pytest.mark.parametrize("left", [b"", b"8080\n", b"8080"])
def test_a_port_that_nobody_listens_at_any_more_is_taken_away_at_the_start(tmp_path, left):
    file = tmp_path / "port"
    file.write_bytes(left)
    PortFile(file)
    assert not file.exists()


def test_the_file_is_found_through_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "port")
    with PortFile(tmp_path / "link").telling(8080):
        assert (tmp_path / "port").read_text("utf-8") == "8080\n"
    assert not (tmp_path / "port").exists()


def test_a_file_that_another_server_has_written_meanwhile_stays(tmp_path):
    first, second = PortFile(tmp_path / "port"), PortFile(tmp_path / "port")
    with contextlib.ExitStack() as still:
        with first.telling(1):
            still.enter_context(second.telling(2))
        assert (tmp_path / "port").read_text("utf-8") == "2\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("made", "name", "told"),
    [
        ("notes", "notes", "holds something else than a port; name another file"),
        ("port", "port/below", "there is no folder"),
    ],
)
def test_a_file_that_is_no_port_file_is_left_alone(tmp_path, made, name, told):
    (tmp_path / made).write_text("8080 is the port of the mock", "utf-8")
    result = CliRunner().invoke(main, ["serve", "--port", "0", "--port-file", str(tmp_path / name)])
    assert (result.exit_code, told in result.output) == (1, True)
    assert (tmp_path / made).read_text("utf-8") == "8080 is the port of the mock"


def test_a_pipe_is_no_port_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    result = CliRunner().invoke(main, ["serve", "--port", "0", "--port-file", str(tmp_path / "pipe")])
    assert (result.exit_code, "pipe: is no file; name another" in result.output) == (1, True)
