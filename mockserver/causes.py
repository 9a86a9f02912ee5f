"""What brings each error of a catalogue about by itself: an account of the fixtures, or what a call says.

All of it is read from the tables and the fixtures: there is no list to keep. What nothing brings about is
had by an order alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mockserver.problems import ProblemType as Type
from mockserver.spec.model import Operation, Provider

Account = Mapping[str, Any]  # a row of fixtures/accounts.yaml, completed
Accounts = Mapping[str, Account]  # by key
Found = Iterator[tuple[str, str]]  # an error row's name, and what brings it about

OF_ACCOUNTS: Mapping[Type, Callable[[Account], bool]] = {
    Type.KEY_UNKNOWN: lambda account: account.get("state") == "unknown",
    Type.KEY_INACTIVE: lambda account: account.get("state") == "inactive",
    Type.KEY_DELETED: lambda account: account.get("state") == "deleted",
    Type.ACCOUNT_SUSPENDED: lambda account: account.get("state") == "suspended",
    Type.ACCESS_DISABLED: lambda account: account.get("has_api_access") is False,
    Type.CREDITS_EXHAUSTED: lambda account: (
        "credits" in account.get("enforce", ()) and not account.get("smart_balance")
    ),
    Type.PAYMENT_FAILED: lambda account: bool(account.get("smart_balance", {}).get("has_unpaid_invoice")),
    Type.RATE_LIMITED: lambda account: "limits" in account.get("enforce", ()),
}
OF_CALLS: Mapping[Type, str] = {
    Type.UNKNOWN_PATH: "a path that there is not",
    Type.UNKNOWN_METHOD: "another method on a path",
    Type.KEY_MISSING: "no key",
    Type.UNSUPPORTED_MEDIA_TYPE: "Content-Type: text/plain",
    Type.MALFORMED_BODY: "a body that is no JSON",
    Type.BODY_TOO_LARGE: "a body larger than a server takes",
    Type.INVALID_REQUEST: "a body that breaks its schema, such as []",
    Type.RESOURCE_UNKNOWN: "an id that the account does not have",
    Type.RESOURCE_NOT_READY: "the id of something whose job still runs, or has failed",
    Type.RESOURCE_BUSY: "DELETE while the job still runs",
    Type.NAME_TAKEN: "one name for the second time",
}
NO_PICTURE, DEAD_LINK = "data:image/png;base64,AAAA", "https://pictures.invalid/a.png"
OF_CHECKS = {"uuid": "{field} that is no UUID", "utf16_length": "{field} of more UTF-16 units than {limit}"}


def find_causes(provider: Provider, listed: Mapping[str, Mapping[str, Any]]) -> Mapping[str, tuple[str, ...]]:
    """Give what brings each row about, by its name; rows that are only ordered are left out.

    `listed` are the provider's accounts of the fixtures, by key.
    """
    accounts = {key: {**provider.keys.new_account, **row} for key, row in listed.items()}
    found: dict[str, list[str]] = defaultdict(list)
    for source in (_of_problems(provider, accounts), _of_operations(provider, accounts)):
        for error, cause in source:
            found[error].append(cause)
    return {name: tuple(dict.fromkeys(found[name])) for name in provider.errors if name in found}


def _of_problems(provider: Provider, accounts: Accounts) -> Found:
    """Give what can be said of problems that every API knows."""
    for type_, is_one in OF_ACCOUNTS.items():
        keys = [key for key, account in accounts.items() if is_one(account)]
        if keys and type_.value in provider.problems:
            many = " by more calls than its limits allow" if type_ is Type.RATE_LIMITED else ""
            yield provider.problems[type_.value].error.name, f"the key {' or '.join(keys)}{many}"
    told = dict(OF_CALLS)
    if provider.keys.prefix:
        told[Type.KEY_MALFORMED] = f"a key that does not begin with {provider.keys.prefix}"
    if any(each.row.pictures for each in provider.operations.values()):
        told[Type.PICTURE_UNREADABLE] = f"a picture that is none: {NO_PICTURE}"
    if any(_takes_links(each) for each in provider.operations.values()):
        told[Type.PICTURE_UNREACHABLE] = f"a link on *.invalid: {DEAD_LINK}"
    if reserved := provider.words.get("naming", {}).get("reserved"):
        told[Type.NAME_RESERVED] = f"the name {' or '.join(reserved)}"
    for type_, text in told.items():
        if type_.value in provider.table.problems:
            yield provider.problems[type_.value].error.name, text


def _takes_links(operation: Operation) -> bool:
    """Whether the schema of any field that holds a picture lets a link pass."""
    schemas = operation.body.schemas.values() if operation.body else ()
    fields = {field for row in operation.row.pictures for each in row.roles.values() for field in each}
    refused = {
        (field, violation.path[0])
        for field in fields
        for schema in schemas
        for violation in schema.violations({field: DEAD_LINK})
        if violation.path
    }
    return any((field, field) not in refused for field in fields)


def _of_operations(provider: Provider, accounts: Accounts) -> Found:
    for operation in provider.operations.values():
        section = operation.row.section
        for refusal in section.refusals:
            yield refusal.error, _refused(refusal)
        for row in section.pictures:
            usual = provider.problems.get(Type.PICTURE_TOO_LARGE.value)
            fields = " or ".join(each for fields in row.roles.values() for each in fields)
            what = fields if row.too_large else "a picture in the request"
            if name := row.too_large or (usual and usual.error.name):
                yield name, f"{what} of more than {provider.limits[row.limit]} bytes"
        for check in (*section.checks, *section.late_checks):
            finder = FINDERS.get(str(check["check"]))
            if finder:
                yield from finder(provider, operation, check, accounts)
            elif "error" in check:
                text = OF_CHECKS.get(str(check["check"]), "{field} against the check {check}")
                limit = provider.limits.get(str(check.get("limit")), "")
                yield str(check["error"]), text.format(**{**check, "limit": limit})


def _refused(row: Any) -> str:
    """Say what a refusal of the table refuses."""
    given = " and ".join(f"{name}: {' or '.join(map(str, values))}" for name, values in row.when.items())
    if row.forbids:
        return f"{' or '.join(row.forbids)} with {given}"
    if row.choice:
        return f"none of {', '.join(row.choice)}"
    return f"{row.field} that breaks {' or '.join(row.keywords) or 'its schema'}"


def _flags(_provider: Provider, _operation: Operation, check: Mapping[str, Any], accounts: Accounts) -> Found:
    keys = [
        key
        for key, account in accounts.items()
        if all((account.get(name) or False) == wanted for name, wanted in check["account"].items())
    ]
    body = "".join(f" with {name}: {value}" for name, value in check.get("body", {}).items())
    if keys:
        yield check["error"], f"the key {' or '.join(keys)}{body}"


def _plans(provider: Provider, operation: Operation, check: Mapping[str, Any], accounts: Accounts) -> Found:
    field, attribute = check["field"], check["attribute"]
    keys: dict[str, list[str]] = defaultdict(list)  # by what is said with them
    numbers = [each for plan in provider.plans.values() if type(each := plan.get(attribute)) is int]
    for key, account in _healthy(accounts):
        allowed = provider.plans.get(account.get("plan") or "", {}).get(attribute)
        if isinstance(allowed, list):
            for value in (each for each in _choices(operation, field) if each not in allowed):
                keys[f"{field}: {value}"].append(key)
        elif allowed is False:
            keys[field].append(key)
        elif type(allowed) is int and allowed < max(numbers):
            keys[f"{field}: {allowed + 1}"].append(key)
    for said, who in keys.items():
        yield check["error"], f"the key {' or '.join(who)} with {said}"


def _ids(provider: Provider, _operation: Operation, check: Mapping[str, Any], _accounts: Accounts) -> Found:
    yield check["error"], f"{check['field']} with an id that the account does not have"
    owned = provider.keys.new_account.get(check["among"]) or {}
    for state, error in (check.get("states") or {}).items():
        for name in (each for each in owned if owned[each] == state):
            yield error, f"{check['field']} with {name}"


def _assets(provider: Provider, _operation: Operation, check: Mapping[str, Any], accounts: Accounts) -> Found:
    said = f"{check['flag']}: true without {check['inline']}"
    plans = ((key, provider.plans.get(account.get("plan") or "", {})) for key, account in _healthy(accounts))
    if keys := [key for key, plan in plans if not plan.get(check["attribute"])]:
        yield check["plan_error"], f"the key {' or '.join(keys)} with {said}"
    yield check["error"], said


def _healthy(accounts: Accounts) -> Iterator[tuple[str, Account]]:
    """Give the accounts that nothing else is wrong with."""
    for key, account in accounts.items():
        is_active = account.get("state", "active") == "active" and account.get("has_api_access") is not False
        if is_active and "enforce" not in account:
            yield key, account


def _choices(operation: Operation, field: str) -> list[Any]:
    """Give the values that a field of the body can have."""
    schemas = operation.body.schemas.values() if operation.body else ()
    for schema in schemas:
        document = schema.followed(schema.document)
        part = document.get("properties", {}).get(field, {}) if isinstance(document, Mapping) else {}
        return list(part.get("enum", ()))
    return []


FINDERS: Mapping[str, Callable[[Provider, Operation, Mapping[str, Any], Accounts], Found]] = {
    "refuse_when": _flags,
    "plan_allows": _plans,
    "known_ids": _ids,
    "saved_asset": _assets,
}
