"""`routes` and `errors`: what can be called, and what can go wrong."""

import json
from collections.abc import Mapping, Sequence
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
    """List every documented error, and the ways to get it."""
    from mockserver.causes import find_causes  # noqa: PLC0415 - only this command needs these
    from mockserver.fixtures import load_fixtures  # noqa: PLC0415

    catalog = load_catalog(folders)
    providers = catalog.providers
    if provider is not None and provider not in providers:
        stop([f"there is no provider {provider!r}; there are {', '.join(providers)}"])
    for each in providers.values() if provider is None else [providers[provider]]:
        causes = find_causes(each, load_fixtures().accounts.get(each.name, {}))
        if is_json:
            for row in each.errors.values():
                told = {"message": row.message, "cause": row.cause}
                sure = {"provenance": row.provenance, "wording": row.wording}
                ours = {"ours": list(row.ours)}
                source = each.citations.get(row.citation, row.citation)
                named = {"status": row.status, "code": row.code, "example": row.name}
                known = {**ours, "source": source, "by_itself": causes.get(row.name, ())}
                click.echo(json.dumps({"provider": each.name, **named, **told, **sure, **known}))
        else:
            _print_errors(each, causes)


def _print_errors(provider: Provider, causes: Mapping[str, Sequence[str]]) -> None:
    first = next(iter(provider.errors.values()))
    click.secho(f"\n{provider.title}", bold=True)
    click.echo(f"  by header   Prefer: code={first.status}, example={first.name}")
    click.echo(f"  by key      {provider.sample_key}_{first.name.lower()}")
    operations = provider.operations.values()
    if fields := list(dict.fromkeys(name for each in operations for name in each.row.order_fields)):
        click.echo(f"  by word     [{first.name.lower()}] in {', '.join(fields)}")
    others = ["delay_800", "download_404", *(["job_failed"] if provider.jobs else [])]
    click.echo(f"  also        {', '.join(others)} in place of the row, by key and by word;")
    preferred = [each.replace("_", "=") for each in others]
    click.echo(f"              Prefer: {', '.join(preferred)}\n")
    width = max(len(name) for name in provider.errors)
    for row in provider.errors.values():
        click.echo(f"  {row.status}  {row.name:{width}}  {row.message}")
        ours = f"; ours: {', '.join(row.ours)}" if row.ours else ""
        click.echo(f"       {'':{width}}  {row.cause} [{row.provenance}{ours}; wording {row.wording}]")
        for cause in causes.get(row.name, ("no call does; order it",)):
            click.echo(f"       {'':{width}}  by itself: {cause}")
