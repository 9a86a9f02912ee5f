"""Canned content: the accounts and pictures that exist when a server starts.

Only files are read here; what their rows mean is the tables' business.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.spec.catalog import FIXTURES, SpecificationError, read_yaml
from mockserver.state.outputs import StoredPicture

READABLE = {".png", ".webp", ".jpg"}


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What stands in `fixtures/`."""

    accounts: Mapping[str, Mapping[str, Mapping[str, Any]]]  # by provider and key
    pictures: Mapping[str, StoredPicture]  # by the file's name below `fixtures/`


def load_fixtures() -> Fixtures:
    """Read the fixtures. Raises SpecificationError where an account names a file that is not there."""
    accounts = read_yaml(FIXTURES / "accounts.yaml")
    return Fixtures(accounts, {name: _picture(name) for name in _files(accounts)})


def _files(value: Any) -> Iterator[str]:
    """Give every file that an account names."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from [item] if key == "file" else item if key == "files" else _files(item)


def _picture(name: str) -> StoredPicture:
    file = FIXTURES / name
    if file.suffix not in READABLE or not file.is_file():
        raise SpecificationError([f"fixtures/accounts.yaml: there is no picture fixtures/{name}"])
    # Canned pictures are small already, so they are kept as they are.
    return StoredPicture(name, base64.b64encode(file.read_bytes()).decode())
