"""Every world there is, and which of them a request belongs to: today one."""

from collections.abc import Iterator

from mockserver.messages import Request
from mockserver.state.world import World


class Worlds:
    """The worlds of one emulator."""

    def __init__(self, default: World) -> None:
        self.default = default

    def find(self, _request: Request) -> World:
        """Give the world that a request belongs to."""
        return self.default

    def __iter__(self) -> Iterator[World]:
        yield self.default
