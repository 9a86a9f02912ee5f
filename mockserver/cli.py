"""The command line: serve, routes, errors, check and render.

Everything that is printed is put together here; the work is done elsewhere.
"""

import contextlib
import gc
import json
import logging
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Never

import click

from mockserver.engine import Settings
from mockserver.spec.catalog import Catalog, SpecificationError, load, survey
from mockserver.spec.model import Provider

SIZE = re.compile(r"[0-9]{2,4}x[0-9]{2,4}")
ENFORCEABLE = frozenset({"credits", "limits"})


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mockserver")
def main() -> None:
    """Emulate third-party HTTP APIs on this machine: Pikzels v2, FatThumb and ThumbAPI."""


def _url(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Check that --public-url is an address."""
    if value is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        raise click.BadParameter(f"{value} is no address such as https://mock.example.com")
    return value


SPECS = click.option(
    "--specs", "folders", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
    help="Also serve the providers in this folder; one of a bundled name replaces it. Repeatable.",
)  # fmt: skip


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port."
)
@click.option(
    "--seed", default=0, show_default=True, help="Another seed gives other ids, scores and pictures."
)
@click.option("--strict-keys", is_flag=True, help="Refuse keys that fixtures/accounts.yaml does not list.")
@SPECS
@click.option(
    "--public-url",
    metavar="URL",
    callback=_url,
    help="The address in links, where callers reach this server by another.",
)
@click.option(
    "--seed-only-fields", is_flag=True, help="Leave out ThumbAPI's dimensions, generationId and imageUrl."
)
@click.option(
    "--time-scale",
    default=1.0,
    show_default=True,
    help="How many seconds pass in one real second.",
    type=click.FloatRange(min=0, min_open=True),
)
@click.option("--realistic", is_flag=True, help="Let jobs take as long as documented, not two seconds.")
@click.option(
    "--enforce", default="", metavar="LIST", help="credits, limits or both: refuse who has none, or too many."
)
@click.option(
    "--state",
    "state_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the world in this file.",
)
@click.option(
    "--allow-webhook-host",
    "webhook_hosts",
    multiple=True,
    metavar="HOST",
    help="Send webhooks there, too. Repeatable.",
)
@click.option(
    "--self-check", is_flag=True, help="Hold every answer against the specification; a breach is a 500."
)
@click.option(
    "--json", "is_json", is_flag=True, help="Print one JSON object a line, the first one holding the URL."
)
@click.option("--quiet", is_flag=True, help="Do not print a line for each request.")
def serve(
    host: str,
    port: int,
    seed: int,
    strict_keys: bool,
    folders: tuple[Path, ...],
    public_url: str | None,
    seed_only_fields: bool,
    time_scale: float,
    realistic: bool,
    enforce: str,
    state_file: Path | None,
    webhook_hosts: tuple[str, ...],
    self_check: bool,
    is_json: bool,
    quiet: bool,
) -> None:
    """Answer for the APIs until the process is stopped."""
    from mockserver.printing import Printer  # noqa: PLC0415 - only this command needs a server
    from mockserver.server import Server, create_engine  # noqa: PLC0415
    from mockserver.state.clock import Clock  # noqa: PLC0415
    from mockserver.statefile import StateFile  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    settings = Settings(
        seed=seed,
        is_strict=strict_keys,
        public_url=public_url,
        has_extra_fields=not seed_only_fields,
        is_realistic=realistic,
        enforced=_enforced(enforce),
        raises_bugs=self_check,
        checks_answers=self_check,
    )
    printer = Printer(is_json=is_json)
    with _explained(f"{host}:{port}"):
        engine = create_engine(settings, folders, clock=Clock(scale=time_scale))
        keeper = StateFile(engine.world, state_file).loaded() if state_file else contextlib.nullcontext()
        listener = None if quiet else printer.exchange
        server = Server(engine, host=host, port=port, listener=listener, webhook_hosts=webhook_hosts)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())  # for the moment before the server takes them itself
    printer.start(server.url, engine.catalog)
    gc.collect()
    gc.freeze()  # what was loaded stays, so the collector need not look at it again
    gc.set_threshold(20_000, 20, 50)
    with printer, keeper:
        server.run()


@contextlib.contextmanager
def _explained(address: str) -> Iterator[None]:
    """Stop with what can be done about it where a server cannot start."""
    try:
        yield
    except SpecificationError as error:
        _stop(error.complaints)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        _stop([f"cannot listen on {address}: {reason}; --port 0 takes any free port"])
    except ValueError as error:
        _stop([str(error)])


def _enforced(text: str) -> frozenset[str]:
    """Read the list of --enforce."""
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not names <= ENFORCEABLE:
        raise click.BadParameter(
            f"{text} is not a list of {', '.join(sorted(ENFORCEABLE))}", param_hint="--enforce"
        )
    return names


@main.command()
@SPECS
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a line.")
def routes(folders: tuple[Path, ...], is_json: bool) -> None:
    """List every operation."""
    operations = _loaded(folders).operations
    if is_json:
        for operation in operations:
            row = {
                "provider": operation.provider,
                "method": operation.method,
                "path": operation.path,
                "operation": operation.name,
            }
            click.echo(json.dumps(row))
        return
    width = max(len(operation.path) for operation in operations)
    for operation in operations:
        click.echo(
            f"{operation.method:6} {operation.path:{width}}  {operation.name:40}  {operation.row.title}"
        )


@main.command()
@click.argument("provider", required=False)
@SPECS
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a line.")
def errors(provider: str | None, folders: tuple[Path, ...], is_json: bool) -> None:
    """List every documented error, and the three ways to get it."""
    providers = _loaded(folders).providers
    if provider is not None and provider not in providers:
        _stop([f"there is no provider {provider!r}; there are {', '.join(providers)}"])
    for each in providers.values() if provider is None else [providers[provider]]:
        if is_json:
            for row in each.errors.values():
                click.echo(json.dumps({"provider": each.name, "status": row.status, "code": row.code, "example": row.name,
                                       "message": row.message, "cause": row.cause, "provenance": row.provenance, "wording": row.wording, "source": row.source}))  # fmt: skip
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
        click.echo(
            f"  {row.status}  {row.name:{width}}  {row.message}\n       {'':{width}}  {row.cause} [{row.provenance}; wording {row.wording}]"
        )


def _triggers(provider: Provider) -> str:
    """Say which texts bring an error about by themselves."""
    marks = {
        (field, error)
        for operation in provider.operations.values()
        for rule in operation.row.rules
        if rule["rule"] == "marked_words"
        for field in rule["fields"]
        for error in rule["errors"]
    }
    words = ", ".join(sorted(f"[{error.lower()}] in {field}" for field, error in marks))
    reserved = provider.vocabulary.get("reserved_names")
    return words + (f"; the reserved names {', '.join(reserved)}" if reserved else "")


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
def check(folder: Path | None) -> None:
    """Look for mistakes in specifications and tables: the bundled ones and those in DIR."""
    from mockserver.fixtures import load_fixtures  # noqa: PLC0415 - only this command and serve need these
    from mockserver.pipeline.behave import bind  # noqa: PLC0415
    from mockserver.spec.lint import lint  # noqa: PLC0415

    catalog, complaints = survey([folder] if folder else [])
    for step in (bind, load_fixtures):
        try:
            step(catalog)
        except SpecificationError as error:
            complaints += error.complaints
    complaints += lint(catalog)
    if complaints:
        _stop(list(dict.fromkeys(complaints)))
    rows = sum(len(provider.errors) for provider in catalog.providers.values())
    click.echo(
        f"{len(catalog.providers)} providers, {len(catalog.operations)} operations, {rows} errors: nothing to complain of"
    )


@main.command()
@click.argument("title")
@click.option(
    "-o",
    "--output",
    "file",
    default="thumbnail.png",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option("--size", default="1280x720", show_default=True, metavar="WIDTHxHEIGHT")
@click.option("--seed", default=0, show_default=True, help="Another seed gives other colours.")
def render(title: str, file: Path, size: str, seed: int) -> None:
    """Draw one thumbnail into a file (.png or .webp)."""
    from mockserver.imaging.rendering import render as draw  # noqa: PLC0415 - only this command needs Pillow
    from mockserver.imaging.scene import Scene  # noqa: PLC0415
    from mockserver.state.ids import Chance, digest_of  # noqa: PLC0415

    width, _, height = size.partition("x")
    if not (SIZE.fullmatch(size) and 64 <= int(width) <= 4096 and 64 <= int(height) <= 4096):  # noqa: PLR2004
        raise click.BadParameter(
            f"{size} is no size such as 1280x720, from 64x64 to 4096x4096", param_hint="--size"
        )
    if file.suffix.lower() not in {".png", ".webp"}:
        raise click.BadParameter(f"{file} must end in .png or .webp", param_hint="--output")
    chance = Chance(digest_of(str(seed).encode(), title.encode("utf-8", "surrogatepass")))
    scene = Scene(
        width=int(width),
        height=int(height),
        media_type=f"image/{file.suffix[1:].lower()}",
        provider="mockserver",
        operation="render",
        headline=title,
        seed=chance.seed,
        metadata=(("Software", "mockserver"),),
    )
    try:
        file.write_bytes(draw(scene))
    except OSError as error:
        _stop([f"{file}: {error.strerror}"])
    click.echo(f"{file}: {size}")


def _loaded(folders: tuple[Path, ...]) -> Catalog:
    try:
        return load(folders)
    except SpecificationError as error:
        _stop(error.complaints)


def _stop(complaints: tuple[str, ...] | list[str]) -> Never:
    """Print every complaint and end with status 1."""
    for complaint in complaints:
        click.echo(click.style("error: ", fg="red") + complaint, err=True)
    sys.exit(1)
