"""`coverage`: reports of several runs, merged."""

import shutil
from pathlib import Path

import click

from mockserver.cli.shared import FILE, FiniteRange, reports_option, stop


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="REPORT.json...")
@click.option(
    "--only", "patterns", multiple=True, metavar="PATTERN", help="Count these operations alone. Repeatable."
)
@reports_option("a .json, .md or .xml file")
@click.option(
    "--fail-under", type=FiniteRange(0, 100), metavar="PERCENT", help="End with status 1 where less was met."
)
def coverage(
    files: tuple[Path, ...], patterns: tuple[str, ...], reports: tuple[Path, ...], fail_under: float | None
) -> None:
    """Merge reports of coverage and print them. They come from pytest, `run` or GET /__admin/coverage."""
    from mockserver.coverage.costs import Spent  # noqa: PLC0415 - only this command needs these
    from mockserver.coverage.files import check_ending, load_report, write_report  # noqa: PLC0415
    from mockserver.coverage.report import merge  # noqa: PLC0415
    from mockserver.coverage.tables import write_table  # noqa: PLC0415

    try:
        for file in reports:
            check_ending(file)
        report = merge(*(load_report(file) for file in files)).only(patterns)
        for file in reports:
            write_report(report, file)
    except (ValueError, LookupError) as error:
        stop([str(error.args[0])])
    except OSError as error:
        stop([f"{error.filename}: {error.strerror}"])
    for line in write_table(report, shutil.get_terminal_size().columns):
        click.echo(line)
    if spent := Spent(report.costs).describe(has_dates=True):
        click.echo(f"\nwould have cost {spent}")
    whole = report.count()
    if fail_under is not None and not whole.reaches(fail_under):
        stop([f"coverage is {whole.percent} %, less than {fail_under:g} %"])
