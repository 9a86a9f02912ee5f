"""The part of OpenAPI that the emulator understands, as frozen values; a Provider joins it with its table.

Nothing here computes: a Provider is what the two files of one folder say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from mockserver.jsontext import Json
from mockserver.problems import Location
from mockserver.spec import callers, jobrows, prices, rows
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
    is_deprecated: bool = False


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


class ProblemRow(NamedTuple):
    """How a provider answers one ProblemType."""

    error: rows.ErrorRow
    status: int
    message: str  # a template: $violation, $field, $kind
    citation: str  # the document's full name


class RefusalRow(NamedTuple):
    """A violated keyword of the schema that an API has an error of its own for, found in the schema."""

    error: str
    at: str | None = None  # JSON Pointer into the body's schema; None: anywhere
    fields: tuple[str, ...] = ()  # empty: any field
    keywords: tuple[str, ...] = ()  # empty: any keyword
    needs: tuple[str, ...] = ()  # it counts only where these fields are present
    stands_alone: bool = False
    rank: int = 0


class MarkedWord(NamedTuple):
    """A field whose text ordered an error by holding its name in brackets."""

    field: str
    error: str
    citation: str


class OperationRow(NamedTuple):
    """What a behaviour table says of one operation, ready for use."""

    behaviour: str  # "generate", "pikzels.score"
    title: str
    citation: str  # the document's full name
    section: rows.OperationSection = rows.OperationSection(behaviour="generate")  # as the table says it
    refusals: tuple[RefusalRow, ...] = ()
    order_fields: tuple[str, ...] = ()  # whose texts order something by a word in brackets
    order_citation: str = ""
    pictures: tuple[rows.Pictures, ...] = ()  # with the full names of documents
    picture_fields: frozenset[str] = frozenset()
    price: prices.Price | None = None
    answers: rows.Answers | None = None  # None: the provider's own
    problems: Mapping[str, ProblemRow] = {}  # where they differ from the provider's

    @property
    def job(self) -> str | None:
        """The kind of resource that its job makes; None where it starts none."""
        return self.section.job


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
    is_deprecated: bool = False

    @property
    def schemes(self) -> tuple[SecurityScheme, ...]:
        """The schemes of the first requirement that asks for any: what an example shows."""
        return next(filter(None, self.security), ())

    def response_for(self, status: int) -> ResponseSpec | None:
        """Find the documented response for a status; None where there is none."""
        exact = self.responses.get(str(status)) or self.responses.get(f"{status // 100}XX")
        return exact or self.responses.get("default")


class Source(NamedTuple):
    """What a provider was read from, before any reading was chosen."""

    name: str
    folder: Path
    file: Path  # of the OpenAPI document
    document: Json
    table: Json


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """One emulated API: one folder of two files. Equal only to itself: results may be kept by it."""

    name: str
    folder: str  # of its two files, as complaints show it
    title: str
    hosts: tuple[str, ...]
    base_paths: tuple[str, ...]  # that may stand before every path: those of the document's servers
    operations: Mapping[str, Operation]  # by operationId
    errors: Mapping[str, rows.ErrorRow]
    problems: Mapping[str, ProblemRow]  # by the value of a ProblemType
    wording: tuple[rows.WordingRow, ...]
    citations: Mapping[str, str]  # the full names of documents
    keys: callers.Keys
    answers: rows.Answers
    headers: Mapping[str, str]  # on every answer; `$name` stands for a value
    sizes: Mapping[str, rows.Size]
    outputs: rows.Outputs | None
    limits: Mapping[str, int]  # the bare values
    plans: Mapping[str, Mapping[str, Json]]
    words: Mapping[str, Json]  # as the table says them; behaviours get them typed
    rates: tuple[rows.Rate, ...]
    jobs: jobrows.Jobs | None
    webhooks: jobrows.Webhooks | None
    credits: prices.Credits | None
    shows_credits: bool  # True: a header on every answer tells of credits
    key_endings: Mapping[str, str]  # "_conflict" → CONFLICT, "_job_failed" → job_failed; longest first
    callbacks: tuple[Schema, ...]  # what the API sends to its callers, as documented
    table: rows.Sections  # as it was written, for whoever holds it against the documents
    text: str  # of the OpenAPI document
    readings: Mapping[str, str]  # of every assumption, the one that holds here
    chosen: tuple[tuple[str, str], ...] = ()  # those of them that are not the default
    source: Source | None = None  # None: it was put together by hand

    @property
    def sample_key(self) -> str:
        """A key to show in examples: the table's, or one that has the right form."""
        return self.keys.sample or f"{self.keys.prefix or ''}test"

    @property
    def sample_operation(self) -> Operation:
        """The table's first operation with an example: the one that start-up messages show."""
        with_body = (each for each in self.operations.values() if each.body and each.body.example)
        return next(with_body, next(iter(self.operations.values())))

    def find_error(self, name: str) -> rows.ErrorRow | None:
        """Find a row by its name in any case, or by the problem that it is the answer to: `rate_limited`."""
        named = (row for row in self.errors.values() if row.name.lower() == name.lower())
        problem = self.problems.get(name)
        return next(named, None) or (problem.error if problem else None)
