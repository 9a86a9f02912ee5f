"""A mask shown on the picture that it belongs to, so that it is seen on any picture whatever its colours."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from mockserver.imaging.palette import WHITE, Palette
from mockserver.imaging.shapes import paste

_DIMMED = 150  # of 255: how much of the ink lies on what is outside the mask
_OUTSIDE, _HALF, _INSIDE = 0, 115, 255  # levels of a softened mask: the outline is what lies between
_BLACK = (0, 0, 0)


def show_mask(picture: Image.Image, mask: Image.Image, colours: Palette, unit: float) -> None:
    """Dim what is outside, hatch what is inside, and draw a line of two colours between them.

    `mask` is an "L" picture as large as the picture, white inside.
    """
    outside = ImageOps.invert(mask)
    paste(picture, colours.ink, (0, 0), outside.point([level * _DIMMED // 255 for level in range(256)]))
    for colour, shift in ((colours.accent, 0.0), (colours.ink, 0.13)):  # side by side: one of them is seen
        hatching = _draw_hatching(picture.size, max(6.0, unit * 3), shift)
        paste(picture, colour, (0, 0), ImageChops.multiply(mask, hatching))
    _draw_outline(picture, mask, max(2, round(unit * 0.9)))


def _draw_hatching(size: tuple[int, int], pitch: float, shift: float) -> Image.Image:
    """Translucent stripes, thin enough to leave the picture as it is between them."""
    across, down = size
    stripes = Image.new("L", size, 6)
    draw = ImageDraw.Draw(stripes)
    for stripe in range(int((across + down) / pitch) + 1):
        start = round((stripe + shift) * pitch) - down
        draw.line((start, down, start + down, 0), fill=150, width=max(1, round(pitch * 0.1)))
    return stripes


def _draw_outline(picture: Image.Image, mask: Image.Image, reach: int) -> None:
    """Black on the inner side and white on the outer: on any picture one of them is seen."""
    edge = reach + 1  # a black border, so that there is a line also where the mask meets the picture's edge
    soft = ImageOps.expand(mask, edge, 0).filter(ImageFilter.BoxBlur(reach))
    soft = ImageOps.crop(soft, edge)
    paste(picture, WHITE, (0, 0), soft.point(_band(_OUTSIDE, _INSIDE, reach)))
    paste(picture, _BLACK, (0, 0), soft.point(_band(_HALF, _INSIDE, reach)))


def _band(low: int, high: int, reach: int) -> list[int]:
    """For each of the 256 levels how much of a line is there: all between two levels, with soft edges."""
    step = 255 / (2 * reach + 1)  # from one pixel to the next, across a straight edge
    shares = (min(level - low, high - level) / step for level in range(256))
    return [round(255 * min(1.0, max(0.0, share))) for share in shares]
