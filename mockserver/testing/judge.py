"""Judges the calls of a test in this process: what the journal has kept is read when the test is over."""

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from mockserver.call import Exchange
from mockserver.engine import Engine
from mockserver.journal.records import Record, record
from mockserver.journal.redaction import redaction_of
from mockserver.state.journal import Era
from mockserver.testing.callers import Callers
from mockserver.testing.expected import ExpectedRefusal
from mockserver.verdict.findings import Verdict
from mockserver.verdict.judging import Expect, Instruction, judge
from mockserver.verdict.refusals import Options, Wanted, read_wanted
from mockserver.verdict.strictness import STRICT, Strictness, read_strictness


class Judge:
    """Judges what one engine was asked since its world began, or, while a test runs, since that did."""

    def __init__(self, engine: Engine, settle: Callable[[], None]) -> None:
        self._engine, self._settle = engine, settle
        self._redaction = redaction_of(engine.catalog.providers.values())
        self._strictness: Strictness = STRICT
        self._expected: list[Wanted] = []
        self._declared: list[Exchange] = []
        self._callers: Callers | None = None
        self._file = ""
        self._sits = False

    def instruct(self, strict: str, expect: Expect) -> None:
        """Say how strict to be, and what is declared, unless a test runs. Raises ValueError."""
        if not self._sits:
            wanted = [read_wanted(self._engine.catalog, each) for each in expect]
            self._strictness, self._expected, self._declared = read_strictness(strict), wanted, []

    @contextmanager
    def sitting(self, file: str, names: Collection[str]) -> Iterator[None]:
        """Let nothing be forgotten while a test runs, and note its lines; `names`: of its file, in code."""
        self._callers, self._file = Callers(names), file
        with self._engine.world.journal.held(self._callers):
            self._sits = True
            try:
                yield
            finally:
                self._sits, self._declared, self._callers = False, [], None

    def expect(self, error: str | None, options: Options) -> ExpectedRefusal:
        """Declare the refusals of a block. Raises ValueError for an error or operation that there is not."""
        wanted = Wanted(self._engine.catalog, error, options)
        return ExpectedRefusal(wanted, self._exchanges, self._declared.extend, self._record)

    def verdict(self) -> Verdict:
        """Judge what was done so far."""
        self._settle()
        world, declared = self._engine.world, {id(each) for each in self._declared}
        instruction = Instruction(self._strictness, self._expected, declared)
        find_line = functools.partial(self._line, self._callers) if self._callers else None
        kept = world.journal.everything()
        return judge(kept, world.plans.unused, instruction, self._record, find_line).verdict

    def _exchanges(self) -> Sequence[Exchange]:
        self._settle()
        return [each for _, each in self._engine.world.journal.everything()]

    def _record(self, exchange: Exchange) -> Record:
        return record(exchange, self._redaction)

    def _line(self, callers: Callers, era: Era[Exchange], tag: str) -> str | None:
        line = callers.find(era, tag)
        return f"{self._file}:{line}" if line else None
