"""Smooth shapes: Pillow draws polygons with jagged edges, so shapes are drawn large and reduced.

A stencil is an "L" picture, 255 where the shape is; it is laid on a canvas with a colour.
"""

from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw, ImageFilter

from mockserver.imaging.palette import Colour

Point = tuple[float, float]
Painter = Callable[[ImageDraw.ImageDraw, int], None]

_FULL = 255


def draw_mask(width: int, height: int, paint: Painter, finer: int = 2) -> Image.Image:
    """What `paint` draws on a canvas `finer` times as large, reduced; `paint` is told the factor."""
    large = Image.new("L", (max(1, width) * finer, max(1, height) * finer))
    paint(ImageDraw.Draw(large), finer)
    return large.reduce(finer)


def mask_polygon(width: int, height: int, points: Sequence[Point], fill: int = _FULL) -> Image.Image:
    """A filled polygon; its points are shares of the width and the height."""

    def paint(draw: ImageDraw.ImageDraw, finer: int) -> None:
        draw.polygon([(x * width * finer, y * height * finer) for x, y in points], fill=fill)

    return draw_mask(width, height, paint)


def mask_rounded(width: int, height: int, radius: float, fill: int = _FULL) -> Image.Image:
    """A rectangle with round corners, radius in pixels."""

    def paint(draw: ImageDraw.ImageDraw, finer: int) -> None:
        edge = (0, 0, width * finer - 1, height * finer - 1)
        draw.rounded_rectangle(edge, min(radius, width / 2, height / 2) * finer, fill=fill)

    return draw_mask(width, height, paint)


def paste(canvas: Image.Image, colour: Colour, corner: tuple[int, int], shape: Image.Image) -> None:
    """Put a stencil on an RGB canvas in a colour; what lies outside is cut off."""
    canvas.paste(colour, (*corner, corner[0] + shape.width, corner[1] + shape.height), shape)


def draw_shadow(
    canvas: Image.Image, corner: tuple[int, int], shape: Image.Image, blur: float, strength: float
) -> None:
    """A soft black shadow of a stencil, `blur` pixels wide; strength 0 to 1."""
    coarser = max(1, min(8, int(blur / 2)))
    edge = int(blur * 2) // coarser * coarser + coarser
    padded = Image.new("L", (shape.width + 2 * edge, shape.height + 2 * edge))
    padded.paste(shape, (edge, edge))
    small = padded.reduce(coarser).filter(ImageFilter.GaussianBlur(blur / coarser))
    small = small.point([round(level * strength) for level in range(256)])
    shadow = small.resize((small.width * coarser, small.height * coarser), Image.Resampling.BILINEAR)
    paste(canvas, (0, 0, 0), (corner[0] - edge, corner[1] - edge), shadow)
