"""Calls per second of servers of their own, on the first core; the load comes from the last one.

All of them are asked in turn, round by round, so that whatever else the machine does meets each.
"""

import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
import uvloop
from servers import free_port, wait_for

CONNECTIONS, ROUNDS, ROUND_S = 32, 5, 2.0
PATH, BODY = "/v2/thumbnail/score", b'{"image_url": "https://example.com/a.png"}'
HEADERS = {"X-Api-Key": "pkz_test", "Content-Type": "application/json"}
DOCUMENT = Path(__file__).parents[2] / "specs" / "pikzels" / "openapi.yaml"
PRISM = os.environ.get("PRISM") or shutil.which("prism")


class Call(NamedTuple):
    """One request that is sent again and again, and the status that it must be answered with."""

    path: str = PATH
    body: bytes = BODY
    status: int = 200

    @property
    def head(self) -> dict[str, str]:
        return {"Host": "127.0.0.1", **HEADERS, "Content-Length": str(len(self.body))}

    @property
    def text(self) -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.head.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body

    @property
    def script(self) -> str:
        """Say it in the language of wrk."""
        headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in HEADERS.items())
        return f'wrk.method, wrk.body = "POST", [[{self.body.decode()}]]\n{headers}'


VALID = Call()
INVALID = Call(body=b'{"image_url": "https://example.com/a.png", "titel": "x"}', status=400)
UNKNOWN = Call(path="/v2/thumbnails/score", status=404)


def serve_bare(port: int, *, is_silent: bool) -> None:
    """Serve the least that Starlette can do with such a call: it reads the JSON and gives a fixed answer.

    Unless it is silent, uvicorn prints a line for each call, as it does where nobody tells it otherwise.
    """
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def score(request):
        await request.json()
        return JSONResponse({"main_score": 71, "request_id": "01234567-89ab-cdef-0123-456789abcdef"})

    app = Starlette(routes=[Route(PATH, score, methods=["POST"])])
    uvicorn.run(
        app,
        port=port,
        log_level="warning" if is_silent else None,
        access_log=not is_silent,
        server_header=False,
        date_header=False,
        lifespan="off",
    )


def command_of(server: str, port: int) -> list[str]:
    """Give the command that starts one of the servers; those with "lines" print one for each call."""
    own = [sys.executable, "-m", "mockserver", "serve", "--port", str(port)]
    prism = [PRISM or "prism", "mock", "--errors", "-v", "warn", "-p", str(port), str(DOCUMENT)]
    bare = [sys.executable, __file__, str(port)]
    return {
        "ours": [*own, "--quiet"],
        "ours with lines": own,
        "bare": bare,
        "bare with lines": [*bare, "lines"],
        "prism": prism,
    }[server]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep to one core, and let what is started there inherit it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def serving(server: str) -> Iterator[int]:
    """Run a server in a process of its own on the first core, its lines in a file; give its port."""
    port = free_port()
    with tempfile.TemporaryFile() as lines:
        with on_core(min(os.sched_getaffinity(0))):
            process = subprocess.Popen(command_of(server, port), stdout=lines, stderr=lines)
        with process:
            try:
                wait_for(port)
                yield port
            finally:
                process.terminate()


class Caller(asyncio.Protocol):
    """One connection that calls again as soon as it is answered, where there is no wrk."""

    calls = 0

    def __init__(self, call: Call) -> None:
        self.call, self.heard = call, b""

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.call.text)

    def data_received(self, data):
        self.heard += data
        head, end, body = self.heard.partition(b"\r\n\r\n")
        size = re.search(rb"(?i)content-length: (\d+)", head)
        if end and size and len(body) >= int(size[1]):
            assert head.startswith(b"HTTP/1.1 %d" % self.call.status), head
            Caller.calls, self.heard = Caller.calls + 1, b""
            self.transport.write(self.call.text)


async def call_for(port: int, call: Call) -> float:
    before, loop = Caller.calls, asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Caller(call), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.sleep(ROUND_S)
    for transport, _ in made:
        transport.abort()
    return (Caller.calls - before) / ROUND_S


def load(port: int, call: Call) -> float:
    """Send a call to a server for one round; give the calls per second."""
    if shutil.which("wrk") is None:
        return uvloop.run(call_for(port, call))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(call.script)
        script.flush()
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{ROUND_S:g}s", "-s", script.name]
        command = ["wrk", *options, f"http://127.0.0.1:{port}{call.path}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    is_refused = call.status >= 400
    assert ("Non-2xx" in said) is is_refused, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None
    return float(found[1])


class Side(NamedTuple):
    """A server and a call that is sent to it."""

    server: str
    call: Call


def measure(sides: list[Side], rounds: int = ROUNDS) -> list[list[float]]:
    """Give for each side its calls per second in every round; the first round warms and is left out."""
    with ExitStack() as stack:
        ports = {server: stack.enter_context(serving(server)) for server in {each.server for each in sides}}
        with on_core(max(os.sched_getaffinity(0))):
            found = [[load(ports[each.server], each.call) for each in sides] for _ in range(rounds + 1)]
    return [list(each) for each in zip(*found[1:], strict=True)]


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Give how two sides go together: the median over all rounds."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    serve_bare(int(sys.argv[1]), is_silent=len(sys.argv) == 2)
