"""What several commands take and do alike: folders of providers, and stopping with every complaint."""

import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Never, TypeVar

import click

from mockserver.spec.catalog import Catalog, load
from mockserver.spec.files import SpecificationError

Function = TypeVar("Function", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A range of numbers; `nan` lies in every one of click's own."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number. Raises click.BadParameter."""
        found = super().convert(value, param, ctx)
        return found if math.isfinite(found) else self.fail(f"{value} is no finite number", param, ctx)


FILE = click.Path(path_type=Path, dir_okay=False)
SPECS = click.option(
    "--specs",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also serve the providers in this folder, or the one that it is; one of a bundled name replaces it. "
    "Repeatable.",
)


def reports_option(what: str) -> Callable[[Function], Function]:
    """Take files for reports; `what` says what they tell."""
    return click.option(
        "--report", "reports", multiple=True, type=FILE, metavar="FILE", help=f"Write {what}. Repeatable."
    )


def load_catalog(folders: tuple[Path, ...]) -> Catalog:
    """Load what a command speaks of, or stop with what is wrong with it."""
    from mockserver.pipeline.behave import bind  # noqa: PLC0415 - `serve` binds by itself

    try:
        catalog = load(folders)
        bind(catalog)
    except SpecificationError as error:
        stop(error.complaints)
    return catalog


def stop(complaints: Iterable[str]) -> Never:
    """Print every complaint and end with status 1."""
    for complaint in complaints:
        click.echo(click.style("error: ", fg="red") + complaint, err=True)
    sys.exit(1)
