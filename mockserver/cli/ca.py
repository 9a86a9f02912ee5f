"""`ca`: the authority that vouches for the mock, and what makes programs trust it."""

import json
import shlex
from collections.abc import Callable, Mapping

import click

from mockserver.cli.shared import stop
from mockserver.cli.starting import open_authority

WRITERS: Mapping[str, Callable[[dict[str, str]], str]] = {
    "sh": lambda found: "\n".join(f"export {name}={shlex.quote(value)}" for name, value in found.items()),
    "powershell": lambda found: "\n".join(
        "$env:{} = '{}'".format(name, value.replace("'", "''")) for name, value in found.items()
    ),
    "json": lambda found: json.dumps(found, indent=2),
}


def write_variables(language: str, variables: dict[str, str]) -> str:
    """Write variables so that a shell, or a program, can read them."""
    return WRITERS[language](variables)


@click.command()
@click.option(
    "--env",
    "language",
    type=click.Choice(list(WRITERS)),
    help="Print the variables that make curl, Python, Node, Java, Go, PHP and others trust it.",
)
def ca(language: str | None) -> None:
    """Print the path of the local authority's certificate. It is made where there is none."""
    from mockserver.tls.stores import make_stores  # noqa: PLC0415 - takes its time

    authority = open_authority()
    try:
        stores = make_stores(authority, authority.folder)
    except OSError as error:
        stop([f"{error.filename}: {error.strerror}"])
    click.echo(write_variables(language, stores.variables()) if language else str(stores.certificate))
