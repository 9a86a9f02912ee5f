"""What lies over a finished picture: the footer, the watermark and the logos.

Each takes an RGB canvas and draws on it.
"""

from collections.abc import Iterable

from PIL import Image, ImageDraw

from mockserver.imaging.cards import decoded
from mockserver.imaging.layout import Place
from mockserver.imaging.lettering import clean, font, shorten, visual_order, width
from mockserver.imaging.palette import WHITE, Palette
from mockserver.imaging.scene import Inset
from mockserver.imaging.stencil import lay, rounded, shade

_LEAST_SCALE, _MOST_SCALE = 0.01, 1.0
_MOST_HEIGHT = 0.6  # of the picture's height, for a logo that is a tall strip
_MARGIN = 0.03  # of the picture's width, between a logo and the edges


def draw_footer(
    canvas: Image.Image, place: Place, lines: tuple[str, str], colours: Palette, kept_free: tuple[int, int]
) -> None:
    """A dark strip: a MOCK badge, one line at the left and one at the right.

    `kept_free` are pixels at the left and right end that a logo covers.
    """
    left, right = lines
    strip = Image.new("L", (place.width, place.height), 175)
    lay(canvas, colours.ink, (place.left, place.top), strip)
    size, pad = max(6, round(place.height * 0.44)), round(place.height * 0.6)
    draw, base = ImageDraw.Draw(canvas), place.top + place.height / 2 + size * 0.36
    start, end = place.left + pad + kept_free[0], place.right - pad - kept_free[1]
    tall, small = round(place.height * 0.62), round(size * 0.82)
    badge = round(width("MOCK", small) + small * 1.3)
    lay(
        canvas,
        colours.accent,
        (start, place.top + (place.height - tall) // 2),
        rounded(badge, tall, tall * 0.3),
    )
    draw.text((start + badge / 2, base - size * 0.06), "MOCK", colours.ink, font(small), anchor="ms")
    start += badge + round(pad * 0.7)
    room = end - start
    if width(right, size) < room * 0.5:
        draw.text((end, base), right, WHITE, font(size), anchor="rs")
        room -= round(width(right, size)) + pad
    draw.text(
        (start, base), visual_order(shorten(clean(left, 200), size, room)), WHITE, font(size), anchor="ls"
    )


def draw_watermark(canvas: Image.Image, text: str) -> None:
    """A text repeated on a slant all over the canvas, to be seen through."""
    size = max(8, round(min(canvas.size) * 0.066))
    words = clean(text, 40) or "SAMPLE"
    across, tall = round(width(words, size)) + size, round(size * 1.6)
    tile = Image.new("L", (across, tall))
    pen = ImageDraw.Draw(tile)
    pen.text((across / 2, tall * 0.7), visual_order(words), 255, font(size), anchor="ms")
    tile = tile.rotate(24, Image.Resampling.BICUBIC, expand=True)
    layer = Image.new("L", canvas.size)
    step_across, step_down = round(tile.width * 0.98), round(tile.height * 0.86)
    for row, top in enumerate(range(-tile.height // 2, canvas.height, max(1, step_down))):
        shift = (row % 2) * step_across // 2
        for left in range(-shift - tile.width // 4, canvas.width, max(1, step_across)):
            layer.paste(255, (left, top, left + tile.width, top + tile.height), tile)
    off = max(1, size // 24)
    lay(canvas, (0, 0, 0), (off, off), layer.point([level * 45 // 255 for level in range(256)]))
    lay(canvas, WHITE, (0, 0), layer.point([level * 120 // 255 for level in range(256)]))


def logo_place(inset: Inset, width_px: int, height_px: int, shape: float = 2.0) -> Place:
    """Where a logo of this shape (width over height) goes in a picture of this size."""
    scale = min(_MOST_SCALE, max(_LEAST_SCALE, inset.scale))
    across = max(1, round(width_px * scale))
    down = max(1, round(across / shape))
    if down > height_px * _MOST_HEIGHT:
        down = max(1, round(height_px * _MOST_HEIGHT))
        across = max(1, round(down * shape))
    margin = round(min(width_px, height_px) * _MARGIN)
    vertical, _, horizontal = inset.corner.partition("-")
    left = min(margin, width_px - across) if horizontal == "left" else width_px - margin - across
    top = margin if vertical == "top" else height_px - margin - down
    return Place(max(0, left), max(0, top), across, down)


def draw_logos(canvas: Image.Image, logos: Iterable[Inset], colours: Palette) -> None:
    """Each logo in its corner with its own transparency; without data, a small plate with its label."""
    for inset in logos:
        picture = decoded(inset, max(canvas.size)) or _plate(inset, canvas.width, colours)
        place = logo_place(inset, *canvas.size, picture.width / picture.height)
        picture = picture.resize((place.width, place.height), Image.Resampling.LANCZOS).convert("RGBA")
        alpha = picture.getchannel("A")
        if inset.has_shadow:
            off = max(1, place.width // 60)
            shade(canvas, (place.left + off, place.top + off), alpha, max(2.0, place.width * 0.035), 0.7)
        canvas.paste(picture, (place.left, place.top), alpha)


def _plate(inset: Inset, width_px: int, colours: Palette) -> Image.Image:
    across = max(24, round(width_px * min(_MOST_SCALE, max(_LEAST_SCALE, inset.scale))))
    tall = max(8, across // 3)
    plate = Image.new("RGBA", (across, tall), (*WHITE, 0))
    plate.paste((*WHITE, 255), (0, 0, across, tall), rounded(across, tall, tall * 0.25))
    size = max(6, round(tall * 0.24))
    label = shorten(clean(inset.label, 80) or "logo", size, across - size)
    draw = ImageDraw.Draw(plate)
    draw.text((across / 2, tall * 0.46), "LOGO", colours.rich, font(round(tall * 0.34)), anchor="ms")
    draw.text((across / 2, tall * 0.78), visual_order(label), colours.ink, font(size), anchor="ms")
    return plate
