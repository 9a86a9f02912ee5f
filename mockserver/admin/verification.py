"""`/__admin/requests/verify`: whether the calls were those that a test expects, and how they were not."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from mockserver.admin.asked import Asked, refusing
from mockserver.journal.records import Record, record
from mockserver.jsontext import Json
from mockserver.problems import EmulatorProblem
from mockserver.verdict.refusals import SHOWN, Options, Wanted, came_instead
from mockserver.verdict.verification import Expected, Verification

Said = Mapping[str, Any]


def verify(asked: Asked) -> Json:
    """Say whether the calls were those that the body expects, and how the nearest differs."""
    said = asked.body()
    ask = KINDS[said["assert"]]
    try:
        calls, message = ask(asked, said), None
    except AssertionError as error:
        calls, message = [], str(error)
    except LookupError as error:
        raise EmulatorProblem(400, "Unknown operation", str(error.args[0])) from error
    return {"met": message is None, "message": message, "requests": [each.as_json() for each in calls]}


def _of(asked: Asked) -> Verification:
    return Verification(asked.catalog, asked.world.journal)


def _called(asked: Asked, said: Said) -> list[Record]:
    return _of(asked).assert_called(_operation(said), said.get("times"), _expected(said))


def _called_once_with(asked: Asked, said: Said) -> list[Record]:
    return [_of(asked).assert_called_once_with(_operation(said), _expected(said))]


def _not_called(asked: Asked, said: Said) -> list[Record]:
    _of(asked).assert_not_called(said.get("operation"))
    return []


def _sequence(asked: Asked, said: Said) -> list[Record]:
    steps = [each if isinstance(each, str) else (each[0], each[1]) for each in said.get("steps", ())]
    return _of(asked).assert_sequence(steps)


def _arrived(asked: Asked, said: Said) -> list[Record]:
    operation, n, verification = _operation(said), said.get("times") or 1, _of(asked)
    if verification.count(operation) < n:
        raise AssertionError(verification.late(operation, n, said.get("within", 0)))
    return verification.calls(operation)


def _refused(asked: Asked, said: Said) -> list[Record]:
    """Give the calls behind the one `after` that were refused as expected."""
    options = dict(said.get("refusal", {}))
    error = options.pop("error", None)
    with refusing("Unknown refusal"):
        wanted = Wanted(asked.catalog, error, cast("Options", options))
    redaction, made = asked.redaction, list(asked.world.journal)
    last = next((at for at, each in enumerate(made) if each.request_id == said.get("after")), -1)
    made = made[last + 1 :]
    if refused := [each for each in made if wanted.is_met(each)]:
        return [record(each, redaction) for each in refused]
    came = came_instead(record(each, redaction) for each in made[-SHOWN:])
    raise AssertionError(f"expected the refusal {wanted}; {came}")


def _operation(said: Said) -> str:
    operation: str | None = said.get("operation")
    if operation is None:
        raise EmulatorProblem(400, "Wrong body", f"{said['assert']} is asked of an operation; name one")
    return operation


def _expected(said: Said) -> Expected:
    expected: Expected = said.get("expected", {})
    return expected


KINDS: Mapping[str, Callable[[Asked, Said], list[Record]]] = {
    "called": _called,
    "called_once_with": _called_once_with,
    "not_called": _not_called,
    "sequence": _sequence,
    "arrived": _arrived,
    "refused": _refused,
}
