"""Keys, plans and credits: who may call, and who pays.

An account is what the tables say until something changes it; only then is it stored.
"""

from collections.abc import Callable, Mapping
from sys import getsizeof
from typing import Any

from mockserver.bounded import weigh_again
from mockserver.state.collection import Collection
from mockserver.state.values import Count, Number, Value

ACCOUNT_BYTES = 400  # of one, without its key and its flags


class Account(Value, frozen=True):
    """Who calls one provider with one key."""

    provider: str
    key: str
    state: str  # active, inactive, deleted, suspended or unknown
    plan: str | None  # None: the provider has no plans
    credits: Number | None  # in the provider's unit; None: calls are not metered
    flags: Mapping[str, Any]  # whatever else the tables say of it
    entries: Count = 0  # how many its ledger has had
    period: str | None = None  # the month, as 2026-01, that its credits are for; None: nobody has looked yet
    held: Number = 0  # of the credits, what is set aside for calls under way; in no snapshot

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes; its flags stay the same while it calls."""
        return ACCOUNT_BYTES + getsizeof(self.key) + weigh_again(self.flags)

    @property
    def id(self) -> str:
        """What other state names it by."""
        return f"{self.provider}/{self.key}"

    def flag(self, name: str) -> Any:
        """Give what the tables say under a name; None where they say nothing."""
        return self.flags.get(name)


class Accounts:
    """Every account there is, and every one that there could be."""

    def __init__(
        self,
        stored: Collection[Account],
        listed: Mapping[str, Mapping[str, Mapping[str, Any]]],
        fresh: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._stored = stored
        self._listed = {  # made once: looking one up is on the path of every call
            name: {key: _account(name, key, {**fresh.get(name, {}), **row}) for key, row in rows.items()}
            for name, rows in listed.items()
        }
        self._fresh = fresh

    def listed(self, provider: str, key: str) -> Account | None:
        """Give the account that the fixtures list, or that was stored, for a key."""
        stored = self._stored.get(f"{provider}/{key}")
        return stored or self._listed.get(provider, {}).get(key)

    def fresh(self, provider: str, key: str) -> Account:
        """Make the healthy account that a key has of which nothing is said."""
        return _account(provider, key, self._fresh.get(provider, {}))

    def find(self, provider: str, key: str) -> Account:
        """Give the account of a key, listed or fresh."""
        return self.listed(provider, key) or self.fresh(provider, key)

    def known(self, provider: str) -> dict[str, Account]:
        """Give all accounts of a provider that the fixtures list, or that were stored, by key."""
        stored = {each.key: each for each in self._stored if each.provider == provider}
        return {**self._listed.get(provider, {}), **stored}

    def is_in_fixtures(self, provider: str, key: str) -> bool:
        """Whether the fixtures list a key, which is no secret then."""
        return key in self._listed.get(provider, {})

    def delete(self, account: Account) -> None:
        """Forget what was stored of an account: it is again what the fixtures say."""
        self._stored.delete(account.id)

    def put(self, account: Account) -> Account:
        """Store an account."""
        self._stored.put(account.id, account)
        return account

    def update(self, account: Account, change: Callable[[Account], Account]) -> Account:
        """Change an account, of which what is stored counts, not the value given; give it as it is then."""
        changed = self._stored.update(account.id, lambda stored: change(stored or self.untouched(account)))
        assert changed is not None
        return changed

    def untouched(self, account: Account) -> Account:
        """Give an account as it is where nothing has changed it."""
        listed = self._listed.get(account.provider, {}).get(account.key)
        return listed or self.fresh(account.provider, account.key)


def _account(provider: str, key: str, row: Mapping[str, Any]) -> Account:
    known = {"state", "plan", "credits"}
    return Account(
        provider=provider,
        key=key,
        state=row.get("state", "active"),
        plan=row.get("plan"),
        credits=row.get("credits"),
        flags={name: value for name, value in row.items() if name not in known},
    )
