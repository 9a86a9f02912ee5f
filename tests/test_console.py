"""What a person reads on the console: why a call was refused, and no more than a line for a good one."""

import json
import signal
import socket

import httpx
import pytest
from conftest import KEYS
from test_cli import PATIENCE_S, SCORE, serving

from mockserver.console import write_bodies, write_json, write_line
from mockserver.journal.redaction import redaction_of
from mockserver.spec.catalog import load

REDACTION = redaction_of(load().providers.values())
GOOD = {"image_url": "https://example.com/a.png"}


@pytest.fixture
def line(ask, heard):
    """Send a request; give its line, without the milliseconds."""

    def written(path, body=None, method="POST", **headers):
        answer = ask(method, path, body, **headers)
        return write_line(heard[-1]._replace(duration_s=0), answer, {}, "")

    return written


def test_a_success_is_a_line_without_more(line):
    assert line("/v2/thumbnail/score", GOOD, x_api_key="pkz_test") == (
        "POST   /v2/thumbnail/score          pikzels.post_v2_thumbnail_score      200 - 0.0 ms"
    )


@pytest.mark.parametrize("path", ["/ns/alice/v2/thumbnail/score", "/v2/thumbnail/score"])
def test_a_line_names_the_namespace(line, path):
    assert line(path, GOOD, x_api_key="pkz_test", mock_namespace="alice") == (
        "POST   /v2/thumbnail/score          pikzels.post_v2_thumbnail_score      200 - 0.0 ms  [alice]"
    )


def test_a_row_names_the_namespace(ask, heard):
    rows = []
    for path in ("/nowhere", "/ns/alice/nowhere"):
        answer = ask("GET", path)
        rows.append(json.loads(write_json(heard[-1], answer, REDACTION, has_bodies=False)))
    assert ["namespace" in row for row in rows] == [False, True]
    assert (rows[1]["namespace"], rows[1]["path"]) == ("alice", "/nowhere")


KEY = {"x_api_key": "pkz_test"}
UNKNOWN = "titel is not a known field; did you mean title?"
REASONS = [
    ("s", GOOD, {}, "There is no path /v2/thumbnail/scores; the nearest is /v2/thumbnail/score"),
    ("", GOOD, {}, "header x-api-key: the request carries no key in the right form; send X-Api-Key: KEY"),
    ("", {"title": "a"}, KEY, "image_url: Provide "),
    ("", {**GOOD, "titel": "a"}, KEY, UNKNOWN),
    ("", {**GOOD, "titel": "a", "x": 1}, KEY, f"{UNKNOWN} (and 1 more: x)"),
    ("", GOOD, {"x_api_key": "pkz_poor"}, "the call costs 0.03, the balance is 0"),
    ("", b"{,}", {**KEY, "content_type": "application/json"}, "The body is not JSON: "),
    (
        "",
        GOOD,
        {"x_api_key": "pkz_test_conflct"},
        "warning: header x-api-key: the key's ending _conflct orders",
    ),
    (
        "",
        GOOD,
        {**KEY, "prefer": "code=409, count=2"},
        "the caller ordered NAME_RESERVED; warning: header pre",
    ),
]


@pytest.mark.parametrize(("path", "body", "headers", "reason"), REASONS)
def test_a_refused_call_says_its_first_reason_and_its_id(line, heard, path, body, headers, reason):
    told = line(f"/v2/thumbnail/score{path}", body, **headers).partition(" ms  ")[2]
    assert reason in told
    assert told.endswith(f" ({heard[-1].request_id})")


def test_of_several_reasons_the_one_is_told_that_the_answer_names(line):
    told = line("/v1/generate", {"format": "youtbe", "usePhoto": "yes"}, x_api_key="tb_test")
    assert "400 TITLE_REQUIRED 0.0 ms  title" in told
    assert "(and 2 more: usePhoto, format)" in told


def test_what_the_mock_says_itself_is_told_where_nothing_else_is(line):
    told = line("/cdn/pikzels/rest-api/none.png")
    assert "a link is downloaded with GET or HEAD" in told


def test_the_reason_of_a_tool_that_is_called_is_told(line):
    params = {"name": "generate_thumbnail", "arguments": {"prompt": ""}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    assert "prompt must not be empty" in line("/api/mcp", call, authorization="Bearer nsk_test")


def test_what_a_terminal_would_obey_is_escaped(line):
    told = line("/v2/thumbnail/score", {**GOOD, "\x1b[2J\n": 1}, x_api_key="pkz_test")
    assert told.isprintable()
    assert line("/\x1b[2J\ud800").isprintable()


def test_in_json_all_violations_stand_with_key_and_clock(ask, heard, engine):
    engine.world.clock.set(0, is_frozen=True)
    answer = ask("POST", "/v2/thumbnail/score", {"a": 1, "b": 2}, x_api_key="pkz_0123456789")
    row = json.loads(write_json(heard[0], answer, REDACTION, has_bodies=False))
    assert [each["pointer"] for each in row["violations"]][:2] == ["/a", "/b"]
    assert all(each["citation"] for each in row["violations"])
    assert (row["key"], row["at"], row["id"]) == (
        "pkz_...6789",
        "1970-01-01T00:00:00.000Z",
        heard[0].request_id,
    )


def test_in_json_a_key_that_nobody_has_is_shown_shortened(ask, heard):
    answer = ask("POST", "/v2/thumbnail/score", GOOD, x_api_key="0123456789")
    assert json.loads(write_json(heard[0], answer, REDACTION, has_bodies=False))["key"] == "...6789"


def test_bodies_are_shown_with_pictures_shortened(ask, heard):
    body = {"image_base64": f"data:image/png;base64,{'A' * 5000}", "title": "Two\nlines"}
    answer = ask("POST", "/v2/thumbnail/score", body, x_api_key="pkz_test")
    sent, came = write_bodies(heard[0], answer, REDACTION)
    assert sent.startswith('  > {"image_base64":"data:image/png;base64,AAAA')
    assert "A... (5000 characters)" in sent
    assert "Two\\nlines" in sent
    assert came.startswith('  < {"error":')
    assert len(sent) < 200


def test_a_picture_is_shown_as_its_kind_and_size(ask, heard):
    body = {"prompt": "Island", "model": "pkz_4", "format": "1:1"}
    link = json.loads(ask("POST", "/v2/thumbnail/text", body, x_api_key="pkz_test").read())["output"]
    answer = ask("GET", link.removeprefix("http://localhost"))
    assert list(write_bodies(heard[-1], answer, REDACTION)) == [
        f"  < (image/png, {len(answer.read())} bytes)"
    ]


def test_serve_prints_reasons_and_with_verbose_bodies():
    with serving("--verbose") as (process, first):
        url = first.partition("listens on ")[2].strip()
        httpx.post(f"{url}/v2/thumbnail/score", json={}, headers=KEYS["pikzels"])
        process.send_signal(signal.SIGTERM)
        lines = process.stdout.read().splitlines()
    (at,) = [index for index, each in enumerate(lines) if " 400 VALIDATION_ERROR " in each]
    assert "\x1b" not in "".join(lines)
    assert (lines[at + 1], lines[at + 2][:12]) == ("  > {}", '  < {"error"')


def test_a_call_that_waits_does_not_hold_up_the_end_and_leaves_no_traceback():
    body = json.dumps(SCORE).encode()
    head = "POST /v2/thumbnail/score HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: pkz_test\r\n"
    head += f"Prefer: delay=600000\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving("--quiet") as (process, first):
        url = httpx.URL(first.partition("listens on ")[2].strip())
        with socket.create_connection((url.host, url.port or 0)) as waiting:
            waiting.sendall(head.encode() + body)
            for _ in range(3):  # the server has read what came before these
                assert httpx.get(url.join("/__admin/health")).status_code == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
            assert waiting.recv(1) == b""
        assert process.stderr.read() == ""
