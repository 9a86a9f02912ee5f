"""What `mockserver check` holds against files that load: do examples, errors and statuses fit the documents?

Slower than what every start checks, and just as strict in naming the place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mockserver.jsontext import Json
from mockserver.problems import ProblemType
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Operation, Provider
from mockserver.spec.rows import ErrorRow, Row
from mockserver.spec.template import fill

MOST_NAMED = 3  # operations in one complaint
NOWHERE = {ProblemType.UNKNOWN_PATH, ProblemType.UNKNOWN_METHOD}  # problems of requests for no operation
OF_KEYS = {
    ProblemType.KEY_MISSING, ProblemType.KEY_MALFORMED, ProblemType.KEY_UNKNOWN, ProblemType.KEY_INACTIVE,
    ProblemType.KEY_DELETED, ProblemType.ACCOUNT_SUSPENDED, ProblemType.ACCESS_DISABLED,
}  # fmt: skip
OF_BODIES = {ProblemType.UNSUPPORTED_MEDIA_TYPE, ProblemType.MALFORMED_BODY}
OF_PICTURES = {
    ProblemType.PICTURE_UNREADABLE, ProblemType.PICTURE_UNREACHABLE, ProblemType.PICTURE_TOO_LARGE,
}  # fmt: skip
OF_PRICES = {ProblemType.CREDITS_EXHAUSTED, ProblemType.PAYMENT_FAILED}
OF_ALL = {ProblemType.BODY_TOO_LARGE, ProblemType.INTERNAL}


def lint(catalog: Catalog) -> list[str]:
    """Give every complaint about every provider; empty when there is nothing to complain of."""
    return [complaint for provider in catalog.providers.values() for complaint in _provider(provider)]


def remarks(catalog: Catalog) -> list[str]:
    """Give what is no mistake but may surprise, in a line for each provider."""
    found = []
    for provider in catalog.providers.values():
        silent = {}
        for row in provider.table.errors.values():
            places = [each for each in _speaking(provider) if each.response_for(row.status) is None]
            if any(not _can_raise(provider, each, row) for each in places):
                silent[f"{row.name} ({row.status})"] = places[0].file
        if silent:
            where = "some operations, which answer so only where that is ordered"
            found.append(f"{next(iter(silent.values()))}: {_named(silent)}: not documented for {where}")
    return found


def _speaking(provider: Provider) -> list[Operation]:
    """Give the operations that answer errors in the provider's own shape."""
    return [operation for operation in provider.operations.values() if not operation.row.answers]


def _provider(provider: Provider) -> Iterator[str]:
    table = f"{provider.folder}/behaviour.yaml"
    document = next((each.file for each in provider.operations.values()), provider.folder)
    for operation in provider.operations.values():
        for complaint in (*_examples(operation), *_strays(operation)):
            yield f"{document}: {operation.id}: {complaint}"
    speaking = _speaking(provider)
    for row in provider.table.errors.values() if speaking else ():
        yield from _error(row, speaking, provider, table, document)


def _examples(operation: Operation) -> Iterator[str]:
    """Hold the document's own examples against its schemas."""
    body = operation.body
    if body and body.example is not None:
        for schema in body.schemas.values():
            for violation in schema.violations(body.example):
                yield f"the request's example: {violation.message}"
    for response in operation.responses.values():
        if response.schema and response.example is not None:
            for violation in response.schema.violations(response.example):
                yield f"the example of {response.status}: {violation.message}"


def _strays(operation: Operation) -> Iterator[str]:
    for parameter in operation.parameters:
        if parameter.location == "path" and f"{{{parameter.name}}}" not in operation.path:
            name, missing = parameter.name, f"{operation.path} has no {{{parameter.name}}}"
            yield f"parameter {name!r} is in the path, but {missing}; rename or remove it"


def _error(
    row: ErrorRow, operations: Sequence[Operation], provider: Provider, table: str, document: str
) -> Iterator[str]:
    """Hold the body of a catalogue row against all responses that are documented for its status."""
    body = fill(provider.answers.error, {"code": row.code, "message": row.message, "request_id": "1"})
    silent: list[Operation] = []
    broken: dict[str, list[Operation]] = {}
    for operation in operations:
        response = operation.response_for(row.status)
        if response is None:
            silent.append(operation)
        for violation in response.schema.violations(body) if response and response.schema else ():
            broken.setdefault(violation.message, []).append(operation)
    if len(silent) == len(operations):
        yield (
            f"{table}: errors.{row.name}.status: no operation documents {row.status}; "
            f"correct it, or add {row.status} or a `default` to the responses in {document}"
        )
    elif raising := [operation for operation in silent if _can_raise(provider, operation, row)]:
        missing = f"no response is documented for {row.status} ({row.name})"
        yield f"{document}: {_named(each.id for each in raising)}: {missing}; add it, or a `default`"
    for message, where in broken.items():
        told = f"{_named(each.id for each in where)}: the error {row.name} as {row.status}: {message}"
        yield f"{document}: {told}; or correct errors.{row.name} in {table}"


def _can_raise(provider: Provider, operation: Operation, row: ErrorRow) -> bool:
    """Whether an operation answers with a row without being ordered to."""
    if row.name in _texts(operation.row.section):
        return True
    problems = {**provider.problems, **operation.row.problems}
    kinds = {ProblemType(name) for name, said in problems.items() if said.error.name == row.name}
    return any(_arises(kind, provider, operation) for kind in kinds)


def _arises(kind: ProblemType, provider: Provider, operation: Operation) -> bool:
    """Whether a problem can be met in an operation; of what only a behaviour knows, where it has its own."""
    section, has_body = operation.row.section, operation.body is not None
    is_own = section.behaviour != "generate" or bool(section.checks or section.late_checks)
    is_met = {
        **dict.fromkeys(NOWHERE, False),
        **dict.fromkeys(OF_KEYS, any(operation.security)),
        **dict.fromkeys(OF_BODIES, has_body),
        **dict.fromkeys(OF_PICTURES, bool(section.pictures)),
        **dict.fromkeys(OF_PRICES, section.price is not None),
        **dict.fromkeys(OF_ALL, True),
        ProblemType.INVALID_REQUEST: is_own or has_body or bool(operation.parameters),
        ProblemType.RATE_LIMITED: any(
            not rate.operations or operation.id in rate.operations for rate in provider.rates
        ),
    }
    return is_met.get(kind, is_own)


def _texts(value: Json) -> Iterator[str]:
    """Give every text in a value."""
    if isinstance(value, Row):
        value = [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)


def _named(names: Iterable[str]) -> str:
    names = list(names)
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
