"""Names that an account gives once to each kind of thing, in any case unless case is told."""

from mockserver.call import Call
from mockserver.problems import Problem, ProblemType
from mockserver.state.resources import Resource


def key_of(call: Call, kind: str, name: str, *, tells_case: bool) -> str:
    """Give the key under which a name is kept."""
    name = name.strip()
    return f"{call.account.id}/{kind}/{name if tells_case else name.casefold()}"


def taken(call: Call, kind: str, name: str, field: str, citation: str) -> Problem:
    """Make the problem that the account has given a name before."""
    message = f"{field}: this account has a {kind} named {name}"
    return call.problem(ProblemType.NAME_TAKEN, message, name=field, citation=citation, kind=kind)


def move(call: Call, known: Resource, name: str, field: str, *, tells_case: bool) -> None:
    """Take another name for what has one, and free that. Raises Problem where the new one is taken."""
    old = key_of(call, known.kind, known.fields.get(field, known.id), tells_case=tells_case)
    new, names = key_of(call, known.kind, name, tells_case=tells_case), call.world.names
    if new == old:
        return
    if not names.put_if_unchanged(new, known.id, None):
        raise taken(call, known.kind, name, field, call.operation.row.citation)
    names.delete(old)
