"""The part of OpenAPI and of our tables that the emulator understands, as frozen values.

Nothing here computes: a Provider is what the two files of one folder say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mockserver.jsontext import Json
from mockserver.problems import Location
from mockserver.spec.schema import Schema

Style = Literal["simple", "form", "spaceDelimited", "pipeDelimited", "deepObject"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """An OpenAPI parameter in a path, a query or a header."""

    name: str
    location: Location
    is_required: bool
    style: Style
    is_exploded: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class RequestBody:
    """What an operation takes as its body."""

    is_required: bool
    schemas: Mapping[str, Schema]  # by media type, in lower case
    example: Json = None  # None: the document shows none


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """One documented response of an operation."""

    status: str  # "200", "4XX" or "default"
    schema: Schema | None = None  # None: no JSON is documented
    example: Json = None
    media_type: str | None = None  # None: no body is documented


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """Where a key is sent."""

    name: str
    kind: Literal["apiKey", "bearer", "basic"]
    location: Literal["header", "query", "cookie"]
    field: str  # the header in lower case, the query parameter or the cookie
    shown: str  # what stands before the key, as a caller writes it: "Authorization: Bearer "


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One row of a provider's error catalogue."""

    name: str
    status: int
    code: str | None  # None: the API sends no code with it
    message: str
    cause: str
    provenance: str  # of the status and the code: documented, observed or assumed
    source: str
    wording: str = "assumed"  # the provenance of the message
    headers: Mapping[str, str] = field(default_factory=dict)
    has_details: bool = False


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """How a provider answers one ProblemType."""

    error: ErrorRow
    status: int
    message: str  # a template: $violation, $field


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A broken schema rule that an API has a special error for."""

    error: str
    at: str | None  # JSON Pointer into the body's schema; None: anywhere
    fields: tuple[str, ...]  # empty: any field
    rules: tuple[str, ...]  # empty: any keyword
    needs: tuple[str, ...]  # the rule counts only where these fields are present
    stands_alone: bool
    rank: int


@dataclass(frozen=True, slots=True)
class WordingRow:
    """A sentence in a provider's own tone for a broken schema rule."""

    message: str
    field: str | None
    rule: str | None
    pattern: str | None


@dataclass(frozen=True, slots=True)
class OperationRow:
    """What a behaviour table says of one operation."""

    behaviour: str  # "generate", "pikzels.score"
    title: str
    source: str  # the document's full name
    refusals: tuple[RefusalRow, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    picture_fields: frozenset[str] = frozenset()  # the fields of the body that rules open as pictures
    settings: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)  # empty: the provider's own
    problems: Mapping[str, ProblemRow] = field(default_factory=dict)  # where they differ from the provider's
    price: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, with all that is known of it."""

    id: str
    provider: str
    method: str
    path: str  # the template, e.g. /v2/pikzonality/{id}
    summary: str
    parameters: tuple[Parameter, ...]
    body: RequestBody | None
    responses: Mapping[str, ResponseSpec]
    # Any one of these will do, each asks for all of its schemes; empty: no key is asked for.
    security: tuple[tuple[SecurityScheme, ...], ...]
    row: OperationRow
    name: str  # in full, e.g. pikzels.post_v2_thumbnail_score
    defaults: Mapping[str, Json]  # of the fields of the body
    file: str = ""  # the document it stands in, as complaints show it

    @property
    def schemes(self) -> tuple[SecurityScheme, ...]:
        """The schemes of the first requirement that asks for any: what an example shows."""
        return next(filter(None, self.security), ())

    def response_for(self, status: int) -> ResponseSpec | None:
        """Find the documented response for a status; None where there is none."""
        exact = self.responses.get(str(status)) or self.responses.get(f"{status // 100}XX")
        return exact or self.responses.get("default")


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """One emulated API: one folder of two files. Equal only to itself, so that results may be kept by provider."""

    name: str
    folder: str  # of its two files, as complaints show it
    title: str
    hosts: tuple[str, ...]
    operations: Mapping[str, Operation]  # by operationId
    errors: Mapping[str, ErrorRow]
    problems: Mapping[str, ProblemRow]  # by the value of a ProblemType
    wording: tuple[WordingRow, ...]
    sources: Mapping[str, str]
    keys: Mapping[str, Any]
    answers: Mapping[str, Any]  # the shapes of errors, and the headers on every answer
    sizes: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]
    limits: Mapping[str, Any]  # the bare values
    plans: Mapping[str, Mapping[str, Any]]
    vocabulary: Mapping[str, Any]
    rates: tuple[Mapping[str, Any], ...] = ()
    jobs: Mapping[str, Any] = field(default_factory=dict)
    webhooks: Mapping[str, Any] = field(default_factory=dict)
    shows_credits: bool = False  # True: a header on every answer tells of credits
    key_endings: Mapping[str, str] = field(default_factory=dict)  # "_conflict" → CONFLICT, longest first

    @property
    def sample_key(self) -> str:
        """A key to show in examples: the table's, or one that has the right form."""
        return str(self.keys.get("sample") or f"{self.keys['prefix'] or ''}test")

    @property
    def sample_operation(self) -> Operation:
        """The table's first operation with an example: the one that start-up messages show."""
        with_body = (each for each in self.operations.values() if each.body and each.body.example)
        return next(with_body, next(iter(self.operations.values())))
