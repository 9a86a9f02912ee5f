"""How good a thumbnail a picture is, measured from its pixels.

Each measure is a smooth function of the picture and rises with what it is named after, so a better picture
scores better; a picture that shows nothing scores near 0 on all of them.
"""

import math
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageStat

from mockserver.imaging.reading import open_upright

_SIDE_PX = 256  # light and colour are measured at this size
_FINE_SIDE_PX = 512  # sharpness at this one
_CELLS = 9  # across and down, for composition
_GRID, _FINE_EDGE, _STEP = 24, 20, 4  # cells across and down, for calm; the edge strength of a busy one
_TARGETS = ((0.5, 0.5), (1 / 3, 1 / 3), (2 / 3, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 2 / 3))  # centre and thirds


@dataclass(frozen=True, slots=True)
class Measures:
    """Each from 0 to 1; 1 is best for a thumbnail."""

    brightness: (
        float  # a mean luminance a little under the middle; a surface without lights and darks has little
    )
    contrast: float  # the standard deviation of the luminance
    colourfulness: float  # Hasler and Süsstrunk's: spread and strength of the opponent colours
    sharpness: float  # how strong the edges are
    composition: (
        float  # how much of the detail lies at the centre and where the thirds cross, unevenly spread
    )
    calm: float  # how much of it holds no fine detail, such as small print; nothing where it shows nothing


def measure(data: bytes) -> Measures:
    """Measure an encoded picture. Raises UnreadablePicture and OversizedPicture."""
    whole = open_upright(data, 2 * _FINE_SIDE_PX)
    if whole.mode == "RGBA":
        ground = Image.new("RGB", whole.size, (255, 255, 255))
        ground.paste(whole, (0, 0), whole)
        whole = ground
    small, grey = _scaled(whole, _SIDE_PX), _scaled(whole, _FINE_SIDE_PX).convert("L")
    light = ImageStat.Stat(small.convert("L"))
    mean, spread = light.mean[0] / 255, light.stddev[0] / 255
    return Measures(
        brightness=_comfort(mean) * _rising(spread, 0.05),
        contrast=_rising(spread, 0.13),
        colourfulness=_rising(_colour_strength(small), 45),
        sharpness=_rising(_edge_strength(grey), 9),
        composition=_composition(small.convert("L")),
        calm=_rising(spread, 0.05) * (1 - _clutter(grey)),
    )


def _scaled(image: Image.Image, longest_side_px: int) -> Image.Image:
    ratio = longest_side_px / max(image.size)
    size = (max(8, round(image.width * ratio)), max(8, round(image.height * ratio)))
    return image.resize(size, Image.Resampling.BILINEAR)


def _rising(value: float, scale: float) -> float:
    """From 0 towards 1, never stepping; about two thirds at `scale`."""
    return 1 - math.exp(-max(0.0, value) / scale)


def _comfort(mean: float) -> float:
    """1 about a luminance of 0.45, near 0 at black and at white."""
    width = 0.24 if mean < 0.45 else 0.28  # noqa: PLR2004 - both sides meet at 1
    return math.exp(-(((mean - 0.45) / width) ** 4)) if mean else 0.0


def _colour_strength(image: Image.Image) -> float:
    # A conversion by matrix holds each opponent colour in one byte: halved, around 128.
    red_green = ImageStat.Stat(image.convert("RGB").convert("L", (0.5, -0.5, 0, 128)))
    yellow_blue = ImageStat.Stat(image.convert("RGB").convert("L", (0.25, 0.25, -0.5, 128)))
    spread = math.hypot(2 * red_green.stddev[0], 2 * yellow_blue.stddev[0])
    strength = math.hypot(2 * (red_green.mean[0] - 128), 2 * (yellow_blue.mean[0] - 128))
    return spread + 0.3 * strength


def _edges(grey: Image.Image) -> Image.Image:
    """The strength of the edges; without the outermost pixels, which the filter leaves as they were."""
    return grey.filter(ImageFilter.FIND_EDGES).crop((1, 1, grey.width - 1, grey.height - 1))


def _edge_strength(grey: Image.Image) -> float:
    return ImageStat.Stat(_edges(grey)).mean[0]


def _clutter(grey: Image.Image) -> float:
    """The share of the picture that is busy: a cell is the more so the more edges it holds."""
    cells = _edges(grey).resize((_GRID, _GRID), Image.Resampling.BOX).tobytes()
    return sum(1 / (1 + math.exp((_FINE_EDGE - level) / _STEP)) for level in cells) / len(cells)


def _composition(grey: Image.Image) -> float:
    edges = _edges(grey.filter(ImageFilter.BoxBlur(1)))
    cells = [level + 0.01 for level in edges.resize((_CELLS, _CELLS), Image.Resampling.BOX).tobytes()]
    total = sum(cells)
    shares = [cell / total for cell in cells]
    placed = sum(share * _nearness(index) for index, share in enumerate(shares))
    even = sum(_nearness(index) for index in range(len(cells))) / len(cells)
    entropy = -sum(share * math.log(share) for share in shares) / math.log(len(cells))
    gathered = _rising(1 - entropy, 0.06)
    well_placed = 1 / (1 + math.exp(-8 * (placed / even - 1)))
    return _rising(ImageStat.Stat(edges).mean[0], 2.0) * (0.6 * well_placed + 0.4 * gathered)


def _nearness(index: int) -> float:
    """1 in a cell on the centre or on a crossing of the thirds, falling with the distance from them."""
    x, y = (index % _CELLS + 0.5) / _CELLS, (index // _CELLS + 0.5) / _CELLS
    return max(math.exp(-((x - across) ** 2 + (y - down) ** 2) / 0.02) for across, down in _TARGETS)
