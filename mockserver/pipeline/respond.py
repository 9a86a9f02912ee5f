"""Result or Problem → Response, in the provider's dialect.

The shapes come from the table's `answers`; whatever is the same for every call is prepared at start-up.
"""

import json
from collections.abc import Mapping
from string import Template
from typing import Any

from mockserver.call import Result
from mockserver.jsontext import dump
from mockserver.messages import Response
from mockserver.problems import OwnProblem, Problem, Violation
from mockserver.spec.model import ErrorRow, Operation, Provider

Json = Any
JSON_TYPE = ("Content-Type", "application/json")
PROBLEM_TYPE = ("Content-Type", "application/problem+json")
VIOLATIONS = "Mock-Violations"
LONGEST_HEADER = 4096  # bytes of Mock-Violations
LONGEST_MESSAGE = 400  # characters of one message in it
Headers = tuple[tuple[str, str], ...]


def answer_headers(provider: Provider, values: Mapping[str, str]) -> Headers:
    """Give the headers that a provider sends with every answer."""
    templates = provider.answers.get("headers")
    if not templates:
        return ()
    return tuple((name, values.get(text[1:], text) if text[0] == "$" else text) for name, text in templates.items())


def succeed(operation: Operation, result: Result, headers: Headers, warnings: tuple[Violation, ...]) -> Response:
    """Write a result; a body that is a callable stays one."""
    body = result.body
    if warnings:
        headers = (*headers, (VIOLATIONS, violations_header(warnings, operation.row.source)))
    return Response(
        status=result.status,
        headers=(JSON_TYPE, *headers, *result.headers),
        body=(lambda: dump(body())) if callable(body) else dump(body),
        operation=operation.name,
    )


def refuse(
    provider: Provider, operation: Operation | None, problem: Problem, request_id: str, headers: Headers
) -> Response:
    """Write a problem in the provider's words, with our explanation in Mock-Violations."""
    row, status, message = _row(provider, problem)
    details = _details(provider, problem.violations) if row.has_details else []
    body = _filled(
        provider.answers["error"],
        {"code": row.code, "message": message, "request_id": request_id, "details": details or None},
    )
    source = operation.row.source if operation else provider.title
    explained = ((VIOLATIONS, violations_header(problem.violations, source)),) if problem.violations else ()
    return Response(
        status=status,
        headers=(JSON_TYPE, *headers, *_merged(row.headers, problem.headers), *explained),
        body=dump(body),
        operation=operation.name if operation else None,
        error=row.name,
    )


def refuse_ourselves(problem: OwnProblem, violations: tuple[Violation, ...] = ()) -> Response:
    """Write RFC 9457 problem details: the emulator speaks, not an API."""
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
    explained = ((VIOLATIONS, violations_header(violations, "mockserver")),) if violations else ()
    return Response(problem.status, (PROBLEM_TYPE, *explained), dump({**body, **problem.members}), error=problem.title)


def violations_header(violations: tuple[Violation, ...], source: str) -> str:
    """Write violations as a JSON array in ASCII that fits into one header; what does not fit is left out."""
    parts: list[str] = []
    size = 2
    for violation in violations:
        part = json.dumps(
            {
                "location": violation.location,
                "pointer": violation.pointer[:LONGEST_MESSAGE],
                "rule": violation.rule,
                "message": violation.message[:LONGEST_MESSAGE],
                "source": violation.source or source,
            }
        )
        size += len(part) + 2
        if size > LONGEST_HEADER:
            break
        parts.append(part)
    return f"[{', '.join(parts)}]"


def _row(provider: Provider, problem: Problem) -> tuple[ErrorRow, int, str]:
    """Find what the provider calls a problem: the row, the status and the message."""
    if problem.error is not None:
        row = provider.errors[problem.error]
        return row, row.status, row.message
    answer = provider.problems.get(problem.type.value) or provider.problems["internal"]
    first = problem.violations[0] if problem.violations else None
    message = Template(answer.message).safe_substitute(
        violation=first.message if first else answer.error.message,
        field=(first.field if first else None) or "request",
    )
    return answer.error, answer.status, message


def _details(provider: Provider, violations: tuple[Violation, ...]) -> list[Json]:
    """Write one entry for each broken field, in the table's shape."""
    shape = provider.answers.get("detail", {})
    spoken_of: set[str | None] = set()
    details = []
    for violation in violations:
        if violation.location in {"body", "query", "path"} and violation.field not in spoken_of:
            spoken_of.add(violation.field)
            details.append(_filled(shape, {"field": violation.field, "message": violation.message}))
    return details


def _filled(template: Json, values: Mapping[str, Json]) -> Json:
    """Put values in the places of `$name`; a member whose value is None is left out."""
    if isinstance(template, Mapping):
        filled = {key: _filled(value, values) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not None}
    if isinstance(template, str) and template.startswith("$"):
        return values.get(template[1:])
    return template


def _merged(*tables: Mapping[str, str]) -> Headers:
    """Join header tables; the last one wins."""
    return tuple({name: value for table in tables for name, value in table.items()}.items())
