"""Text made fit to be drawn: cleaned, measured, wrapped and sized.

Any string at all is accepted. What the font has no glyph for is left out, so no row of empty boxes is
drawn; the font is the one shipped beside this module, never one of the machine's.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

_FONT = Path(__file__).parent / "fonts" / "DejaVuSans-Bold.ttf"
_REFERENCE_PX = 64  # the size at which widths are measured; others follow by proportion
_LEADING = 1.13  # from baseline to baseline, as a multiple of the size
_LONGEST = 260  # characters that can ever be visible at a readable size
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of text with the size at which they fit."""

    lines: tuple[str, ...]
    size: int  # pixels
    leading: int  # pixels from baseline to baseline

    @property
    def height(self) -> int:
        """Pixels from the top of the capitals of the first line to the baseline of the last."""
        return round(self.size * 0.73) + self.leading * (len(self.lines) - 1) if self.lines else 0


@lru_cache(maxsize=128)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The shipped heavy sans serif at a size in pixels."""
    return ImageFont.truetype(str(_FONT), max(1, size), layout_engine=ImageFont.Layout.BASIC)


def clean(text: str, longest: int = _LONGEST) -> str:
    r"""One line of what can be drawn of a text, cut with … after about `longest` characters.

    >>> clean("fire \U0001f525 and\n\tice \ud800")
    'fire and ice'
    """
    text = unicodedata.normalize("NFKC", text[: 4 * longest])
    words = "".join(" " if sign.isspace() else sign for sign in text if _is_shown(sign)).split()
    line = " ".join(words)
    if len(line) <= longest:
        return line
    cut = line[:longest].rpartition(" ")[0] or line[:longest]
    return cut.rstrip(" .,;:-–") + "…"  # noqa: RUF001


def width(text: str, size: int) -> float:
    """How many pixels wide a text is at a size, within a pixel or two."""
    return _advance(text) * size / _REFERENCE_PX


def shorten(text: str, size: int, room: float) -> str:
    """As much of a line as fits into `room` pixels, ended by … where it was cut; maybe nothing."""
    if width(text, size) <= room:
        return text
    kept = len(text)
    while kept and width(text[:kept].rstrip(" .,;:") + "…", size) > room:
        kept -= 1
    return text[:kept].rstrip(" .,;:") + "…" if kept else ""


def fit(text: str, room: tuple[int, int], largest: int, smallest: int) -> Block:
    """The largest setting of a cleaned text within `room` pixels across and down.

    Words are kept whole as long as that leaves a decent size; what does not fit at the smallest size is cut.
    """
    across, down = room
    words = text.split()
    if not words or across < 1 or down < 1:
        return Block((), max(1, smallest), 1)
    sizes = _sizes(max(largest, smallest), smallest)
    decent = largest * 0.36
    for size in [size for size in sizes if size >= decent]:
        lines = _wrap(words, _reference(across, size), may_break=False)
        if lines and _height(len(lines), size) <= down:
            return _block(_balanced(words, lines, _reference(across, size)), size)
    for size in sizes:
        lines = _wrap(words, _reference(across, size), may_break=True)
        if lines and _height(len(lines), size) <= down:
            return _block(lines, size)
    return _cut(words, across, down, max(1, smallest))


def visual_order(line: str) -> str:
    r"""A line as it is to be drawn from left to right: runs of Hebrew and Arabic are turned round.

    >>> visual_order("\u05d0\u05d1 12") == "\u05d1\u05d0 12"
    True
    """
    runs: list[str] = []
    run = ""
    for sign in line:
        is_turned = unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT
        if run and is_turned != (unicodedata.bidirectional(run[0]) in _RIGHT_TO_LEFT):
            runs.append(run)
            run = ""
        run = sign + run if is_turned else run + sign
    runs.append(run)
    has_reader_from_right = bool(line) and unicodedata.bidirectional(line[0]) in _RIGHT_TO_LEFT
    return "".join(reversed(runs)) if has_reader_from_right and len(runs) % 2 else "".join(runs)


@lru_cache(maxsize=4096)
def _is_shown(sign: str) -> bool:
    if sign.isspace():
        return True
    if unicodedata.category(sign) in _INVISIBLE:
        return False
    missing = font(16).getmask("\ufffe")
    return bytes(font(16).getmask(sign)) != bytes(missing)


@lru_cache(maxsize=4096)
def _advance(text: str) -> float:
    return font(_REFERENCE_PX).getlength(text)


def _reference(across: float, size: int) -> float:
    return across * _REFERENCE_PX / size


def _sizes(largest: int, smallest: int) -> list[int]:
    sizes, size = [], float(max(1, largest))
    while size > max(1, smallest):
        sizes.append(round(size))
        size = min(size * 0.95, size - 1)
    return [*sizes, max(1, smallest)]


def _height(lines: int, size: int) -> float:
    return size * (0.73 + _LEADING * (lines - 1) + 0.2)


def _block(lines: list[str], size: int) -> Block:
    return Block(tuple(visual_order(line) for line in lines), size, round(size * _LEADING))


def _wrap(words: list[str], room: float, *, may_break: bool) -> list[str]:
    """Lines no wider than `room` (in reference units); none when a word is too wide and may not be broken."""
    lines: list[str] = []
    used, space = room + 1, _advance(" ")
    for word in words:
        wide = _advance(word)
        if used + space + wide <= room:
            lines[-1] += " " + word
            used += space + wide
        elif wide <= room:
            lines.append(word)
            used = wide
        elif may_break:
            lines.extend(_pieces(word, room))
            used = _advance(lines[-1])
        else:
            return []
    return lines


def _pieces(word: str, room: float) -> list[str]:
    pieces, used = [""], 0.0
    for sign in word:
        wide = _advance(sign)
        if pieces[-1] and used + wide > room:
            pieces.append("")
            used = 0.0
        pieces[-1] += sign
        used += wide
    return pieces


def _balanced(words: list[str], lines: list[str], room: float) -> list[str]:
    """The same number of lines, as even in width as can be."""
    low, high = room * 0.4, room
    for _ in range(6):
        middle = (low + high) / 2
        tried = _wrap(words, middle, may_break=False)
        if tried and len(tried) == len(lines):
            lines, high = tried, middle
        else:
            low = middle
    return lines


def _cut(words: list[str], across: int, down: int, size: int) -> Block:
    count = max(1, int((down / size - 0.93) / _LEADING) + 1)
    lines = _wrap(words, _reference(across, size), may_break=True)
    if len(lines) > count:
        last = shorten(lines[count - 1] + " " + lines[count], size, across)
        lines = [*lines[: count - 1], last if last.endswith("…") else shorten(last + "…", size, across)]
    return _block(lines, size)
