"""The sections of a behaviour table that speak of work that takes a while, and of who is told of its end."""

from collections.abc import Mapping
from typing import Annotated

from mockserver.jsontext import Json
from mockserver.spec import marks
from mockserver.spec.row import Cited, Row

MANUAL = "manual"  # the end of a job that runs until somebody says that it has ended


class Jobs(Cited, frozen=True, kw_only=True):
    """What becomes of work that takes a while."""

    running: marks.State
    success: marks.State
    failure: marks.State
    partial: marks.State | None = None
    parts: marks.AnyField | None = None
    quick_s: marks.Number
    realistic_s: marks.Number
    failed_progress: marks.Number = 0
    refunds_failure: bool = False
    refunds_partial: bool = False
    listed: marks.AccountResources | None = None
    full_progress: marks.Number | None = None  # None: 100

    @property
    def gives_back(self) -> bool:
        """Whether any end of a job gives back something of what its call has paid."""
        return self.refunds_failure or self.refunds_partial

    @property
    def refunds(self) -> tuple[str, ...]:
        """Every end of a job that gives back something of what its call has paid."""
        given = {self.failure: self.refunds_failure, self.partial: self.refunds_partial}
        return tuple(end for end, is_given in given.items() if end and is_given)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Every way in which a job can end."""
        return tuple(filter(None, (self.success, self.failure, self.partial)))

    def can_end(self, outcome: str, asked: Mapping[str, Json]) -> bool:
        """Whether a job can end so of which this was asked: one that is whole does not succeed in part."""
        parts = asked.get(self.parts) if self.parts else None
        return outcome != self.partial or not isinstance(parts, int | float) or parts > 1


Payload = Annotated[Json, marks.Mark("shape", "job_id", "image", "format", "dimensions", "timestamp")]


class Payloads(Row, frozen=True, kw_only=True):
    """What a webhook says, by how its job ended."""

    success: Payload
    failure: Payload
    partial: Payload | None = None

    def of(self, outcome: str, jobs: Jobs) -> Json:
        """Give what is said of a job that ended so. Raises KeyError for an end that is none."""
        return {jobs.success: self.success, jobs.failure: self.failure, jobs.partial: self.partial}[outcome]


class Webhooks(Cited, frozen=True, kw_only=True):
    """How callers are told that a job has ended."""

    signature_header: marks.HeaderName
    signature: Annotated[str, marks.Mark("template", "hex", "upper_hex", "base64")] = "$hex"
    patience_s: marks.Number
    retries: int
    first_pause_s: marks.Number
    factor: marks.Number
    payloads: Payloads
