"""Answers held against the specification: what `--self-check` and our own tests switch on."""

from mockserver import pointer
from mockserver.call import Match
from mockserver.jsontext import Json, parse
from mockserver.messages import PROBLEM_TYPE, Response
from mockserver.problems import EmulatorProblem, Violation


def conform(match: Match, response: Response) -> None:
    """Return where an answer in the provider's voice obeys. Raises EmulatorProblem where it does not."""
    if PROBLEM_TYPE in response.headers:
        return
    operation, status = match.operation, response.status
    documented = operation.response_for(status)
    if documented is None:
        raise _broken(f"{operation.name} documents no status {status}")
    if documented.schema is None:
        return
    value: Json = parse(response.read())[0]
    violations = tuple(
        Violation("body", pointer.write(each.path), each.keyword, each.message)
        for each in documented.schema.violations(value)
    )
    if violations:
        what = "; ".join(each.message for each in violations)
        raise _broken(f"{operation.name} answered {status} against its specification: {what}", violations)


def _broken(detail: str, violations: tuple[Violation, ...] = ()) -> EmulatorProblem:
    return EmulatorProblem(500, "Answer against the specification", detail, violations=violations)
