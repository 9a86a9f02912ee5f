"""Judges the calls of a test in a world elsewhere: its server finds what they did against the contract."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from mockserver.journal.reading import read_record, read_violation
from mockserver.journal.records import Record
from mockserver.spec.catalog import Catalog
from mockserver.testing.world_pages import WorldPages
from mockserver.verdict.findings import Finding, Verdict
from mockserver.verdict.judging import Expect
from mockserver.verdict.refusals import Options, Wanted, read_wanted
from mockserver.verdict.strictness import read_strictness

OF_ONE_ERA = {"expected", "unused_faults"}  # parts that say nothing of what was before a reset


class RemoteJudge:
    """Judges what one world was asked since it began, or, while a test runs, since that did."""

    def __init__(self, pages: WorldPages, catalog: Catalog) -> None:
        self._pages, self._catalog = pages, catalog
        self._strict, self._expect = "", list[Any]()
        self._declared: list[str] = []  # ids of calls
        self._before: list[Finding] = []  # what was found before a reset
        self._met: set[int] = set()  # which of the expected refusals came before a reset
        self._open: list[RemoteRefusal] = []  # blocks
        self._sits = False

    def instruct(self, strict: str, expect: Expect) -> None:
        """Say how strict to be, and what is declared, unless a test runs. Raises ValueError."""
        if not self._sits:
            read_strictness(strict)
            for each in expect:
                read_wanted(self._catalog, each)
            self._strict, self._expect, self._declared = strict, list(expect), []
            self._before, self._met = [], set()

    @contextmanager
    def sitting(self, _file: str, _names: Collection[str]) -> Iterator[None]:
        """Let nothing be forgotten while a test runs; which line called is not known here."""
        self._sits = True
        try:
            yield
        finally:
            self._sits = False

    def end_era(self) -> None:
        """Take down what was found, before a reset lets the server forget it."""
        for each in self._open:
            each.gather()
        if self._sits:
            found = self._ask()
            self._before += [each for each in self._read(found) if each.part not in OF_ONE_ERA]
            self._met |= set(range(len(self._expect))) - set(found["unmet"])
            self._declared = []

    def expect(self, error: str | None, options: Options) -> "RemoteRefusal":
        """Declare the refusals of a block. Raises ValueError for an error or operation that there is not."""
        Wanted(self._catalog, error, options)
        said = {**({} if error is None else {"error": error}), **options}
        return RemoteRefusal(self._pages, said, self._declare, self._open)

    def verdict(self) -> Verdict:
        """Judge what was done so far."""
        said = self._ask()
        found, unmet = self._read(said), iter(said["unmet"])
        missing = [each for each in found if each.part == "expected" and next(unmet) not in self._met]
        others = [each for each in found if each.part != "expected"]
        united = _united([*missing, *self._before, *others])
        return Verdict(tuple(united), read_strictness(self._strict))

    def _declare(self, ids: Iterable[str]) -> None:
        self._declared += ids

    def _ask(self) -> Mapping[str, Any]:
        said = {"strict": self._strict, "expect": self._expect, "declared": self._declared}
        found: Mapping[str, Any] = self._pages.ask("POST", "/verdict", said)
        return found

    def _read(self, found: Mapping[str, Any]) -> list[Finding]:
        return [_read_finding(each, self._pages.lead) for each in found["findings"]]


class RemoteRefusal:
    """Declares the refusals of a block; where there was none, it says what there was instead."""

    def __init__(
        self,
        pages: WorldPages,
        refusal: Mapping[str, Any],
        declare: Callable[[Iterable[str]], None],
        blocks: list["RemoteRefusal"],
    ) -> None:
        self._pages, self._refusal, self._declare, self._blocks = pages, refusal, declare, blocks
        self._after: str | None = None  # the last call before it; None: there was none
        self.calls: list[Record] = []  # those that were refused so, once the block has ended

    def __enter__(self) -> Self:
        last = self._pages.ask("GET", "/requests?limit=1")["requests"]
        self._after = last[0]["id"] if last else None
        self._blocks.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self._blocks.remove(self)
        message = self.gather()
        if not self.calls and error is None:
            raise AssertionError(message)

    def gather(self) -> str | None:
        """Take down the calls so far, and declare them; a reset may follow. Give what came instead."""
        said = {"assert": "refused", "after": self._after, "refusal": self._refusal}
        found = self._pages.ask("POST", "/requests/verify", said)
        refused = [read_record(each, self._pages.lead) for each in found["requests"]]
        self.calls += refused
        self._declare([each.id for each in refused])
        self._after = None
        message: str | None = found["message"]
        return message


def _read_finding(said: Mapping[str, Any], lead: str) -> Finding:
    return Finding(
        part=said["part"],
        summary=said["summary"],
        violations=tuple(map(read_violation, said["violations"])),
        call=said["call"] and read_record(said["call"], lead),
        times=said["times"],
    )


def _united(findings: Sequence[Finding]) -> list[Finding]:
    """Tell what was found before a reset and after it once."""
    found: dict[object, Finding] = {}
    for each in findings:
        told = tuple((one.location, one.pointer, one.message) for one in each.violations)
        key = (each.part, each.call and each.call.operation, told) if each.call else each
        known = found.get(key)
        found[key] = known._replace(times=known.times + each.times) if known else each
    return list(found.values())
