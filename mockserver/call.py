"""The values that one step of a request hands to the next; the only place where spec and state meet.

All are frozen: a step that knows more makes a new value. They are named tuples and not dataclasses because
each call makes ten of them, and a frozen dataclass takes three times as long to make.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from mockserver.messages import Request, Response
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.model import Operation, Provider
from mockserver.state.accounts import Account
from mockserver.state.ids import Chance
from mockserver.state.world import World

Json = Any
EMPTY_BODY = object()  # a result's body where there is none, not even null
EMPTY: Mapping[str, Any] = MappingProxyType({})


class Match(NamedTuple):
    """Which operation a request means."""

    provider: Provider
    operation: Operation
    path_values: Mapping[str, str]


class Caller(NamedTuple):
    """Whose key came with a request, and the error that the key itself orders."""

    account: Account
    ordered: str | None = None  # a row of the catalogue


class Arguments(NamedTuple):
    """What a request says, decoded into the types of its schemas."""

    path: Mapping[str, Json]
    query: Mapping[str, Json]
    header: Mapping[str, Json]
    body: Json  # None: there is no body
    warnings: tuple[Violation, ...] = ()  # what is odd but no reason to refuse


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
    chance: Chance
    request_id: str
    base_url: str  # this server's address as the caller sees it, without a slash at the end
    preferences: Mapping[str, str] = EMPTY  # of the Prefer header
    pictures: Mapping[str, Sequence[GivenPicture]] = EMPTY  # by role
    has_extra_fields: bool = True  # False: answer with the fields of the ground truth alone
    is_realistic: bool = False  # True: jobs take as long as documented
    request: Request | None = None  # as it came; None: in a test of a behaviour
    ask: Callable[[Request], Response] | None = (
        None  # asks the emulator again, for an operation that is a door to others
    )

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
        rule: str | None = None,
        source: str | None = None,
        error: str | None = None,
        location: str = "body",
    ) -> Problem:
        """Make the problem that one rule is broken, at the field `name`."""
        pointer = "/" + name.replace("~", "~0").replace("/", "~1") if name else ""
        violation = Violation(
            location, pointer, rule or type_.value, message, source or self.operation.row.source
        )
        return Problem(type_, (violation,), error=error)


class Result(NamedTuple):
    """What a behaviour answers with."""

    body: Json | Callable[[], Json]  # a callable draws a picture: it runs outside the event loop
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


Behaviour = Callable[[Call], Result]
Rule = Callable[[Call], Call]
