"""Which small changes of the code the tests notice: `python -m tests.benchmarks.mutation --seed 1`.

cosmic-ray (`pip install cosmic-ray`, which nothing else here needs) makes the changes, one at a time, in a
copy of the tree; each is shown to the tests that reach its lines, as one run of them has noted, until one
fails: of each way through the function the quickest first. What is changed is shown to the examples in the
docstrings of its module, too, and to what VALUES names where an import runs it. Run it by hand: 200 changes
take about two hours. It ends with 1 where less than 85 % are noticed.
"""

import argparse
import ast
import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from changes import ROOT, draw

PACKAGES = ("pipeline", "state", "behaviours", "spec", "admin", "serving")
LEAST = 0.85  # of the changes, what must be noticed
BUDGET_S = 20.0  # of tests, as long as they took while that was noted, for one change
TIMEOUT_S = 180.0
SURVEY_TIMEOUT_S = 3600
# What starts interpreters or draws for minutes, and what reads the code rather than run it.
LEFT_OUT = (
    "cli",
    "clients_of_other_languages",
    "coverage_in_pytest",
    "ending",
    "habits",
    "house_rules",
    "imaging_legibility",
    "imaging_measuring",
    "imaging_plain",
    "imaging_rendering",
    "interception_in_pytest",
    "outlet",
    "pytest_plugin",
    "readme",
    "schemathesis",
    "seeds",
    "side_by_side",
    "suite_of_300",
    "uvicorn_range",
    "verdict_in_pytest",
    "wheel",
)
KINDS = "not (by and httpx)"  # of the two senders of exchanges, one will do
# Of what is read once a process one test alone is noted; what holds values, tables and bounds against
# documents goes with it, and after that single calls to the whole.
VALUES = ["tests/test_values.py", "tests/test_tables.py", "tests/test_bounds.py"]
WHOLE = "tests/test_exchanges.py::test_every_answer"
EXAMPLES = "tests/test_house_rules.py::test_the_examples_in_docstrings_hold"
NOT_FOUND = 4  # pytest's code where a test's name leads nowhere


class Tests(NamedTuple):
    """Who reaches what, and how long that takes."""

    by_line: dict[str, dict[int, set[str]]]
    taken_s: dict[str, float]

    def choose(self, file: str, lines: range, around: range) -> list[str]:
        """Give who reaches a line, then who reaches the file, within BUDGET_S.

        Of each way through the lines `around` the quickest goes first. What is read once a process is reached
        by one test alone, however many would notice it: then single calls are shown to it, too.
        """
        reached = self.by_line.get(file, {})
        close = set().union(*(reached.get(line, ()) for line in lines or around))
        near = set().union(*reached.values()) - close
        chosen, spent_s = list[str](), 0.0
        whole = set() if lines else {test for test in self.taken_s if test.startswith(WHOLE)} - close - near
        for test in chain(*(self._in_turn(each, reached, around) for each in (close, near, whole))):
            cost_s = self._cost(test) + 0.01
            if not chosen or spent_s + cost_s <= BUDGET_S:
                chosen.append(test)
                spent_s += cost_s
        return chosen

    def _in_turn(self, tests: set[str], reached: dict[int, set[str]], around: range) -> list[str]:
        seen, ranked = Counter[frozenset[int]](), list[tuple[int, float, str]]()
        for test in sorted(tests, key=lambda each: (self._cost(each), each)):
            way = frozenset(line for line in around if test in reached.get(line, ()))
            ranked.append((seen[way], self._cost(test), test))
            seen[way] += 1
        return [test for *_, test in sorted(ranked)]

    def _cost(self, test: str) -> float:
        return self.taken_s.get(test, 0.01)


def statement(text: str, line: int) -> range:
    """Give the lines of the innermost statement, or its head, around a line; none in what an import runs."""
    found, is_inner = range(line, line + 1), False
    for node in ast.walk(ast.parse(text)):  # breadth first: the innermost comes last
        if not isinstance(node, ast.stmt) or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        is_inner |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and line > node.lineno
        body = getattr(node, "body", None)
        found = range(node.lineno, body[0].lineno if body else (node.end_lineno or 0) + 1)
    return found if is_inner else range(0)


def function(text: str, line: int) -> range:
    """Give the lines of the innermost function around a line; the whole module where there is none."""
    found = range(1, text.count("\n") + 2)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line:
            last = node.end_lineno or 0
            found = range(node.lineno, last + 1) if line <= last else found
    return found


def beside(file: str, text: str, lines: range) -> list[str]:
    """Give who would notice a change without being noted: the module's examples, the rules for all values."""
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return ([f"{EXAMPLES}[{module}]"] if ">>> " in text else []) + ([] if lines else VALUES)


def run(
    tree: Path, python: str, arguments: list[str], timeout_s: float, **more: str
) -> tuple[int | None, str]:
    """Run pytest in a tree; give its code, None where it took too long, and what it said."""
    path = f"{tree}:{tree / 'tests' / 'benchmarks'}"
    ours = {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(tree.parent / "pyc"), **more}
    spared = [f"-pno:{name}" for name in ("cacheprovider", "schemathesis", "pytest_cov", "pytest_httpserver")]
    command = [python, "-m", "pytest", "-q", *spared, *arguments]
    with (tree.parent / "said").open("w+") as said:
        process = subprocess.Popen(
            command, cwd=tree, env=os.environ | ours, stdout=said, stderr=said, start_new_session=True
        )
        try:
            code: int | None = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        said.seek(0)
        return code, said.read()


def survey(tree: Path, python: str) -> Tests:
    """Run the tests once, unless that was done in this folder; give who reaches what in how long."""
    from coverage import CoverageData

    log, data = tree.parent / "survey.log", tree.parent / "reached"
    if not log.exists():
        skipped = [f"--ignore=tests/test_{name}.py" for name in LEFT_OUT]
        asked = ["-p", "reached", "--durations=0", "-vv", "-k", KINDS, *skipped, "tests"]
        said = run(tree, python, asked, SURVEY_TIMEOUT_S, REACHED=str(data))[1]
        log.write_text(said, "utf-8")
    said = log.read_text("utf-8")
    taken_s = dict.fromkeys(re.findall(r"^(tests/.+?) PASSED", said, re.MULTILINE), 0.0)
    for spent, test in re.findall(
        r"^([\d.]+)s (?:call|setup|teardown)\s+(tests/.+?)\s*$", said, re.MULTILINE
    ):
        if test in taken_s:
            taken_s[test] += float(spent)
    covered = CoverageData(str(data))
    covered.read()
    by_line: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in covered.measured_files():
        reached = by_line[f"mockserver/{file.rpartition('/mockserver/')[2]}"]
        for line, tests in covered.contexts_by_lineno(file).items():
            reached[line] |= taken_s.keys() & tests
    return Tests(by_line, taken_s)


def judge(
    tree: Path, python: str, file: str, changed: str, chosen: list[str], number: int
) -> tuple[str, str]:
    """Show a change to the tests; give what became of it, and who noticed."""
    path, original = tree / file, (ROOT / file).read_text("utf-8")
    if not chosen:
        return "survived", "no test reaches it"
    (tree.parent / "chosen").write_text("\n".join(chosen), "utf-8")
    try:
        path.write_text(changed, "utf-8")
        # Else bytecode of another change of this length is used.
        os.utime(path, (1_000_000_000 + number,) * 2)
        asked = ["-x", "--tb=line", "--hypothesis-seed=0", f"@{tree.parent / 'chosen'}"]
        code, said = run(tree, python, asked, TIMEOUT_S)
    finally:
        path.write_text(original, "utf-8")
        os.utime(path, (1_000_000_000,) * 2)
    if code == 0:
        return "survived", f"{len(chosen)} tests"
    if code is None:
        return "timeout", ""
    if code == NOT_FOUND and "Error" not in said.replace("ERROR", ""):
        return "unjudged", said[-500:]
    who = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    return "noticed", who[1] if who else said.strip()[-200:]


def main() -> int:
    """Draw, change, ask, and say how many were noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--packages", default=",".join(PACKAGES))
    parser.add_argument(
        "--python", default=sys.executable, help="with the test environment, where this has it not"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("/tmp/mockserver-mutation"), help="for copy and report"
    )
    parser.add_argument("--again", action="store_true", help="find out anew who reaches what")
    options = parser.parse_args()
    tree: Path = options.folder.absolute() / "tree"
    if options.again:
        shutil.rmtree(options.folder, ignore_errors=True)
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis"
    )
    shutil.copytree(ROOT, tree, ignore=ignored, dirs_exist_ok=True)
    tests = survey(tree, options.python)
    found: Counter[str] = Counter()
    report = options.folder / f"report-{options.seed}-{options.count}.jsonl"
    with report.open("w", encoding="utf-8") as written:
        drawn = draw(options.seed, options.count, tuple(options.packages.split(",")))
        for number, (place, operator, text, changed) in enumerate(drawn, 1):
            diff = "\n".join(difflib.unified_diff(text.splitlines(), changed.splitlines(), n=1, lineterm=""))
            lines = statement(text, place.line)
            chosen = tests.choose(place.file, lines, function(text, place.line))
            chosen += beside(place.file, text, lines)
            began_s = time.monotonic()
            became, who = judge(tree, options.python, place.file, changed, chosen, number)
            found[became] += 1
            row = {"place": f"{place.file}:{place.line}", "operator": operator, "became": became, "who": who}
            written.write(
                json.dumps(row | {"took_s": round(time.monotonic() - began_s, 1), "diff": diff}) + "\n"
            )
            written.flush()
            print(f"{number} {became} {place.file}:{place.line} {operator} {who}", flush=True)
            if became == "survived":
                print(diff.partition("@@\n")[2], flush=True)
    noticed = found["noticed"] + found["timeout"]
    share = noticed / max(1, found.total() - found["unjudged"])
    print(f"{dict(found)}: {share:.1%} noticed; {report}")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
