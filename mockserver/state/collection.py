"""A named set of frozen values (named tuples, strings or numbers): the verbs through which all state changes.

Because nothing else changes state, reset, snapshot and restore need no code in the values themselves.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import RLock
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

V = TypeVar("V")
Fits = Callable[[Any], bool]
LONGEST_SHOWN = 80  # characters of a wrong value
LARGEST = 1e15  # of what is measured; beyond it sums and dates no longer come out
WORDS = {
    bool: "true or false", dict: "an object", float: "a number", int: "a whole number", NoneType: "null", str: "a string",
}  # fmt: skip
TIME = "_at_s"  # how the name of a field ends that holds a time
LAST_S = 253_402_300_799  # 9999-12-31T23:59:59Z, beyond which no date can be written


class Collection(Generic[V]):
    """Values of one type by key, in the order in which they came.

    `capacity` bounds it: the oldest value makes room for the newest. None: unbounded.
    """

    __slots__ = ("_capacity", "_fields", "_lock", "_type", "_values", "changes")

    def __init__(self, type_: type[V], lock: RLock, capacity: int | None = None) -> None:
        self._type = type_
        self._fields = _fields(type_)
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
            items = list(self._values.items())
        return [item for item in items if item[0].startswith(prefix)] if prefix else items

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
        return as_json(self.list())

    def read(self, values: Mapping[str, Any]) -> dict[str, V]:
        """Make values of what a snapshot is as JSON. Raises TypeError that names the key and field that are wrong."""
        if not isinstance(values, Mapping):
            raise TypeError("must be an object")
        return {key: self._read(key, value) for key, value in values.items()}

    def _read(self, key: str, value: Any) -> V:
        if not issubclass(self._type, tuple):
            if type(value) is not self._type:
                raise TypeError(f"{key} is no {self._type.__name__}")
            return value
        if not isinstance(value, Mapping):
            raise TypeError(f"{key} must be an object")
        for name, item in value.items():
            if name not in self._fields:
                raise TypeError(f"{key}.{name} is not known; there are {', '.join(self._fields)}")
            wanted, fits = self._fields[name]
            if not fits(item):
                raise TypeError(f"{key}.{name} must be {wanted}, not {str(item)[:LONGEST_SHOWN]!r}")
        try:
            return self._type(**value)
        except TypeError as error:
            missing = [name for name in self._fields if name not in value]
            raise TypeError(f"{key}.{missing[0]} is missing") from error

    def restore(self, values: Mapping[str, V]) -> None:
        """Hold these values and no others; of more than there is room for, the newest."""
        with self._lock:
            self.changes += 1
            self._values = OrderedDict(values)
            while self._capacity is not None and len(self._values) > self._capacity:
                self._values.popitem(last=False)

    def __iter__(self) -> Iterator[V]:
        """Go through the values, oldest first."""
        return iter([value for _, value in self.list()])

    def __len__(self) -> int:
        return len(self._values)


def as_json(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Write keys and values as one JSON object; a named tuple is an object of its fields."""
    return {key: value._asdict() if isinstance(value, tuple) else value for key, value in items}  # type: ignore[attr-defined]


def _fields(type_: type) -> dict[str, tuple[str, Fits]]:
    """Give, for each field of a named tuple, what it must be in words, and whether a value read from JSON is that."""
    names: tuple[str, ...] = getattr(type_, "_fields", ())
    hints = get_type_hints(type_) if names else {}
    return {name: _rule(hints[name], is_time=f"_{name}".endswith(TIME)) for name in names}


def _rule(hint: Any, *, is_time: bool = False) -> tuple[str, Fits]:
    """Make the check that a value is what an annotation says; a whole number will do for a float."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind is Any:
        return "anything", lambda _value: True
    if kind in (UnionType, Union):
        rules = [_rule(part, is_time=is_time) for part in parts]
        return " or ".join(words for words, _ in rules), lambda value: any(fits(value) for _, fits in rules)
    if kind is float and is_time:
        return (
            f"a number of seconds from 0 to {LAST_S}",
            lambda value: type(value) in (float, int) and 0 <= value <= LAST_S,
        )
    if kind is float:
        return WORDS[float], lambda value: type(value) in (float, int) and abs(value) <= LARGEST
    if kind in (list, tuple):
        words, fits = _rule(parts[0])
        return f"an array of {words}", lambda value: type(value) in (list, tuple) and all(map(fits, value))
    return WORDS[kind], lambda value: type(value) is kind
