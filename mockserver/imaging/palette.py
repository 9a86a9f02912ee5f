"""The colours that a picture may have, and how two of them are mixed."""

from dataclasses import dataclass

from mockserver.seeded import Random

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Palette:
    """Three colours of a gradient from dark to light, one to stand out, one to outline with."""

    deep: Colour
    rich: Colour
    bright: Colour
    accent: Colour
    ink: Colour


PALETTES = (
    Palette((42, 10, 110), (122, 28, 214), (255, 62, 150), (255, 226, 60), (22, 4, 62)),
    Palette((6, 24, 104), (18, 86, 232), (0, 196, 255), (255, 224, 48), (3, 10, 54)),
    Palette((104, 6, 44), (222, 24, 60), (255, 138, 32), (255, 234, 84), (58, 2, 26)),
    Palette((0, 56, 78), (0, 134, 128), (44, 214, 150), (255, 232, 72), (0, 28, 42)),
    Palette((30, 12, 112), (92, 40, 236), (236, 52, 224), (96, 246, 255), (16, 4, 64)),
    Palette((96, 0, 84), (226, 10, 122), (255, 104, 104), (255, 232, 96), (50, 0, 40)),
    Palette((2, 66, 44), (10, 146, 76), (150, 218, 44), (255, 242, 92), (0, 34, 24)),
    Palette((16, 20, 104), (70, 60, 222), (255, 92, 120), (120, 252, 214), (8, 8, 58)),
    Palette((120, 26, 6), (236, 82, 10), (255, 184, 36), (255, 250, 176), (66, 12, 2)),
    Palette((4, 44, 96), (0, 120, 196), (52, 224, 206), (255, 214, 62), (2, 20, 52)),
)


def pick_palette(random: Random) -> Palette:
    """The colours of a picture."""
    return random.pick("palette", PALETTES)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour that lies `share` of the way from one to the other.

    >>> mix((0, 0, 0), (200, 100, 0), 0.5)
    (100, 50, 0)
    """
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
