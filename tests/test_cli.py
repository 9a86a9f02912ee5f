"""The command line as people and scripts use it; `serve` runs in a process of its own."""

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner
from conftest import KEYS, first_line
from PIL import Image

from mockserver.cli import main
from mockserver.spec.catalog import load
from mockserver.spec.files import SPECS

PATIENCE_S = 30
CATALOG = load()
SCORE = {"image_url": "https://example.com/a.png"}
THUMB = {"title": "Ten tips", "format": "youtube"}


def run(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_routes_lists_every_operation_once():
    result = run("routes")
    assert (result.exit_code, len(result.output.splitlines())) == (0, len(CATALOG.operations))
    for operation in CATALOG.operations:
        assert re.search(
            rf"^{operation.method} +{re.escape(operation.path)} +{operation.name} ",
            result.output,
            re.MULTILINE,
        )


def test_routes_can_be_read_by_programs():
    rows = [json.loads(line) for line in run("routes", "--json").output.splitlines()]
    assert [row["operation"] for row in rows] == [operation.name for operation in CATALOG.operations]


@pytest.mark.parametrize("provider", CATALOG.providers.values(), ids=lambda provider: provider.name)
def test_errors_lists_every_error_of_a_provider_and_how_to_get_it(provider):
    result = run("errors", provider.name)
    first = next(iter(provider.errors.values()))
    assert result.exit_code == 0
    for row in provider.errors.values():
        assert re.search(
            rf"^  {row.status}  {row.name} +{re.escape(row.message)}$", result.output, re.MULTILINE
        )
    assert f"Prefer: code={first.status}, example={first.name}" in result.output
    assert f"test_{first.name.lower()}" in result.output


def test_errors_of_all_providers_can_be_read_by_programs():
    rows = [json.loads(line) for line in run("errors", "--json").output.splitlines()]
    said = [(row["provider"], row["status"], row["example"]) for row in rows]
    assert said == [
        (each.name, row.status, row.name)
        for each in CATALOG.providers.values()
        for row in each.errors.values()
    ]


def test_errors_of_an_unknown_provider_are_answered_with_those_there_are():
    result = run("errors", "pixels")
    assert (result.exit_code, result.output) == (
        1,
        f"error: there is no provider 'pixels'; there are {', '.join(CATALOG.providers)}\n",
    )


def test_check_finds_nothing_in_the_bundled_folders():
    result = run("check")
    assert result.exit_code == 0
    assert re.fullmatch(r"\d+ providers, \d+ operations, \d+ errors: nothing to complain of\n", result.output)


@pytest.mark.parametrize(
    ("name", "size", "format_"),
    [("a.png", "1280x720", "PNG"), ("a.webp", "720x1280", "WEBP"), ("A.PNG", "64x64", "PNG")],
)
def test_render_draws_a_picture_of_that_size_and_kind(tmp_path, name, size, format_):
    result = run("render", "I bought my own island 🏝", "-o", tmp_path / name, "--size", size)
    assert (result.exit_code, result.output) == (0, f"{tmp_path / name}: {size}\n")
    with Image.open(tmp_path / name) as picture:
        assert (picture.format, "x".join(map(str, picture.size))) == (format_, size)


def test_render_draws_the_same_picture_for_the_same_seed(tmp_path):
    for name, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        run("render", "Island", "-o", tmp_path / name, "--seed", seed, "--size", "320x180")
    first, again, other = [(tmp_path / name).read_bytes() for name in ("a.png", "b.png", "c.png")]
    assert (first == again, first == other) == (True, False)


@pytest.mark.parametrize(
    "size",
    [
        "1280",
        "1280x",
        "x720",
        "63x720",
        "1280x4097",
        "-1x5",
        "1280*720",
        "1280x720x3",
        "²²²x720",
        "9" * 5000 + "x720",
    ],
)
def test_render_refuses_a_size_that_is_none(tmp_path, size):
    result = run("render", "Island", "-o", tmp_path / "a.png", "--size", size)
    assert (result.exit_code, "is no size such as 1280x720" in result.output) == (2, True), repr(
        result.exception
    )


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_render_refuses_a_file_it_cannot_write(tmp_path, name):
    result = run("render", "Island", "-o", tmp_path / name)
    assert (result.exit_code, "must end in .png or .webp" in result.output, list(tmp_path.iterdir())) == (
        2,
        True,
        [],
    )


def test_render_into_a_folder_that_is_not_there_ends_with_a_sentence(tmp_path):
    result = run("render", "Island", "-o", tmp_path / "nowhere" / "a.png", "--size", "64x64")
    assert (result.exit_code != 0, isinstance(result.exception, SystemExit)) == (True, True), repr(
        result.exception
    )


def test_the_version_is_printed():
    assert re.search(r"\d+\.\d+", run("--version").output)


@contextlib.contextmanager
def serving(*options):
    """A server in its own process; give the process and its first line, and end it as an operator would."""
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, first_line(process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def called(*options):
    """A server that prints JSON, and a client of it."""
    with (
        serving("--json", *options) as (_, first),
        httpx.Client(base_url=json.loads(first)["url"], timeout=PATIENCE_S) as client,
    ):
        yield client


def test_serve_in_json_prints_one_object_a_line_and_ends_well():
    with serving("--json") as (process, first):
        start = json.loads(first)
        assert (start["event"], start["providers"]) == ("start", list(CATALOG.providers))
        with httpx.Client(base_url=start["url"]) as client:
            assert client.get("/__admin/health").status_code == 200
            client.post("/v2/thumbnail/score", json=SCORE, headers=KEYS["pikzels"])
            client.post("/v2/thumbnail/score", json={}, headers=KEYS["pikzels"])
            client.get("/nowhere?a=1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        rows = [json.loads(line) for line in process.stdout]
        assert process.stderr.read() == ""
    names = ("event", "method", "path", "operation", "status", "error")
    said = [tuple(row[name] for name in names) for row in rows if row["path"] != "/__admin/health"]
    assert said == [
        ("request", "POST", "/v2/thumbnail/score", "pikzels.post_v2_thumbnail_score", 200, None),
        (
            "request",
            "POST",
            "/v2/thumbnail/score",
            "pikzels.post_v2_thumbnail_score",
            400,
            "VALIDATION_ERROR",
        ),
        ("request", "GET", "/nowhere", None, 404, "Unknown path"),
    ]
    assert all(row["ms"] >= 0 for row in rows)


def test_a_download_has_its_line_too():
    with serving("--json") as (process, first), httpx.Client(base_url=json.loads(first)["url"]) as client:
        body = {"prompt": "Island", "model": "pkz_4", "format": "1:1"}
        link = client.post("/v2/thumbnail/text", json=body, headers=KEYS["pikzels"]).json()["output"]
        assert client.get(link).status_code == 200
        process.send_signal(signal.SIGTERM)
        rows = [json.loads(line) for line in process.stdout]
    assert ("GET", httpx.URL(link).path, 200) in [(row["method"], row["path"], row["status"]) for row in rows]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_well_even_when_it_is_told_to_at_once(number):
    with serving() as (process, _):
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0


def test_serve_prints_a_call_for_each_provider_that_works_when_pasted():
    with serving() as (process, first):
        assert re.search(r"listens on http://127\.0\.0\.1:\d+", first)
        lines = list(
            iter(
                process.stdout.readline,
                "Ctrl-C stops it. `mockserver errors` lists every error you can order.\n",
            )
        )
        calls = [line.rstrip() for line in lines if line.startswith("curl ")]
        assert len(calls) == len(CATALOG.providers)
        for call in calls:
            pasted = subprocess.run(
                ["sh", "-c", call + " -o /dev/null -w '%{http_code}'"],
                capture_output=True,
                text=True,
                check=True,
            )
            assert pasted.stdout == "200", call
        process.send_signal(signal.SIGTERM)
        requests = [line for line in process.stdout if line.startswith("POST ")]
    assert len(requests) == len(CATALOG.providers)
    assert re.search(
        r"^POST +/v2/thumbnail/text +pikzels\.post_v2_thumbnail_text +200 - \d+\.\d ms$",
        "".join(requests),
        re.MULTILINE,
    )


def test_serve_says_what_to_do_about_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "mockserver", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    said = f"error: cannot listen on 127.0.0.1:{port}: Address already in use; --port 0 takes any free port\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", said)


@pytest.mark.parametrize(
    ("host", "status", "told"),
    [
        ("no.such.host.invalid", 1, "error: cannot listen on no.such.host.invalid:0: "),
        ("no.such.host.invalid", 1, "--host takes a name or an address of this machine, such as 127.0.0.1"),
        ("192.0.2.7", 1, "--host takes a name or an address of this machine, such as 127.0.0.1"),
        ("a..b", 2, "a..b cannot be resolved: it is no name of a host"),
        ("", 2, "it is empty; 0.0.0.0 stands for all addresses of this machine"),
    ],
)
def test_serve_says_what_to_do_about_a_host_that_is_none(host, status, told):
    result = run("serve", "--port", "0", "--host", host)
    assert (result.exit_code, told in result.output) == (status, True), result.output


def test_check_says_of_a_folder_that_is_not_there_just_that(tmp_path):
    result = run("check", tmp_path / "nowhere")
    told = "there is no such folder; name a provider's folder, or a folder of them"
    assert (result.exit_code, result.output) == (1, f"error: {tmp_path / 'nowhere'}: {told}\n")


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("/dev/null", "/dev/null: is nothing that can be written; allow it, or name another file"),
        ("/proc/state.json", "/proc/state.json: nothing can be written into /proc: "),
        (
            "/no/such/state.json",
            "/no/such/state.json: there is no folder /no/such; make it, or name another file",
        ),
    ],
)
def test_serve_refuses_to_start_where_the_world_cannot_be_kept(file, told):
    result = run("serve", "--port", "0", "--state", file)
    assert (result.exit_code, f"error: {told}" in result.output) == (1, True), result.output


def test_options_come_from_the_environment_too_and_the_command_line_wins(monkeypatch):
    for name, value in {"PORT": "x", "STRICT_KEYS": "1", "JSON": "1", "SERVE_ENFORCE": "credits"}.items():
        monkeypatch.setenv(f"MOCKSERVER_{name}", value)
    with serving() as (_, first), httpx.Client(base_url=json.loads(first)["url"]) as client:
        said = [
            client.post("/v2/thumbnail/score", json=SCORE, headers={"X-Api-Key": key}).status_code
            for key in ("pkz_test", "pkz_mine")
        ]
    assert said == [200, 401]
    assert "'x' is not a valid integer" in run("serve").output


def test_every_option_has_a_variable_of_its_own_name():
    serve = {each.opts[0]: each.envvar for each in main.commands["serve"].params}
    assert serve["--seed"] == ["MOCKSERVER_SEED", "MOCKSERVER_SERVE_SEED"]
    assert serve["--strict-keys"] == ["MOCKSERVER_STRICT_KEYS", "MOCKSERVER_SERVE_STRICT_KEYS"]
    assert all(
        each.envvar for command in main.commands.values() for each in command.params if each.opts[0][0] == "-"
    )


@pytest.mark.parametrize(("value", "has_colours"), [("", True), ("1", False)])
def test_no_colour_is_respected(monkeypatch, value, has_colours):
    monkeypatch.setenv("NO_COLOR", value)
    result = CliRunner().invoke(main, ["errors", "pikzels"], color=True)
    assert ("\x1b[" in result.output) is has_colours


def test_serve_stops_with_the_complaint_about_a_wrong_table(tmp_path):
    shutil.copytree(SPECS / "fatthumb", tmp_path / "fatthumb")
    table = tmp_path / "fatthumb" / "behaviour.yaml"
    table.write_text(table.read_text("utf-8").replace("title: FatThumb", "titel: FatThumb"), "utf-8")
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--specs", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert (
        f"error: {table}: titel: titel is not a known field; did you mean title?"
        in result.stderr.splitlines()
    )


def test_strict_keys_refuses_what_no_fixture_lists_and_nothing_else():
    with called("--strict-keys") as client:
        said = [
            client.post("/v2/thumbnail/score", json=SCORE, headers={"X-Api-Key": key}).status_code
            for key in ("pkz_test", "pkz_mine", "pkz_test_conflict")
        ]
    assert said == [200, 401, 409]


def test_what_the_documents_leave_open_is_read_as_assume_says():
    with called("--assume", "thumbapi.extra_answer_fields=left_out") as client:
        answer = client.post("/v1/generate", json=THUMB, headers=KEYS["thumbapi"])
    assert set(answer.json()) == {"image", "format", "outputFormat"}


def test_without_it_all_fields_are_answered():
    with called() as client:
        answer = client.post("/v1/generate", json=THUMB, headers=KEYS["thumbapi"])
    assert set(answer.json()) == {"image", "format", "outputFormat", "dimensions", "generationId", "imageUrl"}


def test_the_public_url_stands_in_links_which_are_taken_back():
    body = {"prompt": "Island", "model": "pkz_4", "format": "16:9"}
    with called("--public-url", "https://mock.example/base/") as client:
        link = client.post("/v2/thumbnail/text", json=body, headers=KEYS["pikzels"]).json()["output"]
        assert link.startswith("https://mock.example/base/cdn/pikzels/")
        assert client.get(httpx.URL(link).path.removeprefix("/base")).headers["content-type"] == "image/png"
        assert (
            client.post("/v2/thumbnail/score", json={"image_url": link}, headers=KEYS["pikzels"]).status_code
            == 200
        )


def test_the_public_url_may_be_that_of_one_api():
    body = {"prompt": "Island", "model": "pkz_4", "format": "16:9"}
    with called("--public-url", "pikzels=https://a.example", "--public-url", "https://all.example") as client:
        link = client.post("/v2/thumbnail/text", json=body, headers=KEYS["pikzels"]).json()["output"]
        other = client.post("/v1/generate", json=THUMB, headers=KEYS["thumbapi"]).json()["imageUrl"]
    assert link.startswith("https://a.example/cdn/pikzels/")
    assert other.startswith("https://all.example/cdn/thumbapi/")


@pytest.mark.parametrize(
    ("value", "status", "told"),
    [
        ("pikzel=https://a.example", 1, "there is no provider pikzel; did you mean pikzels?"),
        ("pikzels=a.example", 2, "pikzels=a.example is no address such as https://mock.example.com or"),
        ("=https://a.example", 2, "is no address"),
    ],
)
def test_a_public_url_that_cannot_be_is_refused(value, status, told):
    result = run("serve", "--port", "0", "--public-url", value)
    assert (result.exit_code, told in " ".join(result.output.split())) == (status, True)


def test_serve_begins_with_a_scenario_and_a_latency():
    with called("--scenario", "out-of-credits", "--latency", "1ms..2ms") as client:
        told = [client.post("/v2/thumbnail/score", json=SCORE, headers=KEYS["pikzels"]).status_code]
        client.post("/__admin/reset")
        told.append(client.post("/v2/thumbnail/score", json=SCORE, headers=KEYS["pikzels"]).status_code)
        delays = [row.get("delay") for row in client.get("/__admin/faults").json()["faults"]]
    assert told == [402, 402]
    assert delays == [None, {"uniform": [1.0, 2.0]}, {"uniform": [1.0, 2.0]}]


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--scenario", "flakey", "there is no scenario 'flakey', and no such file; did you mean flaky?"),
        ("--latency", "soon", "'soon' is no latency; write 200ms, or 200ms..2s"),
    ],
)
def test_serve_says_what_is_wrong_with_what_shall_go_wrong(option, value, told):
    result = run("serve", "--port", "0", option, value)
    assert (result.exit_code, f"error: {told}" in result.output) == (1, True)


def test_assumptions_are_listed_with_their_readings_and_why():
    result = run("assumptions", "pikzels")
    assert result.exit_code == 0
    assert "pikzels.multi_line_prompts  May a prompt hold line breaks?" in result.output
    assert "accepted  line breaks are a part of the prompt" in result.output
    assert "thumbapi." not in result.output


def test_assumptions_in_json_are_one_object_a_line():
    rows = [json.loads(line) for line in run("assumptions", "--json").output.splitlines()]
    found = {row["name"]: row for row in rows}
    assert found["thumbapi.extra_answer_fields"]["strictest"] == "left_out"
    assert found["thumbapi.extra_answer_fields"]["mostLenient"] == "sent"
    assert all(row["default"] in row["readings"] for row in rows)


def test_assumptions_of_a_provider_that_is_not_there_are_refused_with_the_nearest():
    result = run("assumptions", "pikzel")
    assert (result.exit_code, "did you mean pikzels?" in result.output) == (1, True)


def test_serve_refuses_a_misspelt_assumption():
    result = run("serve", "--port", "0", "--assume", "pikzels.renam=accepted")
    assert (result.exit_code, "did you mean pikzels.rename?" in result.output) == (1, True)


def test_what_each_command_does_is_told_in_one_whole_line():
    told = CliRunner().invoke(main, ["--help"]).output
    assert "..." not in told.partition("Commands:")[2]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize(
    "command", [["serve", "--timeout-head"], ["serve", "--timeout-body"], ["wait", "--timeout"]]
)
def test_a_time_that_is_none_is_told_at_the_command_line(command, number):
    result = CliRunner().invoke(main, [*command, number])
    assert (result.exit_code, f"Invalid value for '{command[1]}'" in result.output) == (2, True)
