"""`mockserver run`: programs with the production hosts written into them, and what is told of them."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from conftest import unmeasured

from mockserver.cli import main
from mockserver.coverage.report import Report
from mockserver.proxy.rules import Rules, Way
from mockserver.running import child
from mockserver.running.environment import proxy_variables
from mockserver.running.outcome import Outcome, read_verdict
from mockserver.verdict.findings import Finding, Verdict

README = Path(__file__).parents[1] / "README.md"
CLIENTS = Path(__file__).parent / "clients"
PATIENCE_S = 120  # a compiler's, on a busy machine
PYTHON = ("urllib", "requests", "requests_deaf", "httpx", "httpx_deaf", "httpx_async", "aiohttp", "uvloop")
WAYS = ("fetch", "https", "undici", "axios")
# A folder in which `npm install undici@6 axios` was said, and `npm install node@18` in a folder 18/ of it.
MODULES = os.environ.get("MOCKSERVER_NODE_MODULES", "")
SCORE = "https://api.pikzels.com/v2/thumbnail/score"
CALL = f"curl -sS -m 20 {SCORE} -H 'X-Api-Key: pkz_test' -H 'Content-Type: application/json'"
TEXT = CALL.replace("score", "text")
RIGHT = """-d '{"image_url": "https://example.com/a.png"}'"""
WRONG = """-d '{"image_ur": "https://example.com/a.png"}'"""
REASON = "body /image_ur: additionalProperties: image_ur is not a known field; did you mean image_url?"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder for the authority that all runs share."""
    return tmp_path_factory.mktemp("ca")


@pytest.fixture(scope="session")
def run(folder):
    """Run a command; give the finished process."""

    def run(*command, options=(), said=None, **variables):
        whole = [sys.executable, "-m", "mockserver", "run", "--pictures", "plain", *options, "--", *command]
        # Lines of ours are counted, those of a command that is Python itself would be as well.
        start = unmeasured() if sys.executable in command else {**os.environ, "PYTEST_ADDOPTS": ""}
        environment = {**start, "MOCKSERVER_CA_DIR": str(folder), **variables}
        return subprocess.run(
            whole,
            env=environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    return run


def needs(program, how):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program} here; {how}")


def check(done, names):
    """A success, a refusal with its reason, an ordered error and a picture by each of them."""
    assert done.stdout.splitlines() == [f"{name} 200 400 402 picture" for name in names], done.stderr
    assert done.returncode == 70
    assert REASON in done.stderr
    assert "exit status 70" in done.stderr


def test_python_is_led_whatever_library_it_uses(run):
    check(run(sys.executable, str(CLIENTS / "hardcoded.py"), *PYTHON), PYTHON)


def test_what_the_readme_writes_is_understood():
    section = README.read_text("utf-8").split("\n## Any language\n")[1].split("\n## ")[0]
    blocks = "".join(re.findall(r"```text\n(.*?)```", section, re.DOTALL))
    written = re.findall(r"mockserver (run|proxy|ca|serve)( [^\n`)&]*)", blocks)
    assert len(written) == 4
    for name, rest in written:
        main.commands[name].make_context(name, shlex.split(rest))


@needs("curl", "the system's packages have one")
def test_curl_is_led(run, tmp_path):
    (tmp_path / "client.sh").write_text(f"""
        code() {{ "$@" -o /dev/null -w '%{{http_code}} '; }}
        printf 'curl '
        code {CALL} {RIGHT}; code {CALL} {WRONG}; code {CALL} -H 'Prefer: code=402' {RIGHT}
        link=$({TEXT} -d '{{"prompt": "a", "model": "pkz_4", "format": "1:1"}}')
        link=${{link#*output*:*\\"}}
        curl -sS -m 20 "${{link%%\\"*}}" | head -c 4 | grep -q PNG && echo picture
    """)
    check(run("sh", str(tmp_path / "client.sh")), ["curl"])


def nodes():
    """Give every Node here: npm's of two versions, or the system's."""
    found = sorted(Path(MODULES).glob("*/node_modules/node/bin/node")) if MODULES else []
    system = shutil.which("node")
    named = [*map(str, found), *([system] if system else [])]
    missing = pytest.param(
        "", marks=pytest.mark.skip(reason="there is no node here; `npm install node@24` brings one")
    )
    return named or [missing]


@pytest.mark.parametrize("node", nodes())
def test_node_is_led_whatever_library_it_uses(run, node):
    ways = WAYS if (Path(MODULES) / "node_modules" / "axios").exists() and MODULES else WAYS[:2]
    check(run(node, str(CLIENTS / "hardcoded.mjs"), *ways, MODULES=MODULES), ways)


@needs("php", "`apt-get install php-cli php-curl` brings it")
def test_php_is_led(run):
    check(run("php", str(CLIENTS / "hardcoded.php")), ["curl", "streams"])


@needs("go", "`apt-get install golang` brings it")
def test_go_is_led(run):
    check(run("go", "run", str(CLIENTS / "hardcoded.go"), GOFLAGS="-mod=mod"), ["go"])


@needs("javac", "`apt-get install default-jdk` brings it")
def test_java_is_led(run):
    check(run("java", str(CLIENTS / "HardCoded.java")), ["java"])


# How it ends.


@pytest.mark.parametrize(
    ("command", "status"),
    [(["sh", "-c", "exit 3"], 3), (["sh", "-c", "kill -9 $$"], 137), (["true"], 0)],
    ids=["its own", "a signal", "success"],
)
def test_the_status_is_the_commands(command, status):
    assert child.run(command, dict(os.environ)) == status


@pytest.mark.parametrize(("command", "status"), [("no-such-command", 127), ("/", 126)])
def test_what_cannot_be_started_ends_as_shells_end(command, status):
    with pytest.raises(child.StartError) as raised:
        child.run([command], dict(os.environ))
    assert raised.value.status == status


def test_a_command_that_is_not_there_is_told(run):
    done = run("no-such-command")
    assert (done.returncode, done.stderr) == (127, "mockserver: no-such-command: command not found\n")


@pytest.mark.parametrize(
    ("status", "has_left", "is_refused", "end"),
    [
        (0, False, False, 0),
        (0, False, True, 70),
        (1, False, True, 1),
        (1, True, True, 69),
        (130, True, True, 130),
    ],
)
def test_leaving_counts_more_than_failing_and_failing_more_than_being_refused(
    status, has_left, is_refused, end
):
    places = {(Way.KEPT if has_left else Way.REFUSED, "a", 1): 1}
    verdict = Verdict((Finding("refusals", ""),) if is_refused else ())
    assert Outcome(status, {}, verdict, places, Report({}, {}), []).exit_status == end


def test_a_relaxed_verdict_lets_the_command_pass_which_has_its_own_input(run):
    done = run("sh", "-c", f"cat; {CALL} -o /dev/null {WRONG}", options=["--verdict", "warn"], said="said\n")
    assert (done.stdout, done.returncode, REASON in done.stderr) == ("said\n", 0, True)


@pytest.mark.parametrize(
    ("text", "refusals", "deprecated"),
    [("error", "error", "warn"), ("off", "off", "off"), ("warn refusals=error", "error", "warn"),
     ("error deprecated=error", "error", "error")],
)  # fmt: skip
def test_a_level_is_for_all_parts_or_for_one(text, refusals, deprecated):
    found = read_verdict(text)
    assert (found.refusals, found.deprecated) == (refusals, deprecated)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--verdict", "strict"], "there is no level 'strict'"),
        (["--report", "calls.txt"], "must end in .json, .har, .md or .xml"),
        (["--report", f"{__file__}/calls.json"], "test_run.py: File exists"),
        (["--pass", "www.pikzels.com"], "--allow-live www.pikzels.com"),
        (["--specs", "nowhere"], "nowhere"),
    ],
)
def test_a_mistake_is_told_before_the_command_begins(folder, tmp_path, monkeypatch, options, complaint):
    monkeypatch.setenv("MOCKSERVER_CA_DIR", str(folder))
    done = CliRunner().invoke(main, ["run", *options, "--", "touch", str(tmp_path / "begun")])
    assert (done.exit_code, (tmp_path / "begun").exists()) == (1, False)
    assert complaint in done.output


# What it tells, of one run in which everything happens.

NAME = "pikzels.post_v2_thumbnail_score"
KEPT = ["www.pikzels.com:443", "api.pikzels.com:8443", "api.thumbapi.dev:99"][
    : 3 if shutil.which("node") else 2
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    return {ending: folder / "new" / f"run.{ending}" for ending in ("json", "har", "md", "xml")}


@pytest.fixture(scope="module")
def busy(run, files):
    other, python = (
        "curl -sS -m 20 https://",
        "import socket; socket.create_connection(('api.pikzels.com', 8443))",
    )
    calls = [f"{CALL} -o /dev/null {each}" for each in (RIGHT, WRONG, f"-H 'Prefer: code=402' {RIGHT}")]
    calls += [f"{other}{host}/" for host in ("www.pikzels.com", "example.invalid", "example.test")]
    calls += [f'"{sys.executable}" -c "{python}"', "echo out"]
    calls += ["node -e \"fetch('https://api.thumbapi.dev:99/').catch(() => {})\""] if len(KEPT) > 2 else []
    reports = [part for file in files.values() for part in ("--report", str(file))]
    return run("sh", "-c", "; ".join(calls), options=["-v", "--pass", "*.invalid", *reports])


def test_who_calls_a_providers_real_host_is_kept_and_told(busy):
    assert busy.returncode == 69
    assert all(f"{each}; --allow-live" in busy.stderr for each in KEPT)


def test_other_hosts_are_refused_unless_they_are_passed(busy):
    assert "CONNECT tunnel failed, response 502" in busy.stderr
    assert "CONNECT tunnel failed, response 403" in busy.stderr
    assert "example.test:443; --pass example.test" in busy.stderr
    assert "--pass example.invalid" not in busy.stderr


def test_calls_are_printed_to_standard_error_alone(busy):
    assert busy.stdout == "out\n"
    assert re.findall(rf"^POST +/v2/thumbnail/score +{NAME} +(\d+) ", busy.stderr, re.MULTILINE) == [
        "200",
        "400",
        "402",
    ]


def test_the_summary_says_what_was_called_met_and_paid(busy):
    assert f"mockserver: 3 calls\n  {NAME}  1 x 200, 1 x 400, 1 x 402\n" in busy.stderr
    assert "mockserver: contract coverage: pikzels " in busy.stderr
    assert "mockserver: would have cost 0.03 USD at pikzels" in busy.stderr


def test_what_the_caller_ordered_is_not_held_against_it(busy, files):
    assert busy.stderr.count(" refusals: ") == 1
    told = json.loads(files["json"].read_text())["run"]
    assert [(each["part"], each["level"]) for each in told["findings"]] == [("refusals", "error")]


@pytest.mark.usefixtures("busy")
def test_the_json_is_coverage_that_can_be_merged(files):
    told = json.loads(files["json"].read_text())
    counts = [{"operation": NAME, "status": status, "count": 1} for status in (200, 400, 402)]
    assert told["run"]["calls"] == counts
    assert {"host": "www.pikzels.com", "port": 443, "count": 1, "isProviders": True} in told["run"][
        "turnedAway"
    ]
    done = CliRunner().invoke(main, ["coverage", str(files["json"])])
    assert "would have cost 0.03 USD" in done.output


@pytest.mark.usefixtures("busy")
def test_reports_are_in_the_language_of_their_endings(files):
    entries = json.loads(files["har"].read_text())["log"]["entries"]
    assert [each["request"]["url"] for each in entries] == [SCORE] * 3
    suite = ET.fromstring(files["xml"].read_text()).find("testsuite")
    assert suite is not None
    failed = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert (suite.get("tests"), failed) == ("2", {NAME, "stays with the mock"})
    assert REASON in files["md"].read_text()


# What the command sees.


def test_what_the_environment_says_stays_but_for_ways_past_the_mock(run, tmp_path):
    own = "import os, socket\nif 'MOCKSERVER_RUN' in os.environ: print('mine')"
    (tmp_path / "sitecustomize.py").write_text(own)
    said = {
        "ALL_PROXY": "http://10.0.0.1:1",
        "HTTPS_PROXY": "http://10.0.0.1:1",
        "NO_PROXY": "db,.pikzels.com,*,10.0.0.0/8",
        "PIKZELS_API_KEY": "pkz_mine",
        "PIKZELS_BASE_URL": "https://api.pikzels.com",
        "NODE_OPTIONS": "--max-old-space-size=100",
        "PYTHONPATH": str(tmp_path),
        "JAVA_TOOL_OPTIONS": "-Xmx1g",
        "MINE": "kept",
    }
    code = "import json, os, sys; print(json.dumps([dict(os.environ), sys.path]))"
    mine, told = run(sys.executable, "-c", code, **said).stdout.splitlines()
    found, path = json.loads(told)
    assert (mine, path[1]) == ("mine", str(tmp_path))
    assert "ALL_PROXY" not in found
    assert found["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert found["https_proxy"] == found["HTTP_PROXY"] == found["HTTPS_PROXY"]
    assert found["NO_PROXY"] == "localhost,127.0.0.1,::1,db,10.0.0.0/8"
    assert found["PIKZELS_BASE_URL"] == f"{found['MOCKSERVER_URL']}/pikzels"
    kept = [found[name] for name in ("PIKZELS_API_KEY", "THUMBAPI_API_KEY", "MINE")]
    assert kept == ["pkz_mine", "tb_test", "kept"]
    assert found["NODE_OPTIONS"].endswith(" --max-old-space-size=100")
    assert found["PYTHONPATH"].endswith(f"{os.pathsep}{tmp_path}")
    assert found["JAVA_TOOL_OPTIONS"].startswith("-Xmx1g -D")


def test_tests_of_pytest_are_led_as_any_program(run, tmp_path):
    text = f"import requests\ndef test_it(): assert requests.get('{SCORE}', timeout=20).status_code == 404\n"
    (tmp_path / "test_it.py").write_text(text)
    pytest_alone = ["-m", "pytest", "-q", "-p", "mockserver.pytest_plugin", "-p", "no:cacheprovider"]
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = run(sys.executable, *pytest_alone, str(tmp_path), options=["--verdict", "off"], **alone)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True)


def test_a_quiet_run_hides_no_mistyped_order_and_nothing_that_was_not_let_out(run):
    mistyped, other = CALL.replace("_test", "_test_content_polcy"), "curl -s https://example.test/"
    done = run("sh", "-c", f"{mistyped} -o /dev/null {RIGHT}; {other}; true", options=["--quiet"])
    told = [line for line in done.stderr.splitlines() if line.startswith("mockserver: ")]
    assert (done.returncode, told) == (0, ["mockserver: warnings:", "mockserver: not let out:"])
    assert "did you mean _content_policy?" in done.stderr


def test_a_run_within_a_run_leads_to_its_own_mock(run):
    call = ["sh", "-c", f"{CALL} -o /dev/null {WRONG}"]
    done = run(sys.executable, "-m", "mockserver", "run", "--quiet", "--", *call)
    assert (done.returncode, "mockserver: 0 calls" in done.stderr) == (70, True)


def test_a_signal_reaches_the_whole_command_and_the_summary_comes_all_the_same(folder):
    script = "trap 'exit 7' TERM; sh -c 'echo up; exec sleep 100' & wait"
    whole = [sys.executable, "-m", "mockserver", "run", "--", "sh", "-c", script]
    environment = unmeasured(MOCKSERVER_CA_DIR=str(folder))
    with subprocess.Popen(whole, env=environment, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
        told = process.communicate(timeout=PATIENCE_S)[1]  # which ends with the last that holds the pipe
    assert (process.returncode, told.splitlines()[0]) == (7, "mockserver: 0 calls")


def test_the_terminal_is_the_commands_and_comes_back(folder):
    """A terminal in which Ctrl-C is typed: the command hears it once, and the shell behind it goes on."""
    read = 'while :; do read line; [ "$line" ] && break; done'  # Ctrl-C may end one of them
    script = f'trap "echo heard" INT; echo ready; {read}; echo "got $line"; exit 5'
    command = f"'{sys.executable}' -m mockserver run -- sh -c '{script}'"
    shell = f'set -m; {command}; echo "status $?"; read last; echo "last $last"'
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--norc", "-c", shell], unmeasured(MOCKSERVER_CA_DIR=str(folder)))
    guard = threading.Timer(PATIENCE_S, os.kill, (pid, signal.SIGKILL))
    guard.start()
    seen = b""

    def until(mark):
        nonlocal seen
        while mark not in seen:
            seen += os.read(terminal, 1000)

    until(b"ready")
    os.write(terminal, b"\x03")
    until(b"heard")
    os.write(terminal, b"hello\n")
    until(b"got hello\r\n\r\nmockserver: 0 calls")
    until(b"status 5")
    os.write(terminal, b"bye\n")
    until(b"last bye")
    guard.cancel()
    os.waitpid(pid, 0)
    os.close(terminal)
    assert seen.count(b"heard") == 1
    assert b"got hello" in seen


@pytest.mark.parametrize(
    ("word", "stays"),
    [("*", False), ("pikzels.com", False), (".api.pikzels.com:443", False), ("com", False), ("::1", True),
     ("example.com", True), ("10.0.0.0/8", True)],
)  # fmt: skip
def test_what_is_not_proxied_stays_so_unless_it_is_a_providers(word, stays):
    rules = Rules.of(["api.pikzels.com"])
    found = proxy_variables("http://127.0.0.1:1", rules, {"no_proxy": word})["NO_PROXY"].split(",")
    assert (word in found) is stays
