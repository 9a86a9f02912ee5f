"""A report as a table for a terminal, with what is missing below it, shortened.

A row stands for each operation that was called; of those that were not, the names are all there is to tell.
"""

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import NamedTuple

from mockserver.coverage.catalogue import ANY, KINDS, READINGS
from mockserver.coverage.report import Report, Things

MOST_SHOWN = 8  # things of one kind that are missing
HEADS = ("called", "statuses", "errors", "values", "fields", "all")  # narrow: a table fits into 80 columns
COLUMNS = tuple(kind for kind in KINDS if kind != READINGS)
FULL_HEADS = {"values": "enum values", "fields": "optional fields"}
EVERYWHERE = "any operation"
IN_ALL = "in all"
INDENT = "  "


class Row(NamedTuple):
    """What was met of one operation, of a provider, or in all."""

    label: str
    cells: tuple[str, ...]  # one of each kind, and the percentage
    operation: str | None = None  # in full; None: it is a sum of several


def rows_of(report: Report) -> Iterator[Row]:
    """Give the rows of a table: providers, each with what was called of it, and the sum."""
    for provider, names in report.providers.items():
        yield Row(provider, _cells(report, names))
        for name in names:
            if report.was_called(name):
                label = EVERYWHERE if name.endswith(ANY) else name.removeprefix(f"{provider}.")
                yield Row(label, ("", *_cells(report, [name])[1:]), name)
    yield Row(IN_ALL, _cells(report, report.entries))


def gaps_of(report: Report, name: str) -> Iterator[tuple[str, list[str]]]:
    """Give what is missing of one operation, by what it is; nothing where it was not called at all."""
    for kind, things in report.entries[name].items() if report.was_called(name) else ():
        missing = [each for each, is_met in things.items() if not is_met]
        if missing and (kind != READINGS or _has_chosen(things)):
            yield FULL_HEADS.get(kind, kind), missing


def _has_chosen(things: Things) -> bool:
    """Whether a run has met other readings than the first of each assumption, which is the default."""
    usual = {name.partition("=")[0]: name for name in reversed(list(things))}
    return any(is_met and usual[name.partition("=")[0]] != name for name, is_met in things.items())


def uncalled_of(report: Report) -> list[str]:
    """Name the operations that were not called; `pikzels.*` where none of a provider was."""
    found: list[str] = []
    for provider, names in report.providers.items():
        uncalled = [name for name in names if not report.was_called(name)]
        found += [provider + ANY] if len(uncalled) == len(names) > 1 else uncalled
    return found


def write_table(report: Report, width: int = 80) -> list[str]:
    """Write a table and what is missing, as lines; names and lists are folded at `width`."""
    rows = [(f"{INDENT if row.operation else ''}{row.label}", *row.cells) for row in rows_of(report)]
    sizes = [max(map(len, column)) for column in zip(*rows, ("", *HEADS), strict=True)]
    lines = [
        "  ".join(
            [label.ljust(sizes[0]), *(cell.rjust(size) for cell, size in zip(cells, sizes[1:], strict=True))]
        )
        for label, *cells in [("", *HEADS), *rows]
    ]
    rule = "-" * len(lines[0])
    lines = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
    missing: list[str] = []
    for name in report.entries:
        gaps = list(gaps_of(report, name))
        missing += [name.replace(ANY, f": {EVERYWHERE}")] if gaps else []
        for head, things in gaps:
            missing += _folded(f"{head}: ", things, width)
    if uncalled := uncalled_of(report):
        missing += ["not called", *_folded("", uncalled, width)]
    return [*lines, *(["", "missing", *missing] if missing else [])]


def _cells(report: Report, names: Iterable[str]) -> tuple[str, ...]:
    names = list(names)
    counts = (str(report.count(names, kind)) for kind in COLUMNS)
    return (*counts, f"{report.count(names).percent:.1f} %")


def _folded(head: str, things: list[str], width: int) -> list[str]:
    text = f"{INDENT}{head}{', '.join(_shortened(things))}"
    return wrap(text, width, subsequent_indent=INDENT * 2, break_long_words=False, break_on_hyphens=False)


def _shortened(things: list[str]) -> list[str]:
    """Leave out all but the first.

    >>> _shortened(list("abcdefghijk"))
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '3 more']
    """
    rest = len(things) - MOST_SHOWN
    return things if rest < 2 else [*things[:MOST_SHOWN], f"{rest} more"]  # noqa: PLR2004 - one fits as well
