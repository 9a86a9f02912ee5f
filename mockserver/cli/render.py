"""`render`: one thumbnail into a file."""

import re
from pathlib import Path

import click

from mockserver.cli.shared import FILE, stop

SIZE = re.compile(r"[0-9]{2,4}x[0-9]{2,4}")


@click.command()
@click.argument("title")
@click.option("-o", "--output", "file", default="thumbnail.png", show_default=True, type=FILE)
@click.option("--size", default="1280x720", show_default=True, metavar="WIDTHxHEIGHT")
@click.option("--seed", default=0, show_default=True, help="Another seed gives other colours.")
def render(title: str, file: Path, size: str, seed: int) -> None:
    """Draw one thumbnail into a file (.png or .webp)."""
    from mockserver.imaging.rendering import render as draw  # noqa: PLC0415 - only this command needs Pillow
    from mockserver.imaging.scene import Scene  # noqa: PLC0415
    from mockserver.seeded import Random  # noqa: PLC0415

    width, _, height = size.partition("x")
    if not (SIZE.fullmatch(size) and 64 <= int(width) <= 4096 and 64 <= int(height) <= 4096):  # noqa: PLR2004
        what = f"{size} is no size such as 1280x720, from 64x64 to 4096x4096"
        raise click.BadParameter(what, param_hint="--size")
    if file.suffix.lower() not in {".png", ".webp"}:
        raise click.BadParameter(f"{file} must end in .png or .webp", param_hint="--output")
    random = Random.from_text(str(seed), title)
    scene = Scene(
        width=int(width),
        height=int(height),
        media_type=f"image/{file.suffix[1:].lower()}",
        provider="mockserver",
        operation="render",
        headline=title,
        seed=random.seed,
        metadata=(("Software", "mockserver"),),
    )
    try:
        file.write_bytes(draw(scene))
    except OSError as error:
        stop([f"{file}: {error.strerror}"])
    click.echo(f"{file}: {size}")
