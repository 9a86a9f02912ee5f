"""What a test pays for the mock, in process: a part of `python -m tests.benchmarks`."""

import functools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from load import BODY, HEADERS, INVALID, PATH, UNKNOWN

from mockserver import MockServer, Request

PROGRAM = f"""
import http.client, time
import pytest  # which is there before any fixture
started_s = time.perf_counter()
from mockserver import MockServer
with MockServer() as mock:
    to = http.client.HTTPConnection(mock.url.removeprefix("http://"))
    to.request("POST", {PATH!r}, {BODY!r}, {HEADERS!r})
    assert to.getresponse().read()
    print(time.perf_counter() - started_s)
    to.close()
"""
LOWER = {name.lower(): value for name, value in HEADERS.items()}
SCORE = Request("POST", PATH, LOWER, body=BODY)
REFUSED = Request("POST", PATH, LOWER, body=INVALID.body)
LOST = Request("POST", UNKNOWN.path, LOWER, body=BODY)
MANY = 1_000
GROWN = 30_000


class Figure(NamedTuple):
    """One line of the table; its limit is the most, or the least where `is_floor`; None: it only informs."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    is_floor: bool = False

    @property
    def is_kept(self) -> bool:
        return self.limit is None or (self.value >= self.limit if self.is_floor else self.value <= self.limit)

    def __str__(self) -> str:
        wanted = f"{'≥' if self.is_floor else '≤'} {self.limit:g}" if self.limit else ""
        value = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.3g}"
        return (
            f"{self.name:<50}{value:>8} {self.unit:<4}{wanted:<8}{'' if self.is_kept else 'MISSED'}".rstrip()
        )


def took_s(do: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    do()
    return time.perf_counter() - started_s


def session_start_s() -> float:
    command = [sys.executable, "-c", PROGRAM]
    with tempfile.TemporaryDirectory() as folder:  # of compiled files, as an installed package has them
        compiling = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        runs = [
            subprocess.run(command, capture_output=True, check=True, env={**os.environ, **compiling}).stdout
            for _ in range(8)
        ]
    return statistics.median(map(float, runs[1:]))  # the first one compiles


def calls_s(mock: MockServer, n: int = MANY, request: Request = SCORE, *, is_fresh: bool = False) -> float:
    """Give the time of calls in process, in a world that goes on or begins anew."""
    if is_fresh:
        mock.reset()
    return took_s(lambda: [mock.engine.handle(request) for _ in range(n)])


def call_us(mock: MockServer, request: Request) -> float:
    return min(calls_s(mock, request=request) for _ in range(5)) / MANY * 1e6


def growth(calls: int) -> list[Figure]:
    """Show what a call costs and how much memory is taken while a history grows."""
    found, share = [], calls // 10
    with MockServer() as mock:
        for so_far in range(share, calls + 1, share):
            us = sum(calls_s(mock) for _ in range(share // MANY)) / share * 1e6
            mb = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
            found += [
                Figure(f"a call in process, the last of {so_far:,}", us, "µs"),
                Figure(f"memory after {so_far:,} calls", mb, "MB"),
            ]
    return found


def reset_ms(mock: MockServer) -> float:
    times = []
    for _ in range(50):
        calls_s(mock, 20)  # which leave something to forget
        times.append(took_s(mock.reset))
    return statistics.median(times) * 1000


def cover_ms(mock: MockServer) -> float:
    headers = {"x-api-key": "tb_test", "content-type": "application/json"}
    bodies = [json.dumps({"title": f"Tip {n}", "format": "youtube"}).encode() for n in range(30)]
    calls = [Request("POST", "/v1/generate", headers, body=each) for each in bodies]
    assert b"data:image/webp" in mock.engine.handle(calls[0]).read()
    return statistics.median(took_s(functools.partial(mock.engine.handle, each)) for each in calls) * 1000


def figures() -> list[Figure]:
    found = [Figure("session start, from nothing to the first answer", session_start_s(), "s", 0.35)]
    with MockServer() as mock:
        fresh_s = min(calls_s(mock, is_fresh=True) for _ in range(5))
        found += [
            Figure("1,000 calls in process", fresh_s, "s", 0.1),
            Figure("a call in process, in a fresh world", fresh_s / MANY * 1e6, "µs"),
            Figure("a refused call in process", call_us(mock, REFUSED), "µs"),
            Figure("an unknown path in process", call_us(mock, LOST), "µs"),
        ]
        calls_s(mock, GROWN)
        grown_s = min(calls_s(mock) for _ in range(5))
        found += [
            Figure(f"a call in process, after {GROWN:,} others", grown_s / MANY * 1e6, "µs"),
            Figure("reset", reset_ms(mock), "ms", 2),
            Figure("a ThumbAPI call with its picture", cover_ms(mock), "ms", 5),
        ]
    return found
