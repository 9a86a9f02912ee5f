"""The largest size at which a text fits into a place, and the lines that it is broken into there."""

from dataclasses import dataclass

from mockserver.imaging.lettering import REFERENCE_PX, measure_width, reads_from_right, reorder, shorten

_LEADING = 1.13  # from baseline to baseline, as a multiple of the size
_SHORT_WORD, _SHORT_END = 3, 2  # characters of a first and a last line that look lost
_PATIENCE = 0.7  # how much smaller a headline may become to lose such a line
_FEW_LINES = 6  # up to here the lines are made as even as can be, which is dear


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of text with the size at which they fit."""

    lines: tuple[str, ...]
    size: int  # pixels
    leading: int  # pixels from baseline to baseline
    is_from_right: bool = False  # the lines are to end at the same place, as Hebrew does

    @property
    def height(self) -> int:
        """Pixels from the top of the capitals of the first line to the baseline of the last."""
        return round(self.size * 0.73) + self.leading * (len(self.lines) - 1) if self.lines else 0


def fit(text: str, room: tuple[int, int], largest: int, smallest: int) -> Block:
    """The largest setting of a cleaned text within `room` pixels across and down.

    Words are kept whole as long as that leaves a decent size; what does not fit at the smallest size is cut.
    """
    across, down = room
    words = text.split()
    if not words or across < 1 or down < 1:
        return Block((), max(1, smallest), 1)
    sizes = _sizes(max(largest, smallest), smallest)
    whole = _whole(words, room, [size for size in sizes if size >= largest * 0.36])
    if whole:
        return whole
    for size in sizes:
        lines = _wrap(words, _reference(across, size), may_break=True)
        if lines and _height(len(lines), size) <= down:
            return _block(lines, size)
    return _cut(words, across, down, max(1, smallest))


def _whole(words: list[str], room: tuple[int, int], sizes: list[int]) -> Block | None:
    """The largest setting without a broken word; a little smaller where that saves a line that looks lost."""
    across, down = room
    largest: Block | None = None
    for size in sizes:
        if largest and size < largest.size * _PATIENCE:
            break
        lines = _wrap(words, _reference(across, size), may_break=False)
        if not lines or _height(len(lines), size) > down:
            continue
        lines = _balanced(words, lines, _reference(across, size))
        if not any(_is_lost(line, row, len(lines)) for row, line in enumerate(lines)):
            return _block(lines, size)
        largest = largest or _block(lines, size)
    return largest


def _is_lost(line: str, row: int, count: int) -> bool:
    """Whether a line stands alone with a word or two letters, as the first or the last of several."""
    return count > 1 and (
        (row == 0 and len(line) <= _SHORT_WORD) or (row == count - 1 and len(line) <= _SHORT_END)
    )


def _reference(across: float, size: int) -> float:
    return across * REFERENCE_PX / size


def _sizes(largest: int, smallest: int) -> list[int]:
    sizes, size = [], float(max(1, largest))
    while size > max(1, smallest):
        sizes.append(round(size))
        size = min(size * 0.95, size - 1)
    return [*sizes, max(1, smallest)]


def _height(lines: int, size: int) -> float:
    return size * (0.73 + _LEADING * (lines - 1) + 0.2)


def _block(lines: list[str], size: int) -> Block:
    from_right = reads_from_right(" ".join(lines))
    drawn = tuple(reorder(line, from_right=from_right) for line in lines)
    return Block(drawn, size, round(size * _LEADING), from_right)


def _wrap(words: list[str], room: float, *, may_break: bool) -> list[str]:
    """Lines no wider than `room` (in reference units); none when a word is too wide and may not be broken."""
    lines: list[str] = []
    used, space = room + 1, measure_width(" ")
    for word in words:
        wide = measure_width(word)
        if used + space + wide <= room:
            lines[-1] += " " + word
            used += space + wide
        elif wide <= room:
            lines.append(word)
            used = wide
        elif may_break:
            lines.extend(_pieces(word, room))
            used = measure_width(lines[-1])
        else:
            return []
    return lines


def _pieces(word: str, room: float) -> list[str]:
    """A word that is too wide in as few pieces as can be, of about the same width."""
    whole = sum(map(measure_width, word))
    share = whole / -(-whole // room)
    pieces, used, total = [""], 0.0, 0.0
    for sign in word:
        wide = measure_width(sign)
        is_full = used + wide > room or total + wide / 2 > share * len(pieces)
        if pieces[-1] and is_full:
            pieces.append("")
            used = 0.0
        pieces[-1] += sign
        used, total = used + wide, total + wide
    return pieces


def _balanced(words: list[str], lines: list[str], room: float) -> list[str]:
    """The same number of lines, as even in width as can be."""
    if 1 < len(lines) <= _FEW_LINES:
        return _even(words, len(lines), room)
    low, high = room * 0.4, room
    for _ in range(6):
        middle = (low + high) / 2
        tried = _wrap(words, middle, may_break=False)
        if tried and len(tried) == len(lines):
            lines, high = tried, middle
        else:
            low = middle
    return lines


def _even(words: list[str], count: int, room: float) -> list[str]:
    """The breaks with the least sum of squared widths, where a line that looks lost costs as much as many."""
    space, wides = measure_width(" "), [measure_width(word) for word in words]
    best: dict[int, tuple[float, list[str]]] = {0: (0.0, [])}  # by how many words are set: cost and lines
    for row in range(count):
        longer: dict[int, tuple[float, list[str]]] = {}
        for start, (cost, lines) in best.items():
            used = -space
            for end in range(start + 1, len(words) + 1):
                used += space + wides[end - 1]
                if used > room + 0.01:
                    break
                line = " ".join(words[start:end])
                total = cost + used**2 + _is_lost(line, row, count) * 4 * room**2
                if end not in longer or total < longer[end][0]:
                    longer[end] = (total, [*lines, line])
        best = longer
    return best[len(words)][1]


def _cut(words: list[str], across: int, down: int, size: int) -> Block:
    count = max(1, int((down / size - 0.93) / _LEADING) + 1)
    lines = _wrap(words, _reference(across, size), may_break=True)
    if len(lines) > count:
        last = shorten(lines[count - 1] + " " + lines[count], size, across)
        lines = [*lines[: count - 1], last if last.endswith("…") else shorten(last + "…", size, across)]
    return _block(lines, size)
