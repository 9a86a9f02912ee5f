"""The one object that owns all state: what a reset empties and a snapshot writes.

A step that reads and then writes what it read holds `lock` meanwhile.
"""

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, TypeVar

from mockserver.state.accounts import Account, Accounts
from mockserver.state.clock import Clock
from mockserver.state.collection import Collection, as_json
from mockserver.state.deliveries import WAITING, Delivery
from mockserver.state.ledger import Entry
from mockserver.state.limits import Slots, Window
from mockserver.state.outputs import Output, StoredPicture
from mockserver.state.resources import Resource

# Bounds of what grows with every call, so that a server that runs for a month does not fill the memory.
SEEN, OUTPUTS, KEPT_OUTPUTS, PICTURES, DELIVERIES = 100_000, 20_000, 50_000, 1_000, 10_000
# A resource and its name come with a creating call, an entry and a window with every paid or limited one; the
# ledger is bounded per account, too, but nobody bounds the number of keys that callers make up.
RESOURCES, LEDGER, WINDOWS = 50_000, 200_000, 200_000
FORMAT = 1  # of a snapshot
T = TypeVar("T")


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
        enforced: frozenset[str] = frozenset(),
    ) -> None:
        self.seed = self._first_seed = seed
        self._enforced = enforced
        self.lock = RLock()
        self.clock = clock or Clock()
        self.slots = Slots()
        self.seen = Collection(int, self.lock, SEEN)
        self.outputs = Collection(Output, self.lock, OUTPUTS)
        self.kept_outputs = Collection(Output, self.lock, KEPT_OUTPUTS)
        self.pictures = Collection(StoredPicture, self.lock, PICTURES)
        self.resources = Collection(Resource, self.lock, RESOURCES)
        self.names = Collection(str, self.lock, RESOURCES)
        self.ledger = Collection(Entry, self.lock, LEDGER)
        self.windows = Collection(Window, self.lock, WINDOWS)
        self.deliveries = Collection(Delivery, self.lock, DELIVERIES)
        self._stored_accounts = Collection(Account, self.lock)
        self.accounts = Accounts(self._stored_accounts, accounts or {}, fresh_accounts or {})
        self._canned = dict(canned_pictures or {})
        self._collections: dict[str, Collection[Any]] = {
            "accounts": self._stored_accounts,
            "deliveries": self.deliveries,
            "ledger": self.ledger,
            "names": self.names,
            "kept_outputs": self.kept_outputs,
            "outputs": self.outputs,
            "pictures": self.pictures,
            "resources": self.resources,
            "seen": self.seen,
            "windows": self.windows,
        }

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self.clock.changes + sum(collection.changes for collection in self._collections.values())

    def picture(self, key: str) -> StoredPicture | None:
        """Give a picture that came in, or that the fixtures hold; None where it is gone."""
        return self.pictures.get(key) or self._canned.get(key)

    def output(self, id_: str) -> Output | None:
        """Give an output by its id; None where there is none."""
        return self.outputs.get(id_) or self.kept_outputs.get(id_)

    def add_output(self, output: Output) -> Output:
        """Store an output: apart where it never expires, so that those that do cannot crowd it out."""
        kept = self.kept_outputs if output.expires_at_s is None else self.outputs
        return kept.put(output.id, output)

    def enforces(self, account: Account, what: str) -> bool:
        """Whether `credits` or `limits` are real for an account, rather than only counted."""
        return what in self._enforced or what in account.flags.get("enforce", ())

    def reschedule(self, job: Resource) -> None:
        """Let the webhook of a job, if it waits, become due when the job ends."""
        delivery = self.deliveries.get(job.id)
        if delivery is not None and delivery.status == WAITING and not delivery.attempts:
            self.deliveries.put(job.id, delivery._replace(due_at_s=job.ends_at_s))

    def reset(self) -> None:
        """Forget everything; the clock shows real time again, and ids are drawn from the first seed."""
        with self.lock:
            for collection in self._collections.values():
                collection.clear()
            self.slots = Slots()  # calls that are still under way give back theirs to the old ones
            self.seed = self._first_seed
            self.clock.reset()

    def snapshot(self) -> dict[str, Any]:
        """Give everything as values that write themselves as JSON; the lock is held for the copy alone."""
        with self.lock:
            copies = {name: collection.list() for name, collection in self._collections.items()}
            head = {"format": FORMAT, "seed": self.seed, "clock": self.clock.snapshot()}
        return {**head, **{name: as_json(items) for name, items in copies.items()}}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Put back what `snapshot` gave. Raises ValueError, with everything as it was, where that is not possible."""
        missing = ({"seed", "clock"} | set(self._collections)) - set(snapshot)
        if snapshot.get("format") != FORMAT or missing:
            wanted = f"a snapshot of format {FORMAT}"
            raise ValueError(
                f"not {wanted}: " + (f"{', '.join(sorted(missing))} missing" if missing else "another format")
            )
        seed = snapshot["seed"]
        if type(seed) is not int:
            raise ValueError(f"seed must be a whole number, not {seed!r}")
        moment = _read("clock", self.clock.read, snapshot["clock"])
        parts = {
            name: _read(name, collection.read, snapshot[name])
            for name, collection in self._collections.items()
        }
        with self.lock:
            self.clock.restore(moment)
            self.seed = seed
            for name, collection in self._collections.items():
                collection.restore(parts[name])


def _read(name: str, read: Callable[[Any], T], value: Any) -> T:
    """Read one part of a snapshot. Raises ValueError that names it."""
    try:
        return read(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error
