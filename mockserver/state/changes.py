"""What has changed between two looks at a world, as JSON that can be put upon an earlier snapshot."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from mockserver.state.values import as_json

AT_ONCE = 500  # values that are written before others have their turn
Values = Mapping[str, Any]  # by key, in order


class Look(NamedTuple):
    """A world as it was at one moment."""

    head: Mapping[str, Any]  # format, seed, clock and readings
    versions: Mapping[str, int]  # of each collection
    values: Mapping[str, Values]  # by collection


def find_changes(old: Look, new: Look) -> dict[str, Any]:
    """Say how one world became the other; the time it takes is that of what has changed, by and large."""
    found: dict[str, Any] = {"head": new.head, "anew": [], "gone": {}, "put": {}}
    for name, values in new.values.items():
        before = old.values[name]
        if before is values:
            continue
        kept = [key for key in before if key in values]
        if list(islice(values, len(kept))) != kept:  # one was removed and came again, at another place
            found["anew"].append(name)
            found["put"][name] = as_json(values)
            continue
        if gone := [key for key in before if key not in values] if len(kept) < len(before) else []:
            found["gone"][name] = gone
        put = {key: value for key, value in values.items() if _differs(before.get(key), value)}
        if put:
            found["put"][name] = as_json(put)
    return found


def apply_changes(snapshot: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Put upon a snapshot what has changed since. Raises KeyError, TypeError, AttributeError for all else."""
    snapshot.update(changes["head"])
    for name in changes["anew"]:
        snapshot[name] = {}
    for name, keys in changes["gone"].items():
        for key in keys:
            snapshot.get(name, {}).pop(key, None)
    for name, values in changes["put"].items():
        snapshot.setdefault(name, {}).update(values)


def pieces(values: Values) -> Iterator[dict[str, Any]]:
    """Write values as JSON, some at a time."""
    left: Iterable[tuple[str, Any]] = iter(values.items())
    while some := dict(islice(left, AT_ONCE)):
        yield as_json(some)


def _differs(before: Any, value: Any) -> bool:
    return before is not value and before != value
