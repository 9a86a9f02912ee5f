"""Arguments against the specification: every violation at once.

A valid call costs one look by each schema's fast path; sentences are made only for what is refused.
"""

from collections.abc import Iterator

from mockserver import pointer
from mockserver.call import Arguments, Match
from mockserver.jsontext import Json
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.explain import SchemaViolation, spoken
from mockserver.spec.model import Parameter, Provider, RefusalRow
from mockserver.spec.rows import KeywordRow, WordingRow
from mockserver.spec.schema import KINDS
from mockserver.spec.template import substitute


def validate(match: Match, arguments: Arguments) -> None:
    """Return where everything obeys; raise the Problem with all violations where something does not."""
    operation = match.operation
    found: list[Violation] = []
    for parameter in operation.parameters:
        found += _parameter_violations(parameter, getattr(arguments, parameter.location), match.provider)
    if operation.body is not None and arguments.media_type is not None:
        schema = operation.body.schemas[arguments.media_type]
        body = arguments.body
        broken = schema.violations(body)
        if broken:
            broken = _without_echoes(broken, body, operation.row.refusals)
            found += [_body_violation(violation, body, match) for violation in broken]
    if found:
        raise Problem(ProblemType.INVALID_REQUEST, tuple(found), error=_special_error(found))


def _parameter_violations(parameter: Parameter, values: Json, provider: Provider) -> Iterator[Violation]:
    name, location = parameter.name, parameter.location
    if name not in values:
        if parameter.is_required:
            yield Violation(location, pointer.write((name,)), "required", f"{name} is required")
        return
    value = values[name]
    for violation in parameter.schema.violations(value, (name,)):
        place, message = pointer.write(violation.path), _worded(violation, violation.path, provider)
        yield Violation(location, place, violation.keyword, message)


def _without_echoes(
    broken: list[SchemaViolation], body: Json, rows: tuple[RefusalRow, ...]
) -> list[SchemaViolation]:
    """Drop what follows from another one: all else where the body is no object, and what has no premise."""
    roots = [violation for violation in broken if not violation.path and violation.keyword == "type"]
    if roots:
        return roots
    kept = []
    for violation in broken:
        row = next((row for row in rows if _applies(row, violation)), None)
        if row is None or all(name in body for name in row.needs):
            kept.append(violation)
    return kept or broken


def _body_violation(violation: SchemaViolation, body: Json, match: Match) -> Violation:
    refusals = match.operation.row.refusals
    row, path = next((row for row in refusals if _applies(row, violation)), None), violation.path
    if row is None:
        message = _worded(violation, path, match.provider)
        citation = _citation(violation, body, match)
        return Violation(
            "body", pointer.write(path), violation.keyword, message, citation, rank=len(refusals)
        )
    if row.at is not None and row.fields:
        path = (next((name for name in row.fields if name in body), row.fields[0]),)
    return Violation(
        location="body",
        pointer=pointer.write(path),
        keyword=violation.keyword,
        message=match.provider.errors[row.error].message,
        citation=_citation(violation, body, match),
        error=row.error,
        stands_alone=row.stands_alone,
        rank=row.rank,
    )


def _applies(row: RefusalRow, violation: SchemaViolation) -> bool:
    if row.at is not None:
        return violation.schema_pointer == row.at or violation.schema_pointer.startswith(row.at + "/")
    is_field = not row.fields or (bool(violation.path) and violation.path[0] in row.fields)
    return is_field and (not row.keywords or violation.keyword in row.keywords)


def _citation(violation: SchemaViolation, body: Json, match: Match) -> str:
    """Find the document that says a keyword; none where it is the one that describes the operation."""
    for row in match.operation.row.section.keywords:
        is_field = row.field is None or (bool(violation.path) and violation.path[0] == row.field)
        if (
            is_field
            and (not row.keywords or violation.keyword in row.keywords)
            and _was_sent(row, violation, body)
        ):
            return match.provider.citations[row.citation]
    return ""


def _was_sent(row: KeywordRow, violation: SchemaViolation, body: Json) -> bool:
    """Whether what the caller sent at the place of a violation is of the type that a row speaks of."""
    if row.sent is None:
        return True
    try:
        value = pointer.follow(pointer.write(violation.path), body)
    except LookupError:  # nothing was sent
        return False
    return KINDS[type(value)] in ({"number", "integer"} if row.sent == "number" else {row.sent})


def _worded(violation: SchemaViolation, path: tuple[str | int, ...], provider: Provider) -> str:
    """Say it in the provider's tone where its table does, in ours where it does not."""
    for row in provider.wording:
        if _speaks_of(row, violation):
            return substitute(row.message, field=spoken(path))
    return violation.message


def _speaks_of(row: WordingRow, violation: SchemaViolation) -> bool:
    return (
        (row.keyword is None or row.keyword == violation.keyword)
        and (row.field is None or row.field == (violation.path[0] if violation.path else None))
        and (row.pattern is None or row.pattern == violation.pattern)
    )


def _special_error(violations: list[Violation]) -> str | None:
    """Name the catalogue row that the violations share, or that the API names first; None: the usual one."""
    ranked = min(violations, key=lambda violation: violation.rank)
    if ranked.stands_alone and any(violation.error != ranked.error for violation in violations):
        return None
    return ranked.error
