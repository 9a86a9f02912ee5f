"""The oldest and the newest uvicorn that pyproject allows: what changes its protocol works with both.

The suite runs with one of them. Here the tests of the wire run in a process of their own with each end of the
range that is another one; without a package index, that is skipped.
"""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import unmeasured

TESTS = Path(__file__).parent
PROJECT = tomllib.loads((TESTS.parent / "pyproject.toml").read_text("utf-8"))["project"]
(RANGE,) = [each for each in PROJECT["dependencies"] if each.startswith("uvicorn")]
OLDEST, BEYOND = (re.findall(rf"{sign}([\d.]+)", RANGE)[0] for sign in (">=", "<"))
ENDS = {"oldest": f"uvicorn=={OLDEST}", "newest": f"uvicorn<{BEYOND}"}
WIRE = (
    "test_serving.py",
    "test_slow_and_hostile_connections.py",
    "test_bodies_under_way.py",
    "test_namespaces_over_sockets.py",
    "test_uvicorn_range.py",
)
IS_WITHIN = "MOCKSERVER_UVICORN"  # says which one, in the process that has it
QUICK = (
    "upgrade or pieces or order or ceases or several or 431 or more_of_a_body or who_sends_on or welcome "
    "or (usable and key) or said or way_in or with_its_namespace or closed_with_the_server"
)


def install(folder, wanted):
    """Lay a uvicorn into a folder, from the package index; say which one it is."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--retries", "0", "--timeout", "5", "--target", str(folder), wanted]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("no package index can be reached")
    (found,) = folder.glob("uvicorn-*.dist-info")
    return found.name.removeprefix("uvicorn-").removesuffix(".dist-info")


def test_the_range_has_both_ends_and_the_suite_runs_within_it():
    def numbers(text):
        return [int(each) for each in text.split(".")[:2]]

    assert numbers(OLDEST) <= numbers(version("uvicorn")) < numbers(BEYOND)


@pytest.mark.skipif(IS_WITHIN not in os.environ, reason="asked where a uvicorn was laid into the path")
def test_the_uvicorn_in_the_path_is_said_to_be_this_one():
    assert version("uvicorn") == os.environ[IS_WITHIN]


@pytest.mark.skipif(IS_WITHIN in os.environ, reason="that would never end")
@pytest.mark.parametrize("end", ENDS)
def test_the_wire_is_the_same_at_both_ends_of_the_range(tmp_path, end):
    found = install(tmp_path, ENDS[end])
    if found == version("uvicorn"):
        pytest.skip(f"the suite itself runs with {found}")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = unmeasured(PYTHONPATH=path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", **{IS_WITHIN: found})
    plugins = ["-p", "mockserver.pytest_plugin", "-p", "xdist", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, "-q", "-x", "-k", QUICK]
    told = subprocess.run(
        [*command, *(str(TESTS / each) for each in WIRE)],
        check=False, env=environment, cwd=TESTS.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-3000:]
