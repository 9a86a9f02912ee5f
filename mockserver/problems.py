"""Every way in which a request can be wrong, in our own words.

A step raises a Problem and knows nothing of any provider; the provider's table says what its API calls it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from mockserver import pointer

Location = Literal["path", "query", "header", "body"]


class ProblemType(Enum):
    """The names which a behaviour table's `problems` section gives an answer to."""

    UNKNOWN_PATH = "unknown_path"
    UNKNOWN_METHOD = "unknown_method"
    KEY_MISSING = "key_missing"
    KEY_MALFORMED = "key_malformed"
    KEY_UNKNOWN = "key_unknown"
    KEY_INACTIVE = "key_inactive"
    KEY_DELETED = "key_deleted"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCESS_DISABLED = "access_disabled"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    MALFORMED_BODY = "malformed_body"
    INVALID_REQUEST = "invalid_request"
    PICTURE_UNREADABLE = "picture_unreadable"
    PICTURE_UNREACHABLE = "picture_unreachable"
    PICTURE_TOO_LARGE = "picture_too_large"
    RESOURCE_UNKNOWN = "resource_unknown"
    RESOURCE_NOT_READY = "resource_not_ready"
    RESOURCE_BUSY = "resource_busy"
    NAME_TAKEN = "name_taken"
    NAME_RESERVED = "name_reserved"
    CREDITS_EXHAUSTED = "credits_exhausted"
    PAYMENT_FAILED = "payment_failed"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a request is wrong."""

    location: Location
    pointer: str  # JSON Pointer (RFC 6901) into that location; "" is the whole of it
    keyword: str  # of JSON Schema, or the name of a check
    message: str  # a sentence that a person can act on
    citation: str = ""  # the document that says so
    error: str | None = None  # the catalogue row for this very violation; None: the general one
    stands_alone: bool = False  # True: `error` is the answer only when nothing else is wrong
    rank: int = 1_000_000  # which of several is named first, where an API names only one

    @property
    def field(self) -> str | None:
        """The top-level name that is wrong; None where the whole value is."""
        path = pointer.read(self.pointer)
        return path[0] if path else None


NO_VIOLATIONS: tuple[Violation, ...] = ()


@dataclass(slots=True)
class Problem(Exception):  # noqa: N818 - it is RFC 9457's word for the thing
    """Raised by a step to end a request; `type` or `error` says how it is answered."""

    type: ProblemType = ProblemType.INTERNAL
    violations: tuple[Violation, ...] = ()
    error: str | None = None  # a row of the catalogue by name; it wins over `type`
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None  # of the resource that it is about; None: about none, or any

    def __str__(self) -> str:
        """Say what is wrong in one line, for logs and tracebacks."""
        reasons = "; ".join(violation.message for violation in self.violations)
        return f"{self.error or self.type.value}: {reasons}"


@dataclass(slots=True)
class EmulatorProblem(Exception):  # noqa: N818 - it is RFC 9457's word for the thing
    """Raised where the emulator speaks for itself, not for an API: answered as RFC 9457 problem details."""

    status: int
    title: str
    detail: str
    members: Mapping[str, object] = field(default_factory=dict)  # further members of the answer
    violations: tuple[Violation, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def told_of_bug(error: Exception) -> EmulatorProblem:
    """Say in our own voice that we have failed."""
    detail = f"{type(error).__name__}: {error}; the log has the traceback"
    return EmulatorProblem(500, "A bug of mockserver", detail)
