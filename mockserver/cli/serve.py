"""`serve`: answer for the APIs until the process is stopped."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.cli.parent import ending_with_parent
from mockserver.cli.port_file import PortFile
from mockserver.cli.serve_options import CARE, OUTPUT, PLACE, WORLD, take
from mockserver.cli.starting import explained, log_to_standard_error, make_engine, make_ready, open_authority
from mockserver.settings import Timeouts

if TYPE_CHECKING:
    import ssl

    from mockserver.engine import Engine


@click.command()
@take(PLACE, WORLD, CARE, OUTPUT)
def serve(
    host: str,
    port: int,
    port_file: Path | None,
    ends_with_parent: bool,
    speaks_tls: bool,
    folders: tuple[Path, ...],
    time_scale: float,
    state_file: Path | None,
    is_json: bool,
    is_verbose: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Answer for the APIs until the process is stopped."""
    from mockserver.printing import Printer  # noqa: PLC0415 - only this command is a server
    from mockserver.serving.crowd import raise_limit  # noqa: PLC0415
    from mockserver.serving.server import Server  # noqa: PLC0415

    timeouts = Timeouts(chosen.pop("timeout_head"), chosen.pop("timeout_body"))
    nothing = contextlib.nullcontext()
    with contextlib.ExitStack() as stack:
        log_to_standard_error(stack)
        printer = Printer(is_json=is_json, is_verbose=is_verbose)
        raise_limit()
        with explained(f"{host}:{port}"):
            told = PortFile(port_file) if port_file else None
            engine, keeper = make_engine(chosen, folders, time_scale, state_file)
            tls = _secured(engine, host) if speaks_tls else None
            server = Server(engine, host=host, port=port, timeouts=timeouts, tls=tls)
            telling = told.telling(server.address.port) if told else nothing
        make_ready(engine, server, printer, is_quiet=quiet)
        watching = ending_with_parent(server.stop) if ends_with_parent else nothing
        with printer, keeper, telling, watching:
            printer.start(server.url, engine.catalog)
            server.run()


def _secured(engine: "Engine", host: str) -> "ssl.SSLContext":
    """Give what a server of ours speaks TLS with; who asks for none is spared 10 MB of cryptography."""
    from mockserver.running.station import known_names  # noqa: PLC0415

    return open_authority().server_context(known_names(engine, host))
