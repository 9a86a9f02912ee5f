"""The documented rules that no schema can say: shared verbs, whose facts stand in the tables.

A rule takes a call and the keywords of its table row; it returns the call, with more known of it, or raises.
A rule with the keyword `sent` is asked only where that field of the body was sent.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mockserver.call import Call
from mockserver.problems import ProblemType

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def uuid(call: Call, *, sent: str, error: str, source: str) -> Call:
    """Refuse a field that is no UUID."""
    if not UUID.fullmatch(call.body[sent]):
        raise call.problem(
            ProblemType.INVALID_REQUEST,
            f"{sent} must be a UUID",
            name=sent,
            rule="uuid",
            source=source,
            error=error,
        )
    return call


def utf16_length(call: Call, *, sent: str, limit: str, error: str, source: str) -> Call:
    """Refuse a text that is longer than a limit in UTF-16 units, which is how JavaScript measures."""
    most = call.provider.limits[limit]
    units = len(call.body[sent].encode("utf-16-le", "surrogatepass")) // 2
    if units > most:
        message = f"{sent} must be at most {most} UTF-16 units long (it has {units})"
        raise call.problem(
            ProblemType.INVALID_REQUEST, message, name=sent, rule="utf16_length", source=source, error=error
        )
    return call


def marked_words(call: Call, *, fields: Sequence[str], errors: Sequence[str], source: str) -> Call:
    """Answer a text that holds the name of an error in brackets, `[content_policy]`, with that error."""
    for field in fields:
        text = call.body.get(field)
        lowered = text.lower() if isinstance(text, str) and "[" in text else ""
        for error in errors if lowered else ():
            if f"[{error.lower()}]" in lowered:
                message = f"{field} holds the mark [{error.lower()}]"
                raise call.problem(
                    ProblemType.INVALID_REQUEST,
                    message,
                    name=field,
                    rule="marked_words",
                    source=source,
                    error=error,
                )
    return call


def refuse_when(
    call: Call,
    *,
    error: str,
    source: str,
    account: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Call:
    """Refuse a call whose account has these flags and whose body has these values; a missing flag is false."""
    flags = all((call.account.flag(name) or False) == wanted for name, wanted in (account or {}).items())
    if flags and all(call.value(name) == wanted for name, wanted in (body or {}).items()):
        has = ", ".join(f"{name}: {str(value).lower()}" for name, value in (account or {}).items())
        asks = (
            " and the call has " + ", ".join(f"{name}: {value}" for name, value in body.items())
            if body
            else ""
        )
        message = f"the account {call.account.key} has {has}{asks}"
        raise call.problem(
            ProblemType.INVALID_REQUEST,
            message,
            rule="refuse_when",
            source=source,
            error=error,
            location="header",
        )
    return call


def plan_allows(call: Call, *, field: str, attribute: str, error: str, source: str) -> Call:
    """Refuse a value that the account's plan does not include.

    The plan's attribute is a list of allowed values, the largest allowed number, or whether the field may be sent.
    """
    value, allowed = call.value(field), call.plan(attribute)
    if allowed is None or value is None:
        return call
    if isinstance(allowed, bool):
        is_allowed = allowed
    else:
        is_allowed = value in allowed if isinstance(allowed, list) else value <= allowed
    if not is_allowed:
        message = f"the plan {call.account.plan} does not include {field} {value!r}"
        raise call.problem(
            ProblemType.INVALID_REQUEST, message, name=field, rule="plan_allows", source=source, error=error
        )
    return call


def known_ids(
    call: Call, *, field: str, among: str, error: str, source: str, states: Mapping[str, str] | None = None
) -> Call:
    """Refuse ids that the account does not have, or has in a state that its own error answers."""
    value, owned = call.value(field), call.account.flag(among) or {}
    for name in [value] if isinstance(value, str) else value or ():
        if name not in owned:
            message = f"{field}: this account has no {name!r}; it has {', '.join(owned) or 'none'}"
            raise call.problem(
                ProblemType.INVALID_REQUEST, message, name=field, rule="known_ids", source=source, error=error
            )
        state = owned[name] if isinstance(owned, Mapping) else None
        if states and isinstance(state, str) and state in states:
            raise call.problem(
                ProblemType.INVALID_REQUEST,
                f"{field}: {name} is {state}",
                name=field,
                rule="known_ids",
                source=source,
                error=states[state],
            )
    return call


def usable_resource(call: Call, *, sent: str, kind: str, source: str) -> Call:
    """Refuse an id that is not a finished resource of this account and kind."""
    id_ = call.body[sent]
    resource = call.world.resources.get(id_)
    if resource is None or resource.account != call.account.id or resource.kind != kind:
        raise call.problem(
            ProblemType.RESOURCE_UNKNOWN,
            f"this account has no {kind} {id_}",
            name=sent,
            rule="usable_resource",
            source=source,
        )
    status = resource.status(call.world.clock.now())
    if status != call.provider.jobs["outcomes"][0]:
        raise call.problem(
            ProblemType.RESOURCE_NOT_READY,
            f"the {kind} {id_} is {status}",
            name=sent,
            rule="usable_resource",
            source=source,
        )
    return call


def saved_asset(
    call: Call,
    *,
    asset: str,
    flag: str,
    inline: str,
    attribute: str,
    plan_error: str,
    error: str,
    source: str,
) -> Call:
    """Refuse a flag that needs a saved asset where the plan has none to save, or none is saved."""
    if not call.value(flag) or inline in call.body:
        return call
    if not call.plan(attribute):
        message = f"the plan {call.account.plan} does not include a saved {asset}"
        raise call.problem(
            ProblemType.INVALID_REQUEST,
            message,
            name=flag,
            rule="saved_asset",
            source=source,
            error=plan_error,
        )
    if asset not in (call.account.flag("assets") or {}):
        message = f"{flag} needs {inline}, or a saved {asset}, which this account does not have"
        raise call.problem(
            ProblemType.INVALID_REQUEST, message, name=flag, rule="saved_asset", source=source, error=error
        )
    return call
