"""Which reading of what the documents leave open is chosen; a misspelling is told with the nearest name."""

from collections.abc import Mapping, Sequence

from mockserver.spec.explain import nearest
from mockserver.spec.model import Provider
from mockserver.spec.row import Assumption

Said = str | Mapping[str, str] | Sequence[str]
STRICTEST, MOST_LENIENT = "strictest", "most-lenient"
WHOLESALE = (STRICTEST, MOST_LENIENT)
LISTED = "`mockserver assumptions` lists what there is"


def read_choices(providers: Mapping[str, Provider], said: Said) -> dict[str, dict[str, str]]:
    """Read `provider.assumption=reading` and the like; give by provider what is not as usual.

    The later one wins. Raises ValueError that names what is nearest to a misspelling.
    """
    found: dict[str, dict[str, str]] = {}
    each: list[tuple[str, str]] = []
    if isinstance(said, Mapping):
        each = list(said.items())
    for text in () if isinstance(said, Mapping) else [said] if isinstance(said, str) else said:
        name, _, reading = text.partition("=")
        each.append((name, reading))
    for name, reading in each:
        if name in WHOLESALE and not reading:
            for provider in providers.values():
                rows = provider.table.assumptions.items()
                found.setdefault(provider.name, {}).update({key: _extreme(row, name) for key, row in rows})
        else:
            provider, key = find_assumption(providers, name)
            readings = provider.table.assumptions[key].readings
            if reading not in readings:
                raise ValueError(f"{name} has no reading {reading!r}; {nearest(reading, readings)}")
            found.setdefault(provider.name, {})[key] = reading
    left = {name: departures(providers[name], choice) for name, choice in found.items()}
    return {name: choice for name, choice in left.items() if choice}


def _extreme(row: Assumption, which: str) -> str:
    return (row.strictest if which == STRICTEST else row.most_lenient) or row.default


def find_assumption(providers: Mapping[str, Provider], name: str) -> tuple[Provider, str]:
    """Find an assumption by its full name. Raises ValueError with what is nearest to a misspelling."""
    owner, _, key = name.partition(".")
    if owner in providers and key in providers[owner].table.assumptions:
        return providers[owner], key
    known = [f"{each.name}.{key}" for each in providers.values() for key in each.table.assumptions]
    near = nearest(name, [*known, *WHOLESALE])
    raise ValueError(f"there is no assumption {name!r}; {near if near.startswith('did') else LISTED}")


def departures(provider: Provider, choice: Mapping[str, str]) -> dict[str, str]:
    """Give what of a choice is not the default, in the order of the table."""
    rows = provider.table.assumptions.items()
    return {name: choice[name] for name, row in rows if name in choice and choice[name] != row.default}
