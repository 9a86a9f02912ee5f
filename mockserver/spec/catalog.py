"""All providers, loaded from their folders; the only module that reads YAML.

Loading either gives a whole catalogue or raises with every complaint at once, each naming its file.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
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
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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


def load(folders: Sequence[Path] = (), *, is_thorough: bool = False) -> Catalog:
    """Load the bundled providers and those in `folders`, where a later one replaces an earlier namesake.

    `is_thorough` also checks the schemas themselves and the examples in them. Raises SpecificationError.
    """
    found = {folder.name: folder for parent in (SPECS, *folders) for folder in _provider_folders(parent)}
    providers, complaints = {}, _misplaced(folders)
    schema = Schema(json.loads((SPECS / "behaviour.schema.json").read_text("utf-8")), "behaviour.schema.json")
    for name, folder in found.items():
        provider, own = _load_provider(name, folder, schema, is_thorough=is_thorough)
        complaints += own
        if provider:
            providers[name] = provider
    if complaints:
        raise SpecificationError(complaints)
    _warn_of_collisions(providers)
    return Catalog(providers)


def read_yaml(file: Path) -> Any:
    """Read one YAML file. Raises SpecificationError with file, line and column."""
    try:
        return yaml.load(file.read_text("utf-8"), Loader)  # noqa: S506 - Loader is a safe loader
    except OSError as error:
        raise SpecificationError([f"{_shown(file)}: cannot be read: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecificationError([f"{_shown(file)}: is not YAML: {' '.join(str(error).split())}"]) from error


def _provider_folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        raise SpecificationError([f"{parent}: is not a folder; --specs takes a folder of provider folders"])
    return sorted(folder for folder in parent.iterdir() if (folder / "openapi.yaml").is_file() or (folder / "behaviour.yaml").is_file())


def _misplaced(folders: Sequence[Path]) -> list[str]:
    """Complain of a folder that holds no provider, most often one level too deep or too high."""
    return [
        f"{folder}: holds no provider; it must contain folders with openapi.yaml and behaviour.yaml"
        for folder in folders
        if not _provider_folders(folder)
    ]


def _load_provider(
    name: str, folder: Path, schema: Schema, *, is_thorough: bool
) -> tuple[Provider | None, list[str]]:
    try:
        documents = [read_yaml(folder / file) for file in ("openapi.yaml", "behaviour.yaml")]
    except SpecificationError as error:
        return None, list(error.complaints)
    shown = _shown(folder)
    for document, file in zip(documents, ("openapi.yaml", "behaviour.yaml"), strict=True):
        if not isinstance(document, dict):
            return None, [f"{shown}/{file}: must be a mapping, not {type(document).__name__}"]
    table = Table(documents[1], f"{shown}/behaviour.yaml", schema)
    if table.complaints:
        return None, table.complaints
    openapi = Document(documents[0], f"{shown}/openapi.yaml", name)
    operations = openapi.operations(table.rows())
    complaints = openapi.complaints + [
        f"{shown}/behaviour.yaml: operations.{row}: there is no such operationId in openapi.yaml; remove or rename the row"
        for row in table.rows()
        if row not in operations
    ]
    if is_thorough and not complaints:
        complaints = openapi.schema_complaints(operations)
    return (None if complaints else table.provider(name, operations)), complaints


def _warn_of_collisions(providers: Mapping[str, Provider]) -> None:
    """All providers answer at the root; where two document one method and path, only one can."""
    seen: dict[tuple[str, str], str] = {}
    for provider in providers.values():
        for operation in provider.operations.values():
            other = seen.setdefault((operation.method, operation.path), operation.provider)
            if other != operation.provider:
                log.warning(
                    "%s %s is documented by %s and %s: at the root the first answers; use the prefix /%s for the other",
                    operation.method, operation.path, other, operation.provider, operation.provider,
                )


def _shown(path: Path) -> str:
    """Name a file as its user would: from the source tree or the current folder."""
    for root in (DATA, Path.cwd()):
        if path.is_relative_to(root):
            return str(path.relative_to(root))
    return str(path)
