"""What code may do to state: the verbs of a store, and the store that is one process's memory.

A value that was read says what is there by being equal to it, never by being the same object; so a store may
keep bytes, in another process. Whoever changes what it read puts it back only if nobody else did meanwhile.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

V = TypeVar("V")


class Kind(NamedTuple, Generic[V]):
    """A named set of values of one type."""

    name: str
    type: type[V]
    capacity: int | None = (
        None  # how many there may be: the oldest makes room for the newest; None: any number
    )


class Store(Protocol):
    """Values by kind and key, in the order in which they came; one that is replaced keeps its place."""

    def get(self, kind: Kind[V], key: str) -> V | None:
        """Give the value of a key; None where there is none."""

    def put(self, kind: Kind[V], key: str, value: V) -> None:
        """Store a value, in place of what was there."""

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


class _Shelf:
    """The values of one kind."""

    __slots__ = ("changes", "values")

    def __init__(self) -> None:
        self.changes = 0
        # An OrderedDict, because a dict that loses its first entry again and again searches for the next one.
        self.values: OrderedDict[str, Any] = OrderedDict()

    def set(self, kind: Kind[V], key: str, value: V | None) -> None:
        """Put, or for None remove; the lock is held."""
        self.changes += 1
        if value is None:
            self.values.pop(key, None)
            return
        self.values[key] = value
        if kind.capacity is not None and len(self.values) > kind.capacity:
            self.values.popitem(last=False)


class MemoryStore:
    """A store in this process. Its lock is held for one verb at a time, never while anything else runs."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._shelves: defaultdict[str, _Shelf] = defaultdict(_Shelf)

    def get(self, kind: Kind[V], key: str) -> V | None:
        """Give the value of a key; None where there is none."""
        shelf = self._shelves.get(kind.name)  # a missing one is made under the lock alone
        return shelf.values.get(key) if shelf is not None else None

    def put(self, kind: Kind[V], key: str, value: V) -> None:
        """Store a value, in place of what was there."""
        with self._lock:
            self._shelves[kind.name].set(kind, key, value)

    def put_if_unchanged(self, kind: Kind[V], key: str, value: V | None, read: V | None) -> bool:
        """Store a value where `read` is still what is there; say whether it is. None stands for nothing."""
        with self._lock:
            shelf = self._shelves[kind.name]
            held = shelf.values.get(key)
            if held is not read and held != read:  # the same object is the same without a look
                return False
            shelf.set(kind, key, value)
        return True

    def delete(self, kind: Kind[V], key: str) -> V | None:
        """Remove a value; give it, to only one of all who remove it."""
        with self._lock:
            shelf = self._shelves[kind.name]
            shelf.changes += 1
            held: V | None = shelf.values.pop(key, None)
        return held

    def list(self, kind: Kind[V], prefix: str = "") -> "list[tuple[str, V]]":
        """Give keys and values, oldest first, of the keys that begin with `prefix`."""
        with self._lock:
            items = list(self._shelves[kind.name].values.items())
        return [item for item in items if item[0].startswith(prefix)] if prefix else items

    def increment(self, kind: Kind[int], key: str, by: int = 1) -> int:
        """Add to a counter and give what it is then; one that is 0 is not there."""
        with self._lock:
            shelf = self._shelves[kind.name]
            count: int = shelf.values.get(key, 0) + by
            shelf.set(kind, key, count or None)
        return count

    def changes(self, kind: Kind[Any]) -> int:
        """Give a number that grows with every change of a kind, and stays where nothing changed."""
        shelf = self._shelves.get(kind.name)
        return shelf.changes if shelf is not None else 0

    def copy(self, kinds: Iterable[Kind[Any]]) -> "dict[Kind[Any], dict[str, Any]]":
        """Give all values of some kinds as they are at one moment."""
        with self._lock:
            return {kind: dict(self._shelves[kind.name].values) for kind in kinds}

    def replace(self, values: "Mapping[Kind[Any], Mapping[str, Any]]") -> None:
        """Hold these values of these kinds and no others, all in one step; of too many, the newest."""
        with self._lock:
            for kind, held in values.items():
                shelf = self._shelves[kind.name]
                surplus = 0 if kind.capacity is None else max(0, len(held) - kind.capacity)
                shelf.values = OrderedDict(list(held.items())[surplus:])
                shelf.changes += 1
