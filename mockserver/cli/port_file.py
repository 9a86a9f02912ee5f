"""A file that tells other programs at which port a server listens, for as long as it does."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from mockserver.cli.shared import stop

MOST_BYTES = 6  # of what stands in it: a port and the end of its line
CONTENT = re.compile(rb"([0-9]{1,5})?\s?")  # as `mktemp` leaves it, or a server that was killed


class PortFile:
    """The file of `--port-file`; the process stops, with what can be done, where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._named = path
        self._path = Path(os.path.realpath(path))
        with self._explaining():
            if self._path.exists():
                self._sweep()
            elif not self._path.parent.is_dir():
                stop([f"{path}: there is no folder {self._path.parent}; make it, or name another file"])

    @contextlib.contextmanager
    def telling(self, port: int) -> Iterator[None]:
        """Let the file hold the port, from one moment to the next, until the context ends."""
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        with self._explaining():
            try:
                with fresh.open("xb") as file:
                    file.write(told := b"%d\n" % port)
                fresh.replace(self._path)
            finally:
                fresh.unlink(missing_ok=True)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if self._path.read_bytes() == told:  # no other server's by now
                    self._path.unlink()

    def _sweep(self) -> None:
        """Take away what a killed server has left: nobody shall go where nobody listens."""
        if not self._path.is_file():
            stop([f"{self._named}: is no file; name another"])
        with self._path.open("rb") as file:
            if not CONTENT.fullmatch(file.read(MOST_BYTES + 1)):
                stop([f"{self._named}: holds something else than a port; name another file"])
        self._path.unlink()

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            stop([f"{self._named}: cannot be written: {error.strerror}; name another file"])
