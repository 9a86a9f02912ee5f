"""The command line: serve, routes, errors, check, new, render and coverage; a module a subject.

Everything that is printed is put together here; the work is done elsewhere.
"""

import click

from mockserver.cli.check import check
from mockserver.cli.coverage import coverage
from mockserver.cli.listing import errors, routes
from mockserver.cli.new import new
from mockserver.cli.render import render
from mockserver.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mockserver")
def main() -> None:
    """Emulate third-party HTTP APIs on this machine: Pikzels v2, FatThumb and ThumbAPI."""


for command in (serve, routes, errors, check, new, render, coverage):
    main.add_command(command)
