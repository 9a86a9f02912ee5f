"""Both stores keep the contract, and one world works over either."""

import pytest
from sqlite_store import SqliteStore
from store_contract import StoreContract

from mockserver.state.store import MemoryStore


class TestMemoryStore(StoreContract):
    """The store of one process."""

    @pytest.fixture
    def store(self):
        return MemoryStore()


class TestSqliteStore(StoreContract):
    """A store of bytes."""

    @pytest.fixture
    def store(self):
        yield (made := SqliteStore())
        made.close()
