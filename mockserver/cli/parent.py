"""Ends a server with the process that started it, also where that is killed and can tell nobody.

Asked is who the parent is, a few times a second, for that holds on every system: Linux' own signal
(PR_SET_PDEATHSIG) is sent when the *thread* ends that started us, and an end of standard input tells nothing
where that is a terminal or /dev/null.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator

LOOKS_EVERY_S = 0.25
STARTED_BY = os.getppid()  # read as early as can be: who dies before that is not missed


@contextlib.contextmanager
def ending_with_parent(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` once, as soon as the process that started this one is gone; not after the context."""
    is_gone, is_over = _look_for_parent(), threading.Event()

    def watch() -> None:
        while not is_over.wait(LOOKS_EVERY_S):
            if is_gone():
                end()
                return

    thread = threading.Thread(target=watch, name="mockserver-parent", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _look_for_parent() -> Callable[[], bool]:
    """Give what says whether the parent is gone."""
    if sys.platform == "win32":  # where nobody adopts an orphan, and numbers of processes come again
        import _winapi  # noqa: PLC0415 - it is there alone

        try:
            parent = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, STARTED_BY)
        except OSError:
            return lambda: True
        return lambda: _winapi.WaitForSingleObject(parent, 0) == _winapi.WAIT_OBJECT_0
    return lambda: os.getppid() != STARTED_BY
