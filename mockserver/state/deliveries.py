"""Webhooks on their way: what is to be sent, when, and how each attempt went.

When the next attempt is due is a time on the world's clock; whoever sends looks what is due.
"""

from mockserver.state.clock import isoformat
from mockserver.state.values import Count, Time, Value, replace

DELIVERED, WAITING, GIVEN_UP, BLOCKED = "delivered", "waiting", "given up", "blocked"


class Attempt(Value, frozen=True, omit_defaults=True):
    """How one attempt went."""

    at: str
    status: int | None = None  # None: no answer came
    error: str | None = None  # None: one came


class Delivery(Value, frozen=True):
    """One webhook: the job it tells of, and all attempts so far."""

    id: str  # the job's
    account: str
    url: str
    secret: str  # the key of the signature
    status: str  # waiting, delivered, given up or blocked
    due_at_s: Time | None  # of the next attempt; None: there is none, or nobody knows yet when
    attempts: tuple[Attempt, ...] = ()
    claim: Count = 0  # the number of the attempt that somebody makes just now; 0: nobody does; in no snapshot

    def attempted(self, result: int | str, status: str, due_at_s: float | None = None) -> "Delivery":
        """Give it with the attempt that was due, its status or why it has none, and when the next one is due.

        >>> job = Delivery("job_1", "a", "http://localhost", "s", WAITING, 0.0)
        >>> job.attempted(200, DELIVERED).attempts
        (Attempt(at='1970-01-01T00:00:00.000Z', status=200, error=None),)
        """
        at = isoformat(self.due_at_s or 0.0)
        attempt = Attempt(at, result) if isinstance(result, int) else Attempt(at, error=result)
        attempts = (*self.attempts, attempt)
        return replace(self, status=status, due_at_s=due_at_s, attempts=attempts, claim=0)
