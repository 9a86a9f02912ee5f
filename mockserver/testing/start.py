"""How a world begins: what a marker, an ini file or a test says of it, read and checked first.

The plugin reads this in runs that never start an engine, so nothing slow is imported here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_type_hints

from mockserver.jsontext import parse
from mockserver.settings import Style
from mockserver.state.clock import FROZEN, moment_s
from mockserver.state.values import read
from mockserver.verdict.strictness import read_strictness

Accounts = Mapping[str, Mapping[str, Mapping[str, Any]]]


class Start(NamedTuple):
    """How a world begins: `mock.reset(Start(clock="frozen"))`; the marker `mockserver` takes the same names.

    >>> Start(seed=7, enforce=["credits"]).pictures
    'plain'
    """

    seed: int = 0  # another one gives other ids, scores and pictures
    enforce: Collection[str] = ()  # what is real for every account
    accounts: Accounts = MappingProxyType({})  # by provider and key, as PUT /__admin/accounts takes them
    pictures: Style = "plain"
    clock: str | None = None  # "frozen", or the time in ISO 8601 at which it stands; None: it shows real time
    scenario: str | None = None  # what goes wrong: a name of fixtures/scenarios, or a file; None: nothing
    # What the documents leave open: {"pikzels.rename": "accepted"}, "strictest", "most-lenient". Names
    # alone, or "each", are for the marker and the ini file: a test runs under each of their readings.
    assume: Mapping[str, str] | Sequence[str] | str = ()
    strict: str = "error"  # the verdict: error, warn or off, and parts that differ: "warn deprecated=off"
    expect: Collection[
        str | Mapping[str, Any]
    ] = ()  # refusals: errors, or {"error": …, "field": …, "status": …}


WANTED = {
    "seed": "a whole number",
    "enforce": 'a list of "credits" and "limits"',
    "accounts": 'accounts by provider and key, such as {"pikzels": {"pkz_test": {"credits": 0.1}}}',
    "pictures": '"plain" or "poster"',
    "clock": '"frozen", or a time in ISO 8601 such as "2026-03-01T12:00:00Z"',
    "scenario": 'the name of a scenario such as "flaky", or a file of one',
    "assume": 'readings such as {"pikzels.rename": "accepted"}, "strictest", "each", or a list of names',
    "strict": '"error", "warn" or "off", or words such as "unused_faults=off" for single parts',
    "expect": 'a list of errors such as "invalid_request", or of {"error": …, "field": …, "status": …}',
}
FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "seed": int,
    "accounts": lambda text: parse(text.encode())[0],
}


def read_start(values: Mapping[str, object], start: Start | None = None) -> Start:
    """Change `start` by what is named. Raises ValueError that says what is wrong, and what there is.

    >>> read_start({"sede": 7})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: there is no 'sede'; there are accounts, assume, clock, enforce, expect, ...
    """
    for name in values:
        if name not in Start._fields:
            raise ValueError(f"there is no {name!r}; there are {', '.join(sorted(Start._fields))}")
    found: dict[str, Any] = {name: _read(name, value) for name, value in values.items()}
    start = start or Start()
    if "strict" in found:  # parts add up, and the last word counts
        found["strict"] = f"{start.strict} {found['strict']}"
    return start._replace(**found)


def read_text(name: str, text: str) -> object:
    """Read one of them as an ini file writes it. Raises ValueError.

    >>> read_text("accounts", '{"pikzels": {"pkz_test": {"credits": 1}}}')
    {'pikzels': {'pkz_test': {'credits': 1}}}
    """
    try:
        return FROM_TEXT.get(name, str)(text)
    except ValueError as error:
        raise ValueError(f"{name} is {WANTED[name]}, not {text!r}") from error


def _read(name: str, value: object) -> object:
    try:
        found = read(HINTS[name], value, name)
        if name == "clock" and found not in (None, FROZEN):
            moment_s(str(found))
        if name == "strict":
            read_strictness(str(found))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {WANTED[name]}, not {value!r}") from error
    return found


HINTS = get_type_hints(Start) | {"enforce": Collection[Literal["credits", "limits"]]}
