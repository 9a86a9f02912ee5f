"""The words of a picture: small notes and the headline under them.

Letters always have an outline in ink, so they can be read on any background.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

from mockserver.imaging.fitting import Block, fit
from mockserver.imaging.layout import Place
from mockserver.imaging.lettering import (
    MISSING,
    clean,
    describe_missing,
    load_font,
    measure_width,
    shorten,
    write,
)
from mockserver.imaging.palette import WHITE, Palette, mix
from mockserver.imaging.shapes import draw_shadow, mask_rounded, paste
from mockserver.seeded import Random

_SHOUTED = 64  # characters up to which a headline is set in capitals
_LEAST_FOR_NOTES = 10  # pixels of letter height
_MOST_ROWS = 2
_OVERHANG = 0.04  # of the size: how much further than its glyph a tile reaches on either side
_FEW = 6  # lines of a headline that are short enough for emphasis


@dataclass(frozen=True, slots=True)
class _Chip:
    text: str
    left: int
    row: int
    width: int


def draw_words(
    canvas: Image.Image,
    place: Place,
    unit: float,
    words: tuple[str, Sequence[str]],
    look: tuple[Palette, Random],
) -> None:
    """Draw headline and notes (`words`) into a place, in some colours and by a seed (`look`)."""
    headline, notes = words
    colours, random = look
    size = round(unit * 3.1)
    chips = _chips([describe_missing(headline), *(clean(note, 60) for note in notes)], place.width, size)
    rows = max((chip.row + 1 for chip in chips), default=0)
    taken = round(rows * size * 2.1 + size * 0.9) if rows else 0
    stroke = max(1, round(unit * 0.75))
    text = clean(headline, is_tiled=True)
    if len(text) <= _SHOUTED:
        text = clean(text.upper(), is_tiled=True)
    room = (place.width - 2 * stroke - round(unit), place.height - taken - 2 * stroke)
    block = fit(text, room, round(unit * 27), max(7, round(unit * 6.3)))
    top = place.top + max(0, (place.height - taken - block.height) // 2)
    _draw_chips(canvas, chips, (place.left, top), size, colours)
    _draw_block(canvas, block, (place.left + stroke, top + taken), (colours, random), unit)


def _chips(notes: Sequence[str], room: int, size: int) -> list[_Chip]:
    chips: list[_Chip] = []
    if size < _LEAST_FOR_NOTES:
        return chips
    left, row, pad, gap = 0, 0, round(size * 0.8), round(size * 0.5)
    for note in filter(None, notes):
        text = shorten(note, size, room - 2 * pad)
        across = round(measure_width(text, size)) + 2 * pad
        if left and left + across > room:
            left, row = 0, row + 1
        if row == _MOST_ROWS:
            break
        chips.append(_Chip(text, left, row, across))
        left += across + gap
    return chips


def _draw_chips(
    canvas: Image.Image, chips: Sequence[_Chip], corner: tuple[int, int], size: int, colours: Palette
) -> None:
    tall = round(size * 1.75)
    for chip in chips:
        left, top = corner[0] + chip.left, corner[1] + round(chip.row * size * 2.1)
        paste(canvas, colours.ink, (left, top), mask_rounded(chip.width, tall, tall / 2, fill=150))
        middle = (left + chip.width / 2, top + tall / 2 + size * 0.36)
        write(canvas, chip.text, middle, size, mix(colours.accent, WHITE, 0.55))


def _draw_block(
    canvas: Image.Image, block: Block, corner: tuple[int, int], look: tuple[Palette, Random], unit: float
) -> None:
    """The outline as one mask, pasted with some depth over a soft shadow, then the letters themselves."""
    if not block.lines:
        return
    colours, random = look
    face = load_font(block.size)
    stroke = max(1, round(min(unit * 0.75, block.size * 0.085)))
    deep = max(1, round(block.size * 0.05))
    ascent = round(block.size * 0.95)
    broad = max(measure_width(line, block.size) for line in block.lines)
    pad = 2 * stroke + round(block.size * _OVERHANG)
    outline = Image.new("L", (round(broad) + 2 * pad, ascent + block.leading * len(block.lines)))
    pen = ImageDraw.Draw(outline)
    for text, x, y, _ in _runs(block, broad):
        where = (pad + x, ascent + y)
        if text == MISSING:
            pen.rounded_rectangle(_tile(*where, block.size, stroke), block.size * 0.17 + stroke, fill=255)
        else:
            pen.text(where, text, 255, face, anchor="ls", stroke_width=stroke)
    left, base = corner[0], corner[1] + round(block.size * 0.73)
    origin = (left - pad, base - ascent)
    draw_shadow(canvas, (origin[0] + deep, origin[1] + 2 * deep), outline, max(2.0, block.size * 0.09), 0.6)
    raised = ImageChops.lighter(outline, ImageChops.offset(outline, deep // 2, deep))
    paste(canvas, colours.ink, origin, raised)
    bold, draw = _accented(block, random), ImageDraw.Draw(canvas)
    thicken = block.size * 0.012 if len(block.lines) <= _FEW else 0
    for text, x, y, row in _runs(block, broad):
        if text == MISSING:
            _draw_tile(canvas, _tile(left + x, base + y, block.size), colours)
        else:
            fill = colours.accent if row == bold else WHITE
            draw.text((left + x, base + y), text, fill, face, anchor="ls", stroke_width=thicken)


def _runs(block: Block, broad: float) -> Iterator[tuple[str, float, int, int]]:
    """Text or one `MISSING` at a time: its left end and baseline in the block, and the number of its line."""
    for row, line in enumerate(block.lines):
        x = broad - measure_width(line, block.size) if block.is_from_right else 0.0
        for run in filter(None, re.split(f"({MISSING})", line)):
            yield run, x, row * block.leading, row
            x += measure_width(run, block.size)


def _tile(x: float, base: float, size: int, stroke: int = 0) -> tuple[int, int, int, int]:
    """The edges of a tile as tall as a capital, about the middle of where its glyph would stand."""
    middle, half = x + measure_width(MISSING, size) / 2, measure_width(MISSING, size) / 2 + size * _OVERHANG
    left, right = round(middle - half), round(middle + half)
    return left - stroke, round(base - size * 0.73) - stroke, right + stroke, round(base) + stroke


def _draw_tile(canvas: Image.Image, edges: tuple[int, int, int, int], colours: Palette) -> None:
    """A key without a letter: the accent colour, with a darker face."""
    left, top, right, bottom = edges
    across, tall = max(1, right - left), max(1, bottom - top)
    paste(canvas, colours.accent, (left, top), mask_rounded(across, tall, across * 0.24))
    rim = max(1, round(across * 0.17))
    inner = mask_rounded(max(1, across - 2 * rim), max(1, tall - 2 * rim), across * 0.12)
    paste(canvas, mix(colours.accent, colours.rich, 0.28), (left + rim, top + rim), inner)


def _accented(block: Block, random: Random) -> int:
    """The line in the accent colour: of few lines any but the first, otherwise none."""
    count = len(block.lines)
    return random.whole("accent", 1, count - 1) if 1 < count <= _FEW else -1
