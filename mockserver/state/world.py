"""The one object that owns all state: what a reset empties and a snapshot writes.

A step that reads and then writes what it read holds `lock` meanwhile.
"""

from collections.abc import Mapping
from threading import RLock
from typing import Any

from mockserver.state.accounts import Account, Accounts
from mockserver.state.clock import Clock
from mockserver.state.collection import Collection
from mockserver.state.outputs import Output, StoredPicture
from mockserver.state.resources import Resource

# Bounds of what grows with every call, so that a server that runs for a month does not fill the memory.
SEEN, OUTPUTS, PICTURES = 100_000, 20_000, 1_000


class World:
    """Everything that changes between two requests."""

    def __init__(
        self,
        *,
        seed: int = 0,
        accounts: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
        fresh_accounts: Mapping[str, Mapping[str, Any]] | None = None,
        canned_pictures: Mapping[str, StoredPicture] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.seed = seed
        self.lock = RLock()
        self.clock = clock or Clock()
        self.seen = Collection(int, self.lock, SEEN)
        self.outputs = Collection(Output, self.lock, OUTPUTS)
        self.pictures = Collection(StoredPicture, self.lock, PICTURES)
        self.resources = Collection(Resource, self.lock)
        self.names = Collection(str, self.lock)
        self._stored_accounts = Collection(Account, self.lock)
        self.accounts = Accounts(self._stored_accounts, accounts or {}, fresh_accounts or {})
        self._canned = dict(canned_pictures or {})

    def picture(self, key: str) -> StoredPicture | None:
        """Give a picture that came in, or that the fixtures hold; None where it is gone."""
        return self.pictures.get(key) or self._canned.get(key)
