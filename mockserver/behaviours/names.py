"""Names that an account gives once: to each kind of thing or to all, in any case or as written."""

from mockserver.call import Call
from mockserver.problems import Problem, ProblemType
from mockserver.spec.rows import Row
from mockserver.state.resources import Resource
from mockserver.state.values import replace


class Naming(Row, frozen=True, kw_only=True):
    """Which names an account can give to what it creates."""

    reserved: tuple[str, ...] = ()  # that nobody can give, in any case
    tells_case: bool = False  # names that differ in case alone are two
    is_shared: bool = False  # what has a name keeps it from all kinds, not from its own alone
    failure_frees: bool = False  # what has failed keeps its name from nothing


def refuse_reserved(call: Call, naming: Naming, kind: str, name: str, field: str, citation: str) -> None:
    """Raise Problem for a name that nobody can give."""
    if name.strip().casefold() in naming.reserved:
        message = f"{field}: {name} is reserved"
        raise call.problem(ProblemType.NAME_RESERVED, message, name=field, citation=citation, kind=kind)


def refuse_taken(call: Call, naming: Naming, kind: str, name: str, field: str, citation: str) -> None:
    """Raise Problem for a name that something of the account has."""
    if holder := call.world.names.get(_key(call, naming, kind, name)):
        known = call.world.resources.get(holder)
        if known is None or not _is_freed(call, naming, known):
            raise _taken(call, known.kind if known else kind, name, field, citation)


def take(call: Call, naming: Naming, taker: Resource, field: str, citation: str, *, even_taken: bool) -> None:
    """Give a name to what has it in a field. Raises Problem where something else has it."""

    def claim(holder: str | None) -> str:
        if holder not in {None, taker.id} and not even_taken:
            refuse_taken(call, naming, taker.kind, name, field, citation)
        return taker.id

    name, names = str(taker.fields[field]), call.world.names
    names.update(_key(call, naming, taker.kind, name), claim)
    for key in _keys(call, taker.kind, name):  # another reading may be asked next
        names.put_if_unchanged(key, taker.id, None)


def rename(call: Call, naming: Naming, known: Resource, name: str, field: str, citation: str) -> None:
    """Give another name to what has one in a field, and free that. Raises Problem where it cannot have it."""
    old = str(known.fields.get(field, known.id))
    refuse_reserved(call, naming, known.kind, name, field, citation)
    renamed = replace(known, fields={**known.fields, field: name})
    take(call, naming, renamed, field, citation, even_taken=False)
    free(call, known, old, but=name)


def free(call: Call, holder: Resource, name: str, *, but: str = "") -> None:
    """Free a name that something has had, unless it is spelt like `but`, which it keeps."""
    kept = _keys(call, holder.kind, but) if but else ()
    for key in _keys(call, holder.kind, name):
        if key not in kept and call.world.names.get(key) == holder.id:
            call.world.names.delete(key)


def _key(call: Call, naming: Naming, kind: str, name: str) -> str:
    """Give the key under which a name is looked up."""
    name = name.strip()
    of = "" if naming.is_shared else kind
    return f"{call.account.id}/{of}/{name if naming.tells_case else name.casefold()}"


def _keys(call: Call, kind: str, name: str) -> tuple[str, ...]:
    """Give all keys under which a name is kept: as it is looked up under any reading."""
    spelt = dict.fromkeys((name.strip().casefold(), name.strip()))
    return tuple(f"{call.account.id}/{of}/{each}" for of in (kind, "") for each in spelt)


def _is_freed(call: Call, naming: Naming, holder: Resource) -> bool:
    jobs = call.provider.jobs
    return naming.failure_frees and jobs is not None and holder.status(call.world.clock.now()) == jobs.failure


def _taken(call: Call, kind: str, name: str, field: str, citation: str) -> Problem:
    message = f"{field}: this account has a {kind} named {name}"
    return call.problem(ProblemType.NAME_TAKEN, message, name=field, citation=citation, kind=kind)
