"""Text made fit to be drawn: cleaned, measured, cut and put into the order in which it is drawn.

Any string at all is accepted. What the font has no glyph for is written as `MISSING`, so that nothing
vanishes unseen; the font is the one shipped beside this module, never one of the machine's.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

from bidi.algorithm import get_base_level, get_display  # not `bidi` itself, which mirrors no brackets
from PIL import Image, ImageDraw, ImageFont

from mockserver.caches import FONTS, SIGNS, WIDTHS
from mockserver.imaging.palette import Colour

_FONT = Path(__file__).parent / "fonts" / "DejaVuSans-Bold.ttf"
REFERENCE_PX = 64  # the size at which widths are measured; others follow by proportion
_LONGEST = 260  # characters that can ever be visible at a readable size
MISSING = "▯"  # stands for characters that the font has no glyph for
_MOST_MISSING = 12  # that are drawn one by one; … stands for the others
_NOTHING = range(0xFDD0, 0xFDF0)  # with the last two of every plane, Unicode's noncharacters
_LEAVE_OUT = frozenset({"Cc", "Cf", "Cs", "Mn", "Me"})
# Characters that are seen as one: the two letters of a flag; emoji that are joined or have a colour of skin.
_JOINED = re.compile(
    "([\U0001f1e6-\U0001f1ff])[\U0001f1e6-\U0001f1ff]|([\u2600-\u27bf\U0001f000-\U0001faff])"
    "(?:[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|\u200d[\u2600-\u27bf\U0001f000-\U0001faff])+"
)


def load_font(size: int) -> ImageFont.FreeTypeFont:
    """The shipped heavy sans serif at a size in pixels."""
    found: ImageFont.FreeTypeFont = FONTS.ask(_load_font, size)
    return found


def _load_font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), max(1, size), layout_engine=ImageFont.Layout.BASIC)


def clean(text: str, longest: int = _LONGEST, *, is_tiled: bool = False) -> str:
    r"""One line of what can be drawn of a text, cut with … after about `longest` characters.

    What the font lacks becomes `MISSING`: once for a run, or, `is_tiled`, a word for each of the first few.

    >>> clean("fire \U0001f525\U0001f525 and\n\tice \ud800")
    'fire ▯ and ice'
    """
    signs = _signs(text[: 4 * longest])
    signs = _tiled(signs) if is_tiled else re.sub(f"{MISSING}+", MISSING, signs)
    line = " ".join(signs.split())
    if len(line) <= longest:
        return line
    cut = line[:longest].rpartition(" ")[0] or line[:longest]
    return cut.rstrip(" .,;:-–") + "…"  # noqa: RUF001


def count_missing(text: str) -> int:
    """How many characters of a text the font has no glyph for."""
    return _signs(text.replace(MISSING, "")).count(MISSING)


def describe_missing(text: str) -> str:
    """What a text is short of when it is drawn; empty when it is drawn in full."""
    count = count_missing(text)
    return f"{count:,} character{'s' * (count > 1)} not in this font" if count else ""


def measure_width(text: str, size: int = REFERENCE_PX) -> float:
    """How many pixels wide a text is at a size, within a pixel or two."""
    return WIDTHS.ask(_measure_width, text) * size / REFERENCE_PX


def _measure_width(text: str) -> float:
    return load_font(REFERENCE_PX).getlength(text)


def shorten(text: str, size: int, room: float) -> str:
    """As much of a line as fits into `room` pixels, ended by … where it was cut; maybe nothing."""
    if measure_width(text, size) <= room:
        return text
    kept = len(text)
    while kept and measure_width(text[:kept].rstrip(" .,;:") + "…", size) > room:
        kept -= 1
    return text[:kept].rstrip(" .,;:") + "…" if kept else ""


def reads_from_right(text: str) -> bool:
    """Whether the first letter of a text is of a script that is written from right to left."""
    return bool(get_base_level(text))


def reorder(line: str, *, from_right: bool | None = None) -> str:
    r"""A line as it is to be drawn from left to right; `from_right` None: its own first letter decides.

    >>> reorder("\u05d0\u05d1 12") == "12 \u05d1\u05d0"
    True
    """
    if line.isascii() and not from_right:  # as nearly all are
        return line
    turned = reads_from_right(line) if from_right is None else from_right
    return str(get_display(line, base_dir="R" if turned else "L"))


def write(
    canvas: Image.Image, text: str, where: tuple[float, float], size: int, fill: Colour, anchor: str = "ms"
) -> None:
    """Draw a line of text; of it stands at `where` what `anchor` says: the middle of the baseline."""
    ImageDraw.Draw(canvas).text(where, reorder(text), fill, load_font(size), anchor=anchor)


def _signs(text: str) -> str:
    """What is seen of a text, with a blank for white space and `MISSING` for what the font lacks."""
    text = _JOINED.sub(lambda joined: joined[0][0], text)
    return "".join(SIGNS.ask(_drawn, sign) for sign in unicodedata.normalize("NFKC", text))


def _tiled(signs: str) -> str:
    parts = signs.split(MISSING)
    tail = "".join(parts[_MOST_MISSING + 1 :])
    more = " … " if len(parts) > _MOST_MISSING + 1 else ""
    return f" {MISSING} ".join(parts[: _MOST_MISSING + 1]) + more + tail


def _drawn(sign: str) -> str:
    if sign.isspace():
        return " "
    category = unicodedata.category(sign)
    if category in _LEAVE_OUT or ord(sign) in _NOTHING or ord(sign) % 0x10000 >= 0xFFFE:  # noqa: PLR2004
        return ""
    if bytes(load_font(16).getmask(sign)) != _box():
        return sign
    return "" if category == "Mc" else MISSING  # a vowel sign belongs to its letter


@cache
def _box() -> bytes:
    return bytes(load_font(16).getmask("\ufffe"))
