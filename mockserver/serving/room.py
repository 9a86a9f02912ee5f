"""The memory that bodies under way may take together; who finds it full waits, and is refused in the end.

The oldest of them is never held up, so that one after the other comes to its end.
"""

import asyncio
from typing import Self

LARGEST_TOTAL = 64 * 1024 * 1024  # bytes over all connections, beside those of the oldest body
PATIENCE_S = 10  # how long a body waits without getting a byte further


class NoRoomError(Exception):
    """Others leave no room."""


class Room:
    """What is left of the memory for bodies."""

    def __init__(self, size: int = LARGEST_TOTAL) -> None:
        self.left = size  # below zero where the oldest takes more
        self._places: dict[Place, None] = {}  # the oldest first
        self._waiting: list[asyncio.Future[None]] = []

    def place(self) -> "Place":
        """Make a place for one more body."""
        return Place(self)

    async def take(self, place: "Place", size: int) -> None:
        """Take so many bytes more. Raises NoRoomError."""
        self._places.setdefault(place)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while size > self.left and next(iter(self._places)) is not place:
                    change = asyncio.get_running_loop().create_future()
                    self._waiting.append(change)
                    await change
        except TimeoutError as error:
            raise NoRoomError from error
        self.left -= size
        place.size += size

    def give_back(self, place: "Place") -> None:
        """Forget a body; let the others look again."""
        if place in self._places:
            del self._places[place]
            self.left += place.size
            waiting, self._waiting = self._waiting, []
            for change in waiting:
                if not change.done():
                    change.set_result(None)


class Place:
    """What one body takes, from its first large piece to the end of its answer."""

    def __init__(self, room: Room) -> None:
        self.size = 0
        self.is_waiting = False  # True: the caller is kept from sending, not slow
        self._room = room

    async def take(self, size: int) -> None:
        """Take so many bytes more. Raises NoRoomError."""
        self.is_waiting = True
        try:
            await self._room.take(self, size)
        finally:
            self.is_waiting = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._room.give_back(self)
