"""Output that nobody reads: it is dropped and counted, and holds up neither an answer nor the end."""

import contextlib
import fcntl
import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from conftest import KEYS

from mockserver import outlet
from mockserver.outlet import MOST_KEPT, Outlet, OutletHandler

PATIENCE_S = 10
SCORE = {"image_url": "https://example.com/a.png"}
LINE = "x" * 99 + "\n"
PIPE = 4096  # bytes, the smallest


@contextlib.contextmanager
def small_pipe():
    """A pipe that holds little; give its two ends."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
    with os.fdopen(reading, "rb", buffering=0) as out, os.fdopen(writing, "w", encoding="utf-8") as into:
        yield out, into


def read_to_end(out):
    return b"".join(iter(lambda: out.read(65536), b"")).decode()


def opened(stream):
    return Outlet(stream, "({} dropped)".format)


def read_while_closing(out, into, written):
    """Give all that is read while an outlet is closed, as one item; none where that never ends."""
    got = []
    reader = threading.Thread(target=lambda: got.append(read_to_end(out)))
    reader.start()
    written.close()
    into.close()
    reader.join(PATIENCE_S)
    return got


def test_what_is_read_arrives_whole_and_in_its_order():
    with small_pipe() as (out, into):
        written = opened(into)
        said = [f"{number} {'é' * 5_000}\n" for number in range(50)]
        for line in said:
            written.put(line)
        got = read_while_closing(out, into, written)
    assert got == ["".join(said)]


def test_what_nobody_reads_is_dropped_counted_and_told(monkeypatch):
    monkeypatch.setattr(outlet, "MOST_KEPT", 10_000)
    with small_pipe() as (out, into):
        written = opened(into)
        for _ in range(1_000):
            written.put(LINE)
        assert 800 < written.dropped < 1_000
        count = written.dropped
        got = read_while_closing(out, into, written)
    assert got[0].count(LINE) == 1_000 - count
    assert got[0].endswith(f"({count} dropped)\n")


def test_the_end_does_not_wait_for_a_reader_that_takes_nothing():
    with small_pipe() as (_, into):
        written = opened(into)
        written.put("x" * (MOST_KEPT - 1) + "\n")
        closing = threading.Thread(target=written.close)
        closing.start()
        closing.join(PATIENCE_S)
        assert not closing.is_alive()


def test_nothing_is_kept_once_the_reader_is_gone():
    with small_pipe() as (out, into):
        written = opened(into)
        out.close()
        written.put(LINE)
        written.close()
        assert written.is_broken
        written.put(LINE)


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_a_stream_may_be_none_or_no_file(stream):
    written = opened(stream)
    written.put(LINE)
    written.close()
    assert stream is None or stream.getvalue() == LINE


def test_logs_are_counted_by_their_lines(monkeypatch):
    monkeypatch.setattr(outlet, "MOST_KEPT", 10)
    written = opened(io.StringIO())
    OutletHandler(written).handle(logging.LogRecord("a", logging.ERROR, "", 0, "first\nsecond", None, None))
    assert written.dropped == 2
    written.close()


@contextlib.contextmanager
def serving_unread(*options, **streams):
    """A server of its own process one of whose outputs nobody reads; give the process and the URL."""
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--json", *options]
    with subprocess.Popen(command, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def test_calls_are_answered_and_the_process_ends_though_nobody_reads_its_lines():
    with small_pipe() as (out, into), serving_unread("--verbose", stdout=into) as process:
        url = json.loads(out.readline())["url"]
        with httpx.Client(base_url=url, headers=KEYS["pikzels"]) as client:
            statuses = {client.post("/v2/thumbnail/score", json=SCORE).status_code for _ in range(500)}
        assert statuses == {200}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def test_nobody_who_logs_waits_for_a_reader():
    with small_pipe() as (_, into):
        written = opened(into)
        handler, has_ended = OutletHandler(written), threading.Event()

        def log():
            for _ in range(2_000):
                handler.handle(logging.LogRecord("a", logging.ERROR, "", 0, LINE * 100, None, None))
            has_ended.set()

        threading.Thread(target=log, daemon=True).start()
        assert has_ended.wait(PATIENCE_S)
        assert written.dropped > 100_000
        written.close()


def test_a_full_standard_error_holds_up_neither_answers_nor_the_end(tmp_path):
    """A folder that is gone is logged each second, and at the end."""
    folder = tmp_path / "gone"
    folder.mkdir()
    with small_pipe() as (_, errors):
        errors.write("x" * PIPE)
        errors.flush()
        options = ("--quiet", "--state", str(folder / "state.json"))
        with serving_unread(*options, stdout=subprocess.PIPE, stderr=errors) as process:
            url = httpx.URL(json.loads(process.stdout.readline())["url"])
            shutil.rmtree(folder)
            for _ in range(20):
                answer = httpx.post(url.join("/v2/thumbnail/score"), json=SCORE, headers=KEYS["pikzels"])
                assert answer.status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) is not None
