"""The world in a file: loaded when a server starts, saved while it runs and when it ends.

A small world is written anew with each save. Of a large one what has changed is written behind it, a line for
each save, so that a save takes as long as the changes are; a file of more changes than world is written anew
in pieces, while saves go on.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from mockserver.jsontext import MOST_OF_A_WORLD, MalformedJsonError, dump, parse
from mockserver.ownedfile import HeldError, OwnedFile
from mockserver.spec.files import SpecificationError
from mockserver.state.changes import Look, apply_changes, find_changes, pieces
from mockserver.state.worlds import Worlds

SAVES_EVERY_S = 0.5  # and a save besides: what is older than a second is in the file
LATE_S = 1.0
SMALL = 1_000_000  # bytes of a world that is written anew each time
BEGINS_CHANGES = b'\n{"head":'
LEAST_CHANGES = 4_000_000  # bytes of changes behind a world, before it is written anew
ALLOW = "allow it, or name another file"
log = logging.getLogger("mockserver")


class OverError(Exception):
    """Raised where a large world need not be written anew any more."""


class StateFile:
    """Keeps the default world in a file for as long as the context lasts."""

    def __init__(self, worlds: Worlds, file: Path) -> None:
        self._world = worlds.default
        self._file, self._owned = file, OwnedFile(file)
        self._saved: Look | None = None  # the world as the file has it; None: it has none
        self._saved_version = -1
        self._whole_size = self._changes_size = 0  # bytes in the file
        self._is_failing = False  # whether the last save failed, which was logged then
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mockserver-state", daemon=True)

    def loaded(self) -> Self:
        """Restore the world from the file, if there is one. Raises SpecificationError where that fails."""
        self._claim()
        try:
            content = self._owned.read()
            if content is not None:
                self._restore(content)
        except OSError as error:
            self._owned.release()
            why = f"cannot be read or written: {error.strerror}; {ALLOW}"
            raise SpecificationError([f"{self._file}: {why}"]) from error
        except (MalformedJsonError, ValueError) as error:
            self._owned.release()
            raise SpecificationError([f"{self._file}: {error}; move it away to begin anew"]) from error
        return self

    def _claim(self) -> None:
        """Make sure that the file can be written, by us alone. Raises SpecificationError where it cannot."""
        path, folder = self._owned.path, self._owned.path.parent
        if not folder.is_dir():
            what = f"there is no folder {folder}; make it, or name another file"
            raise SpecificationError([f"{self._file}: {what}"])
        if os.path.lexists(path) and not (path.is_file() and os.access(path, os.W_OK)):
            raise SpecificationError([f"{self._file}: is nothing that can be written; {ALLOW}"])
        try:
            self._owned.claim()
        except HeldError as error:
            what = f"{error} keeps its world in it; stop that, or name another file"
            raise SpecificationError([f"{self._file}: {what}"]) from error
        except OSError as error:
            what = f"nothing can be written into {folder}: {error.strerror}; {ALLOW}"
            raise SpecificationError([f"{self._file}: {what}"]) from error

    def _restore(self, content: bytes) -> None:
        """Read a world and the changes behind it, but for a last one of which only half is there."""
        at = content.find(BEGINS_CHANGES)
        first, lines = (content, []) if at < 0 else (content[:at], content[at + 1 :].split(b"\n")[:-1])
        try:
            value, _ = parse(first, MOST_OF_A_WORLD)
        except MalformedJsonError:
            first = content[: max(0, content.rfind(b"\n"))]  # behind which a few bytes of a change may stand
            value, _ = parse(first, MOST_OF_A_WORLD)
        snapshot: dict[str, Any] = value if isinstance(value, dict) else {}
        for line in lines:
            try:
                apply_changes(snapshot, parse(line, MOST_OF_A_WORLD)[0])
            except (MalformedJsonError, KeyError, TypeError, AttributeError) as error:
                raise ValueError("what stands behind the world is no change of it") from error
        self._world.restore(snapshot)
        self._whole_size, self._changes_size = len(first), sum(len(line) + 1 for line in lines)
        self._owned.cut(len(first) + self._changes_size + bool(lines))
        self._saved = self._world.look()

    def save(self) -> None:
        """Write the world, if it has changed since the last time. Raises OSError."""
        version = self._world.version
        if version == self._saved_version:
            return
        try:
            if self._saved is not None and self._whole_size > SMALL:
                self._append()
            if self._whole_size <= SMALL or self._changes_size > max(LEAST_CHANGES, self._whole_size):
                self._write_anew()
        except OverError:
            self._append()
        except FileNotFoundError:  # somebody has moved it away
            self._saved = None
            self._write_anew()
        self._saved_version = version

    def _append(self) -> None:
        """Write behind the world what has changed."""
        assert self._saved is not None
        now = self._world.look(self._saved)
        line = (b"" if self._changes_size else b"\n") + dump(find_changes(self._saved, now)) + b"\n"
        self._owned.append(line)
        self._saved = now
        self._changes_size += len(line)

    def _write_anew(self) -> None:
        """Write the whole world; what changes meanwhile goes behind the old one, and then behind the new."""
        told, behind, size = self._world.look(), list[bytes](), 0

        def chunks() -> Iterator[bytes]:
            nonlocal told, size
            saved_s = time.perf_counter()
            for chunk in _written(told):
                yield chunk
                size += len(chunk)
                if self._saved is not None and time.perf_counter() - saved_s > SAVES_EVERY_S:
                    if self._is_over.is_set():
                        raise OverError
                    self._append()
                    behind.append(dump(find_changes(told, self._saved)) + b"\n")
                    told, saved_s = self._saved, time.perf_counter()
            yield from (b"\n" if behind else b"", *behind)

        self._owned.replace(chunks())
        self._saved = told
        self._whole_size, self._changes_size = size, sum(map(len, behind)) + bool(behind)

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
        self._owned.release()

    def _run(self) -> None:
        is_told = False
        while not self._is_over.wait(SAVES_EVERY_S):
            took_s = self.try_to_save()
            if took_s > LATE_S and not is_told:
                is_told = True
                log.warning("%s: a save took %.1f s; a kill may lose what is as old", self._file, took_s)


def _written(look: Look) -> Iterator[bytes]:
    """Write a world as one JSON object, some at a time."""
    yield dump(look.head)[:-1]
    for name, values in look.values.items():
        yield b"," + dump(name) + b":{"
        for index, piece in enumerate(pieces(values)):
            yield (b"," if index else b"") + dump(piece)[1:-1]
        yield b"}"
    yield b"}"
