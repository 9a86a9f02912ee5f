"""State in a snapshot and in a file: killed and restored, the emulator answers to the byte as before."""

import json
import os
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from conftest import STRICT, first_line

from mockserver import Server, create_engine

KEY = {"X-Api-Key": "pkz_test"}
ORG = {"Authorization": "Bearer nsk_test"}
STYLE = {"name": "Creator Studio", "image_urls": ["https://cdn.pikzels.com/example.png"] * 3}


def live(url):
    """Do a bit of everything; give a list of reads."""
    with httpx.Client(base_url=url, timeout=30) as client:
        client.put("/__admin/clock", json={"now": "2026-05-05T05:05:05Z", "frozen": True})
        style = client.post("/v2/pikzonality/style", json=STYLE, headers=KEY).json()["id"]
        persona = client.post(
            "/v2/pikzonality/persona", json=STYLE, headers={**KEY, "Prefer": "job=manual"}
        ).json()["id"]
        text = {"prompt": "lone \ud800 surrogate", "model": "pkz_4", "format": "1:1"}
        output = client.post(
            "/v2/thumbnail/text",
            content=json.dumps(text),
            headers={**KEY, "Content-Type": "application/json"},
        ).json()["output"]
        call = {"prompt": "a", "count": 3}
        generation = client.post(
            "/api/v1/generate", json=call, headers={**ORG, "Prefer": "job=partial"}
        ).json()["generationId"]
        client.post(
            "/v1/generate",
            json={"title": "t", "format": "x", "webhookUrl": "http://127.0.0.1:9/"},
            headers={"x-api-key": "tb_test"},
        )
        client.post("/__admin/clock/advance", json={"by": 1})
    return [
        (f"/v2/pikzonality/{style}", KEY),
        (f"/v2/pikzonality/{persona}", KEY),
        (f"/api/v1/generations/{generation}", ORG),
        (output.replace(url, ""), {}),
        ("/__admin/accounts/pikzels/pkz_test", {}),
        ("/__admin/accounts/fatthumb/nsk_test", {}),
        ("/__admin/webhooks", {}),
        ("/__admin/jobs", {}),
        ("/__admin/clock", {}),
    ]


def read(url, reads):
    with httpx.Client(base_url=url, timeout=30) as client:
        # The host stands in links, so both servers are asked by one name.
        return [client.get(path, headers={**headers, "Host": "same"}).content for path, headers in reads]


def test_a_snapshot_restored_in_a_fresh_world_answers_to_the_byte_alike():
    with Server(create_engine(STRICT)) as first, Server(create_engine(STRICT)) as second:
        reads = live(first.url)
        state = httpx.get(f"{first.url}/__admin/state").content
        before = read(first.url, reads)
        httpx.put(f"{second.url}/__admin/state", content=state).raise_for_status()
        assert read(second.url, reads) == before


def test_after_a_restore_new_calls_go_on_alike():
    call = {"prompt": "next", "model": "pkz_3", "format": "9:16"}
    with Server(create_engine(STRICT)) as first, Server(create_engine(STRICT)) as second:
        live(first.url)
        httpx.put(f"{second.url}/__admin/state", content=httpx.get(f"{first.url}/__admin/state").content)
        made = [
            httpx.post(f"{each.url}/v2/thumbnail/text", json=call, headers={**KEY, "Host": "same"}).content
            for each in (first, second)
        ]
    assert made[0] == made[1]


def test_a_reset_forgets_everything(server):
    httpx.post(f"{server.url}/__admin/reset")
    reads = live(server.url)
    httpx.post(f"{server.url}/__admin/reset").raise_for_status()
    with httpx.Client(base_url=server.url) as client:
        assert [client.get(path, headers=headers).status_code for path, headers in reads[:4]] == [404] * 4
        assert client.get("/__admin/accounts/pikzels/pkz_test").json()["ledger"] == []
        assert client.get("/__admin/clock").json()["frozen"] is False
        assert client.get("/__admin/jobs").json() == {"jobs": []}
        assert client.post("/v2/pikzonality/style", json=STYLE, headers=KEY).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [b"{}", b"[]", b"nonsense", b'{"format": 1}', b'{"format": 99, "seed": 0}'],
    ids=lambda value: value.decode(),
)
def test_what_is_no_snapshot_is_refused_and_changes_nothing(server, wrong):
    httpx.post(f"{server.url}/__admin/reset")
    reads = live(server.url)
    before = read(server.url, reads)
    answer = httpx.put(f"{server.url}/__admin/state", content=wrong)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert read(server.url, reads) == before


def started(file):
    process = subprocess.Popen(
        [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--json", "--state", str(file)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    return process, json.loads(first_line(process))["url"]


def wait_for(is_so, most_s=60):
    """Look often until something is so, for so long at most."""
    never = threading.Event()
    assert any(is_so() or never.wait(0.05) for _ in range(20 * most_s)), f"not so after {most_s} s"


def ended(process, how):
    process.send_signal(how)
    code = process.wait(20)
    process.stdout.close()
    return code


def test_a_state_file_brings_a_stopped_server_back(tmp_path):
    file = tmp_path / "world.json"
    process, url = started(file)
    reads = live(url)
    before = read(url, reads)
    assert ended(process, signal.SIGTERM) == 0
    process, url = started(file)
    assert read(url, reads) == before
    ended(process, signal.SIGTERM)


def test_a_killed_server_leaves_a_whole_file(tmp_path):
    file = tmp_path / "world.json"
    process, url = started(file)
    reads = live(url)
    before = read(url, reads)
    wait_for(lambda: "Creator Studio" in file.read_text())
    ended(process, signal.SIGKILL)
    json.loads(file.read_bytes())
    process, url = started(file)
    assert read(url, reads[:4]) == before[:4]
    ended(process, signal.SIGTERM)


def test_a_state_file_that_is_none_stops_the_start(tmp_path):
    file = tmp_path / "world.json"
    file.write_text("half a fi")
    done = subprocess.run(
        [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--state", str(file)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "world.json" in done.stderr
    assert "move it away" in done.stderr
    assert file.read_text() == "half a fi"
