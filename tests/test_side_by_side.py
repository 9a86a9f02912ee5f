"""One client, tested with our fixture and with tools that stub: ours asks for the fewest lines.

The four suites run with all other tests; here they are compared.
"""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "side_by_side"
OURS, *OTHERS = [
    FOLDER / f"test_with_{tool}.py" for tool in ("ours", "respx", "responses", "pytest_httpserver")
]


def lines(file: Path) -> int:
    """Count lines that are no blanks, comments or docstrings, each statement in one, however written."""
    tree = ast.parse(file.read_text("utf-8"))
    tree.body = tree.body[1:]
    return len([line for line in ast.unparse(tree).splitlines() if line.strip()])


def names_of(file: Path) -> list[str]:
    return [
        node.name
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("other", OTHERS, ids=lambda file: file.stem)
def test_both_test_the_same_and_ours_needs_fewer_lines(other):
    assert names_of(other) == names_of(OURS) != []
    assert lines(OURS) < lines(other)
