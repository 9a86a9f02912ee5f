"""Calls per second of a server of its own, on the first core; the load comes from the last one.

Two servers are asked in turn, second by second, so that whatever else the machine does meets both.
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
from contextlib import contextmanager

import uvicorn
import uvloop

PATH, BODY = "/v2/thumbnail/score", b'{"image_url": "https://example.com/a.png"}'
HEADERS = {"X-Api-Key": "pkz_test", "Content-Type": "application/json"}
CONNECTIONS, ROUNDS, ROUND_S = 32, 5, 2
CALL = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
CALL += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items()).encode()
CALL += b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
LUA = f'wrk.method, wrk.body = "POST", [[{BODY.decode()}]]\n' + "\n".join(
    f'wrk.headers["{name}"] = "{value}"' for name, value in HEADERS.items()
)


def serve_ours() -> None:
    """Serve the mock, as `mockserver serve` does."""
    from mockserver import Server, create_engine

    server = Server(create_engine())
    print(server.address.port, flush=True)
    server.run()


def serve_bare() -> None:
    """Serve the least that Starlette can do with such a call: it reads the JSON and gives a fixed answer."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from mockserver.serving.server import _listening

    async def score(request):
        await request.json()
        return JSONResponse({"main_score": 71, "request_id": "01234567-89ab-cdef-0123-456789abcdef"})

    app, listening = Starlette(routes=[Route(PATH, score, methods=["POST"])]), _listening("127.0.0.1", 0)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False, lifespan="off"
    )
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def serving(name: str) -> Iterator[int]:
    """Run one of the servers in a process of its own; give its port."""
    with subprocess.Popen([sys.executable, __file__, name], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


class Caller(asyncio.Protocol):
    """One connection that calls again as soon as it is answered, where there is no wrk."""

    calls = 0

    def connection_made(self, transport):
        self.transport, self.heard = transport, b""
        transport.write(CALL)

    def data_received(self, data):
        self.heard += data
        head, end, body = self.heard.partition(b"\r\n\r\n")
        size = re.search(rb"(?i)content-length: (\d+)", head)
        if end and size and len(body) >= int(size[1]):
            assert head.startswith(b"HTTP/1.1 200"), head
            Caller.calls, self.heard = Caller.calls + 1, b""
            self.transport.write(CALL)


async def call_for(port: int) -> float:
    before, loop = Caller.calls, asyncio.get_running_loop()
    made = [await loop.create_connection(Caller, "127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.sleep(ROUND_S)
    for transport, _ in made:
        transport.abort()
    return (Caller.calls - before) / ROUND_S


def load(port: int) -> float:
    """Call a server for one round; give the calls per second."""
    if shutil.which("wrk") is None:
        return uvloop.run(call_for(port))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA)
        script.flush()
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{ROUND_S}s", "-s", script.name]
        command = ["wrk", *options, f"http://127.0.0.1:{port}{PATH}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None
    return float(found[1])


def compare() -> tuple[float, float, float]:
    """Give our calls per second, bare Starlette's, and how the two go together: the median of all rounds."""
    cores = sorted(os.sched_getaffinity(0))
    with serving("ours") as ours, serving("bare") as bare:
        os.sched_setaffinity(0, {cores[-1]})
        try:
            load(ours), load(bare)  # which warms both
            pairs = [(load(ours), load(bare)) for _ in range(ROUNDS)]
        finally:
            os.sched_setaffinity(0, cores)
    return (*map(statistics.median, zip(*pairs, strict=True)), statistics.median(a / b for a, b in pairs))


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    {"ours": serve_ours, "bare": serve_bare}[sys.argv[1]]()
