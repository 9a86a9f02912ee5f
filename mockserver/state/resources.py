"""What stays once it was created, and the jobs it takes to get there.

A job's status is computed from the clock when it is read, never stored by a timer.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Resource:
    """Something a caller created and can read back."""

    id: str
    kind: str  # persona, style, generation …
    account: str  # Account.id: nobody else sees it
    created_at_s: float
    duration_s: float | None  # how long its job takes; None: until somebody says so
    outcome: str  # how the job ends: completed, succeeded, failed, partial
    fields: dict[str, Any]  # what the API shows of it

    def share_done(self, now_s: float) -> float:
        """Say how far its job is, from 0 to 1."""
        if self.duration_s is None:
            return 0.0
        if self.duration_s <= 0:
            return 1.0
        return min(1.0, max(0.0, (now_s - self.created_at_s) / self.duration_s))
