"""As many connections as the process may have open: who is silent for longest makes room for who comes.

A system that has no descriptor left takes no more connections, whoever knocks; so there is always one left.
"""

import asyncio
import contextlib
import sys
from collections.abc import Collection
from typing import Protocol

if sys.platform != "win32":
    import resource

MOST, FEWEST = 10_000, 16
SHARE = 8  # of all that there may be, one in so many goes at once: looking through them costs time
Standing = tuple[bool, float]  # whether a caller was ever served, and since when nothing comes from it


class Caller(Protocol):
    """A connection."""

    transport: asyncio.Transport

    def standing(self) -> Standing | None:
        """Say what is owed to a caller; None: an answer."""


def most_connections() -> int:
    """Give how many connections fit: half of what may be open, so that a rush leaves some of the rest."""
    if sys.platform != "win32":  # where nothing but memory bounds them
        allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return MOST if allowed == resource.RLIM_INFINITY else max(FEWEST, min(MOST, allowed // 2))
    return MOST


def raise_limit() -> None:
    """Let this process have as many files open as its user may let it, but no more than are of use."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * MOST if hard == resource.RLIM_INFINITY else min(hard, 2 * MOST)
        for each in (wanted, MOST):  # macOS says that there is no limit, and refuses what is above its own
            if soft != resource.RLIM_INFINITY and soft < each:
                with contextlib.suppress(ValueError, OSError):
                    resource.setrlimit(resource.RLIMIT_NOFILE, (each, hard))
                    return


def make_room(callers: Collection[Caller], newest: Caller, most: int) -> None:
    """Turn away who is owed least, where there are too many; the newest, where all are owed an answer."""
    if len(callers) <= most:
        return
    silent = [(standing, each) for each in callers if (standing := each.standing()) and each is not newest]
    silent.sort(key=lambda item: item[0])
    for _, each in silent[: max(1, most // SHARE)]:
        each.transport.abort()
    if not silent:
        newest.transport.abort()
