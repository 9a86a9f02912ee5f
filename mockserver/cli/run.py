"""`run`: a command against the mock, unchanged."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.cli.serve_options import WAYS_OUT, WORLD, take
from mockserver.cli.shared import reports_option
from mockserver.cli.starting import explained, log_to_standard_error, make_engine

if TYPE_CHECKING:  # which take time to load
    from mockserver.call import Exchange, Listener
    from mockserver.engine import Engine
    from mockserver.running.outcome import Outcome
    from mockserver.running.station import Station
    from mockserver.tls.authority import Authority

NOTED = "past"  # the file in which preloads note what was called past the mock


@click.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "--verdict",
    default="error",
    show_default=True,
    metavar="LEVEL",
    help="What becomes of calls that the contract refuses: error ends with status 70, warn tells of them, "
    "off does not look; part=LEVEL says it for a part of the verdict.",
)
@reports_option("what was called, refused and met to a .json, .har, .md or .xml (JUnit) file")
@take(WAYS_OUT, WORLD)
@click.option("--verbose", "-v", "is_verbose", is_flag=True, help="Print each call to standard error.")
@click.option("--quiet", is_flag=True, help="Print at the end only what is wrong.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    command: tuple[str, ...],
    verdict: str,
    reports: tuple[Path, ...],
    folders: tuple[Path, ...],
    time_scale: float,
    state_file: Path | None,
    is_verbose: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Run a command unchanged against the mock.

    As in `mockserver run -- python client.py`. Calls to the providers' real hosts are answered by the
    mock. The exit status is the command's; 70 where it passed but calls were refused by the contract; 69
    where a call tried to leave for a provider's real host.
    """
    from mockserver.running.child import StartError  # noqa: PLC0415 - only this command needs these
    from mockserver.running.child import run as run_child  # noqa: PLC0415
    from mockserver.running.heard import Heard  # noqa: PLC0415
    from mockserver.running.outcome import conclude, read_noted, read_verdict  # noqa: PLC0415
    from mockserver.running.reports import check_report  # noqa: PLC0415
    from mockserver.running.station import Station  # noqa: PLC0415

    ways, heard = {"passed": chosen.pop("passed"), "live": chosen.pop("live")}, Heard()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mockserver-")))
        with explained("127.0.0.1"):
            strictness = read_verdict(verdict)
            for file in reports:
                check_report(file)
            engine, keeper = make_engine(chosen, folders, time_scale, state_file)
            station = Station(engine, _authority(folder), **ways)
            environment = _environment(engine, station, folder)
        log_to_standard_error(stack, engine.catalog)
        engine.listeners += [heard, _line_printer(engine)] if is_verbose else [heard]
        try:
            with keeper, station.server:
                status = run_child(command, environment)
                station.server.settle()
        except StartError as error:
            click.echo(f"mockserver: {error}", err=True)
            sys.exit(error.status)
        noted = read_noted(folder / NOTED)
        outcome = conclude(status, engine, heard, strictness, noted + station.log.turned_away)
    sys.exit(_tell(outcome, reports, is_quiet=quiet))


def _authority(folder: Path) -> "Authority":
    """Give this user's authority, or one for this run alone where none can be kept."""
    from mockserver.tls.authority import Authority, AuthorityError, usual_folder  # noqa: PLC0415

    try:
        return Authority(usual_folder())
    except AuthorityError:
        return Authority(folder / "ca")


def _environment(engine: "Engine", station: "Station", folder: Path) -> dict[str, str]:
    """Give the environment of the command; its files stand in a folder that goes with the run."""
    from mockserver.running.environment import Places, environment, write_php  # noqa: PLC0415
    from mockserver.testing.handles import handle_of  # noqa: PLC0415
    from mockserver.tls.stores import make_stores  # noqa: PLC0415

    url = station.server.url
    stores = make_stores(station.authority, folder)
    write_php(stores, station.rules)
    places = Places(url, station.server.address.port, station.tls_port, station.proxy_port, folder / NOTED)
    own = [handle_of(each, url).env() for each in engine.catalog.providers.values()]
    return environment(os.environ, places, station.rules, stores, own)


def _line_printer(engine: "Engine") -> "Listener":
    """Make what prints a line for each call to standard error."""
    from mockserver.admin.routes import NAME as ADMIN  # noqa: PLC0415
    from mockserver.console import write_line  # noqa: PLC0415
    from mockserver.journal.redaction import redaction_of  # noqa: PLC0415

    redaction = redaction_of(engine.catalog.providers.values())

    def tell(exchange: "Exchange") -> None:
        if exchange.response is not None and exchange.operation != ADMIN:
            click.echo(write_line(exchange, exchange.response, {}, "", redaction), err=True)

    return tell


def _tell(outcome: "Outcome", reports: tuple[Path, ...], *, is_quiet: bool) -> int:
    """Print the summary, write the reports; give what to end with."""
    from mockserver.running.reports import write_report  # noqa: PLC0415
    from mockserver.running.summary import write_summary  # noqa: PLC0415

    with contextlib.suppress(OSError):  # nobody reads it
        told = list(write_summary(outcome, is_quiet=is_quiet))
        if told and sys.stderr.isatty():
            told.insert(0, "")  # the command's last line may have no end
        for line in told:
            click.echo(line, err=True)
    status = outcome.exit_status
    for file in reports:
        try:
            write_report(outcome, file)
        except OSError as error:
            click.echo(f"mockserver: {error.filename or file}: {error.strerror}", err=True)
            status = status or 1
    return status
