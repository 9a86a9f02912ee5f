"""Answers held against the specification: what `--self-check` and our own tests switch on."""

from mockserver.call import Match
from mockserver.jsontext import Json, parse
from mockserver.messages import PROBLEM_TYPE, Response


def conform(match: Match, response: Response) -> None:
    """Return where an answer in the provider's voice obeys. Raises AssertionError where it does not."""
    if PROBLEM_TYPE in response.headers:
        return
    operation, status = match.operation, response.status
    documented = operation.response_for(status)
    assert documented is not None, f"{operation.name} documents no status {status}"
    if documented.schema is not None:
        value: Json = parse(response.read())[0]
        violations = [violation.message for violation in documented.schema.violations(value)]
        assert not violations, f"{operation.name} answered {status} against its specification: {violations}"
