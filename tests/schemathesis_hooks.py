"""What Schemathesis asks of each answer besides its own checks; its command loads this file."""

import json

import schemathesis

from mockserver.spec.validator import Validator

# Its body is any JSON; what JSON-RPC forbids of it is refused in JSON-RPC's own words.
UNTYPED = "POST /api/mcp"
ADMIN, ID = "/__admin", "operationId"
# Its document says what accounts of any API can be; which of that is wrong depends on the path.
BY_PATH = "accounts.change"


@schemathesis.check
def valid_calls_are_refused_by_documented_conditions_alone(_context, response, case):
    """Schemathesis wants 2xx for all that a schema allows; these APIs want readable pictures, too."""
    is_api = not case.operation.path.startswith(ADMIN)
    is_valid = is_api and case.meta is not None and case.meta.generation.mode.is_positive
    if not is_valid or response.status_code not in {400, 413, 422} or case.operation.label == UNTYPED:
        return
    told = json.loads(response.headers.get("mock-violations", ["[]"])[0])
    assert told, "a valid call is refused without a reason"
    assert {each["rule"] for each in told}.isdisjoint(Validator.VALIDATORS), told


@schemathesis.check
def valid_admin_calls_break_no_schema(_context, response, case):
    """What the document of /__admin allows is refused by what no schema says: a time, a name, a condition."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    is_admin = case.operation.path.startswith(ADMIN)
    if is_admin and is_valid and response.status_code == 400 and case.operation.definition.raw[ID] != BY_PATH:
        assert "violations" not in response.json(), response.text
