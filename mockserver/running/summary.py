"""What is told of a run at its end, for whoever reads a terminal or a CI log."""

from collections.abc import Iterator

from mockserver.coverage.costs import Spent
from mockserver.proxy.rules import Way
from mockserver.running.outcome import LEFT, REFUSED, Outcome
from mockserver.verdict.findings import Finding

PREFIX = "mockserver: "
SHOWN = 20  # findings, and places that calls did not get to
MOST_OPERATIONS = 50
WAYS_OUT = {Way.KEPT: "--allow-live", Way.REFUSED: "--pass"}


def write_summary(outcome: Outcome, *, is_quiet: bool = False) -> Iterator[str]:
    """Write it in lines; a quiet one says only what is wrong, warnings included."""
    if not is_quiet:
        yield from _calls(outcome)
    verdict = outcome.verdict
    yield from _findings("against the contract", verdict.errors)
    yield from _findings("warnings", verdict.warnings)
    yield from _places(outcome, Way.KEPT, "called past the mock, and kept from leaving:")
    yield from _places(outcome, Way.REFUSED, "not let out:")
    if not is_quiet:
        yield from _figures(outcome)
    if outcome.exit_status != outcome.status:
        why = {
            LEFT: "calls tried to leave for a provider's real host",
            REFUSED: "the command passed, but calls were refused by the contract (--verdict warn passes)",
        }[outcome.exit_status]
        yield f"{PREFIX}exit status {outcome.exit_status}: {why}"


def _calls(outcome: Outcome) -> Iterator[str]:
    total = sum(outcome.counts.values())
    yield f"{PREFIX}{total} call{'' if total == 1 else 's'}"
    rows: dict[str, list[str]] = {}
    for (name, status), count in sorted(outcome.counts.items()):
        rows.setdefault(name, []).append(f"{count} x {status or 'no answer'}")
    width = max((len(name) for name in rows), default=0)
    for name, statuses in list(rows.items())[:MOST_OPERATIONS]:
        yield f"  {name.ljust(min(width, 60))}  {', '.join(statuses)}"
    if len(rows) > MOST_OPERATIONS:
        yield f"  ... and {len(rows) - MOST_OPERATIONS} more"


def _findings(what: str, findings: tuple[Finding, ...]) -> Iterator[str]:
    if not findings:
        return
    yield f"{PREFIX}{what}:"
    for number, each in enumerate(findings[:SHOWN], start=1):
        yield f"{number}. {each}"
    if len(findings) > SHOWN:
        yield f"... and {len(findings) - SHOWN} more"


def _places(outcome: Outcome, wanted: Way, what: str) -> Iterator[str]:
    found = [(host, port, count) for (way, host, port), count in outcome.turned_away.items() if way is wanted]
    if found:
        yield f"{PREFIX}{what}"
    for host, port, count in found[:SHOWN]:
        times = f" ({count} times)" if count > 1 else ""
        yield f"  {host}:{port}{times}; {WAYS_OUT[wanted]} {host} lets calls out to it"
    if len(found) > SHOWN:
        yield f"  ... and {len(found) - SHOWN} more"


def _figures(outcome: Outcome) -> Iterator[str]:
    report = outcome.coverage
    parts = []
    for provider, names in report.providers.items():
        if called := [name for name in names if report.was_called(name) and not name.endswith("*")]:
            count = report.count(names, "operations")
            parts.append(
                f"{provider} {report.count(names).percent} % ({len(called)} of {count.of} operations)"
            )
    if parts:
        yield f"{PREFIX}contract coverage: {', '.join(parts)}"
    if spent := Spent(report.costs).describe(has_dates=True):
        yield f"{PREFIX}would have cost {spent}"
