"""The world in a file: loaded when a server starts, saved while it runs and when it ends.

A save writes a new file beside the old one and puts it in its place, so there is never half a file.
"""

import logging
import os
import threading
import time
from pathlib import Path
from typing import Self

from mockserver.jsontext import MOST_OF_A_WORLD, MalformedJsonError, dump, parse
from mockserver.spec.files import SpecificationError
from mockserver.state.worlds import Worlds

SAVES_EVERY_S = 1.0
PAUSES_PER_SAVE = 10  # how many times as long as a save the pause after it is
log = logging.getLogger("mockserver")


class StateFile:
    """Keeps the default world in a file for as long as the context lasts."""

    def __init__(self, worlds: Worlds, file: Path) -> None:
        self._world = worlds.default
        self._file = file
        self._saved_version = -1
        self._is_failing = False  # whether the last save failed, which was logged then
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mockserver-state", daemon=True)

    def loaded(self) -> Self:
        """Restore the world from the file, if there is one. Raises SpecificationError where that fails."""
        allow = "allow it, or name another file"
        try:
            self._try_writing(allow)
            if not self._file.exists():
                return self
            value, _ = parse(self._file.read_bytes(), MOST_OF_A_WORLD)
            self._world.restore(value if isinstance(value, dict) else {})
        except OSError as error:
            why = f"cannot be read or written: {error.strerror}; {allow}"
            raise SpecificationError([f"{self._file}: {why}"]) from error
        except (MalformedJsonError, ValueError) as error:
            raise SpecificationError([f"{self._file}: {error}; move it away to begin anew"]) from error
        return self

    def _try_writing(self, allow: str) -> None:
        """Write beside the file, as a save does. Raises SpecificationError, or OSError, where that fails."""
        folder = self._file.parent
        if not folder.is_dir():
            raise SpecificationError(
                [f"{self._file}: there is no folder {folder}; make it, or name another file"]
            )
        if self._file.exists() and not (self._file.is_file() and os.access(self._file, os.W_OK)):
            raise SpecificationError([f"{self._file}: is nothing that can be written; {allow}"])
        try:
            self._fresh.touch()
            self._fresh.unlink()
        except OSError as error:
            what = f"nothing can be written into {folder}: {error.strerror}; {allow}"
            raise SpecificationError([f"{self._file}: {what}"]) from error

    @property
    def _fresh(self) -> Path:
        """The file that is written beside the old one."""
        return self._file.with_name(f"{self._file.name}.{os.getpid()}.part")

    def save(self) -> None:
        """Write the world, if it has changed since the last time. Raises OSError."""
        version = self._world.version
        if version == self._saved_version:
            return
        fresh = self._fresh
        with fresh.open("wb") as file:
            file.write(dump(self._world.snapshot()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)
        self._saved_version = version

    def try_to_save(self) -> float:
        """Save, or log why that is not possible, once; give how long it took in seconds."""
        started = time.perf_counter()
        try:
            self.save()
        except OSError as error:
            if not self._is_failing:
                why = error.strerror or error  # no bug of ours: nobody needs the traceback
                log.error("%s: cannot be written: %s; it is tried again", self._file, why)  # noqa: TRY400
            self._is_failing = True
        else:
            self._is_failing = False
        return time.perf_counter() - started

    def __enter__(self) -> Self:
        self.try_to_save()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._saved_version = -1  # a running clock has moved on, even if nothing else has
        self._is_failing = False  # the last chance: what fails now is lost, and said so
        self.try_to_save()

    def _run(self) -> None:
        took_s = 0.0
        while not self._is_over.wait(pause_after(took_s)):
            took_s = self.try_to_save()


def pause_after(took_s: float) -> float:
    """Say how long to wait after a save that took so long: most of the time belongs to the calls.

    >>> pause_after(0.02), pause_after(3.0)
    (1.0, 30.0)
    """
    return max(SAVES_EVERY_S, PAUSES_PER_SAVE * took_s)
