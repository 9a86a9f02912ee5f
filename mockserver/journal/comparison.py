"""Where two JSON values differ: what verification shows, and what WireMock's `equalToJson` asks."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from mockserver import pointer
from mockserver.jsontext import Json, dump

LONGEST_SHOWN = 200  # characters of one value


class Nothing(Enum):
    """What stands on one side only."""

    NOTHING = "nothing"


NOTHING = Nothing.NOTHING


class Difference(NamedTuple):
    """One place where two values differ."""

    place: str  # JSON Pointer
    expected: Json  # NOTHING: it should not be there
    sent: Json  # NOTHING: it was not sent

    def __str__(self) -> str:
        """Tell of it in a line."""
        return f"{self.place or 'all of it'}: expected {show(self.expected)}, sent {show(self.sent)}"


class Leniency(NamedTuple):
    """What of a difference does not count."""

    any_order: bool = False  # of the items of arrays
    extra: bool = False  # members and items that are not expected


STRICT = Leniency()


def differences(
    expected: Json, sent: Json, lenient: Leniency = STRICT, place: str = ""
) -> Iterator[Difference]:
    """Find where a value is another than the expected one.

    >>> [str(each) for each in differences({"a": 1, "b": [True]}, {"a": 2, "b": [True]})]
    ['/a: expected 1, sent 2']
    """
    if isinstance(expected, dict) and isinstance(sent, dict):
        for name, value in expected.items():
            yield from differences(value, sent.get(name, NOTHING), lenient, place + pointer.write((name,)))
        for name in () if lenient.extra else sent:
            if name not in expected:
                yield Difference(place + pointer.write((name,)), NOTHING, sent[name])
    elif isinstance(expected, list) and isinstance(sent, list):
        if lenient.any_order:
            if not _pair(expected, sent, lenient):
                yield Difference(place, expected, sent)
            return
        for index in range(len(expected) if lenient.extra else max(len(expected), len(sent))):
            wanted, found = (each[index] if index < len(each) else NOTHING for each in (expected, sent))
            yield from differences(wanted, found, lenient, f"{place}/{index}")
    elif expected != sent or isinstance(expected, bool) is not isinstance(sent, bool):
        yield Difference(place, expected, sent)


def show(value: Json) -> str:
    """Write a value as JSON, and of a long one both ends.

    >>> show("a"), show(NOTHING), len(show("x" * 1000))
    ('"a"', 'nothing', 203)
    """
    if value is NOTHING:
        return "nothing"
    try:
        text = dump(value).decode()
    except (TypeError, ValueError):  # what a test expects need not be JSON
        text = repr(value)
    half = LONGEST_SHOWN // 2
    return text if len(text) <= LONGEST_SHOWN else f"{text[:half]}...{text[-half:]}"


def _pair(expected: Sequence[Json], sent: Sequence[Json], lenient: Leniency) -> bool:
    """Say whether each expected item has one of its own among those sent, wherever it stands."""
    if len(expected) > len(sent) or (len(expected) < len(sent) and not lenient.extra):
        return False
    holders: dict[int, int] = {}  # of the items sent: the expected one that each is paired with

    def find(index: int, tried: set[int]) -> bool:
        for place, item in enumerate(sent):
            if place not in tried and not any(differences(expected[index], item, lenient)):
                tried.add(place)
                if place not in holders or find(holders[place], tried):
                    holders[place] = index
                    return True
        return False

    return all(find(index, set()) for index in range(len(expected)))
