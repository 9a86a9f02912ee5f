"""What a running server prints: its address, a call to paste for each provider, and a line for each request.

Lines are gathered and written a few times a second, so that printing does not slow the calls.
"""

import json
import shlex
import sys
import threading
from typing import Self

import click

from mockserver.admin.routes import NAME as ADMIN
from mockserver.call import Exchange
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Provider

WRITES_PER_SECOND = 10
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
        for provider in catalog.providers.values():
            count = len(provider.operations)
            counted = f"{count} operation{'' if count == 1 else 's'}"
            click.echo(f"# {provider.title}: {counted}, at / and /{provider.name}")
            click.echo(f"{curl(provider, url)}\n")
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


def curl(provider: Provider, url: str) -> str:
    """Write a call of the provider's first operation that works when it is pasted."""
    operation = provider.sample_operation
    key, address = provider.sample_key, url + operation.path
    headers = []
    for scheme in operation.schemes:
        if scheme.location == "query":
            address += f"{'&' if '?' in address else '?'}{scheme.field}={key}"
        elif scheme.kind == "basic":
            headers += ["-u", f"{key}:"]
        else:
            headers += ["-H", f"{scheme.shown}{key}"]
    parts = ["curl", "-s", "-X", operation.method, address, *headers]
    if operation.body and operation.body.example is not None:
        parts += ["-H", "Content-Type: application/json", "-d", json.dumps(operation.body.example)]
    return " ".join(shlex.quote(part) for part in parts)
