"""Canned content: the accounts and pictures that exist when a server starts.

A row that means nothing to the provider's table is a complaint, for nobody would notice it otherwise.
"""

import base64
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.spec.admin_bodies import account_schema
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import located, nearest
from mockserver.spec.files import FIXTURES, SPECS, SpecificationError, read_yaml, repeated_keys, shown
from mockserver.spec.model import Provider
from mockserver.state.outputs import StoredPicture

READABLE = {".png", ".webp", ".jpg"}


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What stands in `fixtures/`."""

    accounts: Mapping[str, Mapping[str, Mapping[str, Any]]]  # by provider and key
    pictures: Mapping[str, StoredPicture]  # by the file's name below `fixtures/`


def load_fixtures(catalog: Catalog | None = None) -> Fixtures:
    """Read the fixtures. Raises SpecificationError with all that is wrong or does not fit the catalogue."""
    file = FIXTURES / "accounts.yaml"
    accounts, twice = _read(file, file.stat().st_mtime_ns if file.is_file() else 0)
    complaints = [] if catalog is None else [*twice, *misfits(accounts, catalog)]
    names = list(dict.fromkeys(_files(accounts)))
    missing = [name for name in names if not _is_picture(name)]
    complaints += [f"{shown(file)}: there is no picture fixtures/{name}" for name in missing]
    if complaints:
        raise SpecificationError(complaints)
    return Fixtures(accounts, {name: _picture(name) for name in names})


@functools.lru_cache(1)
def _read(file: Path, _changed_at_ns: int) -> tuple[Any, list[str]]:
    """Read the accounts once for all engines of a process; nobody writes into what this gives."""
    return read_yaml(file), repeated_keys(file)


def misfits(accounts: Any, catalog: Catalog) -> Iterator[str]:
    """Find what no table knows in the accounts, and what tables name that is not among the fixtures."""
    file = shown(FIXTURES / "accounts.yaml")
    if not isinstance(accounts, dict):
        yield f"{file}: must be a mapping of providers, not {type(accounts).__name__}"
        return
    bundled = [folder.name for folder in SPECS.iterdir() if folder.is_dir()]
    for name, rows in accounts.items():
        provider = catalog.providers.get(name)
        if provider is None and name not in bundled:
            yield f"{file}: {name}: there is no such provider; {nearest(name, catalog.providers)}"
        elif not isinstance(rows, dict):
            yield f"{file}: {name}: must be a mapping of keys to accounts, not {type(rows).__name__}"
        # Who replaces a bundled provider need not have the plans that its accounts were written for.
        elif provider is not None and provider.folder == f"{shown(SPECS)}/{name}":
            yield from (
                f"{file}: {name}.{complaint}"
                for key, row in rows.items()
                for complaint in _account(key, row, provider)
            )
            if provider.keys.sample and provider.keys.sample not in rows:
                near = nearest(provider.keys.sample, rows)
                yield f"{provider.folder}/behaviour.yaml: keys.sample: {file} lists no such key; {near}"
    for provider in catalog.providers.values():
        pictures = [row for operation in provider.operations.values() for row in operation.row.pictures]
        for name in (name for row in pictures for name in row.examples.values() if not _is_picture(name)):
            yield f"{provider.folder}/behaviour.yaml: examples: there is no picture fixtures/{name}"


def _account(key: str, row: Any, provider: Provider) -> Iterator[str]:
    if not isinstance(row, dict):
        yield f"{key}: must be a mapping, for instance {{}}, not {type(row).__name__}"
    else:
        yield from (f"{key}.{located(row, breach)}" for breach in account_schema(provider).violations(row))


def _files(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "file":
                yield str(item)
            elif key == "files":
                yield from map(str, item if isinstance(item, list) else [item])
            else:
                yield from _files(item)


def _is_picture(name: str) -> bool:
    file = FIXTURES / name
    return file.suffix in READABLE and file.is_file()


def _picture(name: str) -> StoredPicture:
    # Canned pictures are small already, so they are kept as they are.
    return StoredPicture(name, base64.b64encode((FIXTURES / name).read_bytes()).decode())
