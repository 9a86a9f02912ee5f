"""When a connection is read on: uvicorn's flow control, for a protocol with a pipeline."""

import asyncio
from collections.abc import Callable, Sized

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """uvicorn's, which reads on at each look at a body, whatever waits: 35 MB of requests took 1.8 GB."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized, resumed: Callable[[], None]) -> None:
        super().__init__(transport)
        self._waiting, self._resumed = waiting, resumed

    def resume_reading(self) -> None:
        """Read on, unless more wait than the one that is about to be answered."""
        if self.read_paused and len(self._waiting) <= 1:
            super().resume_reading()
            self._resumed()

    def let_go(self) -> None:
        """Forget whose it is: its connection is over."""
        self._resumed = _nothing


def _nothing() -> None:
    """Note nothing."""
