"""How a server keeps house: what its collector looks at, and what the C library does with freed memory.

glibc keeps what threads free in arenas of their own, and learns from every large block to keep larger ones: a
server that has drawn a hundred pictures holds twice the memory that it uses. Elsewhere nothing happens.
"""

import ctypes
import functools
import gc
from collections.abc import Callable
from typing import Any

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of mallopt(3)
LARGE_BYTES, ARENAS = 64 * 1024, 2  # larger blocks go back as soon as they are free
COLLECTING = (20_000, 20, 50)  # the collector's thresholds: a call leaves little behind


def settle() -> None:
    """Make this process a server: what was loaded stays, and what calls leave behind goes back soon."""
    gc.collect()
    gc.freeze()  # so that the collector need not look at it again
    gc.set_threshold(*COLLECTING)
    if set_option := _function("mallopt"):
        set_option(M_MMAP_THRESHOLD, LARGE_BYTES)
        set_option(M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give back what is free now; takes some milliseconds."""
    if give_back := _function("malloc_trim"):
        give_back(0)


@functools.cache
def _function(name: str) -> Callable[..., Any] | None:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):  # Windows has no library of no name
        return None
