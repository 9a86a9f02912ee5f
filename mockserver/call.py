"""The values that one step of a request hands to the next; the only place where spec and state meet.

All are frozen: a step that knows more makes a new value. They are named tuples and not dataclasses because
each call makes ten of them, and a frozen dataclass takes three times as long to make.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from mockserver import pointer
from mockserver.jsontext import Json
from mockserver.messages import Request, Response
from mockserver.problems import Location, Problem, ProblemType, Violation
from mockserver.seeded import Random
from mockserver.settings import Settings
from mockserver.spec.model import MarkedWord, Operation, Provider
from mockserver.state.accounts import Account
from mockserver.state.plans import Stub
from mockserver.state.world import World

EMPTY_BODY = object()  # a result's body where there is none, not even null
EMPTY: Mapping[str, Any] = MappingProxyType({})
# Bytes of an exchange without its texts, by and large; of a violation; of each header where there are many.
AS_VALUES = 24  # times the bytes of a body: what it takes when it has been read
OWN_WEIGHT, VIOLATION_WEIGHT, HEADER_WEIGHT, USUAL_HEADERS = 4_000, 300, 250, 12


class Match(NamedTuple):
    """Which operation a request means."""

    provider: Provider
    operation: Operation
    path_values: Mapping[str, str]

    def citation(self, type_: ProblemType) -> str:
        """Give the document that says how a problem is answered; for a broken schema, the operation's."""
        row = self.operation.row
        saying = row.problems.get(type_.value) or self.provider.problems.get(type_.value)
        return row.citation if saying is None or type_ is ProblemType.INVALID_REQUEST else saying.citation


class Door(NamedTuple):
    """A match that leads past the operations: a picture behind a link, or a page of /__admin."""

    name: str  # "download" or "admin"
    answer: Callable[[Request, World], Response]  # raises EmulatorProblem; may take long
    subject: str | None = None  # what a plan of faults names it by; None: it is out of their reach
    # Whether pages of any origin may read what it answers in a world; None: they may in all.
    has_cors: Callable[[World], bool] | None = None


class Override(NamedTuple):
    """What was ordered for one call, beyond what the call itself brings about."""

    error: str | None = None  # a row of the catalogue; None: whatever the operation does
    delay_ms: int = 0  # to wait before the answer
    job: str | None = None  # how the call's job ends, or MANUAL; None: well
    origin: Literal["word", "header", "key", "plan"] | None = None  # who ordered error, fault or stub
    word: MarkedWord | None = None  # that ordered the error; None: another origin did
    applied: tuple[str, ...] = ()  # the preferences (RFC 7240) that are honoured, as they were written
    fault: str | None = None  # what goes wrong on the way back
    stub: Stub | None = None  # the answer in full
    download: str | None = None  # what the downloads of its pictures are answered with; None: the pictures


class Caller(NamedTuple):
    """Whose key came with a request, and what the key itself orders."""

    account: Account
    ordered: str | None = None  # a word: a row of the catalogue, `delay_800`, `job_failed`
    warnings: tuple[Violation, ...] = ()  # of what the key is near to and does not order


class Arguments(NamedTuple):
    """What a request says, decoded into the types of its schemas."""

    path: Mapping[str, Json]
    query: Mapping[str, Json]
    header: Mapping[str, Json]
    body: Json  # None: there is no body
    warnings: tuple[Violation, ...] = ()  # what is odd but no reason to refuse
    media_type: str | None = None  # of the body; None: there is no body


class GivenPicture(NamedTuple):
    """A picture that came with a call: sent along, or named by a link."""

    place: str  # the field, or `image_urls/1` for one of several
    label: str  # a short caption
    key: str | None = None  # of a StoredPicture; None: a remote picture, which is never fetched


class Call(NamedTuple):
    """A request that is known to be valid, on its way to a behaviour."""

    match: Match
    account: Account
    arguments: Arguments
    world: World
    random: Random
    request_id: str
    base_url: str  # this server's address as the caller sees it, without a slash at the end
    settings: Settings = Settings()
    override: Override = Override()
    pictures: Mapping[str, Sequence[GivenPicture]] = EMPTY  # by role

    @property
    def provider(self) -> Provider:
        """Whose API is called."""
        return self.match.provider

    @property
    def operation(self) -> Operation:
        """What is called."""
        return self.match.operation

    @property
    def body(self) -> Mapping[str, Json]:
        """The body, for operations that take an object."""
        return self.arguments.body if isinstance(self.arguments.body, dict) else {}

    def value(self, name: str) -> Json:
        """Give a field of the body, or its documented default."""
        body = self.body
        return body[name] if name in body else self.match.operation.defaults.get(name)

    def plan(self, attribute: str) -> Json:
        """Give what the account's plan says under a name; None where it says nothing."""
        return self.provider.plans.get(self.account.plan or "", {}).get(attribute)

    def problem(
        self,
        type_: ProblemType,
        message: str,
        *,
        name: str = "",
        keyword: str | None = None,
        citation: str | None = None,
        error: str | None = None,
        location: Location = "body",
        kind: str | None = None,
    ) -> Problem:
        """Make the problem that the call does not fulfil one condition, at the field `name`."""
        place, citation = pointer.write((name,)) if name else "", citation or self.match.citation(type_)
        violation = Violation(location, place, keyword or type_.value, message, citation)
        return Problem(type_, (violation,), error=error, kind=kind)


class Result(NamedTuple):
    """What a behaviour answers with."""

    body: Json | Callable[[], Json]  # a callable draws a picture: it runs outside the event loop
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"  # of any other kind than JSON the body is bytes, sent as they are
    job: str | None = None  # the id of the job that the call has begun; None: it has begun none
    has_links: bool = False  # whether pictures of this call are, or will be, handed out by links


class Referral(NamedTuple):
    """What a behaviour gives that makes its answer of another operation's, of the same provider."""

    operation: str  # by operationId
    body: Json
    conclude: Callable[[Response], Result]
    result: Result | None = None  # what a caller gets whose key is good there, without a call; None: a call


class Exchange(NamedTuple):
    """One request and what became of it: what logs, journals and verdicts read.

    >>> from mockserver import create_engine
    >>> engine, heard = create_engine(), []
    >>> engine.listeners.append(heard.append)
    >>> _ = engine.handle(Request("GET", "/nowhere", {}))
    >>> heard[0].operation, heard[0].response.status
    (None, 404)
    """

    request: Request
    match: Match | Door | None  # None: nothing has this path and method
    account: Account | None  # None: nobody's, or refused before that was known
    override: Override
    violations: tuple[Violation, ...]  # why it was refused, and what was odd about it
    response: Response | None  # as it was sent; None: a bug was raised, or the caller had gone before
    is_sent: bool  # False: the caller went away before the answer
    at_s: float  # when it came, by the world's clock
    duration_s: float  # by a real clock
    world: World
    request_id: str  # which the answer carries as Mock-Request-Id
    charge: float = 0  # what was paid for it, in the provider's unit
    # What it says, which obeys the schemas. None: it does not, or was refused before; or the journal cut it.
    arguments: Arguments | None = None
    # Of both bodies in bytes, where the journal cut one; None: both are whole.
    sizes: tuple[int, int] | None = None
    # What other operations were asked for it, of which nobody else is told.
    parts: tuple["Exchange", ...] = ()

    @property
    def weight(self) -> int:
        """About how many bytes it takes to keep it."""
        request, response = self.request, self.response
        headers, size = request.headers, len(request.body)
        own = OWN_WEIGHT + size + len(request.path) + len(request.query) + sum(map(len, headers.values()))
        if self.arguments is not None:
            own += AS_VALUES * size
        if len(headers) > USUAL_HEADERS:
            own += sum(map(len, headers)) + HEADER_WEIGHT * len(headers)
        if response is not None:
            body = response.body
            own += len(body) if type(body) is bytes else 0
        if self.violations:
            own += sum(VIOLATION_WEIGHT + len(each.message) + len(each.pointer) for each in self.violations)
        return own + sum(each.weight for each in self.parts) if self.parts else own

    @property
    def operation(self) -> str | None:
        """The operation in full, or the door's name; None where the request led nowhere."""
        if isinstance(self.match, Match):
            return self.match.operation.name
        return self.match.name if self.match else None


Behaviour = Callable[[Call], Result | Referral]
Rewrite = Callable[[Call], Call]
Listener = Callable[[Exchange], None]
