"""The files that people write for us, read with their mistakes named; the only module that knows YAML.

JSON is read by the JSON reader, whatever the file is called: it is many times faster.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from mockserver import pointer
from mockserver.jsontext import BYTE_ORDER_MARK, MalformedJsonError, parse

PACKAGE = Path(__file__).resolve().parent.parent
# In a wheel the folders lie inside the package, in a source tree beside it.
DATA = PACKAGE / "data" if (PACKAGE / "data").is_dir() else PACKAGE.parent
SPECS = DATA / "specs"
FIXTURES = DATA / "fixtures"
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAG = "tag:yaml.org,2002:"


def _read_scalar(loader: Any, node: Any) -> Any:
    """Read a number or a truth, which are no more than what JSON can hold."""
    try:
        value = _SafeLoader.yaml_constructors[node.tag](loader, node)
    except (ValueError, LookupError):  # !!int abc
        value = math.nan
    return value if math.isfinite(value) else _refuse(loader, node)


def _read_map(loader: Any, node: Any, deep: bool = False) -> Any:
    """Read a mapping, whose keys are texts as in JSON: `200`, `yes` and `1.10` as they are written."""
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                why = "a key must be a text; a text that begins with { or [ stands in quotes"
                raise yaml.constructor.ConstructorError(None, None, why, key.start_mark)
            key.tag = f"{TAG}str"
    return _SafeLoader.construct_mapping(loader, node, deep)


def _read_document(loader: Any, node: Any) -> Any:
    loader.deep_construct = True  # so that what holds itself is refused
    return _SafeLoader.construct_document(loader, node)


def _refuse(_loader: Any, node: Any) -> Any:
    kind = node.tag.replace(TAG, "!!")
    why = f"JSON cannot hold this {kind}; leave it out, or write it as a text in quotes"
    raise yaml.constructor.ConstructorError(None, None, why, node.start_mark)


# These files are JSON that is easier to write: there is no value in them that JSON does not have, and what
# YAML alone takes for something else, a date, `=` or `<<`, is a text.
_own = {"construct_mapping": _read_map, "construct_document": _read_document}
Loader: Any = type("Loader", (_SafeLoader,), _own)
for _kinds, _read in (
    (("int", "float", "bool"), _read_scalar),
    (("timestamp", "value", "merge"), _SafeLoader.construct_yaml_str),
    (("binary", "set", "omap", "pairs"), _refuse),
):
    for _kind in _kinds:
        Loader.add_constructor(f"{TAG}{_kind}", _read)
Loader.add_constructor(None, _refuse)


class SpecificationError(Exception):
    """Our own files are wrong; each complaint names file, place and way out."""

    def __init__(self, complaints: Iterable[str]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(self.complaints))


def read_yaml(file: Path) -> Any:
    """Read one file of YAML or JSON. Raises SpecificationError with file, line and column."""
    try:
        text = file.read_bytes().removeprefix(BYTE_ORDER_MARK)
    except OSError as error:
        raise SpecificationError([f"{shown(file)}: cannot be read: {error.strerror}"]) from error
    found = _as_json(file, text)
    if found is not None:
        return found[0]
    try:
        return yaml.load(text.decode(), Loader)  # noqa: S506 - Loader is a safe loader
    except yaml.constructor.ConstructorError as error:
        mark: Any = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}"
        raise SpecificationError([f"{shown(file)}: {place}: {error.problem}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SpecificationError([f"{shown(file)}: is not YAML: {' '.join(str(error).split())}"]) from error


def _as_json(file: Path, text: bytes) -> tuple[Any, tuple[str, ...]] | None:
    """Read what is JSON, with its repeated members; None where YAML must read it."""
    try:
        return parse(text)
    except MalformedJsonError as error:
        if file.suffix == ".json":
            raise SpecificationError([f"{shown(file)}: is not JSON: {error}"]) from error
        return None


def read_mapping(file: Path) -> dict[str, Any]:
    """Read one file that must hold a mapping. Raises SpecificationError."""
    document = read_yaml(file)
    if not isinstance(document, dict):
        raise SpecificationError([f"{shown(file)}: must be a mapping, not {type(document).__name__}"])
    return document


def repeated_keys(file: Path) -> list[str]:
    """Complain of every key that stands twice in one mapping, where the last would win in silence."""
    text = file.read_bytes().removeprefix(BYTE_ORDER_MARK)
    found = _as_json(file, text)
    if found is not None:
        places = (".".join(pointer.read(place)) for place in found[1])
        return [f"{shown(file)}: {place}: this key stands twice; remove one" for place in places]
    seen: set[int] = set()

    def search(node: Any) -> Iterator[str]:
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in first and isinstance(key, yaml.ScalarNode):
                    place = f"{shown(file)}: line {line}"
                    yield f"{place}: the key {name!r} stands in line {first[name]} already; remove one"
                first.setdefault(name, line)
                yield from search(value)
        elif node is not None:
            for item in node.value:
                yield from search(item)

    return list(search(yaml.compose(text.decode(), Loader)))


def shown(path: Path) -> str:
    """Name a file as its user would: from the source tree or the current folder."""
    for root in (DATA, Path.cwd()):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return str(path)
