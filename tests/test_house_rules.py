"""The house rules of .github/CONTRIBUTING.md, read with `ast`: who imports whom, how the code is written."""

import ast
import doctest
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mockserver
from mockserver.fixtures import load_fixtures
from mockserver.problems import ProblemType
from mockserver.spec.catalog import load

PACKAGE = Path(mockserver.__file__).parent

# A module imports from the layers above its own, and its own package; modules of one layer are strangers.
LAYERS = (
    ("allocation", "bounded", "hosts", "outlet", "ownedfile", "pointer", "preferences", "tls"),
    ("posting",),
    ("messages", "problems", "jsontext", "seeded", "settings", "caches"),
    ("namespaces",),
    ("spec", "state", "imaging"),
    ("call", "causes", "fixtures", "nomatch", "scaffold", "scenarios"),
    ("links", "prices"),
    ("behaviours", "pipeline"),
    ("payloads", "samples", "readings"),
    ("downloads", "restoring", "voices", "webhooks"),
    ("journal", "coverage"),
    ("verdict",),
    ("admin", "console"),
    ("walk",),
    ("engine",),
    ("assembly", "printing", "statefile", "serving"),
    ("proxy", "testing"),
    ("running",),
    ("cli", "pytest_plugin"),
    ("__init__", "__main__"),
)
# Where what stands above is open only in part: (who, of which package) → these modules and no others.
ONLY = {
    ("imaging", "jsontext"): (),
    ("call", "spec"): ("spec.marks", "spec.model", "spec.rows"),
    ("links", "spec"): ("spec.marks", "spec.model", "spec.rows"),
    ("behaviours", "spec"): ("spec.marks", "spec.model", "spec.rows"),
    ("prices", "spec"): ("spec.model",),
    ("pipeline", "pipeline"): (),
    ("admin", "pipeline"): (),
    ("serving", "pipeline"): (),
    ("serving", "spec"): (),
    ("cli", "pipeline"): ("pipeline.behave",),
    ("downloads", "behaviours"): ("behaviours.outputs",),
    ("payloads", "behaviours"): ("behaviours.outputs",),
    ("admin", "behaviours"): (),
    ("cli", "behaviours"): (),
}
# The one place, or the few, where an outside library is known.
HOMES = {
    "yaml": ("spec.files",),
    "jsonschema": ("spec.validator",),
    "jsonschema_rs": ("spec.schema", "spec.resources"),
    "msgspec": ("state.values", "spec.row", "spec.table"),
    "regress": ("spec.patterns",),
    "orjson": ("jsontext",),
    "PIL": ("imaging",),
    "bidi": ("imaging.lettering",),
    "starlette": ("serving.app",),
    "uvicorn": ("serving.server", "serving.protocol", "serving.flow", "serving.ports"),
    "httptools": ("serving.protocol",),
    "click": ("cli", "printing"),
    "httpx": ("posting", "testing.transports"),
    "anyio": ("testing.transports", "testing.mock"),
    "requests": ("testing.adapter",),
    "urllib3": ("testing.adapter",),
    "jsonpath": ("journal.matching",),
    "pytest": ("pytest_plugin", "testing.coverage_plugin", "testing.shared_plugin"),
    "trustme": ("tls.authority",),
    "cryptography": ("tls.stores",),
    "idna": ("tls.authority",),
    "certifi": ("tls.stores",),
}
PROVIDERS = ("pikzels", "fatthumb", "thumbapi")
VAGUE_NAMES = {"utils", "helpers", "common", "base", "manager"}
MOST_LINES, MOST_FUNCTION_LINES = 300, 49
OWN_WORDS = {kind.value for kind in ProblemType}


def sources() -> dict[str, Path]:
    """Every module by its name below `mockserver`; a package goes by its own name, the root is `__init__`."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = file
    return found


SOURCES = sources()
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree_of(name: str) -> ast.Module:
    """A module, read when a test first asks for it: every process of a run collects all tests."""
    return ast.parse(SOURCES[name].read_text("utf-8"))


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Every module with its name."""
    return ((name, tree_of(name)) for name in SOURCES)


@cache
def imports(name: str) -> list[str]:
    """Everything that a module imports, wherever in it the import stands."""
    return list(_imports(name))


def _imports(name: str) -> Iterator[str]:
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole.removeprefix("mockserver.") in SOURCES else str(node.module)


@cache
def own_imports(name: str) -> set[str]:
    inner = {each for each in imports(name) if each.partition(".")[0] == "mockserver"}
    return {each.removeprefix("mockserver").lstrip(".") or "__init__" for each in inner}


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def layer(name: str) -> int:
    return next(index for index, names in enumerate(LAYERS) if name.partition(".")[0] in names)


def test_every_module_has_a_place_in_the_layers():
    placed = {name for names in LAYERS for name in names}
    assert {name.partition(".")[0] for name in SOURCES} - placed == set(), "give it a place in LAYERS"


def test_a_module_imports_only_from_the_layers_above_and_its_own_package():
    wrong = [
        f"{name} imports {each}"
        for name in SOURCES
        for each in own_imports(name)
        if each.partition(".")[0] != name.partition(".")[0] and layer(each) >= layer(name)
    ]
    assert wrong == []


@pytest.mark.parametrize(("who", "package"), ONLY)
def test_what_is_open_only_in_part_is_not_imported_beyond_that(who, package):
    wrong = [
        f"{name} imports {each}"
        for name in SOURCES
        for each in own_imports(name) - {name}
        if is_within(name, who) and is_within(each, package) and each not in ONLY[who, package]
    ]
    assert wrong == []


def test_no_module_but_the_engine_knows_several_steps():
    steps = {name: {each for each in own_imports(name) if is_within(each, "pipeline")} for name in SOURCES}
    assert [name for name, known in steps.items() if len(known) > 1] == ["engine"]


def test_nobody_imports_what_is_one_providers_own():
    assert [
        (name, each) for name in SOURCES for each in own_imports(name) if each.rpartition(".")[2] in PROVIDERS
    ] == []


def test_an_outside_library_is_imported_in_its_homes_alone():
    strays = [
        f"{name} imports {each}"
        for name in SOURCES
        for each in (whole.partition(".")[0] for whole in imports(name))
        if each not in sys.stdlib_module_names | {"mockserver"}
        and not any(is_within(name, home) for home in HOMES.get(each, ()))
    ]
    assert strays == []


def test_only_the_clock_reads_the_time_and_nothing_is_drawn_from_a_global_source():
    readers = [
        f"{name}: {ast.unparse(node)}"
        for name in SOURCES
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Attribute)
        and re.fullmatch(r"time\.(time|monotonic)|datetime\.(now|utcnow|today)", ast.unparse(node))
    ]
    assert {reader.partition(":")[0] for reader in readers} == {"state.clock"}
    assert not [name for name in SOURCES if {"random", "secrets", "uuid"} & set(imports(name))]


def test_every_module_says_what_it_is_for():
    said = {name: ast.get_docstring(tree) or "" for name, tree in trees()}
    assert [name for name, text in said.items() if not re.search(r"\w.*[.!?]", text)] == []


def public(nodes: list[ast.stmt]) -> Iterator[ast.ClassDef | Function]:
    """Public classes, their public methods, and public functions."""
    for node in nodes:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_public_classes_and_functions_say_what_they_are_for():
    silent = [
        (name, node.name)
        for name, tree in trees()
        for node in public(tree.body)
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_module_is_too_long():
    lengths = {name: len(file.read_text("utf-8").splitlines()) for name, file in SOURCES.items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_is_too_long():
    functions = [
        (name, node) for name, tree in trees() for node in ast.walk(tree) if isinstance(node, Function)
    ]
    lengths = {f"{name}.{node.name}": (node.end_lineno or 0) - node.lineno + 1 for name, node in functions}
    assert {name: length for name, length in lengths.items() if length > MOST_FUNCTION_LINES} == {}


def test_no_comment_is_pushed_behind_a_closing_bracket():
    kept = r"^\s*[)\]}]+,?  # (?!fmt: |noqa|type: )"
    files = [*SOURCES.values(), *Path(__file__).parent.rglob("*.py")]
    pushed = [(file, line) for file in files for line in file.read_text("utf-8").splitlines()]
    assert [(file.name, line) for file, line in pushed if re.match(kept, line)] == []


def test_no_module_has_a_vague_name():
    assert [name for name in SOURCES if VAGUE_NAMES & set(re.split(r"[._]", name))] == []


def test_no_error_is_swallowed_whole():
    handlers = [
        (name, node)
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
    ]
    broad = [
        (name, each)
        for name, each in handlers
        if each.type is None or ast.unparse(each.type).endswith("Exception")
    ]
    silent = [
        (name, each.lineno)
        for name, each in broad
        if all(isinstance(node, ast.Pass | ast.Continue) for node in each.body)
    ]
    assert silent == []


def test_only_packages_name_what_they_give_away():
    named = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "__all__"
    }
    assert [name for name in named if SOURCES[name].name != "__init__.py"] == []


def literals(name: str) -> Iterator[str | int | float]:
    """Every string and number of a module, without docstrings."""
    prose = {id(node.value) for node in ast.walk(tree_of(name)) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree_of(name)):
        if (
            isinstance(node, ast.Constant)
            and id(node) not in prose
            and isinstance(node.value, str | int | float)
        ):
            yield node.value


def test_no_error_of_a_catalogue_stands_in_the_source():
    rows = [row for provider in load().providers.values() for row in provider.errors.values()]
    words = {
        word for row in rows for word in (row.name, row.code) if word and ("_" in word or len(word) >= 8)
    }
    words -= OWN_WORDS  # our own word for a problem may be some API's, too
    sentences = {row.message for row in rows if " " in row.message}
    texts = [(name, text) for name in SOURCES for text in literals(name) if isinstance(text, str)]
    assert [(name, text) for name, text in texts if words & set(re.findall(r"\w+", text))] == []
    assert [(name, text) for name, text in texts if any(each in text for each in sentences)] == []


def test_no_price_size_or_limit_of_a_table_stands_in_the_source():
    providers = load().providers.values()
    terms = [
        term
        for each in providers
        for operation in each.operations.values()
        if operation.row.price
        for term in operation.row.price.terms
    ]
    prices = {
        price for term in terms for price in (term.amount, *term.amounts.values()) if isinstance(price, float)
    }
    limits = {
        limit
        for each in providers
        for limit in (*each.limits.values(), each.outputs.lifetime_s if each.outputs else None)
        if limit
    }
    sizes = {
        pixels for each in providers for size in each.sizes.values() for pixels in (size.width, size.height)
    }
    ambiguous = {1000, 1024}  # mean other things, too
    facts = prices | {number for number in limits | sizes if number > 500} - ambiguous
    near = [name for name in SOURCES if not is_within(name, "imaging")]  # whose proportions are its own
    assert [
        (name, each)
        for name in near
        for each in literals(name)
        if not isinstance(each, str) and each in facts
    ] == []


def test_no_key_prefix_of_a_provider_stands_in_the_source():
    prefixes = {f"{key.partition('_')[0]}_" for keys in load_fixtures().accounts.values() for key in keys}
    assert [(name, each) for name in SOURCES for each in literals(name) if each in prefixes] == []


@pytest.mark.parametrize("name", [each.name for each in pkgutil.walk_packages([str(PACKAGE)], "mockserver.")])
def test_the_examples_in_docstrings_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
