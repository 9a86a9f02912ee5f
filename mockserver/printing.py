"""What a running server prints: its address, a call to paste for each provider, and a line for each request.

Lines are gathered and written a few times a second, so that printing does not slow the calls.
"""

import json
import shlex
import sys
import threading
from types import TracebackType
from typing import Self

import click

from mockserver.messages import Request, Response
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Provider

WRITES_PER_SECOND = 10
NOT_FOUND, SERVER_ERROR = 400, 500


class Printer:
    """Writes to standard output, as text for people or as one JSON object a line."""

    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json
        self._lines: list[str] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="mockserver-printer", daemon=True)

    def start(self, url: str, catalog: Catalog) -> None:
        """Say where the server is and what can be called."""
        if self._is_json:
            click.echo(json.dumps({"event": "start", "url": url, "providers": list(catalog.providers)}))
            return
        click.echo(f"{click.style('mockserver', bold=True)} listens on {click.style(url, bold=True, fg='green')}\n")
        for provider in catalog.providers.values():
            count = _counted(len(provider.operations), "operation")
            click.echo(f"# {provider.title}: {count}, at / and /{provider.name}")
            click.echo(f"{curl(provider, url)}\n")
        click.echo("Ctrl-C stops it. `mockserver errors` lists every error you can order.\n")

    def exchange(self, request: Request, response: Response, took_s: float) -> None:
        """Note one request; it is printed within a tenth of a second."""
        took_ms = round(took_s * 1000, 1)
        if self._is_json:
            row = {
                "event": "request",
                "method": request.method,
                "path": request.path,
                "operation": response.operation,
                "status": response.status,
                "error": response.error,
                "ms": took_ms,
            }
            self._lines.append(json.dumps(row))
            return
        colour = "green" if response.status < NOT_FOUND else "yellow" if response.status < SERVER_ERROR else "red"
        status = click.style(str(response.status), fg=colour)
        path = request.path.encode("ascii", "backslashreplace").decode()
        self._lines.append(
            f"{request.method:6} {path:28} {response.operation or '-':36} {status} {response.error or '-'} {took_ms} ms"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()

    def _write_on(self) -> None:
        while not self._is_over.wait(1 / WRITES_PER_SECOND):
            self._write()
        self._write()

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            click.echo("\n".join(lines))
            sys.stdout.flush()


def curl(provider: Provider, url: str) -> str:
    """Write a call of the provider's first operation that works when it is pasted."""
    operation = provider.sample_operation
    parts = ["curl", "-s", "-X", operation.method, url + operation.path]
    if operation.security:
        scheme = operation.security[0]
        key = f"{provider.keys['prefix'] or 'tb_'}test"
        parts += ["-H", f"Authorization: Bearer {key}" if scheme.kind == "bearer" else f"{scheme.shown}: {key}"]
    if operation.body and operation.body.example is not None:
        parts += ["-H", "Content-Type: application/json", "-d", json.dumps(operation.body.example)]
    return " ".join(shlex.quote(part) for part in parts)


def _counted(count: int, noun: str) -> str:
    """Write a number of things.

    >>> _counted(1, "operation"), _counted(2, "operation")
    ('1 operation', '2 operations')
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")
