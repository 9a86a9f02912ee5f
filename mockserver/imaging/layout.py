"""Where everything goes: the picture's area divided into places.

Only whole pixels and proportions of the shorter side; nothing here draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_LANDSCAPE = 1.15  # width over height from which pictures stand beside the headline rather than above it
_LEAST_FOR_FOOTER = 200  # pixels of the shorter side


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, x and y."""
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one picture."""

    unit: float  # a hundredth of the shorter side, in pixels
    is_wide: bool
    words: Place  # notes and headline
    pictures: Place | None  # None: the headline has it all
    footer: Place | None  # None: the picture is too small to read one


def arrange(width: int, height: int, shape: float | None, kept_free: int = 0) -> Layout:
    """Divide a picture of these pixels.

    `shape` is the width over height of what stands beside or above the headline, None if nothing does;
    `kept_free` pixels at the top are left to a logo.
    """
    short = min(width, height)
    unit, margin = short / 100, round(short * 0.055)
    foot = max(20, round(short * 0.068)) if short >= _LEAST_FOR_FOOTER else 0
    footer = Place(0, height - foot, width, foot) if foot else None
    top = max(margin, kept_free)
    body = Place(margin, top, max(1, width - 2 * margin), max(1, height - foot - top - margin))
    is_wide = width >= height * _LANDSCAPE
    if shape is None:
        return Layout(unit, is_wide, body, None, footer)
    gap = round(short * 0.045)
    if is_wide:
        across = min(round(body.width * 0.44), round(body.height * shape))
        pictures = Place(body.right - across, body.top, across, body.height)
        words = Place(body.left, body.top, max(1, body.width - across - gap), body.height)
    else:
        down = min(round(body.height * 0.54), round(body.width / shape))
        pictures = Place(body.left, body.top, body.width, down)
        words = Place(body.left, body.top + down + gap, body.width, max(1, body.height - down - gap))
    return Layout(unit, is_wide, words, pictures, footer)


def arrange_grid(shapes: Sequence[float], area: Place, gap: int) -> list[Place]:
    """Places for pictures of these shapes (width over height), in rows, as large as the area lets them be."""
    best: list[Place] = []
    for columns in range(1, len(shapes) + 1):
        places = _rows(shapes, area, gap, columns)
        if not best or _smallest(places) > _smallest(best):
            best = places
    return best


def _smallest(places: Sequence[Place]) -> int:
    return min(place.width * place.height for place in places)


def _rows(shapes: Sequence[float], area: Place, gap: int, columns: int) -> list[Place]:
    rows = -(-len(shapes) // columns)
    tall = (area.height - gap * (rows - 1)) / rows
    sizes: list[list[tuple[float, float]]] = []
    for start in range(0, len(shapes), columns):
        row = shapes[start : start + columns]
        # All of a row are equally tall, and the row is no wider than the area.
        down = max(1.0, min(tall, (area.width - gap * (len(row) - 1)) / sum(row)))
        sizes.append([(max(1.0, shape * down), down) for shape in row])
    places, top = [], area.top + (area.height - sum(row[0][1] for row in sizes) - gap * (rows - 1)) / 2
    for line in sizes:
        left = area.left + (area.width - sum(across for across, _ in line) - gap * (len(line) - 1)) / 2
        for across, down in line:
            places.append(Place(round(left), round(top), max(1, int(across)), max(1, int(down))))
            left += across + gap
        top += line[0][1] + gap
    return places
