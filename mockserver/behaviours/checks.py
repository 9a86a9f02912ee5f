"""The documented conditions that no schema can say: shared checks, whose facts stand in the tables.

A check takes a call and the members of its row in a table, and raises Problem where the call does not obey.
One whose `field` is a SentField is asked only where that field was sent. Types say what parameters name.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from mockserver.behaviours.jobs import find_owned, find_resource
from mockserver.call import Call
from mockserver.prices import check_balance, find_current, price
from mockserver.problems import Location, Problem, ProblemType
from mockserver.spec.marks import (
    AccountFlag,
    AccountIds,
    AccountPictures,
    BodyField,
    CitationName,
    ErrorName,
    FlagField,
    KindName,
    LimitName,
    Mark,
    OtherCitation,
    PictureField,
    PlanAttribute,
    RoleName,
    SentField,
)

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def uuid(call: Call, *, field: SentField, error: ErrorName, citation: CitationName) -> None:
    """Refuse a field that is no UUID."""
    if not UUID.fullmatch(call.body[field]):
        raise _problem(call, "uuid", f"{field} must be a UUID", field, citation, error)


def utf16_length(
    call: Call, *, field: SentField, limit: LimitName, error: ErrorName, citation: CitationName
) -> None:
    """Refuse a text that is longer than a limit in UTF-16 units, which is how JavaScript measures."""
    units = len(call.body[field].encode("utf-16-le", "surrogatepass")) // 2
    _check_length(call, "utf16_length", "UTF-16 units", units, field, limit, error, citation)


def utf8_length(
    call: Call, *, field: SentField, limit: LimitName, error: ErrorName, citation: CitationName
) -> None:
    """Refuse a text that is longer than a limit in bytes, as it is sent."""
    size = len(call.body[field].encode("utf-8", "surrogatepass"))
    _check_length(call, "utf8_length", "bytes", size, field, limit, error, citation)


def refuse_when(
    call: Call,
    *,
    account: Mapping[AccountFlag, bool],
    body: Annotated[Mapping[BodyField, Any] | None, Mark("body_values")] = None,
    error: ErrorName,
    citation: CitationName,
) -> None:
    """Refuse a call whose account has these flags and whose body these values; a missing flag is false."""
    flags = all((call.account.flag(name) or False) == wanted for name, wanted in account.items())
    if flags and all(call.value(name) == wanted for name, wanted in (body or {}).items()):
        has = ", ".join(f"{name}: {str(value).lower()}" for name, value in account.items())
        values = ", ".join(f"{name}: {value}" for name, value in (body or {}).items())
        asks = f" and the call has {values}" if values else ""
        message = f"the account {call.account.key} has {has}{asks}"
        raise _problem(call, "refuse_when", message, "", citation, error, location="header")


def allowed_with(
    call: Call,
    *,
    field: SentField,
    when: Annotated[Mapping[BodyField, list[Any]], Mark("body_values")],
    error: ErrorName,
    citation: CitationName,
) -> None:
    """Refuse a field where all others that are named have one of these values."""
    if all(call.value(name) in values for name, values in when.items()):
        values = ", ".join(f"{name} {call.value(name)}" for name in when)
        message = f"{field} cannot be used with {values}"
        raise _problem(call, "allowed_with", message, field, citation, error)


def plan_allows(
    call: Call,
    *,
    field: BodyField,
    attribute: Annotated[PlanAttribute, Mark("gates", "field")],
    error: ErrorName,
    citation: CitationName,
) -> None:
    """Refuse a value that the account's plan does not include.

    The plan's attribute lists allowed values, or is the largest number, or whether the field may be sent.
    """
    value, allowed = call.value(field), call.plan(attribute)
    if allowed is None or value is None:
        return
    if isinstance(allowed, bool):
        is_allowed = allowed
    else:
        is_allowed = value in allowed if isinstance(allowed, list) else value <= allowed
    if not is_allowed:
        message = f"the plan {call.account.plan} does not include {field} {value!r}"
        raise _problem(call, "plan_allows", message, field, citation, error)


def known_ids(
    call: Call,
    *,
    field: BodyField,
    among: AccountIds,
    states: Annotated[Mapping[str, ErrorName] | None, Mark("states_of", "among")] = None,
    takes_unknown: bool = False,
    error: ErrorName,
    citation: CitationName,
    state_citation: OtherCitation = None,
) -> None:
    """Refuse ids that the account does not have, or has in a state that its own error answers."""
    value, owned = call.value(field), call.account.flag(among) or {}
    for name in [value] if isinstance(value, str) else value or ():
        if name not in owned and takes_unknown:
            continue
        if name not in owned:
            message = f"{field}: this account has no {name!r}; it has {', '.join(owned) or 'none'}"
            raise _problem(call, "known_ids", message, field, citation, error)
        state = owned[name] if isinstance(owned, Mapping) else None
        if states and isinstance(state, str) and state in states:
            message = f"{field}: {name} is {state}"
            says = state_citation or citation
            raise _problem(call, "known_ids", message, field, says, states[state])


def usable_resource(
    call: Call,
    *,
    field: SentField,
    kind: KindName,
    error: ErrorName | None = None,
    unready: ErrorName | None = None,
    citation: CitationName,
) -> None:
    """Refuse an id that is not a finished resource of this account and kind.

    `error` and `unready` are the rows that answer, where the problem's own do not.
    """
    id_, jobs = call.body[field], call.provider.jobs
    resource, type_ = find_resource(call, id_), ProblemType.RESOURCE_UNKNOWN
    message = f"this account has no {kind} {id_}"
    if resource is not None and resource.account == call.account.id and resource.kind == kind:
        status = resource.status(call.world.clock.now())
        if jobs is not None and status == jobs.success:
            return
        type_, message = ProblemType.RESOURCE_NOT_READY, f"the {kind} {id_} is {status}"
        error = unready
    raise call.problem(
        type_, message, name=field, keyword="usable_resource", citation=citation, error=error, kind=kind
    )


def settled_resource(call: Call, *, error: ErrorName | None = None, citation: CitationName) -> None:
    """Refuse to touch what the path names while its job runs; `error` answers, or the problem's own row."""
    resource = find_owned(call, "this account has no")
    if resource.status(call.world.clock.now()) == resource.running:
        raise call.problem(
            ProblemType.RESOURCE_NOT_READY,
            f"{resource.id} is still {resource.running}",
            name="id",
            keyword="settled_resource",
            citation=citation,
            error=error,
            location="path",
            kind=resource.kind,
        )


def saved_asset(
    call: Call,
    *,
    role: RoleName,
    among: AccountPictures,
    flag: FlagField,
    inline: PictureField,
    attribute: PlanAttribute,
    plan_error: ErrorName,
    error: ErrorName,
    citation: CitationName,
    plan_citation: OtherCitation = None,
    gates_inline: bool = False,
) -> None:
    """Refuse a flag that needs a saved picture where the plan has none to save, or none is saved."""
    is_inline = inline in call.body
    if not call.value(flag) or (is_inline and not gates_inline):
        return
    if not call.plan(attribute):
        message = f"the plan {call.account.plan} does not include a {'' if is_inline else 'saved '}{role}"
        raise _problem(call, "saved_asset", message, flag, plan_citation or citation, plan_error)
    if not is_inline and role not in (call.account.flag(among) or {}):
        message = f"{flag} needs {inline}, or a saved {role}, which this account does not have"
        raise _problem(call, "saved_asset", message, flag, citation, error)


def _check_length(
    call: Call, check: str, unit: str, length: int, field: str, limit: str, error: str, citation: str
) -> None:
    most = call.provider.limits[limit]
    if length > most:
        message = f"{field} must be at most {most} {unit} long (it has {length})"
        raise _problem(call, check, message, field, citation, error)


def can_pay(call: Call, *, citation: CitationName) -> None:
    """Refuse a call that the account cannot pay, here already and not only when all else is well."""
    amount, account = price(call), call.account
    if amount and account.credits is not None and call.world.enforces(account, "credits"):
        check_balance(call, find_current(call.provider, call.world, account), amount, citation)


def _problem(
    call: Call, check: str, message: str, field: str, citation: str, error: str, location: Location = "body"
) -> Problem:
    type_ = ProblemType.INVALID_REQUEST
    return call.problem(
        type_, message, name=field, keyword=check, citation=citation, error=error, location=location
    )
