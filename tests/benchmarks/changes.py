"""The small changes of the code that mutation.py shows to the tests, made with cosmic-ray."""

import ast
import random
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Place(NamedTuple):
    """Where one or more operators of cosmic-ray can change something."""

    file: str
    line: int
    changes: tuple[tuple[str, int], ...]  # operators with the occurrence that each would change


def places(packages: tuple[str, ...]) -> Iterator[Place]:
    """Find everything that can be changed but for annotations, whose changes any import would notice."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    operators = {name: get_operator(name) for name in operator_names()}
    makers = {
        name: each() for name, each in operators.items() if not each.arguments() and "no-op" not in name
    }
    for package in packages:
        for file in sorted((ROOT / "mockserver" / package).glob("*.py")):
            text = file.read_text("utf-8")
            annotated = _annotations(text)
            found: dict[tuple[int, int], list[tuple[str, int]]] = defaultdict(list)
            tree = get_ast(text)
            for name, operator in makers.items():
                spots = (spot for node in ast_nodes(tree) for spot in operator.mutation_positions(node))
                for occurrence, (start, _) in enumerate(spots):
                    if not any(low <= start <= high for low, high in annotated):
                        found[start].append((name, occurrence))
            for (line, _), changes in sorted(found.items()):
                yield Place(str(file.relative_to(ROOT)), line, tuple(changes))


def _annotations(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(text)):
        found += [part for name in ("annotation", "returns") if (part := getattr(node, name, None))]
    return [
        ((each.lineno, each.col_offset), (each.end_lineno or 0, each.end_col_offset or 0)) for each in found
    ]


def mutate(text: str, operator: str, occurrence: int) -> str:
    """Make one change."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    changed: str = mutate_code(text, get_operator(operator)(), occurrence)
    return changed


def is_python(text: str) -> bool:
    """Whether a changed module can be read without a warning; `**` in a signature is a mistake."""
    try:
        with warnings.catch_warnings(action="error"):
            compile(text, "changed", "exec")
    except (SyntaxError, SyntaxWarning):
        return False
    return True


def draw(seed: int, count: int, packages: tuple[str, ...]) -> Iterator[tuple[Place, str, str, str]]:
    """Draw places, and one change of each; give the operator, and the text before and after it."""
    chance, every = random.Random(seed), list(places(packages))
    chance.shuffle(every)
    for place in every:
        operator, occurrence = chance.choice(place.changes)
        text = (ROOT / place.file).read_text("utf-8")
        try:
            changed = mutate(text, operator, occurrence)
        except AttributeError:  # cosmic-ray knows no dotted names among several exceptions
            continue
        if not is_python(changed):
            continue
        yield place, operator, text, changed
        count -= 1
        if count <= 0:
            return
