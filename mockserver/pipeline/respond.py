"""Result or Problem → Response, in the provider's dialect.

The shapes come from the table's `answers`; whatever is the same for every call is prepared at start-up.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring_ascii as quoted

from mockserver.call import EMPTY_BODY, Result
from mockserver.jsontext import Json, dump
from mockserver.messages import JSON_TYPE, PROBLEM_TYPE, VIOLATIONS, Headers, Response
from mockserver.problems import EmulatorProblem, Problem, ProblemType, Violation
from mockserver.spec.model import Operation, ProblemRow, Provider
from mockserver.spec.rows import ErrorRow
from mockserver.spec.template import fill, substitute
from mockserver.state.plans import Stub

LONGEST_HEADER = 4096  # bytes of Mock-Violations
RETRY_AFTER = "Retry-After"
ERRORS = 400  # the first status of an error
LONGEST_TEXT = 600  # bytes of one message or pointer in it
# What an API that gives details gives them of: what is wrong with the request itself, not with its key.
EXPLAINED = {ProblemType.INVALID_REQUEST, ProblemType.MALFORMED_BODY, ProblemType.UNSUPPORTED_MEDIA_TYPE}


def headers_of(provider: Provider, values: Mapping[str, str]) -> Headers:
    """Give the headers that a provider always sends; one whose `$name` has no value is left out."""
    found = []
    for name, text in provider.headers.items():
        value = values.get(text[1:]) if text[0] == "$" else text
        if value is not None:
            found.append((name, value))
    return tuple(found)


def draw(body: Callable[[], Json]) -> bytes:
    """Make what was put off, and write it; this takes long."""
    value = body()
    return value if isinstance(value, bytes) else dump(value)


def succeed(
    operation: Operation, result: Result, headers: Headers, warnings: tuple[Violation, ...]
) -> Response:
    """Write a result, whose body has been drawn; one that is EMPTY has no type."""
    body = result.body
    if warnings:
        headers = (*headers, (VIOLATIONS, violations_header(warnings, operation.row.citation)))
        if any(
            name == VIOLATIONS for name, _ in result.headers
        ):  # what another operation said: in one header
            said = [value for name, value in (*headers, *result.headers) if name == VIOLATIONS]
            headers = tuple(each for each in headers if each[0] != VIOLATIONS)
            rest = tuple(each for each in result.headers if each[0] != VIOLATIONS)
            result = result._replace(headers=(*rest, (VIOLATIONS, joined(said))))
    if body is EMPTY_BODY:
        return Response(result.status, (*headers, *result.headers), b"")
    typed = JSON_TYPE if result.media_type == JSON_TYPE[1] else (JSON_TYPE[0], result.media_type)
    return Response(
        status=result.status,
        headers=(typed, *headers, *result.headers),
        body=body if isinstance(body, bytes) else dump(body),
    )


def refuse(
    provider: Provider,
    operation: Operation | None,
    problem: Problem,
    *,
    request_id: str,
    headers: Headers,
    warnings: tuple[Violation, ...] = (),
) -> Response:
    """Write a problem in the provider's words, with our explanation in Mock-Violations."""
    dialect = operation.row if operation else None
    answers = (dialect and dialect.answers) or provider.answers
    row, status, message, citation = _row(provider, problem, dialect.problems if dialect else {})
    is_explained = row.has_details and problem.type in EXPLAINED
    details = _details(provider, problem.violations) if is_explained else None
    values = {"code": row.code, "message": message, "request_id": request_id, "details": details or None}
    body = fill(answers.error, values)
    if operation and problem.type is ProblemType.INVALID_REQUEST:
        citation = operation.row.citation
    own = _merged(row.headers, problem.headers)
    if not provider.answers.has_retry_after:
        own = tuple(each for each in own if each[0] != RETRY_AFTER)
    told = (*problem.violations, *warnings)
    explained = ((VIOLATIONS, violations_header(told, citation)),) if told else ()
    return Response(
        status=status, headers=(JSON_TYPE, *headers, *own, *explained), body=dump(body), error=row.name
    )


def warn(response: Response, warnings: tuple[Violation, ...]) -> Response:
    """Say what is odd about a call that is answered in our own voice."""
    if not warnings:
        return response
    told = (VIOLATIONS, violations_header(warnings, "mockserver"))
    return response._replace(headers=(*response.headers, told))


def write_stub(stub: Stub) -> Response:
    """Write an answer that was ordered in full; its type is that of its body where it names none."""
    body, headers = stub.body, tuple(stub.headers.items())
    typed = (JSON_TYPE[0], "text/plain; charset=utf-8") if isinstance(body, str) else JSON_TYPE
    if body is not None and not any(name.lower() == "content-type" for name in stub.headers):
        headers = (typed, *headers)
    content = (
        body.encode("utf-8", "replace") if isinstance(body, str) else b"" if body is None else dump(body)
    )
    return Response(stub.status, headers, content, error="stub" if stub.status >= ERRORS else None)


def problem_response(problem: EmulatorProblem, warnings: tuple[Violation, ...] = ()) -> Response:
    """Write RFC 9457 problem details: the emulator speaks, not an API."""
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
    headers = (PROBLEM_TYPE, *problem.headers.items())
    if told := (*problem.violations, *warnings):
        headers = (*headers, (VIOLATIONS, violations_header(told, "mockserver")))
    return Response(problem.status, headers, dump({**body, **problem.members}), error=problem.title)


def violations_header(violations: tuple[Violation, ...], citation: str) -> str:
    """Write violations as a JSON array in ASCII that fits into one header; what does not fit is left out."""
    return _listed(_written(each, citation) for each in violations)


def joined(headers: Iterable[str]) -> str:
    """Join what several such headers say, each thing once.

    >>> joined(['[{"a": 1}, {"b": 2}]', '[{"b": 2}, {"c": 3}]'])
    '[{"a": 1}, {"b": 2}, {"c": 3}]'
    """
    rows = [row for each in headers for row in json.loads(each)]
    return _listed(json.dumps(row) for index, row in enumerate(rows) if row not in rows[:index])


def _written(violation: Violation, citation: str) -> str:
    """Write one violation; callers read these names: `rule` and `source` stay, whatever we call them."""
    place, message = _quoted(violation.pointer), _quoted(violation.message)
    keyword, source = quoted(violation.keyword), quoted(violation.citation or citation)
    return (
        f'{{"location": "{violation.location}", "pointer": {place}, '
        f'"rule": {keyword}, "message": {message}, "source": {source}}}'
    )


def _listed(written: Iterable[str]) -> str:
    """Write as many as fit into one header."""
    parts: list[str] = []
    size = 2
    for part in written:
        size += len(part) + 2
        if size > LONGEST_HEADER:
            break
        parts.append(part)
    return f"[{', '.join(parts)}]"


def _quoted(text: str) -> str:
    """Write a text as JSON in ASCII, cut where that would take more than its share of the header.

    >>> _quoted("short"), len(_quoted("x" * 5000))
    ('"short"', 608)
    """
    written, cut = quoted(text), text[:LONGEST_TEXT]
    if len(written) - 2 <= LONGEST_TEXT:
        return written
    while len(written := quoted(cut)) - 2 > LONGEST_TEXT:
        cut = cut[: len(cut) * LONGEST_TEXT // (len(written) - 2)]
    return quoted(cut + "…")


def _row(
    provider: Provider, problem: Problem, special: Mapping[str, ProblemRow]
) -> tuple[ErrorRow, int, str, str]:
    """Find what the provider, or this operation of it, calls a problem: row, status, message, citation."""
    name = problem.type.value
    answer = special.get(name) or provider.problems.get(name) or provider.problems["internal"]
    if problem.error is not None and problem.error != answer.error.name:
        row = provider.errors[problem.error]
        return row, row.status, row.message, provider.citations.get(row.citation, row.citation)
    first = next(
        (each for each in problem.violations if each.error in (None, answer.error.name)),  # in its own words
        problem.violations[0] if problem.violations else None,
    )
    message = substitute(
        answer.message,
        violation=first.message if first else answer.error.message,
        field=(first.field if first else None) or "request",
        kind=problem.kind or "resource",
    )
    return answer.error, answer.status, message, answer.citation


def _details(provider: Provider, violations: tuple[Violation, ...]) -> list[Json]:
    shape, details = provider.answers.detail or {}, list[Json]()
    for violation in violations:
        detail = fill(shape, {"field": violation.field, "message": violation.message})
        if detail not in details:
            details.append(detail)
    return details


def _merged(*tables: Mapping[str, str]) -> Headers:
    """Join header tables; the last one wins."""
    return tuple({name: value for table in tables for name, value in table.items()}.items())
