"""A scene as words on a flat ground: for tests that need a picture's size and format, and no picture.

Four colours from dark to light, so that a pixel takes two bits and a file is written in a few milliseconds;
the edge of a letter has the colours between its own and the ground's.
"""

from PIL import Image, ImageDraw

from mockserver.caches import FOOTERS
from mockserver.imaging.fitting import Block, fit
from mockserver.imaging.layout import Place, arrange
from mockserver.imaging.lettering import clean, describe_missing, load_font, reorder, shorten
from mockserver.imaging.palette import WHITE, mix, pick_palette
from mockserver.imaging.scene import Scene
from mockserver.seeded import Random

_INK, _GROUND, _PALE, _WHITE = range(4)
_DOT = " · "


def draw_plain(scene: Scene) -> Image.Image:
    """A picture of mode P with four colours, of exactly the scene's size."""
    places = arrange(scene.width, scene.height, None)
    canvas = Image.new("P", (scene.width, scene.height), _GROUND)
    draw = ImageDraw.Draw(canvas)
    draw.fontmode = "L"  # smooth letters
    rest = _draw_details(draw, scene, places.words, places.unit)
    text = clean(scene.headline) or clean(scene.operation)
    title = fit(text, (rest.width, rest.height), round(places.unit * 19), max(7, round(places.unit * 5)))
    _draw_block(draw, title, rest, rest.top + max(0, rest.height - title.height) // 2)
    if places.footer:
        foot = places.footer
        canvas.paste(
            FOOTERS.ask(_draw_footer, _write_name(scene), foot.width, foot.height, places.words.left),
            (0, foot.top),
        )
    canvas.putpalette([level for colour in _pick_colours(scene.seed) for level in colour])
    return canvas


def _pick_colours(seed: str) -> tuple[tuple[int, int, int], ...]:
    """Ink, ground, pale and white; a ground on which white can be read."""
    random = Random.from_text(seed)
    colours = pick_palette(random)
    ground = mix(colours.deep, colours.rich, random.between("ground", 0.2, 0.7))
    return colours.ink, ground, mix(ground, WHITE, 0.6), WHITE


def _draw_details(draw: ImageDraw.ImageDraw, scene: Scene, place: Place, unit: float) -> Place:
    """Insets and notes in small letters at the lower edge, under a line; what is left of the place."""
    insets = [f"{clean(inset.role, 60)}: {clean(inset.label, 60)}" for inset in scene.insets]
    marks = ["watermark"] if scene.is_watermarked else []
    notes = [describe_missing(scene.headline), *(clean(note, 60) for note in scene.notes)]
    size = max(7, round(unit * 3.4))
    details = fit(_DOT.join(filter(None, [*insets, *marks, *notes])), (place.width, size * 6), size, size)
    if not details.lines:
        return place
    top = place.bottom - details.height - size // 2
    _draw_block(draw, details, place, top)
    line = top - size
    draw.rectangle((place.left, line, place.left + round(unit * 12), line + max(1, round(unit * 0.6))), _PALE)
    return Place(place.left, place.top, place.width, max(1, line - size - place.top))


def _draw_block(draw: ImageDraw.ImageDraw, block: Block, place: Place, top: int) -> None:
    x, anchor = (place.right, "rs") if block.is_from_right else (place.left, "ls")
    for row, line in enumerate(block.lines):
        base = top + round(block.size * 0.73) + row * block.leading
        draw.text((x, base), line, _WHITE, load_font(block.size), anchor=anchor)


def _write_name(scene: Scene) -> str:
    """What stands at the foot of a picture."""
    pixels = f"{scene.width}×{scene.height}"  # noqa: RUF001
    names = ("MOCK", scene.provider, scene.operation, scene.model or "", pixels)
    return _DOT.join(filter(None, (clean(name, 80) for name in names)))


def _draw_footer(line: str, width: int, height: int, margin: int) -> Image.Image:
    strip, size = Image.new("P", (width, height), _INK), round(height * 0.44)
    draw = ImageDraw.Draw(strip)
    draw.fontmode = "L"
    shown = reorder(shorten(line, size, width - 2 * margin))
    draw.text((margin, height / 2 + size * 0.36), shown, _WHITE, load_font(size), anchor="ls")
    return strip
