"""The project's habits: the guide speaks of what is there, versions agree, CI asks for everything."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from test_house_rules import LAYERS, PACKAGE, SOURCES

from mockserver.cli import main
from mockserver.imaging.headers import _MOST_SCANS
from mockserver.imaging.reading import MAX_PIXELS
from mockserver.jsontext import MAX_NESTING
from mockserver.messages import LARGEST_BODY
from mockserver.pipeline.respond import LONGEST_HEADER
from mockserver.serving.heads import LARGEST_HEAD
from mockserver.serving.room import LARGEST_TOTAL
from mockserver.settings import PATIENT
from mockserver.spec.explain import MOST_ITEMS, MOST_VIOLATIONS

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / ".github/CONTRIBUTING.md").read_text("utf-8")
THREATS = (ROOT / ".github/SECURITY.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
CI = (ROOT / ".ci/run").read_text("utf-8")
LOWEST = (ROOT / ".ci/lowest").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PLACES = ("mockserver/", "tests/", "specs/", "fixtures/", ".github/", ".ci/")
PATHS = sorted({text for text in re.findall(r"`([^`\s]+)`", GUIDE + THREATS) if text.startswith(PLACES)})
PLACEHOLDER = re.compile(r"[A-Z]{3,}|\*")  # PROVIDER, ROOM, *.yaml: a pattern rather than a file


def defined() -> set[str]:
    """Every name that a module, class or function of ours gives to something, and every file's own."""
    names = {part for name in SOURCES for part in name.split(".")}
    for file in (*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.arg):
                names.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                names.add(node.value)
    return names


def layers_table() -> str:
    files = {each.name.removesuffix(".py"): each for each in PACKAGE.iterdir()}
    rows = [
        " · ".join(
            f"`{name}/`" if files[name].is_dir() else f"`{name}.py`" for name in names if name in files
        )
        for names in LAYERS
    ]
    table = [f"| {number} | {row} |" for number, row in enumerate(rows, 1)]
    return "\n".join(["| | modules and packages |", "|---|---|", *table, ""])


def newest(text: str) -> str:
    """The first version below the heading Changelog."""
    found = re.search(r"^\W*(\d+\.\d+\.\d+)\b", text.split("\n## Changelog\n")[1], re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", [path for path in PATHS if not PLACEHOLDER.search(path)])
def test_a_file_that_the_guide_names_is_there(path):
    assert (ROOT / path).exists()


def test_what_the_guide_calls_by_its_name_has_that_name():
    form = r"`((?:[A-Z][a-z]\w+|[a-z]+(?:_[a-z]+)+|[A-Z]+_[A-Z_]+)(?:\.\w+)*)`"
    words = {part for name in re.findall(form, GUIDE) for part in name.split(".")}
    examples = {"None", "py", "THE_ROW", "test_a_stub_wins_once", "test_stub_2"}
    assert words - defined() - examples == set()


@pytest.mark.parametrize("text", [GUIDE, README], ids=["the guide", "the README"])
def test_a_command_that_is_spoken_of_is_one(text):
    assert set(re.findall(r"`mockserver ([a-z]\w*)", text)) <= set(main.commands)


def test_the_layers_of_the_guide_are_those_that_are_enforced():
    table = GUIDE.split("<!-- layers -->\n")[1].split("<!-- /layers -->")[0]
    assert table == layers_table()


@pytest.mark.parametrize(
    "question",
    [
        "Where would I add a 402 for a new plan?",
        "Where does a picture link become bytes?",
        "What happens to a body that is too large?",
    ],
)
def test_the_guide_answers_a_newcomers_question_in_one_row(question):
    (row,) = (line for line in GUIDE.splitlines() if line.startswith(f"| {question}"))
    anchor = re.search(r"\(#([\w-]+)\)", row)
    headings = [
        re.sub(r"[^\w -]", "", each.lower()) for each in re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    ]
    assert anchor is not None
    assert anchor[1] in [heading.replace(" ", "-") for heading in headings]


def test_no_comment_cites_a_plan_that_is_not_in_the_repository():
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "specs").rglob("*.yaml")]
    cited = [
        (file, found) for file in files for found in re.findall(r"\b[A-Z]{4,}\.md\b", file.read_text("utf-8"))
    ]
    assert {found for _, found in cited} <= {"CONTRIBUTING.md", "README.md", "SECURITY.md"}


def test_the_newest_version_of_the_changelog_is_the_packages():
    assert newest(README) == PROJECT["project"]["version"]


def test_the_readme_says_how_much_the_violations_header_holds():
    assert LONGEST_HEADER == 4 * 1024
    assert re.search(r"`Mock-Violations`, of at most 4\sKiB", README)


def test_the_threat_model_names_the_bounds_that_hold():
    assert (PATIENT.head_s, PATIENT.body_s, LARGEST_TOTAL) == (10, 30, LARGEST_BODY)
    bounds = [
        f"{LARGEST_HEAD // 2**10} KiB and ten seconds, a body pauses of thirty",
        f"{LARGEST_BODY // 2**20} MiB for a call, and together beside the oldest; {MAX_NESTING} levels",
        f"at most {MOST_VIOLATIONS} violations are told, of the first {MOST_ITEMS:,} items",
        f"{MAX_PIXELS // 10**6} megapixels, {_MOST_SCANS} scans of a JPEG",
    ]
    assert [each for each in bounds if each not in THREATS] == []


def test_the_threat_model_speaks_of_options_that_there_are():
    options = set(re.findall(r"`(--[a-z-]+)`", THREATS))
    assert {"--admin-token", "--no-admin", "--state"} <= options
    assert options <= {
        name for command in main.commands.values() for each in command.params for name in each.opts
    }


def test_ci_asks_for_style_types_and_tests_with_a_floor_of_coverage():
    asked = ("ruff check .", "ruff format --check .", "bin/mypy\n", 'PYTEST_ADDOPTS="--cov --cov-report="')
    assert [each for each in asked if each not in CI] == []
    assert PROJECT["tool"]["mypy"]["files"] == ["mockserver", "tests"]
    assert PROJECT["tool"]["coverage"]["report"]["fail_under"] == 97
    assert PROJECT["tool"]["coverage"]["run"]["branch"]


def test_ci_asks_for_the_lowest_versions_that_are_allowed():
    assert ".ci/lowest" in CI
    assert "--resolution lowest-direct --editable .\n" in LOWEST
    assert [each for each in PROJECT["project"]["dependencies"] if ">=" not in each] == []


def test_every_room_that_is_tried_with_the_lowest_versions_has_its_test():
    rooms = re.search(r"^rooms=\(\n(.*?)^\)", LOWEST, re.MULTILINE | re.DOTALL)
    assert rooms is not None
    assert [each for each in rooms[1].split() if not (ROOT / f"tests/test_{each}.py").is_file()] == []


def test_every_dependency_says_why_it_is_there():
    _, _, text = (ROOT / "pyproject.toml").read_text("utf-8").partition("\ndependencies = [\n")
    lines = text.partition("\n[project.scripts]")[0].splitlines()
    named = [line for line in lines if line.startswith('    "')]
    assert len(named) > len(PROJECT["project"]["dependencies"])
    assert [line for line in named if not re.search(r'", +# \S', line)] == []


def test_no_line_of_code_is_longer_than_the_formatter_makes_them():
    assert PROJECT["tool"]["ruff"]["line-length"] == 110
    assert "E501" not in PROJECT["tool"]["ruff"]["lint"]["ignore"]


def test_the_oldest_python_that_is_asked_for_is_among_those_that_pass():
    passing = [each for each in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", each)]
    assert PROJECT["project"]["requires-python"] == f">={passing[0].rpartition(' ')[2]}"
