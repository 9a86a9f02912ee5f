"""What a call costs, and what an account can pay with: its credits, those of a new month, what is given back.

Nothing is charged here; `pipeline/charge.py` does that when the operation has succeeded.
"""

from datetime import UTC, datetime
from typing import Any

from mockserver.call import Call
from mockserver.problems import ProblemType
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.ledger import PRECISION, Entry, JobCharge, JobCharges, balance_after, ledger_key
from mockserver.state.resources import Resource
from mockserver.state.values import replace
from mockserver.state.world import World

REFUND = "refund"


def price(call: Call) -> float:
    """Add up the terms of the operation's price, in the provider's unit; 0 where it is free."""
    row = call.match.operation.row.price
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
    refund_failed(provider, world, account)
    return in_month(provider, world, world.accounts.find(account.provider, account.key))


def in_month(provider: Provider, world: World, account: Account) -> Account:
    """Give an account as it is this month: with new credits where it was last looked at in another."""
    monthly = monthly_credits(provider, account)
    if monthly is None or account.credits is None:
        return account
    month = _month(world)
    if account.period is None:
        return replace(account, period=month)
    return replace(account, period=month, credits=monthly) if month > account.period else account


def check_balance(call: Call, account: Account, amount: float, citation: str | None = None) -> None:
    """Return where an account can pay one more call. Raises Problem where it, with Smart Balance, cannot."""
    smart, balance = smart_balance(account), balance_after(account.credits or 0, account.held)
    top_up: float = smart.get("top_up", 0)
    if balance < 0 < top_up:  # the calls under way will top it up, as often as they need
        balance = round(balance % top_up, PRECISION)
    if balance >= amount:
        return
    message = f"the call costs {amount}, the balance is {balance}"
    if smart.get("has_unpaid_invoice"):
        message += ", and a top-up invoice is unpaid"
        raise call.problem(ProblemType.PAYMENT_FAILED, message, citation=citation, location="header")
    if balance + top_up < amount:
        message += f", and a top-up of {top_up} cannot cover it" if smart else ""
        raise call.problem(ProblemType.CREDITS_EXHAUSTED, message, citation=citation, location="header")


def smart_balance(account: Account) -> dict[str, Any]:
    """Give what is said of an account whose balance is topped up by itself; nothing where it is not."""
    smart: dict[str, Any] = account.flag("smart_balance") or {}
    return smart


def refund_failed(provider: Provider, world: World, account: Account) -> None:
    """Give back what an account has paid for jobs, or parts, that have failed, where the API does that."""
    if provider.jobs is None or not provider.jobs.gives_back:
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
        if over[each.job].outcome in provider.jobs.refunds:
            is_whole = over[each.job].outcome == provider.jobs.failure
            amount = each.amount if is_whole else each.amount / each.parts
            _refund(world, account, replace(each, amount=amount), over[each.job])


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


def monthly_credits(provider: Provider, account: Account) -> float | None:
    """Give what an account's plan grants every month; None where it grants nothing."""
    monthly = provider.credits.monthly if provider.credits else None
    granted: float | None = provider.plans.get(account.plan or "", {}).get(monthly or "")
    return granted


def _month(world: World) -> str:
    return datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m")
