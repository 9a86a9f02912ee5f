"""The values that one step of a request hands to the next; the only place where spec and state meet.

All are frozen: a step that knows more makes a new value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.model import Operation, Provider
from mockserver.state.accounts import Account
from mockserver.state.ids import Chance
from mockserver.state.world import World

Json = Any


@dataclass(frozen=True, slots=True)
class Match:
    """Which operation a request means."""

    provider: Provider
    operation: Operation
    path_values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key came with a request, and the error that the key itself orders."""

    account: Account
    ordered: str | None = None  # a row of the catalogue


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a request says, decoded into the types of its schemas."""

    path: Mapping[str, Json]
    query: Mapping[str, Json]
    header: Mapping[str, Json]
    body: Json  # None: there is no body
    warnings: tuple[Violation, ...] = ()  # what is odd but no reason to refuse


@dataclass(frozen=True, slots=True)
class GivenPicture:
    """A picture that came with a call: sent along, or named by a link."""

    field: str
    label: str  # a short caption
    key: str | None = None  # of a StoredPicture; None: a remote picture, which is never fetched


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is known to be valid, on its way to a behaviour."""

    match: Match
    account: Account
    arguments: Arguments
    world: World
    chance: Chance
    request_id: str
    base_url: str  # this server's address as the caller sees it, without a slash at the end
    preferences: Mapping[str, str] = field(default_factory=dict)  # of the Prefer header
    pictures: Mapping[str, tuple[GivenPicture, ...]] = field(default_factory=dict)  # by role
    has_extra_fields: bool = True  # False: answer with the fields of the ground truth alone

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
        return self.arguments.body if isinstance(self.arguments.body, Mapping) else {}

    def value(self, name: str) -> Json:
        """Give a field of the body, or its documented default."""
        if name in self.body:
            return self.body[name]
        media = self.operation.body
        for schema in media.schemas.values() if media else ():
            if isinstance(schema.document, Mapping):
                return schema.document.get("properties", {}).get(name, {}).get("default")
        return None

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
        violation = Violation(location, pointer, rule or type_.value, message, source or self.operation.row.source)
        return Problem(type_, (violation,), error=error)


@dataclass(frozen=True, slots=True)
class Result:
    """What a behaviour answers with."""

    body: Json | Callable[[], Json]  # a callable draws a picture: it runs outside the event loop
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


Behaviour = Callable[[Call], Result]
Rule = Callable[[Call], Call]
