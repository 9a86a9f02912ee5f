"""Ports of their own, which namespaces have where a server listens: who opens them, and whose each one is."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import NamedTuple

from mockserver.problems import EmulatorProblem

MOST_PORTS = 100


class Opened(NamedTuple):
    """A port that one namespace has to itself."""

    port: int
    close: Callable[[], None]


Opener = Callable[[str], Opened]  # opens a port for a namespace; raises OSError where there is none


class Ports:
    """The ports of all namespaces; the server that began last opens them."""

    def __init__(self) -> None:
        self._openers: list[tuple[Opener, int]] = []  # each with the port of all that its server listens at
        self._opened: dict[str, tuple[Opener, Opened]] = {}
        # Whose a port is, or was: a link that holds it is nobody else's when it is closed.
        self._names: dict[int, str] = {}
        self._lock = Lock()

    @property
    def names(self) -> Mapping[int, str]:
        """Whose each port is or was, as it is whenever it is looked at."""
        return self._names

    @property
    def main(self) -> int | None:
        """The port of all; None where nobody listens."""
        return self._openers[-1][1] if self._openers else None

    def of(self, name: str) -> int | None:
        """Give the port of a namespace; None where it has none."""
        found = self._opened.get(name)
        return found and found[1].port

    def begin(self, opener: Opener, port: int) -> None:
        """Let a server that listens at a port of all open others."""
        with self._lock:
            self._openers.append((opener, port))
            self._names.pop(port, None)

    def end(self, opener: Opener) -> None:
        """Close what a server has opened; it opens no more."""
        with self._lock:
            self._openers = [each for each in self._openers if each[0] != opener]
            ended = [name for name, (by, _) in self._opened.items() if by == opener]
        for name in ended:
            self.close(name)

    def open(self, name: str) -> int:
        """Give the port of a namespace, opened where it has none. Raises EmulatorProblem."""
        with self._lock:
            if name in self._opened:
                return self._opened[name][1].port
            if not self._openers:
                why = "nobody listens here who could open one: this emulator is asked without a socket"
                raise EmulatorProblem(409, "No port", why)
            if len(self._opened) >= MOST_PORTS:
                why = f"{MOST_PORTS} namespaces have one of their own; DELETE one of these, or use its path"
                raise EmulatorProblem(409, "No port", why)
            opener, _ = self._openers[-1]
            try:
                opened = opener(name)
            except OSError as error:
                raise EmulatorProblem(503, "No port", f"none can be opened: {error}") from error
            self._opened[name] = (opener, opened)
            self._names[opened.port] = name
            return opened.port

    def close(self, name: str) -> None:
        """Close the port of a namespace, where it has one."""
        with self._lock:
            found = self._opened.pop(name, None)
        if found is not None:
            found[1].close()
