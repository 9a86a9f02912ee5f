"""SIGTERM ends a server soon, whatever is under way: work that goes on, calls, downloads, webhooks."""

import base64
import io
import json
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest
from conftest import KEYS
from PIL import Image
from test_cli import serving

PATIENCE_S = 10  # for a busy machine; an idle one needs less than two
TEXT = {"prompt": "a", "model": "pkz_4", "format": "16:9"}
WORKING = """
import threading
from mockserver.serving.workers import Workers
workers, has_begun = Workers(2), threading.Event()
for _ in range(5):
    workers.submit(lambda: (has_begun.set(), threading.Event().wait()))
has_begun.wait()
"""


def raw(url, method, path, body=b"", headers=""):
    """Write a request of one account."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nX-Api-Key: pkz_test\r\n{headers}"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.fixture(scope="module")
def huge():
    """A picture that is as large as one may be, and takes seconds to be decoded."""
    noise = Image.effect_noise((4000, 6000), 50)
    data = io.BytesIO()
    noise.save(data, "PNG", compress_level=1)
    shrunk = data.getvalue()
    if len(shrunk) > 9_000_000:  # documented is a limit of 10 MB
        data = io.BytesIO()
        noise.save(data, "JPEG", quality=40, progressive=True)
        shrunk = data.getvalue()
    return json.dumps(
        {"image_base64": f"data:image/jpeg;base64,{base64.b64encode(shrunk).decode()}"}
    ).encode()


def connected(url):
    return socket.create_connection((url.host, url.port or 0), timeout=PATIENCE_S)


def test_work_that_nobody_waits_for_does_not_hold_the_process():
    subprocess.run([sys.executable, "-c", WORKING], check=True, timeout=PATIENCE_S)


@pytest.mark.parametrize("kind", ["pictures", "delays", "downloads", "half a body", "half a head"])
def test_a_server_that_is_told_to_ends(kind, huge):
    with serving("--quiet") as (process, first):
        url = httpx.URL(first.partition("listens on ")[2].strip())
        link = httpx.post(url.join("/v2/thumbnail/text"), json=TEXT, headers=KEYS["pikzels"]).json()["output"]
        score = "/v2/thumbnail/score"
        sent = {
            "pictures": raw(url, "POST", score, huge),
            "delays": raw(url, "POST", score, b"{}", "Prefer: delay=900000\r\n"),
            "downloads": raw(url, "GET", httpx.URL(link).path) * 50,
            "half a body": raw(url, "POST", score, huge)[:-10],
            "half a head": raw(url, "POST", score)[:-10],
        }[kind]
        wires = [connected(url) for _ in range(8)]
        for wire in wires:
            threading.Thread(target=wire.sendall, args=(sent,), daemon=True).start()
        assert httpx.get(url.join("/__admin/health")).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == ""
        for wire in wires:
            wire.close()


def test_a_webhook_under_way_does_not_hold_the_end():
    with socket.create_server(("127.0.0.1", 0)) as deaf, serving("--quiet") as (process, first):
        url = httpx.URL(first.partition("listens on ")[2].strip())
        hook = f"http://127.0.0.1:{deaf.getsockname()[1]}/hook"
        body = {"title": "a", "format": "youtube", "webhookUrl": hook}
        answer = httpx.post(url.join("/v1/generate"), json=body, headers=KEYS["thumbapi"])
        assert answer.status_code == 202
        advance = raw(url, "POST", "/__admin/clock/advance", b'{"seconds": 60}')
        with connected(url) as asking:
            asking.sendall(advance)
            deaf.settimeout(PATIENCE_S)
            with deaf.accept()[0]:
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 0
