"""`wait`: until a mockserver answers, for scripts, containers and CI; its status says what was found.

Any answer of a mockserver will do, a refusal to show its health as well (`--no-admin`, a token, another
machine): it listens once everything is loaded, and not before.
"""

import contextlib
import functools
import http.client
import os
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import click

from mockserver.cli.shared import FILE, FiniteRange
from mockserver.hosts import bracketed

ANSWERS, NOT_IN_TIME, ANOTHER_PROGRAM, NOT_TRUSTED = 0, 1, 3, 4  # 2 is click's: the command line is wrong
HEALTH = "/__admin/health"
MARK = "Mock-Request-Id"  # a header that no answer of ours lacks
HEALTHY = frozenset({200, 401, 403})
STARTING = frozenset({502, 503, 504})  # what a gateway says before the server behind it is there
LEAST_PAUSE_S, MOST_PAUSE_S = 0.05, 0.5
MOST_SILENCE_S = 5  # of one look: who listens, but was not ready yet, may never answer what came too early


class Look(NamedTuple):
    """What was found at an address: an exit status and a sentence, or the address itself."""

    status: int
    said: str


@click.command()
@click.argument("url", required=False, envvar="MOCKSERVER_URL")
@click.option(
    "--timeout",
    "patience_s",
    default=30.0,
    show_default=True,
    type=FiniteRange(min=0, min_open=True, max=threading.TIMEOUT_MAX),
    help="How many seconds to wait at most.",
)
@click.option(
    "--port-file", type=FILE, metavar="FILE", help="Take the port from there, once `serve` has written it."
)
@click.option(
    "--cacert", type=FILE, metavar="FILE", help="Trust the certificates of this authority, too (PEM)."
)
def wait(url: str | None, patience_s: float, port_file: Path | None, cacert: Path | None) -> None:
    """Wait until a mockserver answers at URL, and print the URL.

    Without one it is that of MOCKSERVER_URL, or of this machine at the usual port or that of MOCKSERVER_PORT,
    with MOCKSERVER_TLS by https; the authority of `mockserver ca` is trusted, if it is there.
    The status is 0 where a mockserver answers, 1 where none did in time, 2 where the command line is wrong,
    3 where something else answers, and 4 where the certificate is not trusted.
    """
    place = _read_url(url or _usual_url(os.environ))
    trusting = functools.partial(_trusting, cacert) if place.scheme == "https" else lambda: None
    trusting()  # what is wrong with a file is told at once
    found = _watch(lambda: _look(place, port_file, trusting()), patience_s)
    if found.status == ANSWERS:
        click.echo(found.said)
        return
    late = f", after {patience_s:g} s" if found.status == NOT_IN_TIME else ""
    click.echo(f"{click.style('error: ', fg='red')}{found.said}{late}", err=True)
    sys.exit(found.status)


def _usual_url(environment: Mapping[str, str]) -> str:
    """Give where `serve` listens that is started in the same environment, a container's for instance."""
    scheme = "https" if click.BOOL(environment.get("MOCKSERVER_TLS") or "0") else "http"
    return f"{scheme}://127.0.0.1:{environment.get('MOCKSERVER_PORT') or 8080}"


def _read_url(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        is_place = place.port != 0 and bool((place.hostname or "").encode("idna"))
    except ValueError:  # UnicodeError is one
        place, is_place = urlsplit(""), False
    has_more = place.query or place.fragment or "@" in place.netloc or not place.path.isascii()
    if (
        place.scheme not in {"http", "https"}
        or not is_place
        or has_more
        or not url.isprintable()
        or " " in url
    ):
        raise click.BadParameter(f"{url} is no address such as http://127.0.0.1:8080", param_hint="URL")
    return place._replace(path=place.path.rstrip("/").removesuffix(HEALTH))


def _trusting(cacert: Path | None) -> ssl.SSLContext:
    """Trust what this machine trusts, the authority of `serve --tls`, and one more."""
    from mockserver.tls.authority import client_context  # noqa: PLC0415 - takes its time

    context = client_context()
    if cacert is not None:
        try:
            context.load_verify_locations(cacert)
        except OSError as error:  # ssl.SSLError is one
            what = f"{cacert} holds no certificate that can be read: {error.strerror or error}"
            raise click.BadParameter(what, param_hint="--cacert") from error
    return context


def _watch(look: Callable[[], Look], patience_s: float) -> Look:
    """Look until something is certain or the time is over, however long one look takes."""
    found, is_over = Look(NOT_IN_TIME, "the first look has not ended"), threading.Event()

    def watch() -> None:
        nonlocal found
        pause_s = LEAST_PAUSE_S
        while not is_over.is_set():
            found = look()
            if found.status != NOT_IN_TIME:
                return
            is_over.wait(pause_s)
            pause_s = min(2 * pause_s, MOST_PAUSE_S)

    thread = threading.Thread(target=watch, name="mockserver-wait", daemon=True)
    thread.start()
    thread.join(patience_s)
    is_over.set()
    return found


def _look(place: SplitResult, port_file: Path | None, context: ssl.SSLContext | None) -> Look:
    if port_file is not None:
        port = _read_port(port_file)
        if port is None:
            return Look(NOT_IN_TIME, f"{port_file} holds no port")
        place = place._replace(netloc=f"{bracketed(str(place.hostname))}:{port}")
    return _meet(place, context)


def _read_port(file: Path) -> int | None:
    try:
        port = int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return port if 0 < port < 1 << 16 else None


def _meet(place: SplitResult, context: ssl.SSLContext | None) -> Look:
    try:
        return _ask(place, context)
    except ssl.SSLCertVerificationError as error:
        way = "--cacert FILE names an authority to trust"
        return Look(NOT_TRUSTED, f"the certificate of {place.geturl()}: {error.verify_message}; {way}")
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:  # it ends, or begins
        return Look(NOT_IN_TIME, f"{place.geturl()} parts in the middle: {error.reason or 'no more came'}")
    except ssl.SSLError as error:
        return Look(ANOTHER_PROGRAM, f"what answers at {place.geturl()} speaks no TLS: {error.reason}")
    except (OSError, http.client.IncompleteRead) as error:
        return Look(
            NOT_IN_TIME, f"nothing answers at {place.geturl()}: {getattr(error, 'strerror', 0) or error}"
        )
    except http.client.HTTPException as error:
        return Look(ANOTHER_PROGRAM, f"what answers at {place.geturl()} speaks no HTTP: {str(error)[:80]!r}")


def _ask(place: SplitResult, context: ssl.SSLContext | None) -> Look:
    host, port = str(place.hostname), place.port
    with contextlib.closing(
        http.client.HTTPSConnection(host, port, timeout=MOST_SILENCE_S, context=context)
        if context
        else http.client.HTTPConnection(host, port, timeout=MOST_SILENCE_S)
    ) as connection:
        connection.request("GET", f"{place.path}{HEALTH}", headers={"Connection": "close"})
        answer = connection.getresponse()
        is_ours, status = MARK in answer.headers, answer.status
    if is_ours and status in HEALTHY:
        return Look(ANSWERS, place.geturl())
    if is_ours:
        return Look(
            ANOTHER_PROGRAM, f"a mockserver answers, but {place.geturl()} is no address of one: {status}"
        )
    if status in STARTING:
        return Look(NOT_IN_TIME, f"a gateway answers {status} at {place.geturl()}")
    return Look(ANOTHER_PROGRAM, f"what answers at {place.geturl()} with {status} is no mockserver")
