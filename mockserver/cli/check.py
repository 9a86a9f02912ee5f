"""`check`: mistakes in specifications and tables, all of them at once."""

from pathlib import Path

import click

from mockserver.cli.shared import stop
from mockserver.spec.catalog import survey
from mockserver.spec.files import SpecificationError


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
def check(folder: Path | None) -> None:
    """Look for mistakes in specifications and tables.

    These are the bundled ones and those in DIR, a folder of providers or the own one of a provider.
    """
    from mockserver.fixtures import load_fixtures  # noqa: PLC0415 - only this command and serve need these
    from mockserver.pipeline.behave import bind  # noqa: PLC0415
    from mockserver.readings import misreadings  # noqa: PLC0415
    from mockserver.scenarios import misfits  # noqa: PLC0415
    from mockserver.spec.lint import lint, remarks  # noqa: PLC0415

    catalog, complaints = survey([folder] if folder else [])
    for step in (bind, load_fixtures):
        try:
            step(catalog)
        except SpecificationError as error:
            complaints += error.complaints
    if not complaints:
        complaints += misreadings(catalog.providers.values())
    complaints += [*misfits(catalog), *lint(catalog)]
    if complaints:
        stop(list(dict.fromkeys(complaints)))
    for remark in remarks(catalog):
        click.echo(click.style("remark: ", fg="yellow") + remark)
    rows = sum(len(provider.errors) for provider in catalog.providers.values())
    counts = f"{len(catalog.providers)} providers, {len(catalog.operations)} operations, {rows} errors"
    click.echo(f"{counts}: nothing to complain of")
