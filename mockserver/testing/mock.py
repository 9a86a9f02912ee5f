"""One emulator under a test's control: with a socket of its own, or asked in the same process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from mockserver.assembly import create_engine
from mockserver.serving.server import Server
from mockserver.settings import Settings
from mockserver.testing.handles import ProviderHandle, handle_of
from mockserver.testing.time import Sleep, TestClock

PLAIN = Settings(pictures="plain")


class MockServer:
    """A running mock, as a context manager: `with MockServer() as mock:` or `async with`."""

    def __init__(self, settings: Settings = PLAIN, specs: Sequence[Path] = (), *, port: int = 0) -> None:
        self.engine = create_engine(settings, specs)
        self.clock = TestClock(self.engine)
        self.sleep = Sleep(self.clock)
        self._server = Server(self.engine, port=port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def provider(self, name: str) -> ProviderHandle:
        """Give what a client of one provider has to be told. Raises LookupError where there is none."""
        providers = self.engine.catalog.providers
        if name not in providers:
            raise LookupError(f"there is no provider {name!r}; there are {', '.join(providers)}")
        return handle_of(providers[name], self.url)

    def __getattr__(self, name: str) -> ProviderHandle:
        """Give a provider by its name: `mock.pikzels`."""
        if name.startswith("_") or name == "engine":  # not there yet
            raise AttributeError(name)
        try:
            return self.provider(name)
        except LookupError as error:
            raise AttributeError(str(error)) from error

    def reset(self) -> None:
        """Begin anew: no call has been made, and the clock shows real time."""
        self.engine.world.reset()

    def start(self) -> Self:
        """Listen; return once it answers."""
        self._server.__enter__()
        return self

    def stop(self) -> None:
        """End, and free the port."""
        self._server.__exit__()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_error: object) -> None:
        self.stop()
