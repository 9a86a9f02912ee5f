"""The README: its commands run, its answers are the answers, its tables are the tables."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run_python, unmeasured
from test_new_provider import write

from mockserver.messages import FAULTS
from mockserver.spec.catalog import load

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text("utf-8")
HERE = "http://127.0.0.1:8080"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SHELL = [
    (text, answer)
    for (kind, text), (_, answer) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True)
    if kind == "sh"
][2:]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
TESTS = [text for text in PYTHON if "def test_" in text]
PROGRAMS = [text for text in PYTHON if text not in TESTS]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def table(name: str) -> str:
    return TEXT.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


def operations_table() -> str:
    rows = [
        f"| {each.method} | `{each.path}` | `{each.name}` | {each.row.title} |" for each in load().operations
    ]
    return "\n".join(["| method | path | operation | does |", "|---|---|---|---|", *rows, ""])


def errors_table() -> str:
    rows = [
        (
            provider.title,
            row.status,
            f"`{row.name}`",
            row.message,
            row.provenance,
            ", ".join(row.ours),
            row.wording,
        )
        for provider in load().providers.values()
        for row in provider.errors.values()
    ]
    head = [("API", "status", "row", "message", "row is", "but ours", "wording is"), ("---",) * 7]
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in [*head, *rows]).replace(" --- ", "---")


def test_the_first_screen_has_exactly_two_commands_of_one_line():
    first_screen = TEXT.split("\n## ")[0]
    commands = re.findall(r"^```sh\n(.*?)^```$", first_screen, re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    assert all(command.count("\n") == 1 for command in commands)


@pytest.mark.parametrize(("command", "answer"), SHELL, ids=lambda text: text[:40])
def test_a_command_of_the_tour_gives_the_answer_that_is_shown(server, command, answer):
    done = subprocess.run(
        ["bash", "-c", command.replace(HERE, server.url)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = re.sub(UUID, "ID", done.stdout.replace(server.url, HERE)).splitlines()
    expected = answer.replace("OUTPUT", "ID").replace("REQUEST", "ID").splitlines()
    assert shown[:-1] == expected[:-1]
    assert json.loads(shown[-1]) == json.loads(expected[-1])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda text: text[:40])
def test_a_program_of_the_readme_runs(program):
    done = run_python(program)
    assert done.returncode == 0, done.stderr


def run_tests(folder):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "mockserver.pytest_plugin",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
    ]
    alone = unmeasured(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")  # not as this run of the tests was asked for
    return subprocess.run(
        command, cwd=folder, env=alone, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_tests_of_the_readme_pass(tmp_path):
    for number, text in enumerate(TESTS):
        (tmp_path / f"test_{number}.py").write_text(text, "utf-8")
    done = run_tests(tmp_path)
    assert TESTS
    assert done.returncode == 0, done.stdout


def test_every_fault_is_mentioned():
    (faults,) = re.findall(r"^\* Faults: (.+?)\. A fault", TEXT, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`([A-Z_]+)`", faults)) == set(FAULTS)


def test_the_first_screens_are_start_pytest_errors_and_time():
    sections = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert sections[:4] == ["Three minutes", "In pytest", "Errors on demand", "Time, money and state"]


def test_the_long_table_stands_last_and_behind_a_fold():
    _, _, fold = TEXT.partition("<details>")
    assert "<!-- errors -->" in fold
    assert "\n## " not in fold


def test_the_table_of_operations_is_complete():
    assert table("operations") == operations_table()


def test_the_table_of_errors_is_complete():
    assert table("errors") == errors_table()


def assumptions_table() -> str:
    rows = ["| assumption | question | readings, the default first |", "|---|---|---|"]
    for provider in load().providers.values():
        for name, row in provider.table.assumptions.items():
            ends = {"strictest": row.strictest, "most lenient": row.most_lenient}
            said = []
            for key in sorted(row.readings, key=lambda key: key != row.default):
                marks = [word for word, end in ends.items() if key == (end or row.default)]
                told = f" ({', '.join(marks)})" if marks else ""
                said.append(f"`{key}`{told}: {row.readings[key].does}")
            rows.append(f"| `{provider.name}.{name}` | {row.question} | {'; '.join(said)} |")
    return "\n".join([*rows, ""])


def test_the_table_of_assumptions_is_complete():
    assert table("assumptions") == assumptions_table()


def options_table() -> str:
    from mockserver.cli import main

    rows = [f"| `{option.opts[0]}` | {option.help} |" for option in main.commands["serve"].params]
    return "\n".join(["| `serve` option | does |", "|---|---|", *rows, ""])


def test_the_table_of_options_is_complete():
    assert table("options") == options_table()


def test_every_option_of_every_command_is_mentioned():
    from mockserver.cli import main

    for command in main.commands.values():
        assert f"`mockserver {command.name}" in TEXT


def test_every_option_of_coverage_is_mentioned():
    from mockserver.testing.coverage_options import SETTINGS

    assert [
        each for each in SETTINGS if f"| `{each.option}" not in TEXT or f"`{each.name}`" not in TEXT
    ] == []


def test_every_admin_route_is_mentioned(client):
    for route in client.get("/__admin").json()["routes"]:
        assert f"{route['path']}`" in TEXT, route


SECTION = TEXT.split("\n## In pytest\n")[1].split("\n## ")[0]
SCREEN = SECTION.split("\n### ")[0]
WANTED = [line for line in SECTION.splitlines() if line.startswith("| ")]
SNIPPETS = re.findall(r"`([^`]+)`", "".join(line.rpartition(" | ")[2] for line in WANTED))
SETTINGS = [each for each in SNIPPETS if each.startswith("mockserver_") and " = " in each]
MARKERS = [each for each in SNIPPETS if each.startswith("@")]
STATEMENTS = [
    each for each in SNIPPETS if re.match(r"mockserver\.|monkeypatch\.|httpx\.|session\.|with ", each)
]
USES = """
import asyncio, time
import httpx, pytest, requests
from mockserver import MockServer

@pytest.fixture
def session(mockserver):
    url, score = f"{mockserver.pikzels.url}/v2/thumbnail/score", {"image_url": "https://example.com/a.png"}
    httpx.post(url, json=score, headers=mockserver.pikzels.headers)
    return requests.Session()
"""
STATEMENT = """
def test_statement_{number}(mockserver, monkeypatch, session):
    {snippet}
"""
MARKER = """
{snippet}
def test_marker_{number}(mockserver):
    with mockserver.expect_refusal("MISSING_API_KEY"):
        httpx.get(f"{{mockserver.pikzels.url}}/v2/pikzonality/1")
"""


def test_what_the_tables_of_wishes_say_is_right(tmp_path):
    write(tmp_path / "specs" / "petshop")
    (tmp_path / "pytest.ini").write_text("\n".join(["[pytest]", *SETTINGS]))
    tests = [STATEMENT.format(number=number, snippet=each) for number, each in enumerate(STATEMENTS)]
    tests += [MARKER.format(number=number, snippet=each) for number, each in enumerate(MARKERS)]
    (tmp_path / "test_wishes.py").write_text(USES + "".join(tests), "utf-8")
    done = run_tests(tmp_path)
    assert (len(SETTINGS), len(MARKERS), len(STATEMENTS)) == (11, 11, 17)
    assert done.returncode == 0, done.stdout


def test_the_section_on_pytest_is_one_screen_with_a_test_file_shorter_than_fifteen_lines():
    (text,) = TESTS
    assert text in SCREEN
    assert len(text.strip().splitlines()) < 15
    assert len(SCREEN.strip().splitlines()) < 40
