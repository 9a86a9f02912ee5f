"""`serve`: answer for the APIs until the process is stopped."""

import contextlib
import errno
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.cli.parent import ending_with_parent
from mockserver.cli.port_file import PortFile
from mockserver.cli.serve_options import CARE, OUTPUT, PLACE, WORLD, take
from mockserver.cli.shared import stop
from mockserver.settings import Settings, Timeouts
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SpecificationError

if TYPE_CHECKING:
    from mockserver.engine import Engine  # which takes time to load

LOGGED = "%(levelname)s %(message)s"


@click.command()
@take(PLACE, WORLD, CARE, OUTPUT)
def serve(
    host: str,
    port: int,
    port_file: Path | None,
    ends_with_parent: bool,
    folders: tuple[Path, ...],
    time_scale: float,
    state_file: Path | None,
    is_json: bool,
    is_verbose: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Answer for the APIs until the process is stopped."""
    from mockserver.allocation import settle  # noqa: PLC0415 - only this command is a server
    from mockserver.assembly import create_engine  # noqa: PLC0415
    from mockserver.outlet import Outlet, OutletHandler  # noqa: PLC0415
    from mockserver.printing import Printer  # noqa: PLC0415
    from mockserver.serving.crowd import raise_limit  # noqa: PLC0415
    from mockserver.serving.server import ENDINGS, Server  # noqa: PLC0415
    from mockserver.state.clock import Clock  # noqa: PLC0415
    from mockserver.statefile import StateFile  # noqa: PLC0415

    complaints = Outlet(sys.stderr, "WARNING {} lines were dropped, because nobody read them".format)
    logging.basicConfig(level=logging.WARNING, format=LOGGED, handlers=[OutletHandler(complaints)])
    scenario, latency = chosen.pop("scenario"), chosen.pop("latency")
    timeouts = Timeouts(chosen.pop("timeout_head"), chosen.pop("timeout_body"))
    printer = Printer(is_json=is_json, is_verbose=is_verbose)
    raise_limit()
    nothing = contextlib.nullcontext()
    with _explained(f"{host}:{port}"):
        told = PortFile(port_file) if port_file else None
        engine = create_engine(_settings(chosen), folders, clock=Clock(scale=time_scale))
        keeper = StateFile(engine.worlds, state_file).loaded() if state_file else nothing
        _order(engine, scenario, latency)  # behind the state file, whose orders are of another start
        server = Server(engine, host=host, port=port, timeouts=timeouts)
        telling = told.telling(server.address.port) if told else nothing
    if not quiet:
        engine.listeners.append(printer.exchange)
    for number in ENDINGS:
        signal.signal(number, lambda *_: server.stop())  # for the moment before the server takes them itself
    _shorten_keys(engine.catalog)
    settle()
    watching = ending_with_parent(server.stop) if ends_with_parent else nothing
    with contextlib.closing(complaints), printer, keeper, telling, watching:
        printer.start(server.url, engine.catalog)
        server.run()


def _settings(chosen: dict[str, Any]) -> Settings:
    """Read what options choose; the rest of them was taken out."""
    hosts, urls = frozenset(chosen.pop("webhook_hosts")), chosen.pop("public_urls")
    chosen |= {"public_url": urls.pop("", None), "has_admin": not chosen.pop("no_admin")}
    return Settings(**chosen, webhook_hosts=hosts, public_urls=urls)


def _order(engine: "Engine", scenario: str | None, latency: str | None) -> None:
    """Let go wrong from the start, and after each reset, what options say."""
    from mockserver.scenarios import delays, read_orders, read_scenario  # noqa: PLC0415

    if scenario or latency:
        orders = read_scenario(engine.catalog, scenario) if scenario else []
        orders += read_orders(engine.catalog, delays(latency)) if latency else []
        engine.world.plans.begin_with(orders)


def _shorten_keys(catalog: Catalog) -> None:
    """Let the log show no key in full, whatever is told there."""
    from mockserver.journal.redaction import ShownFormatter, redaction_of  # noqa: PLC0415

    shown = ShownFormatter(LOGGED, redaction_of(catalog.providers.values()))
    for handler in logging.getLogger().handlers:
        handler.setFormatter(shown)


def _way_out(error: Exception) -> str:
    """Say what can be done where an address cannot be listened on: it is the host's fault, or the port's."""
    is_host = isinstance(error, socket.gaierror | UnicodeError)
    if is_host or getattr(error, "errno", None) in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        return (
            "--host takes a name or an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
        )
    if getattr(error, "errno", None) == errno.EACCES:
        return "this user may not take that port; --port takes one above 1023, and 0 any free one"
    return "--port 0 takes any free port"


@contextlib.contextmanager
def _explained(address: str) -> Iterator[None]:
    """Stop with what can be done about it where a server cannot start."""
    try:
        yield
    except SpecificationError as error:
        stop(error.complaints)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        stop([f"cannot listen on {address}: {reason}; {_way_out(error)}"])
    except ValueError as error:
        stop([str(error)])
