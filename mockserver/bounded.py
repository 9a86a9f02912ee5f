"""What is kept has a bound, in entries and in bytes: one mapping for all that outlives a call, and one cache.

The oldest goes first. Bytes are estimated by walking a value once, when it is kept, and are rather too many
than too few: what several values share counts in each of them.
"""

import contextlib
import functools
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from operator import attrgetter
from sys import getsizeof
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

KIB, MIB = 1024, 1024 * 1024
ENTRY_BYTES = 250  # what a mapping takes for each entry, besides key and value
LIGHT_BYTES, MOST_LIGHT = 4 * KIB, 256  # of what is not weighed again, and how many of it
SHARE = 4  # no single value takes more than such a part of all bytes: it would drive out too many others

LEAVES = frozenset({str, bytes, int, float, bool, type(None)})

K = TypeVar("K")
V = TypeVar("V")


class Usage(NamedTuple):
    """How much is kept."""

    entries: int
    bytes: int


class Bounds(NamedTuple):
    """How much may be kept."""

    entries: int
    bytes: int

    @property
    def largest(self) -> int:
        """The bytes that one entry may take."""
        return self.bytes // SHARE


BOUNDLESS = Bounds(2**60, 2**62)


class TooHeavyError(ValueError):
    """A single value would take too much of what is kept."""


def weigh(*values: Any, enters_objects: bool = True) -> int:
    """Estimate how many bytes values take, with all that they hold; in linear time, however deep.

    Where objects are not entered, one that is no plain JSON (a provider, a font) counts as nothing much.

    >>> weigh("x" * 1000) in range(1000, 1100), weigh([[]] * 10) > 10 * weigh([])
    (True, True)
    """
    total = sum(map(getsizeof, values))
    rest = [each for each in values if type(each) not in LEAVES]
    for each in rest:  # which grows meanwhile
        kind: type = type(each)
        inner: Collection[Any]
        if kind is dict:
            inner = each.values()
            total += sum(map(getsizeof, each))
            if type(next(iter(each), "")) is not str:
                rest += [key for key in each if type(key) not in LEAVES]
        elif kind is list or kind is tuple or kind is set or kind is frozenset:
            inner = each
        else:
            inner = _parts(kind)(each) if enters_objects else ()
        total += sum(map(getsizeof, inner))
        rest += [part for part in inner if type(part) not in LEAVES]
    return total


_known: dict[int, tuple[Any, int]] = {}


def weigh_again(part: Any) -> int:
    """Estimate what a part takes that many values share or that each call keeps anew; nobody changes it."""
    found = _known.get(id(part))
    if found is not None and found[0] is part:
        return found[1]
    weight = weigh(part)
    if weight <= LIGHT_BYTES:
        if len(_known) >= MOST_LIGHT:
            _known.clear()
        _known[id(part)] = (part, weight)
    return weight


@functools.cache
def _parts(kind: Hashable) -> Callable[[Any], Collection[Any]]:
    """Give what lists the parts of an object of some class: a mapping, a sequence, one with fields."""
    assert isinstance(kind, type)
    if issubclass(kind, Mapping):
        return lambda each: list(each.items())
    if issubclass(kind, list | tuple | set | frozenset):
        return list
    names: tuple[str, ...] = getattr(kind, "__struct_fields__", getattr(kind, "__slots__", ()))
    if len(names) > 1:
        return attrgetter(*names)
    return lambda each: [getattr(each, name) for name in names]


WEIGH_PLAIN = functools.partial(weigh, enters_objects=False)


class BoundedMapping(Generic[K, V]):
    """Keys and values in the order in which they came; the oldest make room for the newest. Takes no lock."""

    __slots__ = ("_entries", "_largest", "_most", "_weigh", "_weights", "bytes", "values")

    def __init__(self, bounds: Bounds | None = None, weigh: Callable[..., int] = weigh) -> None:
        bounds = bounds or BOUNDLESS
        self._entries, self._most, self._largest = bounds.entries, bounds.bytes, bounds.largest
        self.bytes = 0
        # An OrderedDict, because a dict that loses its first entry again and again searches for the next one.
        self.values: OrderedDict[K, V] = OrderedDict()
        self._weights: dict[K, int] = {}
        self._weigh = weigh

    @property
    def usage(self) -> Usage:
        """How much is kept."""
        return Usage(len(self.values), self.bytes)

    def put(self, key: K, value: V) -> Sequence[V]:
        """Keep a value, in the place of what was there; give what had to go. Raises TooHeavyError."""
        weight = ENTRY_BYTES + self._weigh(key, value)
        if weight > self._largest:
            raise TooHeavyError(f"it takes about {weight:,} bytes; one may take {self._largest:,}")
        weights, values = self._weights, self.values
        self.bytes = held = self.bytes + weight - weights.get(key, 0)
        values[key] = value
        weights[key] = weight
        return self._make_room() if held > self._most or len(values) > self._entries else ()

    def _make_room(self) -> list[V]:
        dropped = []
        while self.bytes > self._most or len(self.values) > self._entries:
            oldest, gone = self.values.popitem(last=False)
            self.bytes -= self._weights.pop(oldest)
            dropped.append(gone)
        return dropped

    def pop(self, key: K) -> V | None:
        """Forget a value and give it; None where there is none."""
        self.bytes -= self._weights.pop(key, 0)
        return self.values.pop(key, None)

    def renew(self, key: K) -> None:
        """Let a key be the newest."""
        self.values.move_to_end(key)

    def clear(self) -> None:
        """Forget everything."""
        self.values, self._weights, self.bytes = OrderedDict(), {}, 0

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[K]:
        return iter(list(self.values))


class Cache(Generic[V]):
    """What a function gave for some arguments, and would give again; what is too heavy is not kept.

    >>> squares = Cache("squares", Bounds(2, MIB))
    >>> [squares.ask(lambda number: number**2, number) for number in (1, 2, 3)], squares.usage.entries
    ([1, 4, 9], 2)
    """

    __slots__ = ("_held", "_lock", "bounds", "name")

    def __init__(self, name: str, bounds: Bounds, weigh: Callable[..., int] = WEIGH_PLAIN) -> None:
        self.name = name
        self.bounds = bounds
        self._held: BoundedMapping[Any, V] = BoundedMapping(bounds, weigh)
        self._lock = Lock()

    @property
    def usage(self) -> Usage:
        """How much is kept."""
        return self._held.usage

    def ask(self, function: Callable[..., V], *arguments: Any) -> V:
        """Give what the function gives for hashable arguments; one cache is for one function."""
        held = self._held.values
        try:
            return held[arguments]
        except KeyError:
            made = function(*arguments)
        with self._lock, contextlib.suppress(TooHeavyError):
            self._held.put(arguments, made)
        return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
