"""Canned content: the accounts and pictures that exist when a server starts.

A row that means nothing to the provider's table is a complaint, for nobody would notice it otherwise.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import nearest
from mockserver.spec.files import FIXTURES, SPECS, SpecificationError, read_yaml, repeated_keys, shown
from mockserver.spec.model import Provider
from mockserver.state.outputs import StoredPicture

READABLE = {".png", ".webp", ".jpg"}
STATES = ("active", "inactive", "deleted", "suspended", "unknown")
ENFORCEABLE = ("credits", "limits")
# What the emulator asks of an account of any provider; a table may ask for more.
ATTRIBUTES = (
    "state", "plan", "credits", "enforce", "smart_balance", "has_api_access", "allows_equal_names", "is_test",
    "assets", "reference_sets", "persons", "inspirations", "webhook_secret",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What stands in `fixtures/`."""

    accounts: Mapping[str, Mapping[str, Mapping[str, Any]]]  # by provider and key
    pictures: Mapping[str, StoredPicture]  # by the file's name below `fixtures/`


def load_fixtures(catalog: Catalog | None = None) -> Fixtures:
    """Read the fixtures. Raises SpecificationError with all that is wrong with them, or does not fit the catalogue."""
    file = FIXTURES / "accounts.yaml"
    accounts = read_yaml(file)
    complaints = (
        [] if catalog is None else [*repeated_keys(file), *_complaints(accounts, catalog, shown(file))]
    )
    names = list(dict.fromkeys(_files(accounts)))
    complaints += [
        f"{shown(file)}: there is no picture fixtures/{name}" for name in names if not _is_picture(name)
    ]
    if complaints:
        raise SpecificationError(complaints)
    return Fixtures(accounts, {name: _picture(name) for name in names})


def _complaints(accounts: Any, catalog: Catalog, file: str) -> Iterator[str]:
    """Find what no table knows in the accounts."""
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
        else:
            for key, row in rows.items():
                yield from (f"{file}: {name}.{key}{complaint}" for complaint in _account(key, row, provider))


def _account(key: Any, row: Any, provider: Provider | None) -> Iterator[str]:
    """Find what is wrong with one account; without its provider, only what is wrong for all."""
    if not isinstance(key, str):
        yield f": the key is {key!r} and no text; put it in quotes"
    if not isinstance(row, dict):
        yield f": must be a mapping, for instance {{}}, not {type(row).__name__}"
        return
    if row.get("state", "active") not in STATES:
        yield f".state: there is no state {row['state']!r}; {nearest(row['state'], STATES)}"
    balance = row.get("credits")
    if balance is not None and (isinstance(balance, bool) or not isinstance(balance, int | float)):
        yield f".credits: must be a number, or null for calls that are not metered, not {balance!r}"
    enforced = row.get("enforce", [])
    for item in enforced if isinstance(enforced, list) else [enforced]:
        if not isinstance(enforced, list) or item not in ENFORCEABLE:
            yield f".enforce: {item!r} is not in a list of {' and '.join(ENFORCEABLE)}; write for instance enforce: [credits]"
    # Who replaces a bundled provider need not have the plans and rules that its accounts were written for.
    if provider is not None and provider.folder == f"{shown(SPECS)}/{provider.name}":
        yield from _unknown_to(provider, row)


def _unknown_to(provider: Provider, row: Mapping[str, Any]) -> Iterator[str]:
    """Find the plan and the attributes that a provider's table does not know."""
    plan = row.get("plan")
    if plan is not None and plan not in list(provider.plans):
        yield f".plan: there is no plan {plan!r} in {provider.folder}/behaviour.yaml; {nearest(plan, provider.plans)}"
    known = dict.fromkeys((*ATTRIBUTES, *provider.keys["new_account"], *_asked(provider)))
    for name in row:
        if name not in known:
            yield f".{name}: nothing asks for this attribute; {nearest(name, known)}"


def _asked(provider: Provider) -> Iterator[str]:
    """Give every attribute of an account that the rules, prices and settings of a table speak of."""
    for operation in provider.operations.values():
        for rule in operation.row.rules:
            yield from rule.get("account", ())
            yield from (value for value in rule.values() if isinstance(value, str))
        yield from operation.row.price.get("free_when", ())
        yield from operation.row.settings
        yield from (value for value in operation.row.settings.values() if isinstance(value, str))


def _files(value: Any) -> Iterator[str]:
    """Give every file that an account names."""
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
