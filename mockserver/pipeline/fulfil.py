"""What was ordered, and the Result → what of it this call carried out, and a warning of what it could not.

A word and a preference are meant for this call. A key goes with every call of a client, with its polls, too:
what it orders is missed only where something is made, and `Prefer: job=` where the operation may start a job.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mockserver import pointer
from mockserver.call import Call, Exchange, Override, Result
from mockserver.preferences import Preferences
from mockserver.problems import NO_VIOLATIONS, Location, Violation
from mockserver.spec.words import CITATION, MISTYPED, Wish, marks_in, wish_of

MAKES = ("POST", "PUT")  # by which things are made, where nothing has a price


class Wanted(NamedTuple):
    """One thing that was ordered for a call."""

    location: Location
    pointer: str
    shown: str  # as a message names it
    wish: Wish


def fulfil(
    ordered: Override, call: Call, result: Result, preferences: Preferences, key_order: str | None
) -> tuple[Override, tuple[Violation, ...]]:
    """Give the order without what a call that succeeds did not carry out, and say so."""
    fields = call.operation.row.order_fields
    if not preferences and key_order is None and not any("[" in str(call.body.get(each)) for each in fields):
        return ordered, NO_VIOLATIONS
    lacks = {"job": result.job is None, "download": not result.has_links}
    found = [
        Violation(each.location, each.pointer, MISTYPED, f"{each.shown} orders nothing: {why}", CITATION)
        for each in _wanted(ordered, call, key_order)
        for name, why in _reasons(call)
        if lacks[name] and getattr(each.wish, name)
    ]
    code = preferences.get("code")
    if code and ordered.error is None and code != str(result.status):
        why = f"code={code} orders nothing: this call is answered with {result.status}"
        found.append(Violation("header", "/prefer", MISTYPED, why, CITATION))
    kept = tuple(each for each in ordered.applied if not lacks.get(each.partition("=")[0]))
    if kept != ordered.applied:
        ordered = ordered._replace(applied=kept)
    return ordered, tuple(found)


def join(ordered: Override, parts: Iterable[Exchange]) -> Override:
    """Add what the calls that this one stood for were ordered: the longest delay, and what they honoured."""
    for part in parts:
        own = part.override
        ends = (each for each in own.applied if each.startswith(("job=", "download=")))
        applied = tuple(dict.fromkeys((*ordered.applied, *ends)))
        delay_ms = max(ordered.delay_ms, own.delay_ms)
        if (delay_ms, applied) != (ordered.delay_ms, ordered.applied):
            ordered = ordered._replace(delay_ms=delay_ms, applied=applied)
    return ordered


def _wanted(ordered: Override, call: Call, key_order: str | None) -> Iterator[Wanted]:
    """Give what orders the end of a job, or downloads, where that is missed if it does not come."""
    for field in call.operation.row.order_fields:
        text = call.body.get(field)
        for mark, wish in marks_in(call.provider, text) if isinstance(text, str) else ():
            yield Wanted("body", pointer.write((field,)), f"{field}: [{mark}]", wish)
    for written in ordered.applied:
        name, _, value = written.partition("=")
        if name == "job":
            yield Wanted("header", "/prefer", written, Wish(job=value))
        elif name == "download" and _makes(call):
            yield Wanted("header", "/prefer", written, Wish(download=value))
    if key_order and _makes(call) and (asked := wish_of(call.provider, key_order)):
        yield Wanted("header", "/key", f"the key's ending _{key_order.lower()}", asked)


def _makes(call: Call) -> bool:
    """Whether a call makes something: it costs, where anything does."""
    return bool(call.operation.row.price) if call.provider.credits else call.operation.method in MAKES


def _reasons(call: Call) -> tuple[tuple[str, str], ...]:
    name = call.operation.name
    who = "this call" if call.operation.row.job else name
    return ("job", f"{who} starts no job"), (
        "download",
        f"this call of {name} hands out no link to a picture",
    )
