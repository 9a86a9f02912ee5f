"""All providers, loaded from their folders; the only module that reads YAML.

Loading either gives a whole catalogue or raises with every complaint at once, each naming its file.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mockserver.spec.model import Operation, Provider
from mockserver.spec.openapi import Document
from mockserver.spec.schema import Schema
from mockserver.spec.table import Table

PACKAGE = Path(__file__).resolve().parent.parent
# In a wheel the folders lie inside the package, in a source tree beside it.
DATA = PACKAGE / "data" if (PACKAGE / "data").is_dir() else PACKAGE.parent
SPECS = DATA / "specs"
FIXTURES = DATA / "fixtures"
SHAPES = ("openapi.schema.json", "behaviour.schema.json")  # of the two files of a folder
FILES = ("openapi.yaml", "behaviour.yaml")
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DATE = "tag:yaml.org,2002:timestamp"
# In JSON a date is a text, and these files are JSON that is easier to write.
_resolvers = {
    key: [each for each in found if each[0] != DATE]
    for key, found in _SafeLoader.yaml_implicit_resolvers.items()
}
Loader: Any = type("Loader", (_SafeLoader,), {"yaml_implicit_resolvers": _resolvers})
log = logging.getLogger("mockserver")


class SpecificationError(Exception):
    """Our own files are wrong; each complaint names file, place and way out."""

    def __init__(self, complaints: Iterable[str]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(self.complaints))


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every provider by name, in the order in which their folders were found."""

    providers: Mapping[str, Provider]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation of every provider."""
        return tuple(each for provider in self.providers.values() for each in provider.operations.values())


def load(folders: Sequence[Path] = ()) -> Catalog:
    """Load the bundled providers and those in `folders`, where a later one replaces an earlier namesake.

    Raises SpecificationError where a folder cannot be served.
    """
    catalog, complaints = _read(folders, is_thorough=False)
    if complaints:
        raise SpecificationError(complaints)
    _warn_of_collisions(catalog.providers)
    return catalog


def survey(folders: Sequence[Path] = ()) -> tuple[Catalog, list[str]]:
    """Load what can be loaded, and say all that is wrong; this looks into every schema, so it takes longer."""
    return _read(folders, is_thorough=True)


def _read(folders: Sequence[Path], *, is_thorough: bool) -> tuple[Catalog, list[str]]:
    found = {folder.name: folder for parent in (SPECS, *folders) for folder in _provider_folders(parent)}
    providers, complaints = {}, _misplaced(folders)
    shapes = [Schema(json.loads((SPECS / name).read_text("utf-8")), name) for name in SHAPES]
    for name, folder in found.items():
        provider, own = _load_provider(name, folder, shapes, is_thorough=is_thorough)
        complaints += own
        if provider:
            providers[name] = provider
    return Catalog(providers), complaints


def read_yaml(file: Path) -> Any:
    """Read one YAML file. Raises SpecificationError with file, line and column."""
    try:
        return yaml.load(file.read_text("utf-8"), Loader)  # noqa: S506 - Loader is a safe loader
    except OSError as error:
        raise SpecificationError([f"{shown(file)}: cannot be read: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecificationError([f"{shown(file)}: is not YAML: {' '.join(str(error).split())}"]) from error


def repeated_keys(file: Path) -> list[str]:
    """Complain of every key that stands twice in one mapping of a YAML file, where the last would win in silence."""
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
                    yield f"{shown(file)}: line {line}: the key {name!r} stands in line {first[name]} already; remove one"
                first.setdefault(name, line)
                yield from search(value)
        elif node is not None:
            for item in node.value:
                yield from search(item)

    return list(search(yaml.compose(file.read_text("utf-8"), Loader)))


def _provider_folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(folder for folder in parent.iterdir() if any((folder / file).is_file() for file in FILES))


def _misplaced(folders: Sequence[Path]) -> list[str]:
    """Complain of a folder that holds no provider, most often one level too deep or too high."""
    return [
        f"{folder}: holds no provider; it must contain folders with openapi.yaml and behaviour.yaml"
        if folder.is_dir()
        else f"{folder}: is not a folder; --specs takes a folder of provider folders"
        for folder in folders
        if not _provider_folders(folder)
    ]


def _load_provider(
    name: str, folder: Path, shapes: Sequence[Schema], *, is_thorough: bool
) -> tuple[Provider | None, list[str]]:
    documents: list[dict[str, Any] | None] = []
    complaints: list[str] = []
    for file in FILES:
        try:
            documents.append(_mapping(folder / file))
            complaints += repeated_keys(folder / file) if is_thorough else []
        except SpecificationError as error:
            documents.append(None)
            complaints += error.complaints
    document, table = documents
    openapi = (
        Document(document, f"{shown(folder)}/{FILES[0]}", name, shapes[0], is_thorough=is_thorough)
        if document
        else None
    )
    behaviour = Table(table, f"{shown(folder)}/{FILES[1]}", shapes[1]) if table else None
    if not (openapi and behaviour and behaviour.has_shape):
        parts: list[Document | Table] = [each for each in (openapi, behaviour) if each]
        return None, complaints + [complaint for each in parts for complaint in each.complaints]
    rows = behaviour.rows()
    operations = openapi.operations(rows)
    complaints += openapi.complaints + behaviour.complaints
    complaints += [
        f"{behaviour.file}: operations.{row}: there is no such operationId in {FILES[0]}; remove or rename the row"
        for row in (rows if openapi.is_whole else ())
        if row not in operations
    ]
    return behaviour.provider(name, operations), complaints


def _mapping(file: Path) -> dict[str, Any]:
    document = read_yaml(file)
    if not isinstance(document, dict):
        raise SpecificationError([f"{shown(file)}: must be a mapping, not {type(document).__name__}"])
    return document


def _warn_of_collisions(providers: Mapping[str, Provider]) -> None:
    """All providers answer at the root; where two document one method and path, only one can."""
    seen: dict[tuple[str, str], str] = {}
    for provider in providers.values():
        for operation in provider.operations.values():
            other = seen.setdefault((operation.method, operation.path), operation.provider)
            if other != operation.provider:
                log.warning(
                    "%s %s is documented by %s and %s: at the root the first answers; use the prefix /%s for the other",
                    operation.method,
                    operation.path,
                    other,
                    operation.provider,
                    operation.provider,
                )


def shown(path: Path) -> str:
    """Name a file as its user would: from the source tree or the current folder."""
    for root in (DATA, Path.cwd()):
        if path.is_relative_to(root):
            return str(path.relative_to(root))
    return str(path)
