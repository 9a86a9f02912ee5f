"""What a running server prints: its address, a call to paste for each provider, and a line for each request.

Lines are gathered and written a few times a second, so that printing does not slow the calls.
"""

import json
import shlex
import sys
import threading
from itertools import islice
from typing import Self
from urllib.parse import unquote

import click

from mockserver.admin.routes import NAME as ADMIN
from mockserver.call import Exchange, Match
from mockserver.messages import Request
from mockserver.pipeline.route import NoMatch, Router
from mockserver.samples import make_sample
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Operation, Provider

WRITES_PER_SECOND = 10
MOST_TRIED = 20  # operations, for a call that works
GREEN, YELLOW, RED, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"


class Printer:
    """Writes to standard output, as text for people or as one JSON object a line."""

    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json
        self._lines: list[str] = []
        self._is_deaf = False  # True: standard output was closed, so nothing is noted any more
        is_terminal = sys.stdout.isatty()
        self._colours = {2: GREEN, 4: YELLOW, 5: RED} if is_terminal else {}
        self._plain = PLAIN if is_terminal else ""
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="mockserver-printer", daemon=True)

    def start(self, url: str, catalog: Catalog) -> None:
        """Say where the server is and what can be called."""
        if self._is_json:
            click.echo(json.dumps({"event": "start", "url": url, "providers": list(catalog.providers)}))
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
        request, response, operation = exchange.request, exchange.response, exchange.operation
        if self._is_deaf or response is None or operation == ADMIN:
            return
        took_ms = exchange.duration_s * 1000
        if self._is_json:
            row = {
                "event": "request",
                "method": request.method,
                "path": request.path,
                "operation": operation,
                "status": response.status,
                "error": response.error,
                "ms": round(took_ms, 1),
            }
            self._lines.append(json.dumps(row))
            return
        status = f"{self._colours.get(response.status // 100, '')}{response.status}{self._plain}"
        path = request.path if request.path.isprintable() else ascii(request.path)
        said = (request.method, path, operation or "-", status, response.error or "-", took_ms)
        self._lines.append("%-6s %-28s %-36s %s %s %.1f ms" % said)  # noqa: UP031 - half an f-string's time

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _write_on(self) -> None:
        try:
            while not self._is_over.wait(1 / WRITES_PER_SECOND):
                self._write()
            self._write()
        except (BrokenPipeError, ValueError):  # nobody reads any more
            self._is_deaf = True

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if lines and not sys.stdout.closed:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()


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
