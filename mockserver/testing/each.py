"""A test under each reading of what the documents leave open: which runs there are, which are in vain."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from mockserver.spec.assumptions import WHOLESALE, find_assumption
from mockserver.spec.model import Provider

EACH = "each"
DEFAULTS = "defaults"  # the run that changes nothing
Assume = Mapping[str, str] | Sequence[str] | str


def split_assume(said: Assume) -> tuple[Mapping[str, str] | Sequence[str], tuple[str, ...]]:
    """Part what is chosen for a test from what it is to be run under each reading of.

    >>> split_assume(["strictest", "pikzels.rename"]), split_assume("each"), split_assume("a.b=c")
    ((('strictest',), ('pikzels.rename',)), ((), ('each',)), (('a.b=c',), ()))
    """
    if isinstance(said, Mapping):
        return said, ()
    texts = (said,) if isinstance(said, str) else tuple(said)
    fixed = tuple(text for text in texts if "=" in text or text in WHOLESALE)
    return fixed, tuple(text for text in texts if text not in fixed)


def fixed_for(providers: Mapping[str, Provider], said: Assume) -> Mapping[str, str] | Sequence[str]:
    """Give what a world is to assume. Raises ValueError for what only a run for each reading can have."""
    fixed, tried = split_assume(said)
    if tried:
        list_runs(providers, tried)
        names = ", ".join(tried)
        raise ValueError(f"assume: {names}: only the marker and the ini file run a test for each reading")
    return fixed


def list_runs(providers: Mapping[str, Provider], wanted: Iterable[str]) -> list[str]:
    """Give the ids of the runs: the defaults, then each other reading. Raises ValueError for a misspelt name.

    `wanted` are names of assumptions, or `each`.
    """
    names: dict[str, None] = {}
    for name in wanted:
        if name == EACH:
            rows = [(each.name, key) for each in providers.values() for key in each.table.assumptions]
            names |= dict.fromkeys(f"{owner}.{key}" for owner, key in rows)
        else:
            find_assumption(providers, name)
            names[name] = None
    runs = [DEFAULTS] if names else []
    for name in names:
        provider, key = find_assumption(providers, name)
        row = provider.table.assumptions[key]
        runs += [f"{name}={reading}" for reading in row.readings if reading != row.default]
    return runs


def is_touched(providers: Mapping[str, Provider], run: str, called: Collection[str]) -> bool:
    """Whether any of the operations that were called is one that the assumption of a run is about."""
    provider, key = find_assumption(providers, run.partition("=")[0])
    own = provider.table.assumptions[key].operations or provider.operations
    return any(f"{provider.name}.{id_}" in called for id_ in own)
