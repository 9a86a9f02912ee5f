"""`assumptions`: what the documents leave open, and how each can be read."""

import json
from pathlib import Path

import click

from mockserver.cli.shared import SPECS, load_catalog, stop
from mockserver.spec.explain import nearest
from mockserver.spec.model import Provider


@click.command()
@click.argument("provider", required=False)
@SPECS
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a line.")
def assumptions(provider: str | None, folders: tuple[Path, ...], is_json: bool) -> None:
    """List what the documents leave open. With `--assume NAME=READING` it is read otherwise."""
    providers = load_catalog(folders).providers
    if provider is not None and provider not in providers:
        stop([f"there is no provider {provider!r}; {nearest(provider, providers)}"])
    for each in providers.values() if provider is None else [providers[provider]]:
        _print_json(each) if is_json else _print(each)


def _print_json(provider: Provider) -> None:
    for name, row in provider.table.assumptions.items():
        told = {
            "name": f"{provider.name}.{name}",
            "question": row.question,
            "default": row.default,
            "why": row.why,
        }
        readings = {key: reading.does for key, reading in row.readings.items()}
        ends = {"strictest": row.strictest or row.default, "mostLenient": row.most_lenient or row.default}
        about = provider.citations.get(row.about) if row.about else None
        source = provider.citations.get(row.citation, row.citation)
        sure = {"provenance": row.provenance, "source": source, "about": about}
        click.echo(json.dumps({**told, "readings": readings, **ends, "operations": row.operations, **sure}))


def _print(provider: Provider) -> None:
    click.secho(f"\n{provider.title}", bold=True)
    for name, row in provider.table.assumptions.items():
        click.secho(f"\n  {provider.name}.{name}", bold=True, nl=False)
        click.echo(f"  {row.question}")
        width = max(map(len, row.readings))
        for key, reading in row.readings.items():
            ends = {"strictest": row.strictest, "most lenient": row.most_lenient}
            marks = ["default"] * (key == row.default)
            marks += [word for word, end in ends.items() if key == (end or row.default)]
            click.echo(f"    {key:{width}}  {reading.does}" + (f" [{', '.join(marks)}]" if marks else ""))
        about = provider.citations.get(row.about or "", "")
        click.echo(f"    {row.why} [{row.provenance}{f'; {about}' if about else ''}]")
