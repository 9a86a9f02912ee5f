"""What every row of a table is; and the rows of `assumptions`, which can change all others."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct

from mockserver.jsontext import Json
from mockserver.spec import marks


class Row(Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """What can be read from a mapping of a table. Equal only to itself, so that results may be kept by it."""


class Fact(Row, frozen=True, kw_only=True):
    """How well something is known, and where it stands."""

    provenance: marks.Provenance
    citation: marks.CitationName
    quote: str | None = None  # a few words of the document; None: none is kept


class Cited(Fact, frozen=True, kw_only=True):
    """A row of facts, with how well they are known."""

    ours: tuple[marks.Member, ...] = ()  # the members of which that is not true: they are our choice


class Reading(Row, frozen=True, kw_only=True):
    """One answer to what the documents leave open; what it changes are merge patches: see `overlay`."""

    does: str
    table: Mapping[str, Json] = {}
    body: Mapping[str, Json] = {}
    answer: Mapping[str, Json] = {}
    errors: Mapping[str, Json] = {}
    parameters: Mapping[str, Json] = {}
    status: int | None = None


class Assumption(Cited, frozen=True, kw_only=True):
    """A question that the documents leave open, and the readings between which a caller can choose."""

    question: str
    readings: Mapping[str, Reading]
    default: Annotated[str, marks.Mark("key_of", "readings")]
    why: str
    strictest: Annotated[str, marks.Mark("key_of", "readings")] | None = None  # None: the default
    most_lenient: Annotated[str, marks.Mark("key_of", "readings")] | None = None  # None: the default
    operations: tuple[marks.OperationName, ...] = ()  # empty: all
    about: marks.CitationName | None = None  # the document that leaves it open
