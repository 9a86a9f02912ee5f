"""What code may do to state: the verbs of a store, and the store that is one process's memory.

A value that was read says what is there by being equal to it, never by being the same object; so a store may
keep bytes, in another process. Whoever changes what it read puts it back only if nobody else did meanwhile.
"""

from collections.abc import Iterable, Mapping
from sys import getsizeof
from threading import Lock
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from mockserver.bounded import BoundedMapping, Bounds, TooHeavyError, Usage
from mockserver.problems import Problem, ProblemType, Violation

V = TypeVar("V")
INT_BYTES, ASCII_BYTES = 32, 50  # of a count, and of a text without a character beyond ASCII and its letters
FLOOR = ""  # the key of the highest count that was ever dropped; no counter has it


class Kind(NamedTuple, Generic[V]):
    """A named set of values of one type."""

    name: str
    type: type[V]
    bounds: Bounds | None = None  # the oldest makes room for the newest; None: there is always room
    renews: bool = False  # True: what is changed is the newest again
    goes_on: bool = False  # True: a counter that made room begins again above all that were dropped


def weigh_stored(key: str, value: Any) -> int:
    """Estimate how many bytes a key and its value take."""
    kind = type(value)
    own: int = INT_BYTES if kind is int else getsizeof(value) if kind is str else value.kept_bytes
    # Half of the time that getsizeof takes, thrice a call.
    return own + (ASCII_BYTES + len(key) if key.isascii() else getsizeof(key))


class Store(Protocol):
    """Values by kind and key, in the order in which they came; one that is replaced keeps its place."""

    def get(self, kind: Kind[V], key: str) -> V | None:
        """Give the value of a key; None where there is none."""

    def put(self, kind: Kind[V], key: str, value: V) -> None:
        """Store a value, in place of what was there. Here and below, one that is too heavy raises Problem."""

    def put_if_unchanged(self, kind: Kind[V], key: str, value: V | None, read: V | None) -> bool:
        """Store a value where `read` is still what is there; say whether it is. None stands for nothing."""

    def delete(self, kind: Kind[V], key: str) -> V | None:
        """Remove a value; give it, to only one of all who remove it."""

    def list(self, kind: Kind[V], prefix: str = "") -> "list[tuple[str, V]]":
        """Give keys and values, oldest first, of the keys that begin with `prefix`."""

    def increment(self, kind: Kind[int], key: str, by: int = 1) -> int:
        """Add to a counter and give what it is then; one that is 0 is not there."""

    def changes(self, kind: Kind[Any]) -> int:
        """Give a number that grows with every change of a kind, and stays where nothing changed."""

    def copy(self, kinds: Iterable[Kind[Any]]) -> "dict[Kind[Any], dict[str, Any]]":
        """Give all values of some kinds as they are at one moment."""

    def replace(self, values: "Mapping[Kind[Any], Mapping[str, Any]]") -> None:
        """Hold these values of these kinds and no others, all in one step; of too many, the newest."""

    def usage(self, kind: Kind[Any]) -> Usage:
        """Give how many values of a kind there are, and about how many bytes they take."""


class _Shelf(Generic[V]):
    """The values of one kind."""

    __slots__ = ("_renews", "changes", "kept", "kind")

    def __init__(self, kind: Kind[V]) -> None:
        self.changes = 0
        self.kind = kind
        self._renews = kind.renews
        self.kept: BoundedMapping[str, V] = BoundedMapping(kind.bounds, weigh_stored)

    def set(self, key: str, value: V | None) -> None:
        """Put, or for None remove; the lock is held."""
        self.changes += 1
        if value is None:
            self.kept.pop(key)
            return
        kept = self.kept
        try:
            dropped = kept.put(key, value)
        except TooHeavyError as error:
            raise too_heavy(self.kind, error) from error
        if self._renews:
            kept.values.move_to_end(key)
        if dropped and self.kind.goes_on:
            self.kept.put(FLOOR, max([*dropped, *filter(None, [self.kept.values.get(FLOOR)])]))  # type: ignore[type-var]
            self.kept.renew(FLOOR)  # so that it is dropped after all others


class MemoryStore:
    """A store in this process. Its lock is held for one verb at a time, never while anything else runs."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._shelves: dict[str, _Shelf[Any]] = {}

    def get(self, kind: Kind[V], key: str) -> V | None:
        """Give the value of a key; None where there is none."""
        shelf = self._shelves.get(kind.name)  # a missing one is made under the lock alone
        return shelf.kept.values.get(key) if shelf is not None else None

    def put(self, kind: Kind[V], key: str, value: V) -> None:
        """Store a value, in place of what was there."""
        with self._lock:
            (self._shelves.get(kind.name) or self._shelf(kind)).set(key, value)

    def put_if_unchanged(self, kind: Kind[V], key: str, value: V | None, read: V | None) -> bool:
        """Store a value where `read` is still what is there; say whether it is. None stands for nothing."""
        with self._lock:
            shelf = self._shelves.get(kind.name) or self._shelf(kind)
            held = shelf.kept.values.get(key)
            if held is not read and held != read:  # the same object is the same without a look
                return False
            shelf.set(key, value)
        return True

    def delete(self, kind: Kind[V], key: str) -> V | None:
        """Remove a value; give it, to only one of all who remove it."""
        with self._lock:
            shelf = self._shelf(kind)
            shelf.changes += 1
            held: V | None = shelf.kept.pop(key)
        return held

    def list(self, kind: Kind[V], prefix: str = "") -> "list[tuple[str, V]]":
        """Give keys and values, oldest first, of the keys that begin with `prefix`."""
        with self._lock:
            items = list(self._shelf(kind).kept.values.items())
        return [item for item in items if item[0].startswith(prefix)] if prefix else items

    def increment(self, kind: Kind[int], key: str, by: int = 1) -> int:
        """Add to a counter and give what it is then; one that is 0 is not there."""
        with self._lock:
            shelf = self._shelves.get(kind.name) or self._shelf(kind)
            count: int | None = shelf.kept.values.get(key)
            if count is None:
                count = shelf.kept.values.get(FLOOR, 0) if kind.goes_on else 0
            count += by
            shelf.set(key, count or None)
        return count

    def changes(self, kind: Kind[Any]) -> int:
        """Give a number that grows with every change of a kind, and stays where nothing changed."""
        shelf = self._shelves.get(kind.name)
        return shelf.changes if shelf is not None else 0

    def copy(self, kinds: Iterable[Kind[Any]]) -> "dict[Kind[Any], dict[str, Any]]":
        """Give all values of some kinds as they are at one moment."""
        with self._lock:
            return {kind: dict(self._shelf(kind).kept.values) for kind in kinds}

    def replace(self, values: "Mapping[Kind[Any], Mapping[str, Any]]") -> None:
        """Hold these values of these kinds and no others, all in one step; of too many, the newest."""
        made = {kind: self._filled(kind, held) for kind, held in values.items()}
        with self._lock:
            for kind, shelf in made.items():
                shelf.changes += self._shelf(kind).changes
                self._shelves[kind.name] = shelf

    def usage(self, kind: Kind[Any]) -> Usage:
        """Give how many values of a kind there are, and about how many bytes they take."""
        with self._lock:
            return self._shelf(kind).kept.usage

    @property
    def bytes(self) -> int:
        """About how many bytes everything takes."""
        return sum([shelf.kept.bytes for shelf in list(self._shelves.values())])

    @staticmethod
    def _filled(kind: Kind[V], held: Mapping[str, V]) -> "_Shelf[V]":
        shelf = _Shelf(kind)
        shelf.changes = 1
        for key, value in held.items():
            shelf.set(key, value)
        return shelf

    def _shelf(self, kind: Kind[V]) -> "_Shelf[V]":
        """Give the values of a kind; the lock is held."""
        shelf = self._shelves.get(kind.name)
        if shelf is None:
            shelf = self._shelves[kind.name] = _Shelf(kind)
        return shelf


def too_heavy(kind: Kind[Any], error: TooHeavyError) -> Problem:
    """Make the refusal of a value that would take too much of what is kept."""
    type_ = ProblemType.BODY_TOO_LARGE
    what = f"what would be kept of this among the {kind.name.replace('_', ' ')} is too much: {error}"
    return Problem(type_, (Violation("body", "", type_.value, what),))
