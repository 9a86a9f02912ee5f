"""What lies over a finished picture: the footer, the watermark and the logos.

Each takes an RGB canvas and draws on it.
"""

from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw

from mockserver.imaging.cards import decode_inset
from mockserver.imaging.layout import Place
from mockserver.imaging.lettering import clean, load_font, measure_width, reorder, shorten, write
from mockserver.imaging.palette import WHITE, Palette
from mockserver.imaging.scene import Inset
from mockserver.imaging.shapes import draw_shadow, mask_rounded, paste

_LEAST_SCALE, _MOST_SCALE = 0.01, 1.0
_MOST_HEIGHT = 0.6  # of the picture's height, for a logo that is a tall strip
_DOT = " · "
_LEAST_FOR_FOOTER = 7  # pixels of letter height
_MARGIN = 0.03  # of the picture's width, between a logo and the edges


def draw_footer(
    canvas: Image.Image, place: Place, names: Sequence[str], colours: Palette, kept_free: tuple[int, int]
) -> None:
    """A dark strip: a MOCK badge and the names, the last of which, the size, stands at the right if it can.

    `kept_free` are pixels at the left and right end that a logo covers.
    """
    paste(canvas, colours.ink, (place.left, place.top), Image.new("L", (place.width, place.height), 175))
    size, pad = max(6, round(place.height * 0.44)), round(place.height * 0.6)
    start, end = place.left + pad + kept_free[0], place.right - pad - kept_free[1]
    start += _draw_badge(canvas, place, start, round(size * 0.82), colours) + round(pad * 0.7)
    *left, right = [clean(name, 80) for name in names]
    line = _DOT.join(filter(None, left))
    middle, rows = place.top + place.height / 2, [line]
    for smaller in (size, round(size * 0.92), round(size * 0.84)):
        needed = measure_width(line, smaller) + pad + measure_width(right, smaller)
        if smaller >= _LEAST_FOR_FOOTER and needed <= end - start:
            write(canvas, right, (end, middle + smaller * 0.36), smaller, WHITE, "rs")
            size = smaller
            break
    else:
        rows, size = _two_rows([*filter(None, left), right], end - start, place.height)
    for row, text in enumerate(rows):
        base = middle + size * 0.36 + (row - (len(rows) - 1) / 2) * size * 1.24
        write(canvas, shorten(text, size, end - start), (start, base), size, WHITE, "ls")


def _draw_badge(canvas: Image.Image, place: Place, start: int, size: int, colours: Palette) -> int:
    """The word MOCK at the left end of the footer; its width in pixels."""
    across, tall = round(measure_width("MOCK", size) + size * 1.3), round(place.height * 0.62)
    corner = (start, place.top + (place.height - tall) // 2)
    paste(canvas, colours.accent, corner, mask_rounded(across, tall, tall * 0.3))
    middle = (start + across / 2, place.top + place.height / 2 + size * 0.36)
    write(canvas, "MOCK", middle, size, colours.ink)
    return across


def _two_rows(names: Sequence[str], room: int, tall: int) -> tuple[list[str], int]:
    """The names in two rows of about the same width, and the largest size at which both fit."""
    splits = [[_DOT.join(names[:count]), _DOT.join(names[count:])] for count in range(1, len(names))]
    rows = min(splits, key=lambda rows: max(measure_width(row, tall) for row in rows))
    fitting = room * tall / max(1.0, *(measure_width(row, tall) for row in rows))
    return rows, max(_LEAST_FOR_FOOTER, min(round(tall * 0.35), int(fitting)))


def draw_watermark(canvas: Image.Image, text: str) -> None:
    """A text repeated on a slant all over the canvas, to be seen through."""
    size = max(8, round(min(canvas.size) * 0.066))
    words = clean(text, 40) or "SAMPLE"
    across, tall = round(measure_width(words, size)) + size, round(size * 1.6)
    tile = Image.new("L", (across, tall))
    pen = ImageDraw.Draw(tile)
    pen.text((across / 2, tall * 0.7), reorder(words), 255, load_font(size), anchor="ms")
    tile = tile.rotate(24, Image.Resampling.BICUBIC, expand=True)
    layer = Image.new("L", canvas.size)
    step_across, step_down = round(tile.width * 0.98), round(tile.height * 0.86)
    for row, top in enumerate(range(-tile.height // 2, canvas.height, max(1, step_down))):
        shift = (row % 2) * step_across // 2
        for left in range(-shift - tile.width // 4, canvas.width, max(1, step_across)):
            layer.paste(255, (left, top, left + tile.width, top + tile.height), tile)
    off = max(1, size // 24)
    paste(canvas, (0, 0, 0), (off, off), layer.point([level * 45 // 255 for level in range(256)]))
    paste(canvas, WHITE, (0, 0), layer.point([level * 120 // 255 for level in range(256)]))


def place_logo(inset: Inset, width_px: int, height_px: int, shape: float = 2.0) -> Place:
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
        picture = decode_inset(inset, max(canvas.size)) or _draw_plate(inset, canvas.width, colours)
        place = place_logo(inset, *canvas.size, picture.width / picture.height)
        picture = picture.resize((place.width, place.height), Image.Resampling.LANCZOS).convert("RGBA")
        alpha = picture.getchannel("A")
        if inset.has_shadow:
            off = max(1, place.width // 60)
            draw_shadow(
                canvas, (place.left + off, place.top + off), alpha, max(2.0, place.width * 0.035), 0.7
            )
        canvas.paste(picture, (place.left, place.top), alpha)


def _draw_plate(inset: Inset, width_px: int, colours: Palette) -> Image.Image:
    across = max(24, round(width_px * min(_MOST_SCALE, max(_LEAST_SCALE, inset.scale))))
    tall = max(8, across // 3)
    plate = Image.new("RGBA", (across, tall), (*WHITE, 0))
    plate.paste((*WHITE, 255), (0, 0, across, tall), mask_rounded(across, tall, tall * 0.25))
    size = max(6, round(tall * 0.24))
    label = shorten(clean(inset.label, 80) or "logo", size, across - size)
    write(plate, "LOGO", (across / 2, tall * 0.46), round(tall * 0.34), colours.rich)
    write(plate, label, (across / 2, tall * 0.78), size, colours.ink)
    return plate
