"""All state of one emulated world, over a store: what a reset empties and a snapshot writes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from mockserver.bounded import KIB, MIB, Bounds, Usage
from mockserver.problems import Problem
from mockserver.settings import Style
from mockserver.state.accounts import Account, Accounts
from mockserver.state.changes import Look
from mockserver.state.clock import Clock
from mockserver.state.collection import Collection
from mockserver.state.deliveries import WAITING, Delivery
from mockserver.state.journal import MOST, Journal
from mockserver.state.ledger import Entry, JobCharges, ledger_key
from mockserver.state.limits import RESETS, Slots, Windows
from mockserver.state.outputs import Output, StoredPicture
from mockserver.state.plans import Plan, Plans
from mockserver.state.resources import Resource
from mockserver.state.store import Kind, MemoryStore, Store
from mockserver.state.tally import HEARD, Tally
from mockserver.state.values import as_json, read, replace

# Bounds of what grows with calls, so that a server that runs for a month does not fill the memory: 130 MiB in
# all. Of plans there is one value, of at most 10 MiB. What an account has is as new as its last call.
BOUNDS = {
    "seen": Bounds(30_000, 10 * MIB),
    "outputs": Bounds(20_000, 12 * MIB),
    "kept_outputs": Bounds(20_000, 10 * MIB),
    "pictures": Bounds(1_000, 16 * MIB),
    "resources": Bounds(20_000, 10 * MIB),
    "names": Bounds(80_000, 8 * MIB),
    "ledger": Bounds(50_000, 8 * MIB),
    "furnished": Bounds(10_000, 2 * MIB),
    "job_charges": Bounds(5_000, 3 * MIB),
    "windows": Bounds(10_000, 4 * MIB),
    "deliveries": Bounds(10_000, 5 * MIB),
    "plans": Bounds(1, 40 * MIB),
    "accounts": Bounds(20_000, 8 * MIB),
    "slots": Bounds(10_000, 4 * MIB),
    "counters": Bounds(10, 64 * KIB),
}
RENEWED = {"accounts", "windows", "job_charges"}
FORMAT = 2  # of a snapshot
LARGEST_SEED = 2**64
NEWER = {"plans", "furnished", "job_charges"}  # what a snapshot of an earlier version does not have
UNDER_WAY = {"accounts": {"held": 0}, "deliveries": {"claim": 0}}  # what a restored value knows nothing of
V = TypeVar("V")
Said = str | Mapping[str, str] | Sequence[str]
Assumed = Mapping[str, Mapping[str, str]]  # readings, by provider and assumption


class World:
    """Everything that changes between two requests."""

    style: Style | None = None  # of its pictures; None: as the settings say

    # Raises ValueError for what is restored and could not be used; whoever knows the tables puts it here.
    check_restored: Callable[["World", Assumed, Mapping[str, Mapping[str, Any]]], None] | None = None

    def __init__(
        self,
        *,
        seed: int = 0,
        accounts: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
        fresh_accounts: Mapping[str, Mapping[str, Any]] | None = None,
        canned_pictures: Mapping[str, StoredPicture] | None = None,
        clock: Clock | None = None,
        enforced: frozenset[str] = frozenset(),
        store: Store | None = None,
        assume: Said = (),
        read_assumed: Callable[[Said], Assumed] = lambda _: {},
    ) -> None:
        self.seed = self._first_seed = seed
        self._read_assumed = read_assumed
        self.assumed = self._first_assumed = read_assumed(assume)  # replaced as a whole
        self._enforced = enforced
        self.clock = clock or Clock()
        self._store: Store = MemoryStore() if store is None else store
        self._collections: dict[str, Collection[Any]] = {}  # what a snapshot holds
        # A request's digest → how often it came; one that was dropped goes on, so that no id comes again.
        self.seen = self._collection("seen", int)
        # An output's id → what its link shows; the second holds those that never expire.
        self.outputs = self._collection("outputs", Output)
        self.kept_outputs = self._collection("kept_outputs", Output)
        # A digest of its bytes → a picture that was sent along, small.
        self.pictures = self._collection("pictures", StoredPicture)
        # An id → what a call created, a job included; an account, kind and name → the id of that.
        self.resources = self._collection("resources", Resource)
        self.names = self._collection("names", str)  # in any case or not, of a kind or all
        # An account's id and a number → what was paid; an account's id → the calls that its rates count.
        self.ledger = self._collection("ledger", Entry)
        self.furnished = self._collection("furnished", int)  # what fixtures list and was put here
        self.job_charges = self._collection("job_charges", JobCharges)  # by account
        self.windows = self._collection("windows", Windows)
        # A job's id → the webhook that tells of it, with its attempts.
        self.deliveries = self._collection("deliveries", Delivery)
        # One key → all orders for calls to come.
        self.plans = Plans(self._collection("plans", Plan))
        # An account's id → the account as it is since something changed it.
        stored_accounts = self._collection("accounts", Account)
        self.accounts = Accounts(stored_accounts, accounts or {}, fresh_accounts or {})
        self._canned = dict(canned_pictures or {})
        # No snapshot holds these: no call outlives its process, and a count goes on over every reset.
        self._slots = Collection(self._store, Kind("slots", int, BOUNDS["slots"]))
        self.counters = Collection(self._store, Kind("counters", int, BOUNDS["counters"]))
        self.slots = Slots(self._slots, self.counters)
        self.journal: Journal[Any] = Journal()  # of exchanges; in no snapshot and no store
        self.tally = Tally()  # which outlives every reset

    def _collection(self, name: str, type_: type[V]) -> Collection[V]:
        kind = Kind(name, type_, BOUNDS[name], renews=name in RENEWED, goes_on=name == "seen")
        collection = Collection(self._store, kind)
        self._collections[name] = collection
        return collection

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self.clock.changes + sum(collection.changes for collection in self._collections.values())

    @property
    def usage(self) -> dict[str, tuple[Usage, Bounds]]:
        """How much is kept of everything that grows, and how much may be."""
        held = [*self._collections.values(), self._slots, self.counters]
        found = {each.kind.name: (each.usage, BOUNDS[each.kind.name]) for each in held}
        return {**found, "journal": (self.journal.usage, MOST), "tally": (self.tally.usage, HEARD)}

    @property
    def bytes(self) -> int:
        """About how many bytes all of it takes, in this process."""
        kept = self._store.bytes if isinstance(self._store, MemoryStore) else 0
        return kept + self.journal.era.bytes + self.tally.usage.bytes

    @property
    def types(self) -> dict[str, type[Any]]:
        """What a snapshot holds by key, by collection."""
        return {name: collection.kind.type for name, collection in self._collections.items()}

    def picture(self, key: str) -> StoredPicture | None:
        """Give a picture that came in, or that the fixtures hold; None where it is gone."""
        return self.pictures.get(key) or self._canned.get(key)

    def output(self, provider: str, id_: str | None) -> Output | None:
        """Give an output of a provider by its id; None where there is none, or it is another provider's."""
        found = (self.outputs.get(id_) or self.kept_outputs.get(id_)) if id_ else None
        return found if found and found.provider == provider else None

    def add_output(self, output: Output) -> Output:
        """Store an output: apart where it never expires, so that those that do cannot crowd it out."""
        kept = self.kept_outputs if output.expires_at_s is None else self.outputs
        kept.put(output.id, output)
        return output

    def enforces(self, account: Account, what: str) -> bool:
        """Whether `credits` or `limits` are real for an account, rather than only counted."""
        return what in self._enforced or what in account.flags.get("enforce", ())

    def assume(self, said: Said, *, for_good: bool = False) -> None:
        """Choose how documents are read; what is not named stays. Raises ValueError for what is not there.

        `for_good`: in place of all that was chosen, and it holds after a reset, too.
        """
        if for_good:
            self.assumed = self._first_assumed = self._read_assumed(said)
            return
        chosen = said if isinstance(said, Mapping) else (said,) if isinstance(said, str) else said
        named = [f"{name}={reading}" for name, reading in flat(self.assumed).items()]
        more = (
            [f"{name}={reading}" for name, reading in chosen.items()]
            if isinstance(chosen, Mapping)
            else chosen
        )
        self.assumed = self._read_assumed([*named, *more])

    def reschedule(self, job: Resource) -> None:
        """Let the webhook of a job, if it waits, become due when the job ends."""

        def due(delivery: Delivery | None) -> Delivery | None:
            if delivery is None or delivery.status != WAITING or delivery.attempts:
                return delivery
            return replace(delivery, due_at_s=job.ends_at_s, claim=0)  # an attempt under way counts no more

        self.deliveries.update(job.id, due)

    def forget(self, account: Account) -> None:
        """Forget all that one account has done and was given; everybody else's stays."""
        id_, prefix = account.id, f"{account.id}/"
        for key, entry in self.ledger.list(prefix):
            if key == ledger_key(id_, entry.number):
                self.ledger.delete(key)
        for key, holder in self.names.list(prefix):  # also those of an account whose key begins so
            if (known := self.resources.get(holder)) is None or known.account == id_:
                self.names.delete(key)
        for key, _ in self.furnished.list(prefix):
            if "/" not in key.removeprefix(prefix):
                self.furnished.delete(key)
        for owned in (self.resources, self.outputs, self.kept_outputs):
            for key in [key for key, value in owned.list() if value.account == id_]:
                owned.delete(key)
                self.deliveries.delete(key)
        self.windows.delete(id_)
        self.job_charges.delete(id_)
        self.accounts.delete(account)

    def reset(self, *, seed: int | None = None, enforced: frozenset[str] | None = None) -> None:
        """Forget everything; the clock shows real time again, and ids are drawn from the first seed.

        `seed` and `enforced` are what this reset and each after it begin with; None: as the last one did.
        What holds after every reset (a scenario of `serve`) is ordered again; the journal is empty.
        """
        self._first_seed = self._first_seed if seed is None else seed
        self._enforced = self._enforced if enforced is None else enforced
        self.counters.increment(RESETS)
        kinds = [collection.kind for collection in (*self._collections.values(), self._slots)]
        self._store.replace({kind: {} for kind in kinds})
        self.plans.begin()
        self.seed, self.assumed = self._first_seed, self._first_assumed
        self.clock.reset()
        self.journal.reset()

    def look(self, last: Look | None = None) -> Look:
        """Give everything as it is at one moment; what has not changed since `last` is that of then."""
        versions = {name: collection.changes for name, collection in self._collections.items()}
        old = {name for name in versions if last and versions[name] == last.versions[name]}
        copies = self._store.copy(each.kind for name, each in self._collections.items() if name not in old)
        found = {kind.name: values for kind, values in copies.items()}
        head = {"format": FORMAT, "seed": self.seed, "clock": self.clock.snapshot()}
        head["assumed"] = flat(self.assumed)
        values = {name: last.values[name] if last and name in old else found[name] for name in versions}
        return Look(head, versions, values)

    def snapshot(self) -> dict[str, Any]:
        """Give everything, as it is at one moment, as JSON."""
        now = self.look()
        return {**now.head, **{name: as_json(values) for name, values in now.values.items()}}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Put back what `snapshot` gave. Raises ValueError, with everything as it was, where it cannot be."""
        missing = ({"seed", "clock"} | set(self._collections)) - set(snapshot) - NEWER
        unknown = set(snapshot) - {"format", "seed", "clock", "assumed"} - set(self._collections)
        if snapshot.get("format") != FORMAT or missing:
            why = f"{', '.join(sorted(missing))} missing" if missing else "another format"
            raise ValueError(f"not a snapshot of format {FORMAT}: {why}")
        if unknown:
            raise ValueError(f"{min(unknown):.80} is nothing that a snapshot holds")
        seed = snapshot["seed"]
        if type(seed) is not int or abs(seed) > LARGEST_SEED:
            raise ValueError(f"seed must be a whole number of at most 64 bits, not {seed!r:.80}")
        try:
            moment = self.clock.read(snapshot["clock"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"clock: {error}") from error
        assumed = self._read_assumed(read(dict[str, str], snapshot.get("assumed", {}), "assumed"))
        parts = {}
        for name, collection in self._collections.items():
            values, idle = collection.read(snapshot.get(name, {})), UNDER_WAY.get(name)
            idled = {key: replace(value, **idle) for key, value in values.items()} if idle else values
            parts[collection.kind] = idled
        if self.check_restored is not None:
            self.check_restored(self, assumed, {kind.name: values for kind, values in parts.items()})
        try:
            self._store.replace(parts)
        except Problem as problem:
            raise ValueError(str(problem)) from problem
        self.clock.restore(moment)
        self.seed = seed
        self.assumed = assumed


def flat(assumed: Assumed) -> dict[str, str]:
    """Name readings in full.

    >>> flat({"pikzels": {"wrong_method": "not_allowed"}})
    {'pikzels.wrong_method': 'not_allowed'}
    """
    return {f"{owner}.{name}": each for owner, choice in assumed.items() for name, each in choice.items()}
