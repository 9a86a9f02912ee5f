"""What calls are paid with, and what each costs: sections of a behaviour table as frozen values."""

from collections.abc import Mapping
from typing import Annotated, Literal

from mockserver.spec import marks
from mockserver.spec.row import Cited, Row


class CreditHeaders(Row, frozen=True, kw_only=True):
    """The headers on every answer that tell of credits."""

    limit: marks.HeaderName | None = None
    remaining: marks.HeaderName | None = None
    reset: marks.HeaderName | None = None


class Credits(Row, frozen=True, kw_only=True):
    """What calls are paid with."""

    unit: Literal["credits", "USD", "EUR", "GBP"]
    prices_as_of: str | None = None
    monthly: marks.PlanAttribute | None = None
    smart_balance: bool = False
    headers: CreditHeaders = CreditHeaders()
    headers_tell: Literal["calls"] | None = None  # of the first rate's window; None: credits of the month
    headers_unit: marks.Number | None = None  # how many credits they count as one; None: one


class Term(Row, frozen=True, kw_only=True):
    """One part of a price."""

    amount: marks.Number | None = None
    when: marks.BodyField | None = None
    field: marks.BodyField | None = None
    amounts: Annotated[Mapping[str, marks.Number], marks.Mark("choices_of", "field")] = {}


class Price(Cited, frozen=True, kw_only=True):
    """What a successful call costs."""

    terms: tuple[Term, ...]
    times: marks.NumberField | None = None
    free_when: Mapping[marks.AccountFlag, bool] = {}
