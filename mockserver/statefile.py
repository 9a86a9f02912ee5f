"""The world in a file: loaded when a server starts, saved while it runs and when it ends.

A save writes a new file beside the old one and puts it in its place, so there is never half a file.
"""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from mockserver.jsontext import MalformedJsonError, dump, parse
from mockserver.spec.catalog import SpecificationError
from mockserver.state.world import World

SAVES_EVERY_S = 1.0


class StateFile:
    """Keeps a world in a file for as long as the context lasts."""

    def __init__(self, world: World, file: Path) -> None:
        self._world = world
        self._file = file
        self._saved_version = -1
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mockserver-state", daemon=True)

    def loaded(self) -> Self:
        """Restore the world from the file, if there is one. Raises SpecificationError where it is no snapshot."""
        if not self._file.exists():
            return self
        try:
            value, _ = parse(self._file.read_bytes())
            self._world.restore(value if isinstance(value, dict) else {})
        except (OSError, MalformedJsonError, ValueError) as error:
            raise SpecificationError([f"{self._file}: {error}; move it away to begin anew"]) from error
        return self

    def save(self) -> None:
        """Write the world, if it has changed since the last time."""
        version = self._world.version
        if version == self._saved_version:
            return
        fresh = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
        with fresh.open("wb") as file:
            file.write(dump(self._world.snapshot()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)
        self._saved_version = version

    def __enter__(self) -> Self:
        self.save()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()
        self._saved_version = -1  # the clock may have moved on, even if nothing else has
        self.save()

    def _run(self) -> None:
        while not self._is_over.wait(SAVES_EVERY_S):
            self.save()
