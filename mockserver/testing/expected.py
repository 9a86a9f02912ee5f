"""Refusals that a block of a test declares: `with mock.expect_refusal(…)`."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from mockserver.call import Exchange
from mockserver.journal.records import Record
from mockserver.verdict.refusals import SHOWN, Wanted, came_instead


class Expecting(Protocol):
    """Declares the refusals of a block; where there was none, it says what there was instead."""

    calls: list[Record]  # those that were refused so, once the block has ended

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ExpectedRefusal:
    """Declares the refusals of a block whose calls are answered in this process."""

    def __init__(
        self,
        wanted: Wanted,
        look: Callable[[], Sequence[Exchange]],
        declare: Callable[[Sequence[Exchange]], None],
        show: Callable[[Exchange], Record],
    ) -> None:
        self._wanted, self._look, self._declare, self._show = wanted, look, declare, show
        self._before: Sequence[Exchange] = ()
        self.calls: list[Record] = []  # those that were refused so, once the block has ended

    def __enter__(self) -> Self:
        self._before = self._look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        known = {id(each) for each in self._before}
        made = [each for each in self._look() if id(each) not in known]
        refused = [each for each in made if self._wanted.is_met(each)]
        self._declare(refused)
        self.calls = [self._show(each) for each in refused]
        if not refused and error is None:
            came = came_instead(self._show(each) for each in made[-SHOWN:])
            raise AssertionError(f"expected the refusal {self._wanted}; {came}")
