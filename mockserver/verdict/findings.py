"""The verdict on the calls of a test: what HTTP answered as the API would, told as strictly as can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from mockserver.journal.export import curl
from mockserver.journal.records import Record, violation_as_json
from mockserver.jsontext import Json
from mockserver.problems import Violation
from mockserver.verdict.refusals import told
from mockserver.verdict.strictness import STRICT, Level, Strictness

SHOWN = 10  # findings that a text holds in full
LONGEST_CURL = 4_000  # characters
SAYS = {
    "refusals": "with mockserver.expect_refusal({refusal}): declares a refusal that is meant",
    "unmatched": "with mockserver.expect_refusal({refusal}): declares a refusal that is meant",
    "unused_faults": "DELETE /__admin/faults takes back what need not happen",
}


class Finding(NamedTuple):
    """One thing that a test, or the program that it tests, did against the contract."""

    part: str  # of the verdict: a field of Strictness, or `expected`: a declared refusal that never came
    summary: str
    violations: tuple[Violation, ...] = ()
    call: Record | None = None  # None: it is about no call
    line: str | None = None  # of the test that made the call, `test_a.py:7`; None: not known
    times: int = 1  # that the same was found; `call` is the first

    @property
    def curl(self) -> str | None:
        """The call as a command to paste, a long one without its middle; None: it is about no call."""
        command = None if self.call is None else curl(self.call)
        if command is None or len(command) <= LONGEST_CURL:
            return command
        return f"{command[: LONGEST_CURL // 2]} ... {command[-LONGEST_CURL // 2 :]}"

    def __str__(self) -> str:
        more = f" ({self.times} times)" if self.times > 1 else ""
        line = f", called at {self.line}" if self.line else ""
        lines = [f"{self.summary}{line}{more}", *map(told, self.violations), *filter(None, [self.curl])]
        return "\n   ".join(lines)

    def as_json(self) -> dict[str, Json]:
        """Write it as `/__admin/verdict` shows it."""
        return {
            "part": self.part,
            "summary": self.summary,
            "violations": list(map(violation_as_json, self.violations)),
            "operation": self.call and self.call.operation,
            "call": self.call and self.call.as_json(),
            "curl": self.curl,
            "times": self.times,
        }


@dataclass(frozen=True)
class Verdict:
    """All that was found; `errors` fail a test, `warnings` do not.

    >>> Verdict(()).errors, str(Verdict(()))
    ((), 'nothing was done against the contract')
    """

    findings: tuple[Finding, ...]
    strictness: Strictness = STRICT

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What a test fails for."""
        return self._at("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a test is warned of."""
        return self._at("warn")

    def __str__(self) -> str:
        """Tell of each finding with the call as a curl command, and of the way out."""
        if not self.findings:
            return "nothing was done against the contract"
        numbered = [f"{number}. {each}" for number, each in enumerate(self.findings[:SHOWN], start=1)]
        left_out = len(self.findings) - SHOWN
        more = [f"... and {left_out} more"] if left_out > 0 else []
        parts = ", ".join(dict.fromkeys(each.part for each in self.findings))
        head = f"mockserver: against the contract ({parts}):"
        return "\n".join([head, *numbered, *more, *self._ways_out()])

    def as_json(self) -> dict[str, Json]:
        """Write it as `/__admin/verdict` shows it; nothing in it depends on how fast the machine is."""
        findings = [{"level": self._level(each), **each.as_json()} for each in self.findings]
        counts = {"errors": len(self.errors), "warnings": len(self.warnings)}
        return {**counts, "findings": findings, "text": str(self)}

    def only(self, findings: Sequence[Finding]) -> "Verdict":
        """Give a verdict of some of the findings."""
        return replace(self, findings=tuple(findings))

    def _at(self, level: Level) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if self._level(each) == level)

    def _level(self, finding: Finding) -> Level:
        level: Level = getattr(self.strictness, finding.part, "error")
        return level

    def _ways_out(self) -> Iterator[str]:
        parts = list(dict.fromkeys(each.part for each in self.findings if each.part in Strictness._fields))
        refusal = next((_declared(each.call) for each in self.findings if each.call), "")
        yield from dict.fromkeys(SAYS[part].format(refusal=refusal) for part in parts if part in SAYS)
        if parts:
            relaxed = " ".join(f"{part}=off" for part in parts)
            yield f'@pytest.mark.mockserver(strict="{relaxed}") does not look at that'


def _declared(call: Record) -> str:
    """Write what declares that a call is refused; what the mock says in its own voice has no name."""
    is_named = call.error is not None and " " not in call.error
    return f'"{call.error}"' if is_named else f"status={call.status}"
