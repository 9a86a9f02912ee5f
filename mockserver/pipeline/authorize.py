"""Match and Request → Caller: whose key is this, and may it call?

A key that ends in a word, `pkz_test_generation_rejected` or `pkz_test_delay_800`, belongs to the account
before it and orders that; errors that are about the key itself are answered here, all else later.
"""

import base64
import functools
from collections.abc import Callable
from urllib.parse import parse_qsl

from mockserver import pointer
from mockserver.call import Caller, Match
from mockserver.messages import Request
from mockserver.problems import NO_VIOLATIONS, Problem, ProblemType, Violation
from mockserver.spec.model import Provider, SecurityScheme
from mockserver.spec.words import ordered_by, wish_of
from mockserver.state.accounts import Account
from mockserver.state.world import World

ANONYMOUS = "anonymous"
STATES = {
    "inactive": ProblemType.KEY_INACTIVE,
    "deleted": ProblemType.KEY_DELETED,
    "suspended": ProblemType.ACCOUNT_SUSPENDED,
    "unknown": ProblemType.KEY_UNKNOWN,
}
EXPLANATIONS = {
    ProblemType.KEY_UNKNOWN: "nobody has this key",
    ProblemType.KEY_INACTIVE: "this key is inactive",
    ProblemType.KEY_DELETED: "this key was deleted",
    ProblemType.ACCOUNT_SUSPENDED: "the account of this key is suspended",
    ProblemType.ACCESS_DISABLED: "the account of this key has no API access",
}
# Warns of a key that nobody listed and that orders nothing, sent as a scheme says.
Hint = Callable[[Provider, SecurityScheme, str], tuple[Violation, ...]]
KEY_PROBLEMS = (ProblemType.KEY_MISSING, ProblemType.KEY_MALFORMED, *EXPLANATIONS)


def no_hint(_provider: Provider, _scheme: SecurityScheme, _key: str) -> tuple[Violation, ...]:
    """Warn of nothing."""
    return NO_VIOLATIONS


def authorize(
    match: Match, request: Request, world: World, *, is_strict: bool, hint: Hint = no_hint
) -> Caller:
    """Find the caller by the first requirement that is met. Raises the Problem of the first that is not.

    `is_strict` refuses a key that no fixture lists, which is otherwise a new healthy account.
    """
    requirements = match.operation.security
    first: Problem | None = None
    if len(requirements) == 1 and len(requirements[0]) == 1:  # as nearly all have it
        scheme = requirements[0][0]
        if (key := credential(scheme, request)) is not None:
            return _find_by_key(match, scheme, key, world, is_strict=is_strict, hint=hint)
        raise _missing(match)
    for requirement in requirements:
        sent = [(scheme, key) for scheme in requirement if (key := credential(scheme, request)) is not None]
        if not sent or len(sent) < len(requirement):
            continue
        try:
            return _find_caller(match, sent, world, is_strict=is_strict, hint=hint)
        except Problem as problem:
            first = first or problem
    if first is None and (not requirements or () in requirements):  # no key is asked for, or need be sent
        return Caller(world.accounts.fresh(match.provider.name, ANONYMOUS), _unasked(match.provider, request))
    raise first or _missing(match)


def find_holder(match: Match, request: Request, world: World) -> Account | None:
    """Give the listed account that a key came of, whatever is wrong with it; None where there is none."""
    name = match.provider.name
    for scheme in (each for requirement in match.operation.security for each in requirement):
        if (key := credential(scheme, request)) is not None:
            found = world.accounts.listed(name, key) or world.accounts.listed(
                name, ordered_by(match.provider, key)[0]
            )
            if found:
                return found
    return None


def credential(scheme: SecurityScheme, request: Request) -> str | None:
    """Read the key that a security scheme speaks of; None where there is none."""
    if scheme.location == "query":
        sent = dict(parse_qsl(request.query)).get(scheme.field, "")
    elif scheme.location == "cookie":
        cookies = (each.partition("=") for each in request.headers.get("cookie", "").split(";"))
        sent = next((value for name, _, value in cookies if name.strip() == scheme.field), "")
    else:
        sent = request.headers.get(scheme.field, "")
    value = sent.strip()
    if scheme.kind != "apiKey":
        word, _, value = value.partition(" ")
        value = value.strip() if word.lower() == scheme.kind else ""
    return (_basic(value) if scheme.kind == "basic" else value) or None


def _basic(value: str) -> str:
    """Read the key of HTTP basic: the name, or the password, or both where both are sent.

    >>> _basic("a2V5Og=="), _basic("bmFtZTpzZWNyZXQ="), _basic("?")
    ('key', 'name:secret', '')
    """
    try:
        return base64.b64decode(value, validate=True).decode().strip(":")
    except ValueError:
        return ""


def _find_caller(
    match: Match, sent: list[tuple[SecurityScheme, str]], world: World, *, is_strict: bool, hint: Hint
) -> Caller:
    """Find the caller by the first key that looks like one; beside it, others may be names of apps."""
    caller: Caller | None = None
    malformed: Problem | None = None
    for scheme, key in sent:
        try:
            found = _find_by_key(match, scheme, key, world, is_strict=is_strict, hint=hint)
        except Problem as problem:
            if problem.type is not ProblemType.KEY_MALFORMED:
                raise
            malformed = malformed or problem
        else:
            caller = caller or found
    if caller is None:
        raise malformed or Problem(ProblemType.KEY_MALFORMED)
    return caller


def _find_by_key(
    match: Match, scheme: SecurityScheme, key: str, world: World, *, is_strict: bool, hint: Hint
) -> Caller:
    """Find whose key this is, and what it orders. Raises a Problem for one that nobody may call with."""
    provider = match.provider
    account, ordered, warnings = world.accounts.listed(provider.name, key), None, NO_VIOLATIONS
    if account is None:
        owner, ordered = ordered_by(provider, key)
        account = world.accounts.listed(provider.name, owner)
        prefix = provider.keys.prefix
        if prefix is not None and not key.startswith(prefix):
            raise _refused(match, ProblemType.KEY_MALFORMED, scheme, f"the key must start with {prefix}")
        warnings = NO_VIOLATIONS if ordered else hint(provider, scheme, key)
        if account is None:
            account = world.accounts.fresh(provider.name, owner)
            if is_strict:
                message = "no fixture lists this key (--strict-keys)"
                problem = _refused(match, ProblemType.KEY_UNKNOWN, scheme, message)
                problem.violations += warnings
                raise problem
    if ordered is not None and ordered in {provider.problems[kind.value].error.name for kind in KEY_PROBLEMS}:
        violation = _violation(scheme, "ordered", f"the key orders {ordered}", "the request itself")
        raise Problem(violations=(violation,), error=ordered)
    _check_state(match, account, scheme)
    return Caller(account, ordered, warnings)


def _unasked(provider: Provider, request: Request) -> str | None:
    """Give the delay that a key orders though nobody asks for one here; all else is for whoever does."""
    for scheme in _schemes(provider):
        if key := credential(scheme, request):
            word = ordered_by(provider, key)[1]
            return word if word and (wish := wish_of(provider, word)) and wish.delay_ms else None
    return None


@functools.lru_cache(maxsize=64)
def _schemes(provider: Provider) -> tuple[SecurityScheme, ...]:
    """Give every way in which this API takes a key."""
    asked = (each for operation in provider.operations.values() for each in operation.security)
    return tuple(dict.fromkeys(scheme for requirement in asked for scheme in requirement))


def _check_state(match: Match, account: Account, scheme: SecurityScheme) -> None:
    problem = STATES.get(account.state)
    if problem is None and account.flag("has_api_access") is False:
        problem = ProblemType.ACCESS_DISABLED
    if problem is not None:
        raise _refused(match, problem, scheme, EXPLANATIONS[problem])


def _missing(match: Match) -> Problem:
    requirements, type_ = match.operation.security, ProblemType.KEY_MISSING
    ways = " or ".join(" and ".join(f"{each.shown}KEY" for each in schemes) for schemes in requirements)
    message = f"the request carries no key in the right form; send {ways}"
    return Problem(type_, (_violation(requirements[0][0], "required", message, match.citation(type_)),))


def _refused(match: Match, type_: ProblemType, scheme: SecurityScheme, message: str) -> Problem:
    return Problem(type_, (_violation(scheme, type_.value, message, match.citation(type_)),))


def _violation(scheme: SecurityScheme, keyword: str, message: str, citation: str) -> Violation:
    """Name the place of a key; a cookie is a part of a header."""
    if scheme.location == "cookie":
        return Violation("header", "/cookie", keyword, message, citation)
    return Violation(scheme.location, pointer.write((scheme.field,)), keyword, message, citation)
