"""`/__admin/requests`: what was sent, asked about in the words of WireMock, exported as HAR and curl."""

from collections.abc import Callable, Mapping

from mockserver.admin.asked import PREFIX, Asked, refusing
from mockserver.call import Exchange
from mockserver.journal.export import curl, har
from mockserver.journal.matching import read_question
from mockserver.journal.records import Record, record
from mockserver.journal.selection import select
from mockserver.jsontext import Json, parse
from mockserver.messages import Response
from mockserver.problems import EmulatorProblem

FORMATS: Mapping[str, Callable[[list[Record]], Json]] = {
    "json": lambda records: {
        "requests": [each.as_json() for each in records],
        "meta": {"total": len(records)},
    },
    "har": har,
}


def show_all(asked: Asked) -> Json:
    """List the calls, newest last; `operation`, `status`, `account`, `limit` filter, `format=har` exports."""
    filters = asked.query()
    journal, account = asked.world.journal, filters.get("account")
    try:
        operation, status = filters.get("operation"), filters.get("status")
        found = select(journal, asked.catalog, operation, status=status, account=account)
    except LookupError as error:
        raise EmulatorProblem(400, "Wrong question", str(error.args[0])) from error
    first = max(0, len(found) - filters["limit"]) if "limit" in filters else 0
    return FORMATS[filters.get("format", "json")](_records(asked, found[first:]))


def show(asked: Asked) -> Json:
    """Show one call, by the `Mock-Request-Id` of its answer."""
    return _one(asked).as_json()


def show_curl(asked: Asked) -> Response:
    """Show one call as a curl command."""
    return Response(200, (("Content-Type", "text/plain; charset=utf-8"),), f"{curl(_one(asked))}\n".encode())


def count(asked: Asked) -> Json:
    """Count the calls that a request pattern in the body matches."""
    return {"count": len(_found(asked))}


def find(asked: Asked) -> Json:
    """List the calls that a request pattern in the body matches."""
    return {"requests": [each.as_json() for each in _records(asked, _found(asked))]}


def remove(asked: Asked) -> Json:
    """Forget the calls that a request pattern in the body matches, and list them."""
    found = _found(asked)
    asked.world.journal.remove({each.request_id for each in found})
    return {"requests": [each.as_json() for each in _records(asked, found)]}


def delete_all(asked: Asked) -> Json:
    """Forget every call; nothing else changes."""
    asked.world.journal.remove({each.request_id for each in asked.world.journal})
    return {"status": "deleted"}


def delete(asked: Asked) -> Json:
    """Forget one call."""
    asked.world.journal.remove({_one(asked).id})
    return {"status": "deleted"}


def _one(asked: Asked) -> Record:
    id_ = asked.values["id"]
    found = [each for each in asked.world.journal if each.request_id == id_]
    if not found:
        detail = f"there is no call {id_}; GET {PREFIX}/requests lists the newest, without those to {PREFIX}"
        raise EmulatorProblem(404, "Unknown request", detail)
    return _records(asked, found)[0]


def _found(asked: Asked) -> list[Exchange]:
    with refusing("Not JSON"):
        value, _ = parse(asked.request.body)
    with refusing("Wrong request pattern"):
        question = read_question(value)
    return [each for each in asked.world.journal if question(each)]


def _records(asked: Asked, exchanges: list[Exchange]) -> list[Record]:
    redaction = asked.redaction
    return [record(each, redaction) for each in exchanges]
