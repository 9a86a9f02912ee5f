"""The image, as far as it can be tried without an engine: its file is linted, its steps run in a folder."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml
from conftest import first_line, unmeasured
from test_habits import PROJECT

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60
TEXT = (ROOT / ".docker/Dockerfile").read_text("utf-8")
LINES = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
STEPS = [(word, rest) for line in LINES if line for word, _, rest in [line.partition(" ")]]
STARTS = [index for index, (word, _) in enumerate(STEPS) if word == "FROM"]
BUILD, FINAL = STEPS[: STARTS[-1]], STEPS[STARTS[-1] :]


def said(word, steps=FINAL):
    return [rest for each, rest in steps if each == word]


def variables(steps):
    return dict(part.split("=", 1) for rest in said("ENV", steps) for part in shlex.split(rest))


def is_sent(path):
    """Whether a file is a part of what is sent to be built."""
    parts, is_kept = Path(path).parts, True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!")
        for count in range(1, len(parts) + 1) if line and line[0] != "#" else ():
            within = parts[:count]
            whole, last = "/".join(within), within[-1]
            is_met = (
                fnmatchcase(last, pattern[3:])
                if pattern.startswith("**/")
                else fnmatchcase(whole, pattern) and "/" not in whole[len(pattern) :]
            )
            if is_met:
                is_kept = line.startswith("!")
    return is_kept


@pytest.mark.parametrize("base", said("FROM", STEPS))
def test_a_base_is_a_slim_python_that_the_package_knows(base):
    version = re.fullmatch(r"python:(3\.\d+)-slim-[a-z]+( AS \w+)?", base)
    assert version is not None
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["project"]["classifiers"]


def test_it_is_run_by_nobody_in_particular():
    (user,) = said("USER")
    assert int(user.partition(":")[0]) > 0
    assert [word for word, _ in FINAL].index("USER") < [word for word, _ in FINAL].index("ENTRYPOINT")


def test_it_is_built_of_nothing_but_the_source_and_what_pip_installs():
    assert [
        rest for rest in said("COPY", STEPS) if re.search(r"(^|\s)\./?(\s|$)", rest.rpartition(" ")[0])
    ] == []
    assert said("ADD", STEPS) == []
    assert said("RUN", FINAL) == []
    assert [rest for rest in said("RUN", BUILD) if not rest.startswith("pip install ")] == []


def test_it_ends_at_a_signal_which_a_shell_would_keep_for_itself():
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(said("ENTRYPOINT")[0]) == ["mockserver"]
    assert json.loads(said("CMD")[0]) == ["serve"]
    assert said("EXPOSE") == [variables(FINAL)["MOCKSERVER_PORT"]]


@pytest.mark.parametrize(
    ("path", "is_part"),
    [
        ("pyproject.toml", True),
        ("mockserver/cli/serve.py", True),
        ("specs/pikzels/openapi.yaml", True),
        ("fixtures/accounts.yaml", True),
        (".git/config", False),
        (".venv/bin/python", False),
        (".env", False),
        ("tests/conftest.py", False),
        ("mockserver/cli/__pycache__/serve.cpython-311.pyc", False),
        ("mockserver.json", False),
    ],
)
def test_what_is_sent_to_be_built_is_the_package_alone(path, is_part):
    assert is_sent(path) is is_part


def test_everything_that_is_copied_is_sent():
    named = [name for rest in said("COPY", BUILD) for name in rest.split()[:-1]]
    assert [name for name in named if not is_sent(name) or not (ROOT / name).exists()] == []
    assert {*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"], "mockserver"} <= set(
        named
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The root of what is built, with all that a network would bring taken from this environment."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "shims").mkdir()
    pip = folder / "shims/pip"
    options = "--no-index --no-deps --no-build-isolation --ignore-installed --quiet"
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip "$@" {options}\n', "utf-8")
    pip.chmod(0o755)
    environment = unmeasured(**variables(BUILD), PATH=f"{folder}/shims:{os.environ['PATH']}", PYTHONPATH="")
    where = folder
    for word, rest in BUILD:
        if word == "WORKDIR":
            where = folder / rest.lstrip("/")
            where.mkdir(parents=True)
        elif word == "COPY":
            *names, _target = rest.split()
            for name in names:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, where / name)
        elif word == "RUN":
            command = re.sub(r"(?<=\s)/(?=\w)", f"{folder}/", rest)
            subprocess.run(["sh", "-c", command], check=True, cwd=where, env=environment, timeout=PATIENCE_S)
    shutil.rmtree(folder / "source")
    return folder


def test_what_is_built_serves_is_healthy_writes_nothing_and_ends_when_it_is_told_to(root, tmp_path):
    (copied,) = said("COPY")
    source = copied.split()[1].lstrip("/")
    (packages,) = (root / source).glob("lib/python*/site-packages")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    own = variables(FINAL) | {"MOCKSERVER_PORT": port}
    path = f"{root / source}/bin:{os.environ['PATH']}"
    environment = unmeasured(**own, PATH=path, PYTHONPATH=str(packages))
    before = sorted(root.rglob("*"))
    command = [*json.loads(said("ENTRYPOINT")[0]), *json.loads(said("CMD")[0])]
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert first_line(process) == f"mockserver listens on http://0.0.0.0:{port}\n"
        asked = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])
        subprocess.run(asked, check=True, env=environment, cwd=tmp_path, timeout=PATIENCE_S)
        process.send_signal(signal.Signals[said("STOPSIGNAL")[0]])
        assert process.wait(PATIENCE_S) == 0
    assert (sorted(root.rglob("*")), list(tmp_path.iterdir())) == (before, [])


def test_the_compose_file_lets_its_client_wait_for_the_mocks_health():
    file = ROOT / "tests/examples/compose/compose.yaml"
    services = yaml.safe_load(file.read_text("utf-8"))["services"]
    mock, client = services["mock"], services["client"]
    context = (file.parent / mock["build"]["context"]).resolve()
    assert (context, (context / mock["build"]["dockerfile"]).is_file()) == (ROOT, True)
    assert client["depends_on"] == {"mock": {"condition": "service_healthy"}}
    assert client["environment"]["MOCKSERVER_URL"] == f"http://mock:{said('EXPOSE')[0]}"
    assert (file.parent / client["volumes"][0].partition(":")[0] / "package.json").is_file()
    assert mock["read_only"]
    assert ":latest" not in client["image"]


def test_the_example_for_pytest_has_nothing_beside_it():
    names = {file.name for file in (ROOT / "tests/examples/in_pytest").iterdir() if file.is_file()}
    assert names == {"thumbnails_client.py", "test_thumbnails_client.py"}
