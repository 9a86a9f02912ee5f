"""How strict the verdict on a test is: for all of its parts, or for each on its own, in a few words.

The plugin reads this in runs that never start an engine, so nothing slow is imported here.
"""

from typing import Literal, NamedTuple, get_args

Level = Literal["error", "warn", "off"]
LEVELS: tuple[Level, ...] = get_args(Level)


class ContractWarning(UserWarning):
    """What a test's calls did against the contract, where it is told to `warn` of that.

    >>> str(ContractWarning("mockserver: against the contract"))
    'mockserver: against the contract'
    """


class Strictness(NamedTuple):
    """What becomes of each part of a verdict.

    >>> read_strictness("warn deprecated=off").deprecated
    'off'
    """

    refusals: Level = "error"  # calls that no account, money or time could have made right
    unmatched: Level = "error"  # calls of a path or method that there is not
    undocumented: Level = "error"  # fields and query parameters that no document names
    deprecated: Level = "error"  # fields, parameters and operations
    unused_faults: Level = "error"  # what was ordered and did not happen
    mistyped: Level = "error"  # what is near to an order of ours and orders nothing


PARTS = Strictness._fields
STRICT = Strictness()


def read_strictness(text: str) -> Strictness:
    """Read a level for all parts, and `part=level` for one; what comes later counts. Raises ValueError.

    >>> read_strictness("refusal=off")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: there is no part 'refusal'; there are refusals, unmatched, undocumented, ...
    """
    found = STRICT
    for word in text.replace(",", " ").split():
        part, equals, named = word.rpartition("=")
        level = next((each for each in LEVELS if each == named), None)
        if level is None:
            raise ValueError(f"there is no level {named!r}; there are {', '.join(LEVELS)}")
        if equals and part not in PARTS:
            raise ValueError(f"there is no part {part!r}; there are {', '.join(PARTS)}")
        found = found._replace(**dict.fromkeys([part] if equals else PARTS, level))
    return found
