"""What the C library does with memory that was freed: it goes back to the machine, where that can be said.

glibc keeps what threads free in arenas of their own, and learns from every large block to keep larger ones: a
server that has drawn a hundred pictures holds twice the memory that it uses. Elsewhere nothing happens.
"""

import ctypes
import functools
from collections.abc import Callable
from typing import Any

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of mallopt(3)
LARGE_BYTES, ARENAS = 64 * 1024, 2


def give_back_large_blocks() -> None:
    """Let each block of more than 64 KiB go back as soon as it is free, for as long as the process lasts."""
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
