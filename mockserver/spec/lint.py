"""What `mockserver check` holds against files that load: do examples, errors and statuses fit the documents?

Slower than what every start checks, and just as strict in naming the place.
"""

from collections.abc import Iterator
from typing import Any

from mockserver.spec.catalog import Catalog
from mockserver.spec.model import ErrorRow, Operation, Provider
from mockserver.spec.template import fill

Json = Any


def lint(catalog: Catalog) -> list[str]:
    """Give every complaint about every provider; empty when there is nothing to complain of."""
    return [complaint for provider in catalog.providers.values() for complaint in _provider(provider)]


def _provider(provider: Provider) -> Iterator[str]:
    for operation in provider.operations.values():
        place = f"specs/{provider.name}/openapi.yaml: {operation.id}"
        yield from (f"{place}: {complaint}" for complaint in _examples(operation))
        for row in provider.errors.values() if not operation.row.answers else ():
            yield from (f"{place}: {complaint}" for complaint in _error(operation, row, provider.answers["error"]))


def _examples(operation: Operation) -> Iterator[str]:
    """Hold the document's own examples against its schemas."""
    body = operation.body
    if body and body.example is not None:
        for schema in body.schemas.values():
            yield from (f"the request's example: {breach.message}" for breach in schema.breaches(body.example))
    for response in operation.responses.values():
        if response.schema and response.example is not None:
            for breach in response.schema.breaches(response.example):
                yield f"the example of {response.status}: {breach.message}"


def _error(operation: Operation, row: ErrorRow, shape: Json) -> Iterator[str]:
    """Hold the body of a catalogue row against the response that is documented for its status."""
    response = operation.response_for(row.status)
    if response is None:
        yield f"no response is documented for {row.status} ({row.name}); add it, or a `default`"
    elif response.schema:
        body = fill(shape, {"code": row.code, "message": row.message, "request_id": "1"})
        for breach in response.schema.breaches(body):
            yield f"the error {row.name} as {row.status}: {breach.message}"
