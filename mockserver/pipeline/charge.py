"""What a call costs, and who pays: the price from the table, taken when the operation has succeeded.

The whole of it (afford, behave, book) holds the world's lock, so that no two calls spend the same credits.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mockserver.call import Call, Referral, Result
from mockserver.problems import ProblemType
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.clock import isoformat
from mockserver.state.ledger import KEPT_PER_ACCOUNT, Entry, balance_after, ledger_key
from mockserver.state.world import World

TOP_UP, NEW_MONTH = "top-up", "monthly credits"


def charge(call: Call, act: Callable[[], Result | Referral]) -> Result | Referral:
    """Do what the operation does, and charge for it. Raises Problem, with nothing charged, where it cannot be."""
    amount = price(call)
    world = call.world
    with world.lock:
        account = _this_month(call)
        if amount == 0 or account.credits is None:
            return act()
        top_up: float = 0
        if account.credits < amount and world.enforces(account, "credits"):
            top_up = _top_up(call, account, amount)
        result = act()
        if top_up:
            account = _book(call, account, TOP_UP, -top_up)
        _book(call, account, call.operation.name, amount)
        return result


def price(call: Call) -> float:
    """Add up the terms of the operation's price, in the provider's unit; 0 where it is free."""
    row = call.operation.row.price
    if not row:
        return 0
    free_when = row.get("free_when")
    if free_when and all(call.account.flag(name) == value for name, value in free_when.items()):
        return 0
    total = 0
    for term in row["terms"]:
        if "field" in term:
            total += term["amounts"][call.value(term["field"])]
        elif "when" not in term or call.value(term["when"]):
            total += term["amount"]
    return total * int(call.value(row["times"])) if "times" in row else total


def current(provider: Provider, world: World, account: Account) -> Account:
    """Give an account as it is now, with a new month's credits where a month has begun; nothing is stored."""
    stored = world.accounts.listed(account.provider, account.key) or account
    monthly = _monthly_credits(provider, stored)
    if monthly is None or stored.credits is None:
        return stored
    month = _month(world)
    if stored.period is None:
        return stored._replace(period=month)
    return stored._replace(period=month, credits=monthly) if month > stored.period else stored


def credit_values(provider: Provider, world: World, account: Account) -> dict[str, str]:
    """Give what headers say of an account's credits: the period's total, what is left, and when it begins anew."""
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    shown = current(provider, world, account)
    total = _monthly_credits(provider, shown) or 0
    first = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return {
        "credits_limit": str(total),
        "credits_remaining": str(total if shown.credits is None else max(0, int(shown.credits))),
        "credits_reset": isoformat(first.timestamp()),
    }


def _this_month(call: Call) -> Account:
    """Give the caller's account as it is now, and store and book what a new month has brought."""
    world = call.world
    before = world.accounts.listed(call.account.provider, call.account.key) or call.account
    account = current(call.provider, world, before)
    if account is before:
        return account
    if account.credits == before.credits:
        return world.accounts.put(account)
    gained = (account.credits or 0) - (before.credits or 0)
    return _book(call, account._replace(credits=before.credits), NEW_MONTH, -gained)


def _top_up(call: Call, account: Account, amount: float) -> float:
    """Say what Smart Balance adds so that the call can be paid. Raises Problem where it cannot."""
    smart: dict[str, Any] = account.flag("smart_balance") or {}
    balance = account.credits or 0
    message = f"the call costs {amount}, the balance is {balance}"
    if smart.get("has_unpaid_invoice"):
        raise call.problem(
            ProblemType.PAYMENT_FAILED, f"{message}, and a top-up invoice is unpaid", location="header"
        )
    top_up: float = smart.get("top_up", 0)
    if balance + top_up < amount:
        message += f", and a top-up of {top_up} cannot cover it" if smart else ""
        raise call.problem(ProblemType.CREDITS_EXHAUSTED, message, location="header")
    return top_up


def _book(call: Call, account: Account, what: str, amount: float) -> Account:
    """Take an amount from a balance and write it into the ledger."""
    world, id_, number = call.world, account.id, account.entries + 1
    balance = balance_after(account.credits or 0, amount)
    world.ledger.put(
        ledger_key(id_, number), Entry(number, what, amount, balance, world.clock.now(), call.request_id)
    )
    if number > KEPT_PER_ACCOUNT:
        world.ledger.delete(ledger_key(id_, number - KEPT_PER_ACCOUNT))
    key, state, plan = account.key, account.state, account.plan
    return world.accounts.put(
        Account(account.provider, key, state, plan, balance, account.flags, number, account.period)
    )


def _monthly_credits(provider: Provider, account: Account) -> float | None:
    """Give what an account's plan grants every month; None where it grants nothing."""
    credits_: float | None = provider.plans.get(account.plan or "", {}).get("monthly_credits")
    return credits_


def _month(world: World) -> str:
    return datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m")
