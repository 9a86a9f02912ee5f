"""One kind of a store, with the one loop in which a value is changed that others may change, too."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

from mockserver.bounded import Usage
from mockserver.state.store import Kind, Store
from mockserver.state.values import read

V = TypeVar("V")
# Whoever loses one try has seen somebody else win, so nobody waits for a lock that is never given back. The
# bound is for a value that does not equal itself, which would be tried for ever.
MOST_TRIES = 100_000


class Collection(Generic[V]):
    """The values of one kind, by key, in the order in which they came."""

    __slots__ = ("_store", "delete", "get", "kind", "put", "put_if_unchanged")

    def __init__(self, store: Store, kind: Kind[V]) -> None:
        self._store = store
        self.kind = kind
        # The store's verbs, bound once: each call goes through them a dozen times.
        self.get: Callable[[str], V | None] = partial(store.get, kind)
        self.put: Callable[[str, V], None] = partial(store.put, kind)
        self.delete: Callable[[str], V | None] = partial(store.delete, kind)
        self.put_if_unchanged: Callable[[str, V | None, V | None], bool] = partial(
            store.put_if_unchanged, kind
        )

    @property
    def changes(self) -> int:
        """A number that grows with every change."""
        return self._store.changes(self.kind)

    @property
    def usage(self) -> Usage:
        """How many values there are, and about how many bytes they take."""
        return self._store.usage(self.kind)

    def update(self, key: str, change: Callable[[V | None], V | None]) -> V | None:
        """Change a value, None for one that is not there, and give what it is then.

        `change` runs again where somebody else was faster; what it raises leaves everything as it is.
        """
        for _ in range(MOST_TRIES):
            known = self.get(key)
            changed = change(known)
            if changed == known or self.put_if_unchanged(key, changed, known):
                return changed
        raise RuntimeError(f"{self.kind.name}: {key} changes without an end, or is never equal to itself")

    def list(self, prefix: str = "") -> "list[tuple[str, V]]":
        """Give keys and values, oldest first, of the keys that begin with `prefix`."""
        return self._store.list(self.kind, prefix)

    def increment(self: "Collection[int]", key: str, by: int = 1) -> int:
        """Add to a counter and give what it is then; one that is 0 is not there."""
        return self._store.increment(self.kind, key, by)

    def read(self, values: Any) -> dict[str, V]:
        """Make values of what a snapshot says. Raises ValueError that names what is wrong, and where."""
        name, type_ = self.kind.name, self.kind.type
        rows = read(dict[str, Any], values, f"{name}:")
        return {key: read(type_, value, f"{name}: {key}") for key, value in rows.items()}

    def __iter__(self) -> Iterator[V]:
        return iter([value for _, value in self.list()])

    def __len__(self) -> int:
        return len(self.list())
