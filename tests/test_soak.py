"""What takes minutes, for whoever asks with `-m soak`: the scripts of the benchmarks that pass or fail."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNS = [["soak", "--minutes", "10"], ["kills", "--times", "50"]]


@pytest.mark.soak
@pytest.mark.parametrize(("script", "option", "amount"), RUNS, ids=["strangers", "kills"])
def test_a_server_outlives(script, option, amount):
    command = [sys.executable, "-m", f"tests.benchmarks.{script}", option, amount]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3600, check=False)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr


@pytest.mark.parametrize("script", [script for script, *_ in RUNS])
def test_its_script_can_be_started(script):
    command = [sys.executable, "-m", f"tests.benchmarks.{script}", "--help"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
