"""What a running server prints: its address, a call to paste for each provider, and a line for each request.

Exchanges are gathered, and put into words a few times a second by a thread of their own, so that printing
does not slow the calls; an `Outlet` writes them, so that a reader who is slow does not, either.
"""

import json
import os
import shlex
import sys
import threading
from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Self
from urllib.parse import unquote

import click

from mockserver.admin.routes import NAME as ADMIN
from mockserver.call import Exchange, Match
from mockserver.console import write_bodies, write_json, write_line
from mockserver.journal.redaction import NOWHERE, redaction_of
from mockserver.jsontext import Json
from mockserver.messages import Request, Response
from mockserver.nomatch import NoMatch
from mockserver.outlet import Outlet
from mockserver.pipeline.route import Router
from mockserver.samples import make_sample
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Operation, Provider

WRITES_PER_SECOND = 10
AT_ONCE = 32 * 1024  # characters that are handed on together: each time wakes a thread
MOST_HEARD, MOST_HEARD_BYTES = 20_000, 32 * 1024 * 1024  # exchanges, and their bodies, to be put into words
MOST_TRIED = 20  # operations, for a call that works
GREEN, YELLOW, RED, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"


class Printer:
    """Writes to standard output, as text for people or as one JSON object a line."""

    def __init__(self, *, is_json: bool, is_verbose: bool = False) -> None:
        self._is_json, self._is_verbose = is_json, is_verbose
        self._heard: list[tuple[Exchange, Response]] = []
        self._heard_bytes = 0
        self._outlet = Outlet(sys.stdout, self._tell_of_dropped)
        self._redaction = NOWHERE
        self._begun: dict[tuple[str | None, ...], str] = {}  # of the lines that are being written
        has_colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._colours = {2: GREEN, 4: YELLOW, 5: RED} if has_colours else {}
        self._plain = PLAIN if has_colours else ""
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="mockserver-printer", daemon=True)

    def start(self, url: str, catalog: Catalog, more: Mapping[str, Json] = MappingProxyType({})) -> None:
        """Say where the server is and what can be called; to programs, `more`."""
        self._redaction = redaction_of(catalog.providers.values())
        if self._is_json:
            click.echo(
                json.dumps({"event": "start", "url": url, "providers": list(catalog.providers), **more})
            )
            return
        address = click.style(url, bold=True, fg="green")
        click.echo(f"{click.style('mockserver', bold=True)} listens on {address}\n")
        router = Router(catalog)
        for provider in catalog.providers.values():
            count = len(provider.operations)
            counted = f"{count} operation{'' if count == 1 else 's'}"
            click.echo(f"# {provider.title}: {counted}, at / and /{provider.name}")
            click.echo(f"{curl(provider, url, router)}\n")
        click.echo("Ctrl-C stops it. `mockserver errors` lists every error you can order.\n")

    def exchange(self, exchange: Exchange) -> None:
        """Note what was asked; it is printed within a tenth of a second. What was told to /__admin is not."""
        response = exchange.response
        if response is None or exchange.operation == ADMIN or self._outlet.is_broken:
            return
        size = self._heard_bytes + len(exchange.request.body) + len(response.read())
        if len(self._heard) >= MOST_HEARD or (self._heard and size > MOST_HEARD_BYTES):
            self._outlet.lose(1)
            return
        self._heard_bytes = size
        self._heard.append((exchange, response))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._outlet.close()

    def _write_on(self) -> None:
        while not self._is_over.wait(1 / WRITES_PER_SECOND):
            self._write()
        self._write()

    def _write(self) -> None:
        heard, self._heard = self._heard, []
        self._heard_bytes = 0
        lines, size = list[str](), 0
        for exchange, response in heard:
            for line in self._lines(exchange, response):
                lines.append(line)
                size += len(line)
            if size >= AT_ONCE:
                self._put(lines)
                lines, size = [], 0
        self._put(lines)
        self._begun.clear()  # calls made up what stands in them

    def _put(self, lines: list[str]) -> None:
        if lines:
            self._outlet.put("\n".join([*lines, ""]), len(lines))

    def _tell_of_dropped(self, count: int) -> str:
        if self._is_json:
            return json.dumps({"event": "dropped", "lines": count})
        return f"({count} lines were dropped, because nobody read them)"

    def _lines(self, exchange: Exchange, response: Response) -> Iterator[str]:
        if self._is_json:
            yield write_json(exchange, response, self._redaction, has_bodies=self._is_verbose)
            return
        how = (self._colours, self._plain, self._redaction)
        yield write_line(exchange, response, *how, self._begun)
        if self._is_verbose:
            yield from write_bodies(exchange, response, self._redaction)


def curl(provider: Provider, url: str, router: Router) -> str:
    """Write a call of the provider that works when it is pasted, or that none could be made."""
    operations = [provider.sample_operation, *islice(provider.operations.values(), MOST_TRIED)]
    made = ((each, sample) for each in operations if (sample := make_sample(each)))
    operation, sample = next(made, (None, None))
    if operation is None or sample is None:
        return f"# no call could be made from its schemas; give an operation of {provider.name} an example"
    key, (path, query, headers, body) = provider.sample_key, sample
    own = path if _is_at_root(router, operation, path) else f"/{provider.name}{path}"
    parts = ["-I"] if operation.method == "HEAD" else ["-X", operation.method]
    for scheme in operation.schemes:
        if scheme.location == "query":
            query += f"{'&' if query else ''}{scheme.field}={key}"
        elif scheme.kind == "basic":
            parts += ["-u", f"{key}:"]
        else:
            parts += ["-H", f"{scheme.shown}{key}"]
    for name, value in headers:
        parts += ["-H", f"{name}: {value}"]
    parts += [] if body is None else ["-d", body]
    address = f"{url}{own}{'?' if query else ''}{query}"
    return " ".join(shlex.quote(part) for part in ["curl", "-s", *parts[:2], address, *parts[2:]])


def _is_at_root(router: Router, operation: Operation, path: str) -> bool:
    """Whether an operation answers at the root; where two APIs have one path, only the first does."""
    try:
        found = router.route(Request(operation.method, unquote(path), {}))
    except NoMatch:
        return False
    return isinstance(found, Match) and found.operation is operation
