"""A named set of frozen values (named tuples, strings or numbers): the verbs through which all state changes.

Because nothing else changes state, reset, snapshot and restore need no code in the values themselves.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from threading import RLock
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class Collection(Generic[V]):
    """Values of one type by key, in the order in which they came.

    `capacity` bounds it: the oldest value makes room for the newest. None: unbounded.
    """

    __slots__ = ("_capacity", "_lock", "_type", "_values", "changes")

    def __init__(self, type_: type[V], lock: RLock, capacity: int | None = None) -> None:
        self._type = type_
        self._lock = lock
        self._capacity = capacity
        self.changes = 0  # how often it changed
        # An OrderedDict, because a dict that loses its first entry again and again searches for the next one.
        self._values: OrderedDict[str, V] = OrderedDict()

    def get(self, key: str) -> V | None:
        """Give the value of a key; None where there is none."""
        return self._values.get(key)

    def put(self, key: str, value: V) -> V:
        """Store a value under a key, in place of what was there."""
        with self._lock:
            self.changes += 1
            self._values[key] = value
            if self._capacity is not None and len(self._values) > self._capacity:
                self._values.popitem(last=False)
        return value

    def delete(self, key: str) -> V | None:
        """Remove a key; give what it held."""
        with self._lock:
            self.changes += 1
            return self._values.pop(key, None)

    def list(self, prefix: str = "") -> "list[tuple[str, V]]":
        """Give keys and values, oldest first, of the keys that begin with `prefix`."""
        with self._lock:
            return [item for item in self._values.items() if item[0].startswith(prefix)]

    def increment(self, key: str, by: int = 1) -> int:
        """Add to a counter (which begins at 0) and give what it is then; for a collection of `int`."""
        with self._lock:
            count: Any = int(self._values.get(key, 0)) + by  # type: ignore[arg-type]
            self.put(key, count)
            return int(count)

    def clear(self) -> None:
        """Forget everything."""
        self.restore({})

    def snapshot(self) -> dict[str, Any]:
        """Give everything as it is now, as JSON; later changes do not show in it."""
        with self._lock:
            values = list(self._values.items())
        return {key: value._asdict() if isinstance(value, tuple) else value for key, value in values}  # type: ignore[attr-defined]

    def read(self, values: Mapping[str, Any]) -> dict[str, V]:
        """Make values of what a snapshot is as JSON. Raises TypeError where a value has other fields."""
        if not issubclass(self._type, tuple):
            wrong = [key for key, value in values.items() if not isinstance(value, self._type)]
            if wrong:
                raise TypeError(f"{wrong[0]} is no {self._type.__name__}")
            return dict(values)
        return {key: self._type(**value) for key, value in values.items()}

    def restore(self, values: Mapping[str, V]) -> None:
        """Hold these values and no others."""
        with self._lock:
            self.changes += 1
            self._values = OrderedDict(values)

    def __iter__(self) -> Iterator[V]:
        """Go through the values, oldest first."""
        return iter([value for _, value in self.list()])

    def __len__(self) -> int:
        return len(self._values)
