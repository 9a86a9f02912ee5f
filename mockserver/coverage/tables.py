"""A report as people read it: a table for a terminal, and Markdown for the summary of a CI run.

A row stands for each operation that was called; of those that were not, the names are all there is to tell.
"""

from collections.abc import Callable, Iterable, Iterator
from textwrap import wrap

from mockserver.coverage.catalogue import ANY, KINDS
from mockserver.coverage.costs import amount
from mockserver.coverage.report import Count, Report
from mockserver.state.tally import MICRO

MOST_SHOWN = 8  # things of one kind that are missing, in a terminal
HEADS = {"values": "enum values", "fields": "optional fields"}
EVERYWHERE = "any operation"
INDENT = "  "


def write_table(report: Report, width: int = 80) -> list[str]:
    """Write the lines of a table for a terminal, and what is missing, shortened."""
    rows = list(_rows(report, lambda name: f"{INDENT}{name}"))
    first = max(len(cells[0]) for cells in rows)
    columns = [max(len(cells[index]) for cells in rows) for index in range(1, len(rows[0]))]
    lines = [
        "  ".join(
            [
                cells[0].ljust(first),
                *(cell.rjust(size) for cell, size in zip(cells[1:], columns, strict=True)),
            ]
        )
        for cells in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    lines.insert(-1, "-" * len(lines[0]))
    missing = [line for name in report.entries for line in _missing(report, name, width)]
    uncalled = _uncalled(report)
    if uncalled:
        missing += ["not called", *_wrapped(f"{INDENT}", ", ".join(_shortened(uncalled)), width)]
    return [*lines, *(["", "missing", *missing] if missing else [])]


def write_markdown(report: Report) -> str:
    """Write a report in full for the summary of a CI run, with what is missing behind a fold."""
    rows = list(_rows(report, lambda name: f"`{name}`"))
    rows[1:-1] = [(f"**{row[0]}**" if row[0] in report.providers else row[0], *row[1:]) for row in rows[1:-1]]
    whole = report.count()
    parts = [f"## Contract coverage: {whole.percent} %\n", f"{whole.met} of {whole.of} were met.\n"]
    table = [rows[0], ("---", *("--:" for _ in rows[0][1:])), *rows[1:]]
    parts += ["\n".join(f"| {' | '.join(cells)} |" for cells in table) + "\n"]
    missing = [
        f"* `{name}`\n"
        + "\n".join(
            f"  * {_head(kind)}: {', '.join(f'`{each}`' for each in things)}" for kind, things in found
        )
        for name in report.entries
        if report.was_called(name) and (found := list(_gaps(report, name)))
    ]
    if missing:
        parts += [_folded("Missing of what was called", "\n".join(missing))]
    uncalled = [f"* `{name}`" for name in _uncalled(report)]
    if uncalled:
        parts += [_folded("Operations that were not called", "\n".join(uncalled))]
    if report.costs:
        parts += ["## What it would have cost\n", _cost_table(report)]
    return "\n".join(parts)


def _rows(report: Report, written: Callable[[str], str]) -> Iterator[tuple[str, ...]]:
    """Give the cells of each row: a head, the providers with their operations, the sum."""
    yield ("", *(_head(kind) for kind in KINDS), "all")
    for provider, names in report.providers.items():
        yield (provider, *_cells(report, names))
        for name in names:
            if report.was_called(name):
                is_any = name.endswith(ANY)
                label = EVERYWHERE if is_any else name.removeprefix(f"{provider}.")
                counts = [str(report.count([name], kind)) for kind in KINDS[1:]]
                yield (
                    written(label) if not is_any else written(label).replace("`", ""),
                    "",
                    *counts,
                    _percent(report.count([name])),
                )
    yield ("in all", *_cells(report, report.entries))


def _cells(report: Report, names: Iterable[str]) -> list[str]:
    names = list(names)
    return [*(str(report.count(names, kind)) for kind in KINDS), _percent(report.count(names))]


def _percent(count: Count) -> str:
    return f"{count.percent:.1f} %"


def _head(kind: str) -> str:
    return HEADS.get(kind, kind)


def _gaps(report: Report, name: str) -> Iterator[tuple[str, list[str]]]:
    for kind, things in report.entries[name].items():
        missing = [each for each, is_met in things.items() if not is_met]
        if missing:
            yield kind, missing


def _missing(report: Report, name: str, width: int) -> Iterator[str]:
    if not report.was_called(name):
        return
    gaps = list(_gaps(report, name))
    if gaps:
        yield name.replace(ANY, f": {EVERYWHERE}") if name.endswith(ANY) else name
    for kind, things in gaps:
        yield from _wrapped(f"{INDENT}{_head(kind)}: ", ", ".join(_shortened(things)), width)


def _uncalled(report: Report) -> list[str]:
    """Name the operations that were not called; a provider of which none was stands for all of its own."""
    found: list[str] = []
    for provider, names in report.providers.items():
        uncalled = [name for name in names if not report.was_called(name)]
        found += [provider + ANY] if len(uncalled) == len(names) > 1 else uncalled
    return found


def _shortened(things: list[str]) -> list[str]:
    """Leave out all but the first.

    >>> _shortened(list("abcdefghijk"))
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '3 more']
    """
    rest = len(things) - MOST_SHOWN
    return things if rest < 2 else [*things[:MOST_SHOWN], f"{rest} more"]  # noqa: PLR2004 - one fits as well


def _wrapped(head: str, text: str, width: int) -> list[str]:
    return wrap(
        head + text, width, subsequent_indent=INDENT * 2, break_long_words=False, break_on_hyphens=False
    )


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>\n"


def _cost_table(report: Report) -> str:
    rows = [
        f"| `{cost.operation}` | {paid.calls} | {amount(paid.micros / MICRO, cost.unit)} "
        f"| {cost.provenance}, {f'of {cost.prices_as_of}' if cost.prices_as_of else 'undated'} |"
        for cost, paid in sorted(report.costs.items())
    ]
    return "\n".join(["| operation | paid calls | cost | price |", "|---|--:|--:|---|", *rows, ""])
