"""A server in a process of its own, for what is run by hand."""

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

START_S = 60


class Served(NamedTuple):
    """A server that runs, and what it has printed."""

    port: int
    process: subprocess.Popen[bytes]
    lines: IO[bytes]

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.port}/__admin"

    def said(self) -> str:
        """Give what it has printed so far."""
        return Path(self.lines.name).read_text("utf-8", "replace")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    give_up_s = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def served(*options: str) -> Iterator[Served]:
    """Run `mockserver serve --quiet` with more options until the context ends."""
    port = free_port()
    command = [sys.executable, "-m", "mockserver", "serve", "--quiet", "--port", str(port), *options]
    with (
        tempfile.NamedTemporaryFile() as lines,
        subprocess.Popen(command, stdout=lines, stderr=lines) as process,
    ):
        try:
            wait_for(port)
            yield Served(port, process, lines)
        finally:
            process.terminate()


def resident_mb(pid: int) -> tuple[float, float]:
    """Give what a process takes now, and took at most."""
    text = Path(f"/proc/{pid}/status").read_text()
    now, most = (re.search(rf"{name}:\s+(\d+) kB", text) for name in ("VmRSS", "VmHWM"))
    assert now is not None
    assert most is not None
    return int(now[1]) / 1024, int(most[1]) / 1024
