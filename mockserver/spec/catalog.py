"""All providers, loaded from their folders.

Loading either gives a whole catalogue or raises with every complaint at once, each naming its file.
"""

import dataclasses
import functools
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.spec.explain import nearest
from mockserver.spec.files import SPECS, SpecificationError, read_mapping, repeated_keys, shown
from mockserver.spec.model import Operation, Provider, Source
from mockserver.spec.openapi import Document
from mockserver.spec.overlay import Choice, patch_document, patch_table
from mockserver.spec.schema import Schema
from mockserver.spec.table import Table

SHAPES = ("openapi.schema.json", "behaviour.schema.json")  # of the two files of a folder
DOCUMENTS, TABLE = ("openapi.yaml", "openapi.json"), "behaviour.yaml"
log = logging.getLogger("mockserver")


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
    for collision in _collisions(catalog):
        log.warning("%s", collision)
    return catalog


def survey(folders: Sequence[Path] = ()) -> tuple[Catalog, list[str]]:
    """Load what can be loaded, and say all that is wrong, also what a start only warns of."""
    catalog, complaints = _read(folders, is_thorough=True)
    return catalog, complaints + list(_collisions(catalog))


def _read(folders: Sequence[Path], *, is_thorough: bool) -> tuple[Catalog, list[str]]:
    found = {folder.name: folder for parent in (SPECS, *folders) for folder in _provider_folders(parent)}
    providers, complaints = {}, _misplaced(folders)
    for name, folder in found.items():
        reads = _load_bundled if folder.parent == SPECS else _load_provider
        provider, own = reads(name, folder, is_thorough=is_thorough)
        complaints += own
        if provider:
            providers[name] = provider
    return Catalog(providers), complaints


@functools.cache
def _shapes() -> tuple[Schema, ...]:
    return tuple(Schema(json.loads((SPECS / name).read_text("utf-8")), name) for name in SHAPES)


def _provider_folders(parent: Path) -> list[Path]:
    """Find the providers' folders in a folder, which may be one itself."""
    if not parent.is_dir():
        return []
    if _is_provider(parent, all):
        return [parent.resolve()]
    found = sorted(folder for folder in parent.iterdir() if _is_provider(folder, any))
    return found or ([parent.resolve()] if _is_provider(parent, any) else [])


def _is_provider(folder: Path, how: Callable[[Iterable[bool]], bool]) -> bool:
    """Whether a folder holds all, or any, of the two files that make a provider."""
    return how((any((folder / name).is_file() for name in DOCUMENTS), (folder / TABLE).is_file()))


def _misplaced(folders: Sequence[Path]) -> list[str]:
    return [
        f"{folder}: holds no provider; it must contain openapi.yaml (or .json) and behaviour.yaml, "
        "or folders with them"
        if folder.is_dir()
        else f"{folder}: {_absence(folder)}; name a provider's folder, or a folder of them"
        for folder in folders
        if not _provider_folders(folder)
    ]


def _absence(folder: Path) -> str:
    return "is no folder" if folder.exists() else "there is no such folder"


def _load_provider(name: str, folder: Path, *, is_thorough: bool) -> tuple[Provider | None, list[str]]:
    complaints: list[str] = []
    there = [each for each in DOCUMENTS if (folder / each).is_file()]
    files = folder / (there or DOCUMENTS)[0], folder / TABLE
    if len(there) > 1:
        complaints.append(f"{shown(folder)}: holds both {' and '.join(DOCUMENTS)}; remove one")
    documents: list[dict[str, Any] | None] = []
    for file in files:
        try:
            documents.append(read_mapping(file))
            complaints += repeated_keys(file) if is_thorough else []
        except SpecificationError as error:
            documents.append(None)
            complaints += error.complaints
    provider, found = _make(Source(name, folder, files[0], *documents), {}, _shapes())
    if folder.parent == SPECS and provider:  # other documents may be large: they are compiled when called
        _warm(provider.operations.values())
    return provider, complaints + found


# What is bundled does not change while a process runs, and is frozen: all engines of a test run share it.
_load_bundled = functools.cache(_load_provider)


def under(provider: Provider, choice: Choice) -> Provider:
    """Give a provider under other readings of its documents. Raises SpecificationError where it cannot be."""
    source = provider.source
    if source is None:
        return provider
    table, complaints = patch_table(source.table, choice)
    document, more = patch_document(source.document, source.table, choice)
    file = shown(source.folder / TABLE)
    complaints = [f"{file}: {each}" for each in complaints + more]
    made, found = _make(source._replace(document=document, table=table), choice, _shapes())
    if complaints or found or made is None:
        told = ", ".join(f"{name}={reading}" for name, reading in choice.items())
        raise SpecificationError(complaints or [f"{each} (under {told})" for each in found])
    return dataclasses.replace(made, source=source)


def _make(source: Source, choice: Choice, shapes: Sequence[Schema]) -> tuple[Provider | None, list[str]]:
    """Put a provider together from its two files, of which one may be missing."""
    name, folder, file, document, table = source
    openapi = Document(document, shown(file), name, shapes[0]) if document else None
    behaviour = Table(table, shown(folder / TABLE), shapes[1]) if table else None
    if not (openapi and behaviour and behaviour.has_shape):
        parts: list[Document | Table] = [each for each in (openapi, behaviour) if each]
        return None, [complaint for each in parts for complaint in each.complaints]
    rows = behaviour.rows()
    operations = openapi.operations(rows)
    complaints = openapi.complaints + behaviour.complaints
    complaints += [
        f"{behaviour.file}: operations.{row}: there is no such operationId in {file.name}; "
        f"remove or rename the row; {nearest(row, openapi.ids)}"
        for row in (rows if openapi.is_whole else ())
        if row not in operations
    ]
    callbacks = openapi.callbacks() if behaviour.has_webhooks else ()
    text, paths = file.read_text("utf-8"), openapi.base_paths
    return behaviour.provider(name, operations, text, callbacks, paths, choice, source), complaints


def _warm(operations: Iterable[Operation]) -> None:
    for operation in operations:
        bodies = operation.body.schemas.values() if operation.body else ()
        for schema in (*bodies, *(parameter.schema for parameter in operation.parameters)):
            schema.warm()


def _collisions(catalog: Catalog) -> Iterator[str]:
    """All providers answer at the root; where two document one method and path, only one can."""
    seen: dict[tuple[str, str], str] = {}
    for operation in catalog.operations:
        place = operation.method, re.sub(r"\{[^}]*\}", "{}", operation.path)
        other = seen.setdefault(place, operation.provider)
        if other != operation.provider:
            yield (
                f"{operation.method} {operation.path} is documented by {other} and {operation.provider}: "
                f"at the root the first answers; use the prefix /{operation.provider} for the other"
            )
