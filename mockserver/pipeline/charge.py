"""What a call costs, and who pays: the price from the table, taken when the operation has succeeded.

No lock is held meanwhile. Where credits are enforced, the price is set aside before the operation begins, so
that no two calls spend the same credits, and becomes a charge, or is free again, when it has ended.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from mockserver.call import Call
from mockserver.prices import (
    check_balance,
    find_current,
    in_month,
    monthly_credits,
    price,
    refund_failed,
    smart_balance,
)
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.clock import isoformat
from mockserver.state.ledger import Entry, JobCharge, JobCharges, balance_after, ledger_key
from mockserver.state.limits import Window
from mockserver.state.values import replace
from mockserver.state.world import World

TOP_UP, NEW_MONTH = "top-up", "monthly credits"


class Reservation(NamedTuple):
    """What a call will cost."""

    amount: float
    held: float  # what of it is set aside: nothing where credits are only counted


def reserve(call: Call) -> Reservation | None:
    """Make sure that a call can be paid; None where it is free. Raises Problem where it cannot be."""
    amount, world, jobs = price(call), call.world, call.provider.jobs
    if jobs is not None and jobs.gives_back:
        refund_failed(call.provider, world, call.account)
    account = _begin_month(call)
    if amount == 0 or account.credits is None:
        return None
    if not world.enforces(account, "credits"):
        return Reservation(amount, 0)

    def hold(account: Account) -> Account:
        check_balance(call, account, amount)
        return replace(account, held=balance_after(account.held, -amount))

    world.accounts.update(account, hold)
    return Reservation(amount, amount)


def settle(call: Call, reservation: Reservation | None, job: str | None = None) -> float:
    """Charge for a call that has succeeded, and has begun a job, perhaps; give what was paid."""
    if reservation is None:
        return 0
    amount, held = reservation
    top_up: float | None = None  # None: nothing is to be booked

    def pay(account: Account) -> Account:
        nonlocal top_up
        top_up = None
        if account.held < held:  # the world was reset or restored meanwhile
            return account
        rest = balance_after(account.held, held) if held else account.held
        if account.credits is None:  # somebody has just said that calls are not metered
            return replace(account, held=rest)
        top_up = smart_balance(account).get("top_up", 0) if held and account.credits < amount else 0
        balance, entries = balance_after(account.credits, amount - top_up), 2 if top_up else 1
        return replace(account, credits=balance, entries=account.entries + entries, held=rest)

    account = call.world.accounts.update(call.account, pay)
    if top_up is None:
        return 0
    number, balance = account.entries, account.credits or 0
    if top_up:
        _write(call, number - 1, TOP_UP, -top_up, balance_after(balance, -amount))
    _write(call, number, call.operation.name, amount, balance)
    if job is not None and call.provider.jobs and call.provider.jobs.gives_back:
        parts = call.value(call.provider.jobs.parts) if call.provider.jobs.parts else 1
        paid = JobCharge(job, amount, account.period, call.request_id, int(parts))
        call.world.job_charges.update(
            account.id, lambda known: JobCharges((*(known.charges if known else ()), paid))
        )
    return amount


def release(call: Call, reservation: Reservation | None) -> None:
    """Free what was set aside for a call that has failed."""
    if reservation is not None and reservation.held:
        held, accounts = reservation.held, call.world.accounts
        accounts.update(call.account, lambda it: replace(it, held=max(0, balance_after(it.held, held))))


def credit_values(provider: Provider, world: World, account: Account) -> dict[str, str]:
    """Give what headers say of credits: the period's total, what is left, and when it begins anew."""
    if provider.credits and provider.credits.headers_tell == "calls":
        return _call_values(provider, world, account)
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    shown = find_current(provider, world, account)
    unit = (provider.credits and provider.credits.headers_unit) or 1
    total = monthly_credits(provider, shown) or 0
    left = total if shown.credits is None else max(0, shown.credits)
    first = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return {
        "credits_limit": str(int(total // unit)),
        "credits_remaining": str(int(left // unit)),
        "credits_reset": isoformat(first.timestamp()),
    }


def _call_values(provider: Provider, world: World, account: Account) -> dict[str, str]:
    """Give what headers say of calls: how many a window takes, what is left of it, and when it is over."""
    rows = ((str(index), row) for index, row in enumerate(provider.rates))
    found = next(((place, row) for place, row in rows if row.plan and row.window_s), None)
    most = provider.plans.get(account.plan or "", {}).get(found[1].plan or "") if found else None
    if found is None or most is None:
        return {}
    place, row = found
    window_s, now_s, known = row.window_s or 0, world.clock.now(), world.windows.get(account.id)
    window = known.by_limit.get(place) if known else None
    if window is None or not window.started_at_s <= now_s < window.started_at_s + window_s:
        window = Window(now_s, 0)
    return {
        "credits_limit": str(most),
        "credits_remaining": str(max(0, most - window.calls)),
        "credits_reset": isoformat(window.started_at_s + window_s),
    }


def _begin_month(call: Call) -> Account:
    """Give the caller's account as it is now, and store and book what a new month has brought."""
    told = call.match.provider.credits
    if told is None or told.monthly is None or monthly_credits(call.provider, call.account) is None:
        return call.account
    gained: float = 0

    def begin(before: Account) -> Account:
        nonlocal gained
        account = in_month(call.provider, call.world, before)
        gained = (account.credits or 0) - (before.credits or 0)
        return replace(account, entries=account.entries + 1) if gained else account

    account = call.world.accounts.update(call.account, begin)
    if gained:
        _write(call, account.entries, NEW_MONTH, -gained, account.credits or 0)
    return account


def _write(call: Call, number: int, what: str, amount: float, balance: float) -> None:
    """Write one entry into the ledger of the caller's account, in the place of the one that is too old."""
    entry = Entry(number, what, amount, balance, call.world.clock.now(), call.request_id)
    call.world.ledger.put(ledger_key(call.account.id, number), entry)
