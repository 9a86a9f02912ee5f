"""What a run has met of what there is, and what it would have cost: a value that is merged, written and read.

Of what was met, the reports of several runs are united, so that one may count twice; what they cost adds up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from mockserver.coverage.catalogue import ANY, KINDS, READINGS
from mockserver.coverage.costs import Costs, as_rows, merge_costs, read_costs
from mockserver.jsontext import Json, parse
from mockserver.spec.admin_bodies import REPORT
from mockserver.spec.explain import nearest

FORMAT = 1
Things = Mapping[str, bool]  # whether each was met
Entry = Mapping[str, Things]  # by kind, one of KINDS


class Count(NamedTuple):
    """How many were met, of how many."""

    met: int = 0
    of: int = 0

    def __add__(self, other: tuple[Any, ...]) -> "Count":
        """Count both together."""
        return Count(self.met + other[0], self.of + other[1])

    @property
    def percent(self) -> float:
        """Percent with one decimal, rounded down: 100 only where nothing is missing.

        >>> Count(2, 3).percent, Count(0, 0).percent
        (66.6, 100.0)
        """
        return self.met * 1000 // self.of / 10 if self.of else 100.0

    def reaches(self, percent: float) -> bool:
        """Whether at least so many percent were met."""
        return self.met * 100 >= percent * self.of

    def __str__(self) -> str:
        """Show it as people write it; nothing of nothing is a dash."""
        return f"{self.met}/{self.of}" if self.of else "-"


@dataclass(frozen=True, slots=True)
class Report:
    """What was met by operation, and what was paid; `pikzels.*` holds what is alike for all operations."""

    entries: Mapping[str, Entry]
    costs: Costs

    @property
    def providers(self) -> dict[str, list[str]]:
        """The names of its entries by provider."""
        found: dict[str, list[str]] = {}
        for name in self.entries:
            found.setdefault(name.partition(".")[0], []).append(name)
        return found

    def count(self, names: Iterable[str] | None = None, kind: str | None = None) -> Count:
        """Count what entries hold, of one kind; None means all but readings, which no document asks for."""
        return sum(
            (
                Count(sum(things.values()), len(things))
                for name in (self.entries if names is None else names)
                for of, things in self.entries[name].items()
                if kind == of or (kind is None and of != READINGS)
            ),
            Count(),
        )

    def was_called(self, name: str) -> bool:
        """Whether an operation was called; of `pikzels.*`, whether any of its operations was."""
        provider = name.partition(".")[0]
        names = self.providers[provider] if name == provider + ANY else [name]
        return any(met for each in names for met in self.entries[each].get(KINDS[0], {}).values())

    def only(self, patterns: Iterable[str]) -> "Report":
        """Leave out what no pattern means; without any, nothing. Raises LookupError for a misspelt one."""
        patterns = list(patterns)
        for pattern in patterns:
            if not any(_means(pattern, name) for name in self.entries):
                raise LookupError(f"there is no operation {pattern!r}; {nearest(pattern, self.entries)}")
        kept = {
            name: entry
            for name, entry in self.entries.items()
            if not patterns or any(_means(pattern, name) for pattern in patterns)
        }
        return Report(kept, self.costs)

    def as_json(self) -> dict[str, Json]:
        """Write it so that `read_report` reads it; totals are for whoever reads it otherwise."""
        whole = self.count()
        totals = {
            provider: {kind: self.count(names, kind)._asdict() for kind in KINDS}
            for provider, names in self.providers.items()
        }
        return {
            "format": FORMAT,
            "percent": whole.percent,
            **whole._asdict(),
            "providers": totals,
            "operations": {
                name: {
                    kind: {
                        "met": [each for each, is_met in things.items() if is_met],
                        "missing": [each for each, is_met in things.items() if not is_met],
                    }
                    for kind, things in entry.items()
                }
                for name, entry in self.entries.items()
            },
            "costs": as_rows(self.costs),
        }


def merge(*reports: Report) -> Report:
    """Unite what was met, and add up what was paid; the order does not matter."""
    entries: dict[str, dict[str, dict[str, bool]]] = {}
    for report in reports:
        for name, entry in report.entries.items():
            whole = entries.setdefault(name, {})
            for kind, things in entry.items():
                known = whole.setdefault(kind, {})
                known.update({each: known.get(each, False) or is_met for each, is_met in things.items()})
    return Report(entries, merge_costs(*(report.costs for report in reports)))


def read_report(text: bytes) -> Report:
    """Read what `as_json` has written. Raises ValueError for anything else."""
    return as_report(parse(text)[0])


def as_report(value: Json) -> Report:
    """Read it where it is JSON that is read already. Raises ValueError for anything else."""
    wrong = [violation.message for violation in REPORT.violations(value)]
    if wrong:
        raise ValueError(f"is no report of coverage: {'; '.join(wrong)}")
    entries = {
        name: {
            kind: {**dict.fromkeys(things["missing"], False), **dict.fromkeys(things["met"], True)}
            for kind, things in entry.items()
        }
        for name, entry in value.get("operations", {}).items()
    }
    return Report(entries, read_costs(value.get("costs", [])))


def _means(pattern: str, name: str) -> bool:
    """Whether a pattern means an operation: `pikzels`, `pikzels.*`, `*.post_v2_thumbnail_*`."""
    return fnmatchcase(name, pattern) or name.partition(".")[0] == pattern
