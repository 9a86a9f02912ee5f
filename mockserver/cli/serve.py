"""`serve`: answer for the APIs until the process is stopped."""

import contextlib
import errno
import logging
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from mockserver.cli.shared import FILE, SPECS, stop
from mockserver.settings import PATIENT, Settings, Timeouts
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SpecificationError

LOGGED = "%(levelname)s %(message)s"
ENFORCEABLE = frozenset({"credits", "limits"})


Command = Callable[..., None]


def _urls(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read public addresses by provider; that of all is by the empty name."""
    found = {}
    for value in values:
        read = re.fullmatch(r"(?:(?P<name>[^\s=:/]+)=)?(?P<url>https?://[^\s/?#]+(/[^\s?#]*)?)", value)
        if read is None:
            example = "https://mock.example.com or pikzels=https://pikzels.example.com"
            raise click.BadParameter(f"{value} is no address such as {example}")
        found[read["name"] or ""] = read["url"]
    return found


def _host(_context: click.Context, _option: click.Parameter, value: str) -> str:
    try:
        value.encode("idna")
    except UnicodeError as error:
        raise click.BadParameter(f"{value} cannot be resolved: it is no name of a host") from error
    if not value.strip():
        raise click.BadParameter("it is empty; 0.0.0.0 stands for all addresses of this machine")
    return value


def _enforced(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in value.split(",") if name.strip())
    if not names <= ENFORCEABLE:
        raise click.BadParameter(f"{value} is not a list of {', '.join(sorted(ENFORCEABLE))}")
    return names


def _patience(name: str, default: float, whose: str) -> Callable[[Command], Command]:
    return click.option(
        name,
        default=default,
        show_default=True,
        type=click.FloatRange(min=0, min_open=True),
        help=f"Seconds until {whose} is closed.",
    )


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, callback=_host, help="The address to listen on."
)
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port."
)
@click.option(
    "--seed", default=0, show_default=True, help="Another seed gives other ids, scores and pictures."
)
@click.option(
    "--strict-keys", "is_strict", is_flag=True, help="Refuse keys that fixtures/accounts.yaml does not list."
)
@SPECS
@click.option(
    "--public-url",
    "public_urls",
    multiple=True,
    metavar="[NAME=]URL",
    callback=_urls,
    help="The address in links, where it is another; pikzels=URL for one API alone. Repeatable.",
)
@click.option(
    "--assume",
    "assume",
    multiple=True,
    metavar="NAME=READING",
    help="How to read what the documents leave open: see `mockserver assumptions`; also strictest and "
    "most-lenient. Repeatable; the last one wins.",
)
@click.option(
    "--time-scale",
    default=1.0,
    show_default=True,
    help="How many seconds pass in one real second.",
    type=click.FloatRange(min=0, min_open=True),
)
@click.option(
    "--realistic",
    "is_realistic",
    is_flag=True,
    help="Let jobs take about as long as documented, not two seconds.",
)
@click.option(
    "--enforce",
    "enforced",
    default="",
    metavar="LIST",
    callback=_enforced,
    help="credits, limits or both: refuse who has none, or too many.",
)
@click.option("--state", "state_file", type=FILE, metavar="FILE", help="Keep the world in this file.")
@click.option(
    "--pictures",
    default="poster",
    show_default=True,
    type=click.Choice(["poster", "plain"]),
    help="How they look; plain ones are drawn in a few milliseconds.",
)
@click.option(
    "--allow-webhook-host",
    "webhook_hosts",
    multiple=True,
    metavar="HOST",
    help="Send webhooks there, too. Repeatable.",
)
@click.option(
    "--admin-token",
    metavar="TOKEN",
    help="Let /__admin answer whoever sends Authorization: Bearer TOKEN, from any machine, and nobody else.",
)
@click.option("--no-admin", is_flag=True, help="Let /__admin answer nobody.")
@click.option(
    "--latency",
    metavar="DELAY",
    help="Let every well-formed call and every picture wait: 200ms, or 200ms..2s for something between.",
)
@_patience("--timeout-head", PATIENT.head_s, "a connection that has not sent a whole head")
@_patience("--timeout-body", PATIENT.body_s, "a connection that sends no more of a body")
@click.option(
    "--scenario", metavar="NAME", help="What goes wrong from the start: a scenario's name, or a file of one."
)
@click.option(
    "--self-check",
    "checks_answers",
    is_flag=True,
    help="Hold every answer against the specification; a violation is a 500.",
)
@click.option(
    "--json", "is_json", is_flag=True, help="Print one JSON object a line, the first one holding the URL."
)
@click.option(
    "--verbose",
    "-v",
    "is_verbose",
    is_flag=True,
    help="Print the bodies of each request, pictures shortened.",
)
@click.option("--quiet", is_flag=True, help="Do not print a line for each request.")
def serve(
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
    """Answer for the APIs until the process is stopped."""
    from mockserver.allocation import settle  # noqa: PLC0415 - only this command is a server
    from mockserver.assembly import create_engine  # noqa: PLC0415
    from mockserver.outlet import Outlet, OutletHandler  # noqa: PLC0415
    from mockserver.printing import Printer  # noqa: PLC0415
    from mockserver.scenarios import delays, read_orders, read_scenario  # noqa: PLC0415
    from mockserver.serving.crowd import raise_limit  # noqa: PLC0415
    from mockserver.serving.server import Server  # noqa: PLC0415
    from mockserver.state.clock import Clock  # noqa: PLC0415
    from mockserver.statefile import StateFile  # noqa: PLC0415

    complaints = Outlet(sys.stderr, "WARNING {} lines were dropped, because nobody read them".format)
    logging.basicConfig(level=logging.WARNING, format=LOGGED, handlers=[OutletHandler(complaints)])
    scenario, latency = chosen.pop("scenario"), chosen.pop("latency")
    timeouts = Timeouts(chosen.pop("timeout_head"), chosen.pop("timeout_body"))
    hosts, urls = frozenset(chosen.pop("webhook_hosts")), chosen.pop("public_urls")
    chosen |= {"public_url": urls.pop("", None), "has_admin": not chosen.pop("no_admin")}
    settings = Settings(**chosen, webhook_hosts=hosts, public_urls=urls)
    printer = Printer(is_json=is_json, is_verbose=is_verbose)
    raise_limit()
    with _explained(f"{host}:{port}"):
        engine = create_engine(settings, folders, clock=Clock(scale=time_scale))
        keeper = StateFile(engine.worlds, state_file).loaded() if state_file else contextlib.nullcontext()
        if scenario or latency:  # behind the state file, whose orders are of another start
            orders = read_scenario(engine.catalog, scenario) if scenario else []
            orders += read_orders(engine.catalog, delays(latency)) if latency else []
            engine.world.plans.begin_with(orders)
        server = Server(engine, host=host, port=port, timeouts=timeouts)
    if not quiet:
        engine.listeners.append(printer.exchange)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())  # for the moment before the server takes them itself
    _shorten_keys(engine.catalog)
    printer.start(server.url, engine.catalog)
    settle()
    with contextlib.closing(complaints), printer, keeper:
        server.run()


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
