"""The command of a run as a process: as if the shell had started it, with its terminal and its signals.

It has a process group of its own, which holds the terminal as long as it runs, so that Ctrl-C and Ctrl-Z
reach it once; what somebody sends to us alone is handed on to all of it.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType

NOT_FOUND, NOT_EXECUTABLE, BY_SIGNAL = 127, 126, 128  # what shells end with
HANDED_ON = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if (number := getattr(signal, name, None)) is not None
]


class StartError(Exception):
    """Raised where a command cannot be started; `status` is what shells end with then."""

    def __init__(self, command: str, status: int, reason: str) -> None:
        super().__init__(f"{command}: {reason}")
        self.status = status


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; give its exit status, 128 and more for a signal. Raises StartError."""
    if sys.platform == "win32":
        return _started(command, environment).wait()
    terminal = Terminal()
    with _signals_handed_on() as begin:
        process = _started(command, environment, process_group=0)
        begin(process.pid)
        terminal.lend(process.pid)
        try:
            process.returncode = _waited(process.pid, terminal)
        finally:
            terminal.take_back()
    return process.returncode


def _started(
    command: Sequence[str], environment: Mapping[str, str], process_group: int | None = None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, env=environment, process_group=process_group)  # noqa: S603 - what was asked for
    except FileNotFoundError as error:
        raise StartError(command[0], NOT_FOUND, "command not found") from error
    except OSError as error:
        raise StartError(command[0], NOT_EXECUTABLE, error.strerror or str(error)) from error


class Terminal:
    """The terminal, where we were in its foreground at the start."""

    def __init__(self) -> None:
        self._own = os.getpgrp()
        self._borrower: int | None = None  # None: nobody has it from us
        self._is_there = self._holder() == self._own

    def lend(self, group: int) -> None:
        """Let a process group read from it and hear its keys."""
        self._borrower = group
        if self._is_there:
            self._give(group)

    def take_back(self) -> None:
        """Have it again."""
        if self._is_there and self._holder() == self._borrower:
            self._give(self._own)

    def lend_again(self) -> None:
        """Lend it once more, unless our user goes on in the background."""
        if self._is_there and self._borrower is not None and self._holder() == self._own:
            self._give(self._borrower)

    def is_lent(self) -> bool:
        """Whether the other group has it now."""
        return self._is_there and self._holder() == self._borrower

    @staticmethod
    def _holder() -> int | None:
        try:
            return os.tcgetpgrp(0)
        except OSError:
            return None

    @staticmethod
    def _give(group: int) -> None:
        # Who is in the background may not do this, unless it ignores the signal that would stop it.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.tcsetpgrp(0, group)
        signal.signal(signal.SIGTTOU, before)


def _waited(pid: int, terminal: Terminal) -> int:
    """Wait for the end of a process; stop with it, and go on with it, as the terminal's user wants."""
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if os.WIFSIGNALED(status):
            return BY_SIGNAL + os.WTERMSIG(status)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status)
        # It may have asked for the terminal a moment before it got it.
        if os.WSTOPSIG(status) not in {signal.SIGTTIN, signal.SIGTTOU} or not terminal.is_lent():
            terminal.take_back()
            os.kill(os.getpid(), signal.SIGSTOP)
            terminal.lend_again()
        os.killpg(pid, signal.SIGCONT)


@contextlib.contextmanager
def _signals_handed_on() -> Iterator[Callable[[int], None]]:
    """Hand signals on to the group that is named in the block, also those that come before it is."""
    group, early = list[int](), list[int]()

    def hand_on(number: int, _frame: FrameType | None) -> None:
        if not group:
            early.append(number)
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group[0], number)

    def begin(named: int) -> None:
        group.append(named)
        for number in early:
            hand_on(number, None)

    before = {number: signal.signal(number, hand_on) for number in HANDED_ON}
    try:
        yield begin
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
