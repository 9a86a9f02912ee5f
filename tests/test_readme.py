"""The README: its commands run, its answers are the answers, its tables are the tables."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
        f"| {provider.title} | {row.status} | `{row.name}` | {row.message} | {row.provenance} | {row.wording} |"
        for provider in load().providers.values()
        for row in provider.errors.values()
    ]
    return "\n".join(
        ["| API | status | row | message | row is | wording is |", "|---|---|---|---|---|---|", *rows, ""]
    )


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
    shown = re.sub(UUID, "ID", done.stdout.replace(server.url, HERE).splitlines()[-1])
    expected = answer.strip().replace("OUTPUT", "ID").replace("REQUEST", "ID")
    assert json.loads(shown) == json.loads(expected)


@pytest.mark.parametrize("program", PYTHON, ids=lambda text: text[:40])
def test_a_program_of_the_readme_runs(program):
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_table_of_operations_is_complete():
    assert table("operations") == operations_table()


def test_the_table_of_errors_is_complete():
    assert table("errors") == errors_table()


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


def test_every_admin_route_is_mentioned(client):
    for route in client.get("/__admin").json()["routes"]:
        assert f"{route['path']}`" in TEXT, route
