"""`routes` and `errors`: what can be called, and what can go wrong."""

import json
from pathlib import Path

import click

from mockserver.cli.shared import SPECS, load_catalog, stop
from mockserver.spec.model import Provider


@click.command()
@SPECS
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a line.")
def routes(folders: tuple[Path, ...], is_json: bool) -> None:
    """List every operation."""
    operations = load_catalog(folders).operations
    if is_json:
        for each in operations:
            row = {"provider": each.provider, "method": each.method, "path": each.path}
            click.echo(json.dumps({**row, "operation": each.name}))
        return
    width = max(len(operation.path) for operation in operations)
    for each in operations:
        click.echo(f"{each.method:6} {each.path:{width}}  {each.name:40}  {each.row.title}")


@click.command()
@click.argument("provider", required=False)
@SPECS
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a line.")
def errors(provider: str | None, folders: tuple[Path, ...], is_json: bool) -> None:
    """List every documented error, and the three ways to get it."""
    providers = load_catalog(folders).providers
    if provider is not None and provider not in providers:
        stop([f"there is no provider {provider!r}; there are {', '.join(providers)}"])
    for each in providers.values() if provider is None else [providers[provider]]:
        if is_json:
            for row in each.errors.values():
                told = {"message": row.message, "cause": row.cause}
                sure = {"provenance": row.provenance, "wording": row.wording}
                ours = {"ours": list(row.ours)}
                source = each.citations.get(row.citation, row.citation)
                named = {"status": row.status, "code": row.code, "example": row.name}
                click.echo(
                    json.dumps({"provider": each.name, **named, **told, **sure, **ours, "source": source})
                )
        else:
            _print_errors(each)


def _print_errors(provider: Provider) -> None:
    first = next(iter(provider.errors.values()))
    click.secho(f"\n{provider.title}", bold=True)
    click.echo(f"  by header   Prefer: code={first.status}, example={first.name}")
    click.echo(f"  by key      {provider.sample_key}_{first.name.lower()}")
    click.echo(f"  by itself   {_triggers(provider)}\n")
    width = max(len(name) for name in provider.errors)
    for row in provider.errors.values():
        click.echo(f"  {row.status}  {row.name:{width}}  {row.message}")
        ours = f"; ours: {', '.join(row.ours)}" if row.ours else ""
        click.echo(f"       {'':{width}}  {row.cause} [{row.provenance}{ours}; wording {row.wording}]")


def _triggers(provider: Provider) -> str:
    marks = {mark for operation in provider.operations.values() for mark in operation.row.marked_words}
    words = ", ".join(sorted({f"[{each.error.lower()}] in {each.field}" for each in marks}))
    reserved = provider.words.get("reserved_names")
    return words + (f"; the reserved names {', '.join(reserved)}" if reserved else "")
