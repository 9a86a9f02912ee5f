"""Ten calls on one connection, by the default clients of Java, Node, Go and Python, and by curl."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mockserver.serving.reading import LARGEST_INLINE

pytestmark = pytest.mark.usefixtures("uncounted")  # lines that other tests reach, too

CLIENTS = Path(__file__).parent / "clients"
PATIENCE_S = 120  # a compiler's, on a busy machine
SHORT = json.dumps({"image_url": "https://example.com/a.png"})
BODIES = {"short": SHORT, "long": SHORT.ljust(2 * LARGEST_INLINE)}


def curl(url, body):
    call = [url, "-H", "X-Api-Key: pkz_test", "-H", "Content-Type: application/json", "-d", body]
    call = ["-s", "--http2", "-o", "/dev/null", "-w", "%{http_code}\n", *call]
    return ["curl", *call, *(["--next", *call] * 9)]


COMMANDS = {
    "java": lambda url, body: ["java", str(CLIENTS / "Ten.java"), url, body],
    "node": lambda url, body: ["node", str(CLIENTS / "ten.mjs"), url, body],
    "go": lambda url, body: ["go", "run", str(CLIENTS / "ten.go"), url, body],
    "python": lambda url, body: [sys.executable, str(CLIENTS / "ten.py"), url, body],
    "curl": curl,
}
NEEDED = {"java": "javac", "python": sys.executable}  # what must be installed, where that is not the name


@contextlib.contextmanager
def counted(server):
    """A way to a server that counts its connections."""
    made = []
    with socket.create_server(("127.0.0.1", 0)) as gate:

        def pass_on(one, other):
            with contextlib.suppress(OSError):
                while data := one.recv(65536):
                    other.sendall(data)
                other.shutdown(socket.SHUT_WR)

        def let_in():
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = gate.accept()
                    callee = socket.create_connection((server.address.host, server.address.port))
                    made.append((caller, callee))
                    for pair in ((caller, callee), (callee, caller)):
                        threading.Thread(target=pass_on, args=pair, daemon=True).start()

        threading.Thread(target=let_in, daemon=True).start()
        yield f"http://127.0.0.1:{gate.getsockname()[1]}/v2/thumbnail/score", made
        gate.shutdown(socket.SHUT_RDWR)
    for each in (each for pair in made for each in pair):
        each.close()


@pytest.mark.parametrize("size", BODIES)
@pytest.mark.parametrize("client", COMMANDS)
def test_ten_calls_go_over_one_connection(server, client, size, tmp_path, monkeypatch):
    if shutil.which(NEEDED.get(client, client)) is None:
        pytest.skip(
            f"{NEEDED.get(client, client)} is not installed; `curl --http2` asks for the same as Java"
        )
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOCACHE", str(tmp_path / "go"))
    with counted(server) as (url, made):
        command = COMMANDS[client](url, BODIES[size])
        told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (told.stdout.split(), told.stderr) == (["200"] * 10, "")
    assert len(made) == 1
