"""What is behind everything: a gradient in three colours, one large motif and some confetti.

The side of the headline is the dark one, so that white letters stand out wherever they are set.
"""

import math

from PIL import Image, ImageDraw

from mockserver.imaging.layout import Layout
from mockserver.imaging.palette import WHITE, Colour, Palette, mix
from mockserver.imaging.shapes import Point, draw_mask, paste
from mockserver.seeded import Random

_FULL_TURN = 2 * math.pi


def draw_backdrop(width: int, height: int, places: Layout, colours: Palette, random: Random) -> Image.Image:
    """A new RGB canvas of this size."""
    canvas = _draw_gradient(width, height, places, colours, random)
    focus = places.pictures.centre if places.pictures else _corner(width, height, random)
    motif = random.pick("motif", (_draw_rays, _draw_rings, _draw_slants, _draw_hills))
    motif(ImageDraw.Draw(canvas, "RGBA"), (width, height), focus, random)
    _draw_halftone(canvas, places, random)
    _draw_confetti(canvas, places, colours, random)
    return canvas


def _corner(width: int, height: int, random: Random) -> Point:
    return width * random.between("corner x", 0.82, 1.0), height * random.between("corner y", 0.05, 0.35)


def _draw_gradient(width: int, height: int, places: Layout, colours: Palette, random: Random) -> Image.Image:
    """Nine colours, stretched over the whole picture."""
    lean = random.between("lean of light", -0.22, 0.22)
    mesh = Image.new("RGB", (3, 3))
    for across in range(3):
        for down in range(3):
            towards = across / 2 if places.is_wide else 1 - down / 2
            aside = (down - 1 if places.is_wide else across - 1) * lean
            mesh.putpixel((across, down), _between(colours, min(1.0, max(0.0, towards * 0.95 + aside))))
    # The outermost half of each of the nine fields would be flat: stretch from centre to centre instead.
    box = (0.3, 0.3, 2.7, 2.7)
    # Neighbouring pixels hardly differ: half the size and doubled looks the same, in a third of the time.
    half = mesh.resize((-(-width // 2), -(-height // 2)), Image.Resampling.BICUBIC, box=box)
    return half.resize((width, height), Image.Resampling.NEAREST, box=(0, 0, width / 2, height / 2))


def _between(colours: Palette, share: float) -> Colour:
    if share < 0.5:  # noqa: PLR2004 - half way
        return mix(colours.deep, colours.rich, share * 2)
    return mix(colours.rich, colours.bright, share * 2 - 1)


def _draw_rays(draw: ImageDraw.ImageDraw, size: tuple[int, int], focus: Point, random: Random) -> None:
    count, start, far = random.whole("rays", 9, 14), random.share("first ray"), float(sum(size))
    for ray in range(count):
        angles = ((ray + start) * _FULL_TURN / count, (ray + start + 0.5) * _FULL_TURN / count)
        tips = [(focus[0] + far * math.cos(angle), focus[1] + far * math.sin(angle)) for angle in angles]
        draw.polygon([focus, *tips], fill=(*WHITE, 26))


def _draw_rings(draw: ImageDraw.ImageDraw, size: tuple[int, int], focus: Point, random: Random) -> None:
    step = min(size) * random.between("rings", 0.17, 0.24)
    for ring in range(6, 0, -1):
        reach = step * (ring + 0.6)
        edge = (focus[0] - reach, focus[1] - reach, focus[0] + reach, focus[1] + reach)
        draw.ellipse(edge, fill=(*WHITE, 15))


def _draw_slants(draw: ImageDraw.ImageDraw, size: tuple[int, int], focus: Point, random: Random) -> None:
    width, height = size
    lean, place, bands = height * random.between("slant", 0.3, 0.6), -height * 0.6, 0
    while place < width:
        own, bands = random.part(f"band {bands}"), bands + 1
        broad = min(width, height) * own.between("broad", 0.08, 0.34)
        band = [(place + lean, 0), (place + lean + broad, 0), (place + broad, height), (place, height)]
        draw.polygon(band, fill=(*WHITE, own.whole("light", 12, 34)))
        place += broad + min(width, height) * own.between("gap", 0.1, 0.3)
    del focus


def _draw_hills(draw: ImageDraw.ImageDraw, size: tuple[int, int], focus: Point, random: Random) -> None:
    width, height = size
    reach = min(size) * random.between("sun", 0.3, 0.42)
    draw.ellipse((focus[0] - reach, focus[1] - reach, focus[0] + reach, focus[1] + reach), fill=(*WHITE, 44))
    for layer in range(3):
        own = random.part(f"hill {layer}")
        swing, phase = height * own.between("swing", 0.05, 0.1), own.between("phase", 0, _FULL_TURN)
        level, waves = height * (0.5 + 0.17 * layer), own.between("waves", 0.7, 1.5) * _FULL_TURN
        crest = [
            (width * step / 48, level + swing * math.sin(phase + waves * step / 48)) for step in range(49)
        ]
        draw.polygon([*crest, (width, height), (0, height)], fill=(*WHITE, 20))


def _draw_halftone(canvas: Image.Image, places: Layout, random: Random) -> None:
    """Dots that shrink from a corner inwards."""
    pitch, count = max(3, round(places.unit * 3.2)), 9
    is_left, is_top = random.pick("dots left", (True, False)), random.pick("dots top", (True, False))

    def paint(draw: ImageDraw.ImageDraw, finer: int) -> None:
        for across in range(count):
            for down in range(count - across):
                radius = pitch * 0.36 * (1 - (across + down) / count) * finer
                x, y = (across + 0.5) * pitch * finer, (down + 0.5) * pitch * finer
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=72)

    side = pitch * count
    dots = draw_mask(side, side, paint)
    if not is_left:
        dots = dots.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if not is_top:
        dots = dots.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    foot = places.footer.height if places.footer else 0
    corner = (0 if is_left else canvas.width - side, 0 if is_top else canvas.height - foot - side)
    paste(canvas, WHITE, corner, dots)


def _draw_confetti(canvas: Image.Image, places: Layout, colours: Palette, random: Random) -> None:
    """Small rings, crosses and triangles near the upper and lower edge."""
    if places.footer is None:
        return
    for piece in range(7):
        own = random.part(f"confetti {piece}")
        size = round(places.unit * own.between("size", 1.8, 3.6))
        shape = _draw_piece(size, own)
        across = round(canvas.width * (piece + own.between("across", 0.1, 0.9)) / 7)
        off = round(places.unit * own.between("off", 0.4, 2.2))
        down = off if own.pick("near top", (True, False)) else places.footer.top - size - off
        paste(canvas, own.pick("colour", (colours.accent, WHITE, colours.bright)), (across, down), shape)


def _draw_piece(size: int, random: Random) -> Image.Image:
    kind = random.pick("kind", ("ring", "cross", "triangle", "dot"))
    turn = random.between("turn", 0, _FULL_TURN)

    def paint(draw: ImageDraw.ImageDraw, finer: int) -> None:
        side = size * finer
        corners = [
            (side * (0.5 + 0.46 * math.cos(turn + third)), side * (0.5 + 0.46 * math.sin(turn + third)))
            for third in (0, _FULL_TURN / 3, 2 * _FULL_TURN / 3)
        ]
        thick = max(1, round(side * 0.2))
        if kind == "ring":
            draw.ellipse((0, 0, side - 1, side - 1), outline=215, width=thick)
        elif kind == "dot":
            draw.ellipse((side * 0.2, side * 0.2, side * 0.8, side * 0.8), fill=215)
        elif kind == "triangle":
            draw.polygon(corners, fill=215)
        else:
            draw.line((side * 0.1, side / 2, side * 0.9, side / 2), fill=215, width=thick)
            draw.line((side / 2, side * 0.1, side / 2, side * 0.9), fill=215, width=thick)

    return draw_mask(size, size, paint)
