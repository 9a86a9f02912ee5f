"""`proxy`: the mock behind an HTTPS proxy, until the process is stopped."""

import contextlib
import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from mockserver.cli.ca import write_variables
from mockserver.cli.serve_options import CARE, OUTPUT, WAYS_OUT, WORLD, host_option, take
from mockserver.cli.starting import explained, log_to_standard_error, make_engine, make_ready, open_authority
from mockserver.settings import Timeouts


@click.command()
@host_option
@click.option(
    "--port",
    default=8888,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The proxy's port; 0 takes any free one.",
)
@take(WAYS_OUT, WORLD, CARE, OUTPUT)
def proxy(
    host: str,
    port: int,
    folders: tuple[Path, ...],
    time_scale: float,
    state_file: Path | None,
    is_json: bool,
    is_verbose: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Answer for the providers' hosts as an HTTPS_PROXY does. All others are refused."""
    from mockserver.printing import Printer  # noqa: PLC0415 - only this command is one
    from mockserver.running.environment import java_options, proxy_variables  # noqa: PLC0415
    from mockserver.running.station import Station  # noqa: PLC0415
    from mockserver.serving.crowd import raise_limit  # noqa: PLC0415
    from mockserver.serving.server import Address  # noqa: PLC0415
    from mockserver.tls.stores import make_stores  # noqa: PLC0415

    timeouts = Timeouts(chosen.pop("timeout_head"), chosen.pop("timeout_body"))
    ways = {"passed": chosen.pop("passed"), "live": chosen.pop("live")}
    with contextlib.ExitStack() as stack:
        log_to_standard_error(stack)
        printer = Printer(is_json=is_json, is_verbose=is_verbose)
        raise_limit()
        with explained(f"{host}:{port}"):
            authority = open_authority()
            engine, keeper = make_engine(chosen, folders, time_scale, state_file)
            place: dict[str, Any] = {"host": host, "port": port, "timeouts": timeouts}
            station = Station(engine, authority, tell=_tell, **place, **ways)
            stores = make_stores(authority, authority.folder)
        make_ready(engine, station.server, printer, is_quiet=quiet)
        url = Address(host, station.proxy_port).url
        variables = proxy_variables(url, station.rules, {}) | stores.variables({})
        variables["JAVA_TOOL_OPTIONS"] = java_options(url, variables)
        variables["NODE_USE_ENV_PROXY"] = "1"  # since 22.21 and 24.5; an older one knows no proxy
        with printer, keeper:
            printer.start(station.server.url, engine.catalog, {"proxy": url, "env": variables})
            if not is_json:
                _greet(url, station.rules.emulated, variables)
            station.server.run()


def _greet(url: str, hosts: Collection[str], variables: dict[str, str]) -> None:
    """Say what the proxy is there for, and how programs find it."""
    shown = click.style(url, bold=True, fg="green")
    click.echo(f"The proxy at {shown} answers for {', '.join(sorted(hosts))}:\n")
    click.echo(f"{write_variables('sh', variables)}\n")


def _tell(_way: Any, host: str, port: int) -> None:
    """Say of a call that it was turned away."""
    logging.getLogger("mockserver").warning("the proxy let no call out to %s:%s", host, port)
