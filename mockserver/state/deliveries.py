"""Webhooks on their way: what is to be sent, when, and how each attempt went.

When the next attempt is due is a time on the world's clock; whoever sends looks what is due.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockserver.state.clock import isoformat

DELIVERED, WAITING, GIVEN_UP, BLOCKED = "delivered", "waiting", "given up", "blocked"


class Delivery(NamedTuple):
    """One webhook: the job it tells of, and all attempts so far."""

    id: str  # the job's
    account: str
    url: str
    secret: str  # the key of the signature
    status: str  # waiting, delivered, given up or blocked
    due_at_s: float | None  # of the next attempt; None: there is none, or nobody knows yet when
    attempts: list[dict[str, Any]]  # at, status (HTTP) or error

    def attempted(self, result: Mapping[str, Any], status: str, due_at_s: float | None = None) -> "Delivery":
        """Give it with the attempt that was due, how that went, and when the next one is due.

        >>> job = Delivery("job_1", "a", "http://localhost", "s", WAITING, 0.0, [])
        >>> job.attempted({"status": 200}, DELIVERED).attempts
        [{'at': '1970-01-01T00:00:00.000Z', 'status': 200}]
        """
        attempt = {"at": isoformat(self.due_at_s or 0.0), **result}
        return self._replace(status=status, due_at_s=due_at_s, attempts=[*self.attempts, attempt])
