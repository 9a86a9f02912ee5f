"""What stays once it was created, and the jobs it takes to get there.

A job's status is computed from the clock when it is read, never stored by a timer.
"""

from collections.abc import Mapping
from sys import getsizeof
from typing import Any

from mockserver.bounded import weigh
from mockserver.state.values import Number, Time, Value, replace

DONE = 1.0
RESOURCE_BYTES = 400  # of one, without whose it is and what is shown of it


class Resource(Value, frozen=True):
    """Something a caller created and can read back."""

    id: str
    kind: str  # persona, style, generation …
    account: str  # Account.id: nobody else sees it
    created_at_s: Time
    duration_s: Number | None  # how long its job takes; None: until somebody says that it has ended
    outcome: str  # how the job ends: completed, succeeded, failed, partial
    running: str  # what the API calls it until then
    fields: Mapping[str, Any]  # what the API shows of it

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes."""
        return RESOURCE_BYTES + getsizeof(self.account) + weigh(self.fields)

    @property
    def ends_at_s(self) -> float | None:
        """When its job ends; None: when somebody says so."""
        return None if self.duration_s is None else self.created_at_s + self.duration_s

    def share_done(self, now_s: float) -> float:
        """Say how far its job is, from 0 to 1."""
        if self.duration_s is None:
            return 0.0
        if self.duration_s <= 0:
            return DONE
        return min(DONE, max(0.0, (now_s - self.created_at_s) / self.duration_s))

    def status(self, now_s: float) -> str:
        """Say what the API calls its state."""
        return self.outcome if self.share_done(now_s) >= DONE else self.running

    def ended(self, outcome: str, now_s: float) -> "Resource":
        """Give it with its job ended now, in this way."""
        return replace(self, outcome=outcome, duration_s=max(0.0, now_s - self.created_at_s))

    def running_on(self) -> "Resource":
        """Give it with its job running until somebody says that it has ended."""
        return replace(self, duration_s=None)
