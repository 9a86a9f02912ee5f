"""Match and Request → Caller: whose key is this, and may it call?

A key that ends in the name of an error, `pkz_test_generation_rejected`, belongs to the account before it
and orders that error; errors that are about the key itself are answered here, all others later.
"""

from collections.abc import Mapping

from mockserver.call import Caller, Match
from mockserver.messages import Request
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.model import Provider, SecurityScheme
from mockserver.state.accounts import Account
from mockserver.state.world import World

ANONYMOUS = "anonymous"
STATES = {
    "inactive": ProblemType.KEY_INACTIVE,
    "deleted": ProblemType.KEY_DELETED,
    "suspended": ProblemType.ACCOUNT_SUSPENDED,
    "unknown": ProblemType.KEY_UNKNOWN,
}
KEY_PROBLEMS = (
    ProblemType.KEY_MISSING,
    ProblemType.KEY_MALFORMED,
    *STATES.values(),
    ProblemType.ACCESS_DISABLED,
)
EXPLANATIONS = {
    ProblemType.KEY_UNKNOWN: "nobody has this key",
    ProblemType.KEY_INACTIVE: "this key is inactive",
    ProblemType.KEY_DELETED: "this key was deleted",
    ProblemType.ACCOUNT_SUSPENDED: "the account of this key is suspended",
    ProblemType.ACCESS_DISABLED: "the account of this key has no API access",
}


def authorize(match: Match, request: Request, world: World, *, is_strict: bool) -> Caller:
    """Find the caller by the first key that is good. Raises the Problem of the first that is not.

    `is_strict` refuses a key that no fixture lists, which is otherwise a new healthy account.
    """
    schemes = match.operation.security
    if not schemes:
        return Caller(world.accounts.fresh(match.provider.name, ANONYMOUS))
    first: Problem | None = None
    for scheme in schemes:
        key = credential(scheme, request.headers)
        if key is None:
            continue
        try:
            return _caller(match.provider, scheme, key, world, is_strict=is_strict)
        except Problem as problem:
            first = first or problem
    raise first or _missing(schemes)


def credential(scheme: SecurityScheme, headers: Mapping[str, str]) -> str | None:
    """Read the key that a security scheme speaks of; None where there is none."""
    value = headers.get(scheme.header, "").strip()
    if scheme.kind == "bearer":
        word, _, value = value.partition(" ")
        value = value.strip() if word.lower() == "bearer" else ""
    return value or None


def _caller(provider: Provider, scheme: SecurityScheme, key: str, world: World, *, is_strict: bool) -> Caller:
    account, ordered = world.accounts.listed(provider.name, key), None
    if account is None:
        owner, ordered = ordered_by(provider, key)
        account = world.accounts.listed(provider.name, owner)
        prefix = provider.keys["prefix"]
        if prefix is not None and not key.startswith(prefix):
            raise _refused(ProblemType.KEY_MALFORMED, scheme, f"the key must start with {prefix}")
        if account is None:
            account = world.accounts.fresh(provider.name, owner)
            if is_strict:
                raise _refused(ProblemType.KEY_UNKNOWN, scheme, "no fixture lists this key (--strict-keys)")
    if ordered is not None and ordered in {provider.problems[kind.value].error.name for kind in KEY_PROBLEMS}:
        raise Problem(
            violations=(Violation("header", f"/{scheme.header}", "ordered", f"the key orders {ordered}"),),
            error=ordered,
        )
    _check_state(account, scheme)
    return Caller(account, ordered)


def _check_state(account: Account, scheme: SecurityScheme) -> None:
    problem = STATES.get(account.state)
    if problem is None and account.flag("has_api_access") is False:
        problem = ProblemType.ACCESS_DISABLED
    if problem is not None:
        raise _refused(problem, scheme, EXPLANATIONS[problem])


def ordered_by(provider: Provider, key: str) -> tuple[str, str | None]:
    """Split a key into its owner's and the error that it orders; None where it orders none."""
    lowered = key.lower()
    for ending, name in provider.key_endings.items():
        if lowered.endswith(ending):
            return key[: -len(ending)], name
    return key, None


def _missing(schemes: tuple[SecurityScheme, ...]) -> Problem:
    ways = " or ".join(
        f"{scheme.shown}: Bearer KEY" if scheme.kind == "bearer" else f"{scheme.shown}: KEY"
        for scheme in schemes
    )
    message = f"the request carries no key in the right form; send {ways}"
    return Problem(
        ProblemType.KEY_MISSING, (Violation("header", f"/{schemes[0].header}", "required", message),)
    )


def _refused(type_: ProblemType, scheme: SecurityScheme, message: str) -> Problem:
    return Problem(type_, (Violation("header", f"/{scheme.header}", type_.value, message),))
