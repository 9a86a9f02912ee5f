"""What a run came to: the command's end, what its calls did against the contract, and what tried to leave."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mockserver.call import Exchange
from mockserver.coverage.measuring import measure
from mockserver.coverage.report import Report, merge
from mockserver.engine import Engine
from mockserver.journal.records import Record, record
from mockserver.journal.redaction import redaction_of
from mockserver.proxy.rules import Way
from mockserver.running.child import BY_SIGNAL
from mockserver.running.heard import Heard
from mockserver.state.journal import Era
from mockserver.verdict.findings import Verdict
from mockserver.verdict.judging import Instruction, judge
from mockserver.verdict.strictness import Strictness, read_strictness

LEFT, REFUSED = 69, 70  # of sysexits.h: a service is unavailable; internal software error
# What one level means by itself: a program need not know what is documented, nor wait for faults.
USUAL = {"error": "warn refusals=error unmatched=error", "warn": "warn", "off": "off"}
Places = Mapping[tuple[Way, str, int], int]  # how often a place was called that is not let out to


class Outcome(NamedTuple):
    """What a run came to."""

    status: int  # of the command, as shells have it
    counts: Mapping[tuple[str, int], int]  # calls by operation and status
    verdict: Verdict
    turned_away: Places
    coverage: Report
    records: Sequence[Record]  # of the newest calls

    @property
    def has_left(self) -> bool:
        """Whether a call tried to leave for a provider's real host."""
        return any(way is Way.KEPT for way, _, _ in self.turned_away)

    @property
    def exit_status(self) -> int:
        """What the run ends with; whoever ended the command by a signal is told of that."""
        if self.has_left and self.status <= BY_SIGNAL:
            return LEFT
        return REFUSED if self.status == 0 and self.verdict.errors else self.status


def read_verdict(text: str) -> Strictness:
    """Read how strict to be: a level for all, and levels for parts. Raises ValueError.

    >>> read_verdict("error mistyped=error").deprecated
    'warn'
    """
    return read_strictness(" ".join(USUAL.get(word, word) for word in f"error {text}".split()))


def conclude(
    status: int, engine: Engine, heard: Heard, strictness: Strictness, turned_away: Places
) -> Outcome:
    """Judge a run that is over."""
    redaction = redaction_of(engine.catalog.providers.values())

    def show(exchange: Exchange) -> Record:
        return record(exchange, redaction)

    era, kept = Era[Exchange]([]), list(heard)
    unused = [order for world in engine.worlds for order in world.plans.unused]
    judged = judge([(era, each) for each in kept], unused, Instruction(strictness), show)
    coverage = merge(*(measure(engine.catalog, world.tally) for world in engine.worlds))
    counts = {(redaction.anywhere(name), status): count for (name, status), count in heard.counts.items()}
    return Outcome(status, counts, judged.verdict, turned_away, coverage, list(map(show, kept)))


def read_noted(file: Path) -> Counter[tuple[Way, str, int]]:
    """Read what preloads have noted; a port that is none is 0."""
    found: Counter[tuple[Way, str, int]] = Counter()
    if file.exists():
        for line in file.read_text("utf-8", "replace").splitlines():
            host, _, port = line.partition(" ")
            found[Way.KEPT, host, int(port) if port.isdecimal() else 0] += 1
    return found
