"""What there is to meet of each operation, as its document and its table say it.

An error row of the table stands with the operations whose sections name it or whose mechanisms raise it. What
any operation of an API can be answered with (keys, money, rates …) is counted once for all of them. All of it
can be brought about, by itself or by an order.
"""

from collections.abc import Iterator, Mapping

from mockserver.coverage.requests import Reader
from mockserver.jsontext import Json
from mockserver.problems import ProblemType as Type
from mockserver.spec.model import Operation, Provider

READINGS = "readings"  # of what the documents leave open, which is beside what they say: not in the sum
KINDS = ("operations", "statuses", "errors", "values", "fields", READINGS)
ANY = ".*"  # behind a provider's name: whichever operation it was
BODY = {Type.BODY_TOO_LARGE, Type.UNSUPPORTED_MEDIA_TYPE, Type.MALFORMED_BODY}
PICTURES = {Type.PICTURE_UNREADABLE, Type.PICTURE_UNREACHABLE, Type.PICTURE_TOO_LARGE}
UNUSED = {Type.UNKNOWN_PATH, Type.UNKNOWN_METHOD}  # which no operation answers


def things_of(operation: Operation, provider: Provider) -> dict[str, tuple[str, ...]]:
    """Give what there is to meet of an operation, by kind."""
    reader = Reader(operation)
    return {
        "operations": (operation.name,),
        # A default says what other answers look like, not that there are any; 1XX is no answer yet.
        "statuses": tuple(each for each in operation.responses if each[0] in "2345"),
        "errors": own_errors(operation, provider),
        "values": reader.values,
        "fields": reader.fields,
    }


def own_errors(operation: Operation, provider: Provider) -> tuple[str, ...]:
    """Give the rows that answer this operation in particular."""
    row = operation.row
    found = set(_named(operation, provider))
    found |= {each.error.name for each in row.problems.values()}
    for type_ in _problems(operation):
        answer = row.problems.get(type_.value) or provider.problems.get(type_.value)
        found |= {answer.error.name} if answer else set()
    return tuple(name for name in provider.table.errors if name in found)


def readings_of(provider: Provider) -> tuple[str, ...]:
    """Give every reading of every assumption, its default first, as it is chosen: `rename=accepted`."""
    return tuple(
        f"{name}={reading}"
        for name, row in provider.table.assumptions.items()
        for reading in dict.fromkeys((row.default, *row.readings))
    )


def shared_errors(provider: Provider) -> tuple[str, ...]:
    """Give the rows that can answer any operation of a provider: all others that any of them can meet."""
    own = {name for each in provider.operations.values() for name in own_errors(each, provider)}
    answers = {type_: row.error.name for type_, row in provider.problems.items()}
    used = {name for type_, name in answers.items() if Type(type_) not in UNUSED}
    return tuple(
        name for name in provider.table.errors if name not in own and name not in {*answers.values()} - used
    )


def _named(operation: Operation, provider: Provider) -> Iterator[str]:
    """Find the rows that the operation's own sections name."""
    section = operation.row.section
    yield from (each.error for each in section.refusals)
    yield from (each.too_large for each in section.pictures if each.too_large)
    yield from section.orders.errors if section.orders else ()
    for check in (*section.checks, *section.late_checks):
        yield from (each for each in _texts(check) if each in provider.errors)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)


def _problems(operation: Operation) -> Iterator[Type]:
    """Give the problems that an operation meets by what it takes: a body, pictures, what was created."""
    section, has_path_values = operation.row.section, "{" in operation.path
    uses_resources = any("kind" in check for check in (*section.checks, *section.late_checks))
    if operation.body or any(each.location != "path" for each in operation.parameters):
        yield Type.INVALID_REQUEST
    if operation.body:
        yield from BODY
    if operation.row.pictures:
        yield from PICTURES
    if has_path_values or uses_resources:
        yield Type.RESOURCE_UNKNOWN
    if uses_resources:
        yield Type.RESOURCE_NOT_READY
    if has_path_values and operation.method == "DELETE":
        yield Type.RESOURCE_BUSY
    if operation.row.job and operation.body:
        yield from (Type.NAME_TAKEN, Type.NAME_RESERVED)
