"""What `mockserver check` holds against files that load: do examples, errors and statuses fit the documents?

Slower than what every start checks, and just as strict in naming the place.
"""

from collections.abc import Iterator, Sequence

from mockserver.jsontext import Json
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Operation, Provider
from mockserver.spec.rows import ErrorRow
from mockserver.spec.template import fill

MOST_NAMED = 3  # operations in one complaint


def lint(catalog: Catalog) -> list[str]:
    """Give every complaint about every provider; empty when there is nothing to complain of."""
    return [complaint for provider in catalog.providers.values() for complaint in _provider(provider)]


def _provider(provider: Provider) -> Iterator[str]:
    table = f"{provider.folder}/behaviour.yaml"
    document = next((each.file for each in provider.operations.values()), provider.folder)
    for operation in provider.operations.values():
        for complaint in (*_examples(operation), *_strays(operation)):
            yield f"{document}: {operation.id}: {complaint}"
    speaking = [operation for operation in provider.operations.values() if not operation.row.answers]
    for row in provider.table.errors.values() if speaking else ():
        yield from _error(row, speaking, provider.answers.error, table, document)


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
    row: ErrorRow, operations: Sequence[Operation], shape: Json, table: str, document: str
) -> Iterator[str]:
    """Hold the body of a catalogue row against all responses that are documented for its status."""
    body = fill(shape, {"code": row.code, "message": row.message, "request_id": "1"})
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
    elif silent:
        missing = f"no response is documented for {row.status} ({row.name})"
        yield f"{document}: {_named(silent)}: {missing}; add it, or a `default`"
    for message, where in broken.items():
        told = f"the error {row.name} as {row.status}: {message}"
        yield f"{document}: {_named(where)}: {told}; or correct errors.{row.name} in {table}"


def _named(operations: Sequence[Operation]) -> str:
    names = [operation.id for operation in operations]
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
