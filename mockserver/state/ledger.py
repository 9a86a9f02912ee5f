"""What was paid: one entry for each charge, each top-up and each refund.

An account's balance is what it began with, less its charges, plus its top-ups; the entries of an account are
kept up to a bound, its balance for ever.
"""

from mockserver.state.values import Count, Number, Time, Value

KEPT_PER_ACCOUNT = 1_000
ENTRY_BYTES = 400  # of memory
PRECISION = 6  # decimal places; prices have at most two, and floating-point sums must not drift


class Entry(Value, frozen=True):
    """One change of a balance."""

    number: Count  # counts from 1 in each account
    operation: str
    amount: Number  # what was taken; a top-up, or what is given back, is negative
    balance: Number  # after it
    at_s: Time
    request_id: str

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes; nothing in it is a caller's word."""
        return ENTRY_BYTES


class JobCharge(Value, frozen=True):
    """What the call paid whose job is under way."""

    job: str
    amount: Number
    period: str | None  # the month whose credits paid; None: they do not begin anew
    request_id: str
    parts: Count = 1  # of the job, of which one fails where it succeeds in part


class JobCharges(Value, frozen=True):
    """What one account paid for jobs of which nobody has looked yet how they ended."""

    charges: tuple[JobCharge, ...]

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes; nothing in it is a caller's word."""
        return ENTRY_BYTES * (1 + len(self.charges))


def balance_after(balance: float, amount: float) -> float:
    """Take an amount from a balance.

    >>> balance_after(0.3, 0.1)
    0.2
    """
    return round(balance - amount, PRECISION)


def ledger_key(account_id: str, number: int) -> str:
    """Give the key of one entry of an account's ledger; the newest takes the place of the one too old.

    >>> ledger_key("pikzels/pkz_test", 7), ledger_key("pikzels/pkz_test", 2007)
    ('pikzels/pkz_test/7', 'pikzels/pkz_test/7')
    """
    return f"{account_id}/{number % KEPT_PER_ACCOUNT}"
