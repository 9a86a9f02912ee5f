"""Both stores keep the contract, and one world works over either."""

from collections.abc import Callable
from functools import partial

import pytest
from conftest import meanwhile
from sqlite_store import SqliteStore
from store_contract import COUNTS, PETS, REX, StoreContract

from mockserver.bounded import ENTRY_BYTES
from mockserver.state.store import MemoryStore, weigh_stored


class Interrupting(str):  # noqa: SLOT000 - which are for others
    """A key of which the look-up is the moment for somebody else's change."""

    others: list[Callable[[], None]]

    def __hash__(self):
        if self.others:
            self.other = meanwhile(self.others.pop())
        return super().__hash__()


class TestMemoryStore(StoreContract):
    """The store of one process."""

    @pytest.fixture
    def store(self):
        return MemoryStore()

    def test_what_is_kept_is_weighed_right_although_two_change_it_at_the_same_time(self, store):
        key = Interrupting("a")
        for name, change in (
            ("b", partial(store.put, PETS, key, REX)),
            ("c", partial(store.delete, PETS, key)),
        ):
            key.others = [partial(store.put, PETS, name, REX)]
            change()
            key.other.join()
            weights = [ENTRY_BYTES + weigh_stored(each, pet) for each, pet in store.list(PETS)]
            assert store.usage(PETS) == (len(weights), sum(weights))
        assert [name for name, _ in store.list(PETS)] == ["b", "c"]

    def test_a_copy_is_of_one_moment(self, store):
        others = []

        def change():
            store.put(PETS, "a", REX)
            store.put(COUNTS, "a", 1)

        def kinds():
            yield PETS
            others.append(meanwhile(change))
            yield COUNTS

        copied = store.copy(kinds())
        others[0].join()
        assert copied == {PETS: {}, COUNTS: {}}
        assert store.copy([PETS, COUNTS]) == {PETS: {"a": REX}, COUNTS: {"a": 1}}


class TestSqliteStore(StoreContract):
    """A store of bytes."""

    @pytest.fixture
    def store(self):
        yield (made := SqliteStore())
        made.close()
