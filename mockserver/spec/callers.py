"""The sections of a table that say who calls; as all rows, frozen values."""

from collections.abc import Mapping
from typing import Literal

from mockserver.jsontext import Json
from mockserver.spec import marks
from mockserver.spec.row import Row


class Keys(Row, frozen=True, kw_only=True):
    """How callers show who they are."""

    sample: str | None = None
    prefix: str | None = None
    new_account: Mapping[str, Json] = {}
    come_after_body: bool = False  # a wrong body is refused before a wrong key
    citation: marks.CitationName | None = None


class Attribute(Row, frozen=True, kw_only=True):
    """What an account of this provider can have."""

    type: Literal["boolean", "text", "ids", "states", "pictures", "picture_sets", "resources"]
    description: str
    states: tuple[str, ...] = ()
    citation: marks.CitationName | None = None


class Accounts(Row, frozen=True, kw_only=True):
    """What accounts of this provider can have beyond what every account has."""

    attributes: Mapping[str, Attribute]
