"""What a call costs, and who pays: the price from the table, taken when the operation has succeeded.

No lock is held meanwhile. Where credits are enforced, the price is set aside before the operation begins, so
that no two calls spend the same credits, and becomes a charge, or is free again, when it has ended.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from mockserver.call import Call
from mockserver.problems import ProblemType
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.clock import isoformat
from mockserver.state.ledger import PRECISION, Entry, JobCharge, JobCharges, balance_after, ledger_key
from mockserver.state.limits import Window
from mockserver.state.resources import Resource
from mockserver.state.values import replace
from mockserver.state.world import World

TOP_UP, NEW_MONTH, REFUND = "top-up", "monthly credits", "refund"


class Reservation(NamedTuple):
    """What a call will cost."""

    amount: float
    held: float  # what of it is set aside: nothing where credits are only counted


def reserve(call: Call) -> Reservation | None:
    """Make sure that a call can be paid; None where it is free. Raises Problem where it cannot be."""
    amount, world = price(call), call.world
    _refund_failed(call.provider, world, call.account)
    account = _begin_month(call)
    if amount == 0 or account.credits is None:
        return None
    if not world.enforces(account, "credits"):
        return Reservation(amount, 0)

    def hold(account: Account) -> Account:
        _check_balance(call, account, amount)
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
        top_up = _smart_balance(account).get("top_up", 0) if held and account.credits < amount else 0
        balance, entries = balance_after(account.credits, amount - top_up), 2 if top_up else 1
        return replace(account, credits=balance, entries=account.entries + entries, held=rest)

    account = call.world.accounts.update(call.account, pay)
    if top_up is None:
        return 0
    number, balance = account.entries, account.credits or 0
    if top_up:
        _write(call, number - 1, TOP_UP, -top_up, balance_after(balance, -amount))
    _write(call, number, call.operation.name, amount, balance)
    if job is not None and call.provider.jobs and call.provider.jobs.refunds_failure:
        paid = JobCharge(job, amount, account.period, call.request_id)
        call.world.job_charges.update(
            account.id, lambda known: JobCharges((*(known.charges if known else ()), paid))
        )
    return amount


def release(call: Call, reservation: Reservation | None) -> None:
    """Free what was set aside for a call that has failed."""
    if reservation is not None and reservation.held:
        held, accounts = reservation.held, call.world.accounts
        accounts.update(call.account, lambda it: replace(it, held=max(0, balance_after(it.held, held))))


def price(call: Call) -> float:
    """Add up the terms of the operation's price, in the provider's unit; 0 where it is free."""
    row = call.operation.row.price
    if row is None:
        return 0
    if row.free_when and all(call.account.flag(name) == value for name, value in row.free_when.items()):
        return 0
    total: float = 0
    for term in row.terms:
        if term.field is not None:
            total += term.amounts[call.value(term.field)]
        elif term.when is None or call.value(term.when):
            total += term.amount or 0
    return total * int(call.value(row.times)) if row.times else total


def find_current(provider: Provider, world: World, account: Account) -> Account:
    """Give an account as it is now, with a new month's credits where a month has begun, which is not stored.

    What its failed jobs have cost is booked back first.
    """
    _refund_failed(provider, world, account)
    return _in_month(provider, world, world.accounts.find(account.provider, account.key))


def credit_values(provider: Provider, world: World, account: Account) -> dict[str, str]:
    """Give what headers say of credits: the period's total, what is left, and when it begins anew."""
    if provider.credits and provider.credits.headers_tell == "calls":
        return _call_values(provider, world, account)
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    shown = find_current(provider, world, account)
    unit = (provider.credits and provider.credits.headers_unit) or 1
    total = _monthly_credits(provider, shown) or 0
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


def _refund_failed(provider: Provider, world: World, account: Account) -> None:
    """Give back what an account has paid for jobs that have failed since, where the API does that."""
    if provider.jobs is None or not provider.jobs.refunds_failure:
        return
    waiting = world.job_charges.get(account.id)
    if waiting is None:
        return
    now_s, jobs = world.clock.now(), [world.resources.get(each.job) for each in waiting.charges]
    over = {job.id: job for job in jobs if job and job.status(now_s) != job.running}
    forgotten = {each.job for each, job in zip(waiting.charges, jobs, strict=True) if job is None}
    mine: list[JobCharge] = []  # nobody else gives it back who looks at the same moment

    def without_ended(known: JobCharges | None) -> JobCharges | None:
        charges = known.charges if known else ()
        mine[:] = [each for each in charges if each.job in over]
        left = tuple(each for each in charges if each.job not in over and each.job not in forgotten)
        return JobCharges(left) if left else None

    if over or forgotten:
        world.job_charges.update(account.id, without_ended)
    for each in mine:
        if over[each.job].outcome == provider.jobs.failure:
            _refund(world, account, each, over[each.job])


def _refund(world: World, account: Account, paid: JobCharge, job: Resource) -> None:
    """Book back what a job has cost, unless the month is over whose credits had paid."""
    is_booked = False

    def give_back(account: Account) -> Account:
        nonlocal is_booked
        is_booked = account.credits is not None and account.period == paid.period
        if not is_booked:
            return account
        balance = balance_after(account.credits or 0, -paid.amount)
        return replace(account, credits=balance, entries=account.entries + 1)

    account = world.accounts.update(account, give_back)
    if is_booked:
        number, at_s = account.entries, job.ends_at_s or world.clock.now()
        entry = Entry(number, REFUND, -paid.amount, account.credits or 0, at_s, paid.request_id)
        world.ledger.put(ledger_key(account.id, number), entry)


def _begin_month(call: Call) -> Account:
    """Give the caller's account as it is now, and store and book what a new month has brought."""
    if _monthly_credits(call.provider, call.account) is None:
        return call.account
    gained: float = 0

    def begin(before: Account) -> Account:
        nonlocal gained
        account = _in_month(call.provider, call.world, before)
        gained = (account.credits or 0) - (before.credits or 0)
        return replace(account, entries=account.entries + 1) if gained else account

    account = call.world.accounts.update(call.account, begin)
    if gained:
        _write(call, account.entries, NEW_MONTH, -gained, account.credits or 0)
    return account


def _in_month(provider: Provider, world: World, account: Account) -> Account:
    """Give an account as it is this month: with new credits where it was last looked at in another."""
    monthly = _monthly_credits(provider, account)
    if monthly is None or account.credits is None:
        return account
    month = _month(world)
    if account.period is None:
        return replace(account, period=month)
    return replace(account, period=month, credits=monthly) if month > account.period else account


def _check_balance(call: Call, account: Account, amount: float) -> None:
    """Return where an account can pay one more call. Raises Problem where it, with Smart Balance, cannot."""
    smart, balance = _smart_balance(account), balance_after(account.credits or 0, account.held)
    top_up: float = smart.get("top_up", 0)
    if balance < 0 < top_up:  # the calls under way will top it up, as often as they need
        balance = round(balance % top_up, PRECISION)
    if balance >= amount:
        return
    message = f"the call costs {amount}, the balance is {balance}"
    if smart.get("has_unpaid_invoice"):
        message += ", and a top-up invoice is unpaid"
        raise call.problem(ProblemType.PAYMENT_FAILED, message, location="header")
    if balance + top_up < amount:
        message += f", and a top-up of {top_up} cannot cover it" if smart else ""
        raise call.problem(ProblemType.CREDITS_EXHAUSTED, message, location="header")


def _smart_balance(account: Account) -> dict[str, Any]:
    smart: dict[str, Any] = account.flag("smart_balance") or {}
    return smart


def _write(call: Call, number: int, what: str, amount: float, balance: float) -> None:
    """Write one entry into the ledger of the caller's account, in the place of the one that is too old."""
    entry = Entry(number, what, amount, balance, call.world.clock.now(), call.request_id)
    call.world.ledger.put(ledger_key(call.account.id, number), entry)


def _monthly_credits(provider: Provider, account: Account) -> float | None:
    """Give what an account's plan grants every month; None where it grants nothing."""
    monthly = provider.credits.monthly if provider.credits else None
    granted: float | None = provider.plans.get(account.plan or "", {}).get(monthly or "")
    return granted


def _month(world: World) -> str:
    return datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m")
