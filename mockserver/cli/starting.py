"""How commands that serve begin: an engine as options have it, and what is said where that fails."""

import contextlib
import errno
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.cli.shared import stop
from mockserver.settings import Settings
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SpecificationError

if TYPE_CHECKING:
    from mockserver.engine import Engine  # which takes time to load
    from mockserver.printing import Printer
    from mockserver.serving.server import Server
    from mockserver.tls.authority import Authority

LOGGED = "%(levelname)s %(message)s"


def open_authority() -> "Authority":
    """Give this user's authority, or stop with what can be done."""
    from mockserver.tls.authority import Authority, AuthorityError, usual_folder  # noqa: PLC0415 - takes its time

    try:
        return Authority(usual_folder())
    except AuthorityError as error:
        stop([str(error)])


def log_to_standard_error(stack: contextlib.ExitStack, catalog: Catalog | None = None) -> None:
    """Log what is wrong without waiting for whoever reads it, until the stack ends."""
    from mockserver.outlet import Outlet, OutletHandler  # noqa: PLC0415

    complaints = Outlet(sys.stderr, "WARNING {} lines were dropped, because nobody read them".format)
    stack.enter_context(contextlib.closing(complaints))
    logging.basicConfig(level=logging.WARNING, format=LOGGED, handlers=[OutletHandler(complaints)])
    if catalog is not None:
        shorten_keys(catalog)


def make_engine(
    chosen: dict[str, Any], folders: tuple[Path, ...], time_scale: float, state_file: Path | None
) -> "tuple[Engine, contextlib.AbstractContextManager[object]]":
    """Make the engine that options choose, and what keeps its world in a file."""
    from mockserver.assembly import create_engine  # noqa: PLC0415
    from mockserver.state.clock import Clock  # noqa: PLC0415
    from mockserver.statefile import StateFile  # noqa: PLC0415

    scenario, latency = chosen.pop("scenario"), chosen.pop("latency")
    engine = create_engine(read_settings(chosen), folders, clock=Clock(scale=time_scale))
    keeper = StateFile(engine.worlds, state_file).loaded() if state_file else contextlib.nullcontext()
    order(engine, scenario, latency)  # behind the state file, whose orders are of another start
    return engine, keeper


def read_settings(chosen: dict[str, Any]) -> Settings:
    """Read what options choose; the rest of them was taken out."""
    hosts, urls = frozenset(chosen.pop("webhook_hosts")), chosen.pop("public_urls")
    chosen |= {"public_url": urls.pop("", None), "has_admin": not chosen.pop("no_admin", False)}
    return Settings(**chosen, webhook_hosts=hosts, public_urls=urls)


def order(engine: "Engine", scenario: str | None, latency: str | None) -> None:
    """Let go wrong from the start, and after each reset, what options say."""
    from mockserver.scenarios import delays, read_orders, read_scenario  # noqa: PLC0415

    if scenario or latency:
        orders = read_scenario(engine.catalog, scenario) if scenario else []
        orders += read_orders(engine.catalog, delays(latency)) if latency else []
        engine.world.plans.begin_with(orders)


def make_ready(engine: "Engine", server: "Server", printer: "Printer", *, is_quiet: bool) -> None:
    """Let a server that has its port print its calls, show no key, keep house and end when it is told to."""
    from mockserver.allocation import settle  # noqa: PLC0415 - only who serves needs these
    from mockserver.serving.server import ENDINGS  # noqa: PLC0415

    if not is_quiet:
        engine.listeners.append(printer.exchange)
    for number in ENDINGS:  # for the moment before the server takes them itself
        signal.signal(number, lambda *_: server.stop())
    shorten_keys(engine.catalog)
    settle()


def shorten_keys(catalog: Catalog) -> None:
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
def explained(address: str) -> Iterator[None]:
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
