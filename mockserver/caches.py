"""Every cache that callers fill: what was made for some call and would come out the same again.

Each has its one function, in another room, which asks it; a reset forgets none of it but when memory is to go
back. What only documents fill (patterns, schemas) is kept by `functools.cache`.
"""

from collections.abc import Mapping
from typing import Any

from mockserver.bounded import MIB, Bounds, Cache, weigh

FONT_BYTES, FOOTER_BYTES = 300_000, 130_000  # of one, outside Python's own memory

ADDRESSES = Cache[tuple[str, str]]("addresses of links", Bounds(1_024, MIB))
DRAWINGS = Cache[bytes]("drawn pictures", Bounds(64, 12 * MIB), weigh)
ENDINGS = Cache[tuple[str, str] | None]("mistyped endings of keys", Bounds(1_024, MIB))
FIELDS = Cache[str]("mistyped names of fields", Bounds(1_024, MIB), lambda key, made: weigh(key[0], made))
FONTS = Cache[Any]("sizes of the font", Bounds(24, 8 * MIB), lambda *_: FONT_BYTES)
FOOTERS = Cache[Any]("feet of plain pictures", Bounds(32, 4 * MIB), lambda *_: FOOTER_BYTES)
GUESSES = Cache[Mapping[str, Any]]("scores of remote pictures", Bounds(1_024, 2 * MIB))
KEYS = Cache[tuple[str, str | None]]("keys and what they order", Bounds(1_024, MIB))
MARKS = Cache[str | None]("mistyped words", Bounds(1_024, MIB))
PATHS = Cache[str]("nearest paths", Bounds(1_024, MIB), lambda key, made: weigh(key[0], made))
SCORES = Cache[Mapping[str, Any]]("scores of pictures", Bounds(256, 4 * MIB))
SIGNS = Cache[str]("characters of the font", Bounds(8_192, 3 * MIB))
WIDTHS = Cache[float]("widths of texts", Bounds(4_096, 2 * MIB))

ALL = (
    ADDRESSES,
    DRAWINGS,
    ENDINGS,
    FIELDS,
    FONTS,
    FOOTERS,
    GUESSES,
    KEYS,
    MARKS,
    PATHS,
    SCORES,
    SIGNS,
    WIDTHS,
)


def forget() -> None:
    """Give back what all of them hold."""
    for each in ALL:
        each.clear()
