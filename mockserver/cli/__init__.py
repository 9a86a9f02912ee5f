"""The command line, a module a subject: what is printed is put together here; the work is done elsewhere."""

import os

import click

from mockserver.cli.assumptions import assumptions
from mockserver.cli.ca import ca
from mockserver.cli.check import check
from mockserver.cli.coverage import coverage
from mockserver.cli.listing import errors, routes
from mockserver.cli.new import new
from mockserver.cli.proxy import proxy
from mockserver.cli.render import render
from mockserver.cli.run import run
from mockserver.cli.serve import serve
from mockserver.cli.wait import wait

PREFIX = "MOCKSERVER"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": PREFIX})
@click.version_option(package_name="mockserver")
@click.pass_context
def main(context: click.Context) -> None:
    """Emulate third-party HTTP APIs on this machine: Pikzels v2, FatThumb and ThumbAPI.

    `serve` answers at an address of this machine; `run -- COMMAND` leads a program there that knows the real
    hosts alone. Every option can be a variable, too, such as MOCKSERVER_PORT=9000.
    """
    if os.environ.get("NO_COLOR"):  # no-color.org: colours are for whoever does not object
        context.color = False


COMMANDS = (serve, run, proxy, routes, errors, assumptions, check, new, render, coverage, ca, wait)
for command in COMMANDS:
    main.add_command(command)
    for option in command.params:
        if isinstance(
            option, click.Option
        ):  # by its own name, whatever the parameter of our function is called
            name = option.opts[0].lstrip("-").upper().replace("-", "_")
            option.envvar = [f"{PREFIX}_{name}", f"{PREFIX}_{str(command.name).upper()}_{name}"]
