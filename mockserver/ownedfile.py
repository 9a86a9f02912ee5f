"""A file with one owner at a time: locked while it is kept, replaced as a whole or written on, never half.

It is for its user alone (mode 0600). The lock stands beside it, for the file itself is replaced by others.
"""

import atexit
import contextlib
import functools
import operator
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

# How what is there already is opened, as far as the system knows it: a pipe must not hold anybody up.
WAYS = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
OLD = functools.reduce(operator.or_, (getattr(os, name, 0) for name in WAYS))
OWNERS = stat.S_IRUSR | stat.S_IWUSR
MOST_TRIES = 100
BEHIND_ALL = 1 << 20  # bytes: where nothing of a lock's file stands


class HeldError(Exception):
    """Raised where somebody else keeps the file; says who."""


class OwnedFile:
    """A file, found through any symbolic link, of which `claim` makes this process the owner."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self._lock_path = self.path.with_name(f"{self.path.name}.lock")
        self._lock: int | None = None  # None: it is not claimed
        self._size = 0  # in bytes, up to the end of what was written whole

    def claim(self) -> None:
        """Lock the file, and sweep away what killed owners have left. Raises HeldError, or OSError."""
        for _ in range(MOST_TRIES):
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | OLD, OWNERS)
            try:
                _check_regular(lock)
                _lock(lock)
            except BlockingIOError as error:
                who = os.read(lock, 200).decode("utf-8", "replace").strip()
                os.close(lock)
                raise HeldError(who or "another process") from error
            except OSError:
                os.close(lock)
                raise
            if sys.platform == "win32" or _is_at(self._lock_path, lock):
                break
            os.close(lock)  # its owner has just removed it
        else:
            raise HeldError("others, one after the other")
        self._lock = lock
        atexit.register(self.release)  # a start that fails leaves nothing
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()}\n".encode())
        left = re.compile(re.escape(self.path.name) + r"\.[0-9a-z_]+\.part")
        for each in self.path.parent.iterdir():
            if left.fullmatch(each.name):
                each.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the file to whoever wants it next."""
        if self._lock is not None:
            if sys.platform != "win32":
                self._lock_path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None
            if sys.platform == "win32":
                with contextlib.suppress(OSError):  # what is open stays there: another may have it by now
                    self._lock_path.unlink()

    def read(self) -> bytes | None:
        """Give what stands in the file, which is its user's alone from now on; None: there is none."""
        try:
            opened = os.open(self.path, os.O_RDONLY | OLD)
        except FileNotFoundError:
            return None
        with os.fdopen(opened, "rb") as file:
            _check_regular(opened)
            if sys.platform != "win32":  # where folders say who may read
                os.fchmod(opened, OWNERS)
            content = file.read()
        self._size = len(content)
        return content

    def cut(self, size: int) -> None:
        """Take what stands behind so many bytes for not written: the next that is appended goes there."""
        self._size = size

    def replace(self, chunks: Iterable[bytes]) -> None:
        """Write a new file and put it in the place of the old one. Raises OSError; then the old one stays."""
        # Made anew under a name that nobody knows beforehand, for its user alone.
        opened, name = tempfile.mkstemp(".part", f"{self.path.name}.", self.path.parent)
        fresh = Path(name)
        try:
            with os.fdopen(opened, "wb") as file:
                file.writelines(chunks)
                size = file.tell()
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        self._size = size

    def append(self, content: bytes) -> None:
        """Write on where the file ends. Raises OSError; then the next attempt begins at the same place."""
        opened = os.open(self.path, os.O_WRONLY | OLD)
        with os.fdopen(opened, "wb") as file:
            _check_regular(opened)
            os.ftruncate(opened, self._size)
            os.lseek(opened, self._size, os.SEEK_SET)
            file.write(content)
            file.flush()
            os.fsync(opened)
        self._size += len(content)


def _lock(opened: int) -> None:
    """Lock a file for as long as it is open. Raises BlockingIOError where another process has."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - it is there alone

        os.lseek(opened, BEHIND_ALL, os.SEEK_SET)  # what is locked there cannot even be read
        try:
            msvcrt.locking(opened, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from error
        finally:
            os.lseek(opened, 0, os.SEEK_SET)
    else:
        import fcntl  # noqa: PLC0415 - Windows has none

        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _check_regular(opened: int) -> None:
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        raise OSError(0, "it is no regular file")


def _is_at(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(os.fstat(opened), path.lstat())
    except FileNotFoundError:
        return False
