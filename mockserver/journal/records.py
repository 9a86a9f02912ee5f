"""An exchange as it may be shown, secrets shortened; all that shows of the journal is made from these."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from mockserver.call import Exchange, Match
from mockserver.journal.redaction import Redaction
from mockserver.jsontext import Json, parse
from mockserver.links import origin_of
from mockserver.messages import Request, Response
from mockserver.problems import Violation
from mockserver.state.clock import isoformat

VIOLATION = ("location", "pointer", "keyword", "message", "citation")
PATH_SAFE = "/:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Message:
    """What was sent in one direction."""

    headers: Mapping[str, str]  # names in lower case
    body: bytes
    size: int  # of the whole body in bytes: `body` is shorter where the journal has cut it

    @property
    def is_cut(self) -> bool:
        """Whether the body was too long to be kept: long texts in it lost their middle, or it its end."""
        return len(self.body) != self.size

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Json:
        """The body as JSON. Raises ValueError where it is none, or was cut too short to be read."""
        try:
            return parse(self.body)[0]
        except ValueError as error:
            why = f"of its {self.size} bytes {len(self.body)} were kept" if self.is_cut else str(error)
            raise ValueError(f"the body cannot be read as JSON: {why}") from error

    def as_json(self) -> dict[str, Json]:
        """Write it as the journal's pages show it; bytes that are no text in base64."""
        shown: dict[str, Json] = {"headers": dict(self.headers), "bodySize": self.size}
        try:
            shown["body"] = self.body.decode()
        except UnicodeDecodeError:
            shown["bodyAsBase64"] = base64.b64encode(self.body).decode()
        return {**shown, "isBodyCut": True} if self.is_cut else shown


@dataclass(frozen=True, slots=True)
class SentRequest(Message):
    """What a client sent."""

    method: str
    url: str  # as the client called it
    path: str  # as its namespace sees it
    query: str  # still encoded


@dataclass(frozen=True, slots=True)
class SentResponse(Message):
    """What it was answered with."""

    status: int


@dataclass(frozen=True, slots=True)
class Record:
    """One call: what was sent, what came back, and why."""

    id: str  # which the answer carries as Mock-Request-Id
    at: datetime  # when it came, by the world's clock
    operation: str | None  # in full, or `download`; None: nothing has this path and method
    account: str | None  # its provider and its key; None: nobody's, or refused before that was known
    request: SentRequest
    response: SentResponse | None  # None: there was none
    violations: tuple[Violation, ...]  # why it was refused, and what was odd about it
    charge: float  # what was paid, in the provider's unit
    error: str | None  # the row of the catalogue that it was answered with; None: success
    ordered: str | None  # the error that was ordered for it, whether or not it came to that
    duration_s: float  # by a real clock

    @property
    def status(self) -> int | None:
        """The status of the answer; None where there was none."""
        return self.response.status if self.response else None

    def __str__(self) -> str:
        """Tell of it in a line."""
        answer = " ".join(filter(None, [str(self.status or "no answer"), self.error]))
        called = f"{self.request.method} {self.request.path} → {answer}"
        return f"{self.id} {called} ({self.operation or 'nothing has this path and method'})"

    def as_json(self) -> dict[str, Json]:
        """Write it as the journal's pages show it; nothing in it depends on how fast the machine is."""
        sent = {"method": self.request.method, "url": self.request.url, **self.request.as_json()}
        answer = self.response and {"status": self.response.status, **self.response.as_json()}
        return {
            "id": self.id,
            "at": isoformat(self.at.timestamp()),
            "operation": self.operation,
            "wasMatched": self.operation is not None,
            "account": self.account,
            "request": sent,
            "response": answer,
            "error": self.error,
            "ordered": self.ordered,
            "violations": list(map(violation_as_json, self.violations)),
            "charge": self.charge,
        }


def violation_as_json(violation: Violation) -> dict[str, Json]:
    """Write a violation as the journal's pages show it."""
    return {name: getattr(violation, name) for name in VIOLATION}


def record(exchange: Exchange, redaction: Redaction) -> Record:
    """Make the record of an exchange."""
    account, response = exchange.account, exchange.response
    sizes = exchange.sizes or (exchange.request.whole_size, None)
    return Record(
        id=exchange.request_id,
        at=datetime.fromtimestamp(exchange.at_s, UTC),
        operation=exchange.operation,
        account=redaction.account(account.id) if account else None,
        request=_sent(exchange.request, sizes[0], redaction),
        response=response and _answered(response, sizes[1], redaction),
        violations=tuple(_told(cited(each, exchange), redaction) for each in exchange.violations),
        charge=exchange.charge,
        error=response.error if response else None,
        ordered=exchange.override.error,
        duration_s=exchange.duration_s,
    )


def cited(violation: Violation, exchange: Exchange) -> Violation:
    """Give a violation with the document that says so: where it names none, the operation's."""
    match = exchange.match
    return (
        violation
        if violation.citation or not isinstance(match, Match)
        else replace(violation, citation=match.operation.row.citation)
    )


def _told(violation: Violation, redaction: Redaction) -> Violation:
    """Give a violation without a key that a caller has put where none belongs."""
    place, message = redaction.anywhere(violation.pointer), redaction.anywhere(violation.message)
    is_same = (place, message) == (violation.pointer, violation.message)
    return violation if is_same else replace(violation, pointer=place, message=message)


def _sent(request: Request, size: int | None, redaction: Redaction) -> SentRequest:
    query = redaction.query_string(request.query)
    shown = redaction.anywhere(request.path)
    path = redaction.anywhere(request.prefix) + quote(shown, safe=PATH_SAFE, errors="surrogatepass")
    return SentRequest(
        headers={name: redaction.header(name, value) for name, value in request.headers.items()},
        body=(body := _shown(request.body, redaction)),
        size=_size(size, request.body, body),
        method=request.method,
        url=f"{origin_of(request, None)}{path}{'?' if query else ''}{query}",
        path=shown,
        query=query,
    )


def _answered(response: Response, size: int | None, redaction: Redaction) -> SentResponse:
    kept = response.body if isinstance(response.body, bytes) else b""
    return SentResponse(
        headers={name.lower(): redaction.header(name.lower(), value) for name, value in response.headers},
        body=(body := _shown(kept, redaction)),
        size=_size(size, kept, body),
        status=response.status,
    )


def _size(whole: int | None, kept: bytes, shown: bytes) -> int:
    """Give the size of the body as it was sent; one in which a secret was shortened is whole all the same."""
    return len(shown) if whole is None or whole == len(kept) else whole


def _shown(body: bytes, redaction: Redaction) -> bytes:
    try:
        return redaction.text(body.decode()).encode()
    except UnicodeDecodeError:
        return body
