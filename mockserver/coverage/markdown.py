"""A report as Markdown, for the summary of a CI run: all of it, with what is missing behind folds."""

from collections.abc import Iterable

from mockserver.coverage.costs import amount, in_order
from mockserver.coverage.report import Report
from mockserver.coverage.tables import COLUMNS, EVERYWHERE, FULL_HEADS, Row, gaps_of, rows_of, uncalled_of
from mockserver.state.tally import MICRO


def write_markdown(report: Report) -> str:
    """Write a table, what is missing, and what it would have cost."""
    whole = report.count()
    heads = ("", *(FULL_HEADS.get(kind, kind) for kind in COLUMNS), "all")
    rows = ((_label(row), *row.cells) for row in rows_of(report))
    missing = [
        f"* {_code([name])}\n" + "\n".join(f"  * {head}: {_code(things)}" for head, things in gaps)
        for name in report.entries
        if (gaps := list(gaps_of(report, name)))
    ]
    parts = [
        f"## Contract coverage: {whole.percent:.1f} %\n",
        f"{whole.met} of {whole.of} were met.\n",
        _table([heads, ("---", *("--:" for _ in heads[1:])), *rows]),
        _folded("Missing of what was called", missing),
        _folded("Not called", [f"* {_code([name])}" for name in uncalled_of(report)]),
    ]
    if report.costs:
        parts += ["## What it would have cost\n", _costs(report)]
    return "\n".join(filter(None, parts))


def _costs(report: Report) -> str:
    head = [("operation", "paid calls", "cost", "price"), ("---", "--:", "--:", "---")]
    rows = (
        (
            _code([cost.operation]),
            str(paid.calls),
            amount(paid.micros / MICRO, cost.unit),
            f"{cost.provenance}, {f'of {cost.prices_as_of}' if cost.prices_as_of else 'undated'}",
        )
        for cost, paid in in_order(report.costs)
    )
    return _table([*head, *rows])


def _label(row: Row) -> str:
    if row.operation is None:
        return f"**{row.label}**"
    return row.label if row.label == EVERYWHERE else _code([row.label])


def _table(rows: Iterable[Iterable[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _folded(title: str, lines: list[str]) -> str:
    text = "\n".join(lines)
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>\n" if lines else ""


def _code(things: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in things)
