"""What Schemathesis asks of each answer besides its own checks; its command loads this file."""

import json

import schemathesis

from mockserver.spec.validator import Validator

# Its body is any JSON; what JSON-RPC forbids of it is refused in JSON-RPC's own words.
UNTYPED = "POST /api/mcp"


@schemathesis.check
def valid_calls_are_refused_by_documented_conditions_alone(_context, response, case):
    """Schemathesis wants 2xx for all that a schema allows; these APIs want readable pictures, too."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if not is_valid or response.status_code not in {400, 413, 422} or case.operation.label == UNTYPED:
        return
    told = json.loads(response.headers.get("mock-violations", ["[]"])[0])
    assert told, "a valid call is refused without a reason"
    assert {each["rule"] for each in told}.isdisjoint(Validator.VALIDATORS), told
