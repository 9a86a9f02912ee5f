"""`new`: a first table for an OpenAPI document."""

from pathlib import Path

import click

from mockserver.cli.shared import stop
from mockserver.spec.files import SpecificationError


@click.command()
@click.argument("name")
@click.argument("document", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--into",
    "parent",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder in which the new one is made.",
)
def new(name: str, document: Path, parent: Path) -> None:
    """Write a folder that serves an OpenAPI document's API. Remarks in it tell what to say next."""
    from mockserver.scaffold import scaffold  # noqa: PLC0415 - only this command needs it

    try:
        folder = scaffold(name, document, parent)
    except SpecificationError as error:
        stop(error.complaints)
    except OSError as error:
        stop([f"{error.filename}: {error.strerror}"])
    click.echo(f"{folder}: written; try `mockserver check {folder}` and `mockserver serve --specs {folder}`")
