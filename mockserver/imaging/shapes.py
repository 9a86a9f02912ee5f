"""Smooth shapes: Pillow draws polygons with jagged edges, so shapes are drawn large and reduced.

A mask is an "L" picture, 255 where the shape is; it is pasted on a canvas with a colour.
"""

from collections.abc import Callable, Iterable

from PIL import Image, ImageDraw, ImageFilter

from mockserver.imaging.palette import Colour

Point = tuple[float, float]
Painter = Callable[[ImageDraw.ImageDraw, int], None]
_FINER = 2


def draw_mask(width: int, height: int, paint: Painter) -> Image.Image:
    """What `paint` draws on a larger canvas, reduced; `paint` is told how many times as large."""
    large = Image.new("L", (max(1, width) * _FINER, max(1, height) * _FINER))
    paint(ImageDraw.Draw(large), _FINER)
    return large.reduce(_FINER)


def scale(points: Iterable[Point], side: float) -> list[Point]:
    """Points given as shares of a square's side, in pixels."""
    return [(x * side, y * side) for x, y in points]


def mask_rounded(width: int, height: int, radius: float, fill: int = 255) -> Image.Image:
    """A rectangle with round corners, radius in pixels."""

    def paint(draw: ImageDraw.ImageDraw, finer: int) -> None:
        edge = (0, 0, width * finer - 1, height * finer - 1)
        draw.rounded_rectangle(edge, min(radius, width / 2, height / 2) * finer, fill=fill)

    return draw_mask(width, height, paint)


def paste(canvas: Image.Image, colour: Colour, corner: tuple[int, int], mask: Image.Image) -> None:
    """Put a mask on an RGB canvas in a colour; what lies outside is cut off."""
    canvas.paste(colour, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)


def draw_shadow(
    canvas: Image.Image, corner: tuple[int, int], mask: Image.Image, blur: float, strength: float
) -> None:
    """A soft black shadow of a mask, `blur` pixels wide; strength 0 to 1."""
    coarser = max(1, min(8, int(blur / 2)))
    edge = int(blur * 2) // coarser * coarser + coarser
    padded = Image.new("L", (mask.width + 2 * edge, mask.height + 2 * edge))
    padded.paste(mask, (edge, edge))
    small = padded.reduce(coarser).filter(ImageFilter.GaussianBlur(blur / coarser))
    small = small.point([round(level * strength) for level in range(256)])
    shadow = small.resize((small.width * coarser, small.height * coarser), Image.Resampling.BILINEAR)
    paste(canvas, (0, 0, 0), (corner[0] - edge, corner[1] - edge), shadow)
