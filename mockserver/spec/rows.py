"""The sections of a behaviour table as frozen values; specs/behaviour.schema.json says what members mean.

The annotations say what a text names, so that a name that leads nowhere stops the start.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from mockserver.jsontext import Json
from mockserver.spec import marks
from mockserver.spec.callers import Accounts, Keys
from mockserver.spec.jobrows import MANUAL as MANUAL  # noqa: PLC0414 - given away: behaviours know rows alone
from mockserver.spec.jobrows import Jobs as Jobs  # noqa: PLC0414
from mockserver.spec.jobrows import Webhooks
from mockserver.spec.prices import Credits, Price
from mockserver.spec.row import Assumption, Cited, Fact
from mockserver.spec.row import Row as Row  # noqa: PLC0414 - given away: whoever takes rows types their own


class Answers(Row, frozen=True, kw_only=True):
    """The shapes of what a provider says."""

    headers: Mapping[marks.HeaderName, Annotated[str, marks.Mark("template", "request_id")]] = {}
    error: Annotated[Json, marks.Mark("shape", "code", "message", "request_id", "details")] = None
    detail: Annotated[Json, marks.Mark("shape", "field", "message")] = None
    has_retry_after: bool = True
    has_cors: bool = True


class Saying(Row, frozen=True, kw_only=True):
    """How one kind of problem is answered."""

    error: marks.ErrorName
    status: int | None = None
    message: marks.Message | None = None
    wording: marks.Provenance = "assumed"  # of a message of its own
    citation: marks.CitationName | None = None  # None: the row's


class ErrorRow(Cited, frozen=True, kw_only=True):
    """One row of a provider's error catalogue."""

    name: str
    status: int
    code: str | None
    message: marks.Message
    cause: str
    wording: marks.Provenance = "assumed"  # the provenance of the message
    headers: Mapping[marks.HeaderName, str] = {}
    has_details: bool = False
    only: Literal["ordered"] | None = None


class WordingRow(Fact, frozen=True, kw_only=True):
    """A sentence in a provider's own tone for a violated keyword."""

    message: Annotated[str, marks.Mark("template", "field")]
    field: Annotated[str, marks.Mark("name", "fields anywhere")] | None = None
    keyword: Annotated[str, marks.Mark("name", "keywords")] | None = None
    pattern: Annotated[str, marks.Mark("name", "patterns")] | None = None


class Size(Cited, frozen=True, kw_only=True):
    """The size of a picture in pixels."""

    width: int
    height: int


class Outputs(Cited, frozen=True, kw_only=True):
    """Where pictures can be downloaded."""

    origin: str
    path: str
    media_type: str
    lifetime_s: int | None = None
    has_cors: bool = True
    gone_status: int = 404


class Limit(Cited, frozen=True, kw_only=True):
    """A number that requests are held against."""

    value: int


class Rate(Cited, frozen=True, kw_only=True):
    """How many calls an account may make."""

    limit: marks.LimitName | None = None
    plan: marks.PlanAttribute | None = None
    window_s: marks.Number | None = None
    operations: tuple[marks.OperationName, ...] = ()
    times: marks.AnyField | None = None
    ends: Literal["after_first", "call_by_call", "after_last"] = "after_first"


class Refusal(Row, frozen=True, kw_only=True):
    """A violated keyword of the schema that an API has an error of its own for."""

    error: marks.ErrorName
    field: marks.BodyField | None = None
    keywords: tuple[str, ...] = ()
    choice: tuple[marks.BodyField, ...] = ()
    when: Annotated[Mapping[marks.BodyField, tuple[Json, ...]], marks.Mark("body_values")] = {}
    forbids: tuple[marks.BodyField, ...] = ()
    stands_alone: bool = False


class KeywordRow(Fact, frozen=True, kw_only=True):
    """Keywords of a body's schema that another document says than the one that describes the operation."""

    field: marks.BodyField | None = None  # None: any, or one that the schema does not know
    keywords: tuple[str, ...] = ()  # empty: any
    sent: Literal["string", "number", "boolean", "array", "object", "null"] | None = None  # None: any


class Pictures(Row, frozen=True, kw_only=True):
    """Pictures that an operation opens."""

    roles: Mapping[str, tuple[marks.PictureField, ...]]
    limit: marks.LimitName
    citation: marks.CitationName
    too_large: marks.ErrorName | None = None
    only_with: marks.FlagField | None = None
    examples: Mapping[str, str] = {}
    media_types: tuple[str, ...] = ()
    has_true_labels: bool = False
    is_cap_on_text: bool = False
    caps_unused: bool = True  # with `only_with`: whether a picture that is ignored is held to the limit


class Orders(Row, frozen=True, kw_only=True):
    """Texts that order something by a word in brackets; `errors` are rows that nothing else brings about."""

    fields: tuple[marks.TextField, ...]
    citation: marks.CitationName
    errors: tuple[marks.ErrorName, ...] = ()


class Added(Row, frozen=True, kw_only=True):
    """A member that an answer holds beside what its behaviour says."""

    value: Json = None
    field: marks.BodyField | None = None  # whose value it is; left out where that was not sent
    longer_than: int | None = None  # whether the field's text is longer, rather than the text


class OperationSection(Row, frozen=True, kw_only=True):
    """What a table says of one operation."""

    behaviour: str
    title: str | None = None
    citation: marks.CitationName | None = None
    job: Annotated[str, marks.Mark("documented", "kind of resource")] | None = None
    settings: Mapping[str, Json] = {}
    refusals: tuple[Refusal, ...] = ()
    keywords: tuple[KeywordRow, ...] = ()
    rewrites: tuple[Mapping[str, Json], ...] = ()
    checks: tuple[Mapping[str, Json], ...] = ()
    pictures: tuple[Pictures, ...] = ()
    late_checks: tuple[Mapping[str, Json], ...] = ()
    orders: Orders | None = None
    price: Price | None = None
    adds: Mapping[str, Added] = {}
    takes_any_content_type: bool = False
    ignores: tuple[Literal["null", "empty_text"], ...] = ()  # what a field holds that counts as not sent
    forgives: tuple[marks.BodyField, ...] = ()  # fields that count as not sent where the schema refuses them
    is_withdrawn: bool = False  # its path is that of none
    answers: Answers | None = None
    problems: Mapping[Annotated[str, marks.Mark("name", "problems")], Saying] = {}


class Sections(Row, frozen=True, kw_only=True):
    """A whole table."""

    title: str
    hosts: tuple[Annotated[str, marks.Mark("documented", "host")], ...] = ()
    citations: Mapping[str, str] = {}
    keys: Keys = Keys()
    accounts: Accounts = Accounts(attributes={})
    credits: Credits | None = None
    answers: Answers = Answers()
    problems: Mapping[Annotated[str, marks.Mark("name", "problems")], Saying] = {}
    errors: Mapping[str, ErrorRow] = {}
    wording: tuple[WordingRow, ...] = ()
    sizes: Mapping[Annotated[str, marks.Mark("name", "choices")], Size] = {}
    outputs: Outputs | None = None
    limits: Mapping[str, Limit] = {}
    plans: Mapping[str, Mapping[str, Json]] = {}
    rates: tuple[Rate, ...] = ()
    jobs: Jobs | None = None
    webhooks: Webhooks | None = None
    words: Mapping[str, Json] = {}
    known: Mapping[marks.Place, Fact] = {}
    assumptions: Mapping[str, Assumption] = {}
    operations: Mapping[str, OperationSection]
