"""What a call costs, and who pays: the price from the table, taken when the operation has succeeded.

The whole of it (afford, behave, book) holds the world's lock, so that no two calls spend the same credits.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mockserver.call import Call, Result
from mockserver.problems import ProblemType
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.clock import isoformat
from mockserver.state.ledger import KEPT_PER_ACCOUNT, Entry, balance_after, ledger_key
from mockserver.state.world import World

TOP_UP = "top-up"


def charge(call: Call, act: Callable[[], Result]) -> Result:
    """Do what the operation does, and charge for it. Raises Problem, with nothing charged, where it cannot be."""
    amount = price(call)
    world = call.world
    with world.lock:
        account = current(call.provider, world, call.account)
        if amount == 0 or account.credits is None:
            return act()
        if world.enforces(account, "credits") and account.credits < amount:
            account = _topped_up(call, account, amount)
        result = act()
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
    """Give an account as it is now: as last stored, and with a new month's credits where the month has changed."""
    stored = world.accounts.listed(account.provider, account.key) or account
    period = stored.flag("period")
    if period is None or period == _month(world):
        return stored
    plan = provider.plans.get(stored.plan or "", {})
    return world.accounts.changed(stored, balance=plan["monthly_credits"], flags={**stored.flags, "period": _month(world)})


def credit_values(provider: Provider, world: World, account: Account) -> dict[str, str]:
    """Give what headers say of an account's credits: the period's total, what is left, and when it begins anew."""
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    total = provider.plans.get(account.plan or "", {}).get("monthly_credits", 0)
    left = current(provider, world, account).credits
    first = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return {
        "credits_limit": str(total),
        "credits_remaining": str(total if left is None else max(0, int(left))),
        "credits_reset": isoformat(first.timestamp()),
    }


def _topped_up(call: Call, account: Account, amount: float) -> Account:
    """Let Smart Balance cover the call where the account has it. Raises Problem where it cannot."""
    smart: dict[str, Any] = account.flag("smart_balance") or {}
    balance = account.credits or 0
    message = f"the call costs {amount}, the balance is {balance}"
    if smart.get("has_unpaid_invoice"):
        raise call.problem(ProblemType.PAYMENT_FAILED, f"{message}, and a top-up invoice is unpaid", location="header")
    top_up = smart.get("top_up", 0)
    if balance + top_up < amount:
        message += f", and a top-up of {top_up} cannot cover it" if smart else ""
        raise call.problem(ProblemType.CREDITS_EXHAUSTED, message, location="header")
    return _book(call, account, TOP_UP, -top_up)


def _book(call: Call, account: Account, what: str, amount: float) -> Account:
    """Take an amount from a balance and write it into the ledger."""
    world = call.world
    balance, number = balance_after(account.credits or 0, amount), account.entries + 1
    flags = account.flags
    if "monthly_credits" in call.provider.plans.get(account.plan or "", {}) and "period" not in flags:
        flags = {**flags, "period": _month(world)}
    entry = Entry(number, what, amount, balance, world.clock.now(), call.request_id)
    world.ledger.put(ledger_key(account.id, number), entry)
    if number > KEPT_PER_ACCOUNT:
        world.ledger.delete(ledger_key(account.id, number - KEPT_PER_ACCOUNT))
    return world.accounts.changed(account, balance=balance, flags=flags, entries=number)


def _month(world: World) -> str:
    return datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m")
