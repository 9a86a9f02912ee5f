"""Webhooks on their way: what is to be sent, when, and how each attempt went.

When the next attempt is due is a time on the world's clock; whoever sends looks what is due.
"""

from dataclasses import dataclass, field
from typing import Any

DELIVERED, WAITING, GIVEN_UP, BLOCKED = "delivered", "waiting", "given up", "blocked"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: the job it tells of, and all attempts so far."""

    id: str  # the job's
    account: str
    url: str
    secret: str  # the key of the signature
    status: str  # waiting, delivered, given up or blocked
    due_at_s: float | None  # of the next attempt; None: there is none, or nobody knows yet when
    attempts: list[dict[str, Any]] = field(default_factory=list)  # at, status (HTTP) or error
