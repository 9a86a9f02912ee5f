"""Hebrew and Arabic are read from right to left: a line of text put into the order in which it is drawn.

A short form of the Unicode Bidirectional Algorithm: letters, numbers and what stands between them, but no
embeddings; those are format characters, which `lettering.clean` has left out.
"""

import unicodedata
from itertools import pairwise
from typing import Final

_STRONG: Final = {"L": "L", "R": "R", "AL": "R"}
_NUMBERS: Final = frozenset({"EN", "AN"})
_SEPARATORS: Final = frozenset({"ES", "CS"})
_MIRRORED: Final = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def reads_from_right(text: str) -> bool:
    """Whether the first letter of a text is of a script that is written from right to left."""
    kinds = (_STRONG.get(unicodedata.bidirectional(sign)) for sign in text)
    return next(filter(None, kinds), "L") == "R"


def visual_order(line: str, *, from_right: bool | None = None) -> str:
    r"""A line as it is to be drawn from left to right; `from_right` None: its own first letter decides.

    >>> visual_order("\u05d0\u05d1 12") == "12 \u05d1\u05d0"
    True
    """
    is_turned = reads_from_right(line) if from_right is None else from_right
    kinds = _resolved(line, "R" if is_turned else "L")
    if "R" not in kinds and not is_turned:
        return line
    levels = [{"R": 1, "N": 2}.get(kind, 2 if is_turned else 0) for kind in kinds]
    signs = [
        sign.translate(_MIRRORED) if level == 1 else sign for sign, level in zip(line, levels, strict=True)
    ]
    for depth in (2, 1):
        _turn(signs, levels, depth)
    return "".join(signs)


def _resolved(line: str, base: str) -> list[str]:
    """Of every character L, R, or N for a number among what is read from the right."""
    raw = [unicodedata.bidirectional(sign) for sign in line]
    kinds, last = [], base
    for place, kind in enumerate(raw):
        around = [other in _NUMBERS for other in (raw[max(0, place - 1)], raw[min(place + 1, len(raw) - 1)])]
        last = _STRONG.get(kind, last)
        is_number = (
            kind in _NUMBERS or (kind in _SEPARATORS and all(around)) or (kind == "ET" and any(around))
        )
        kinds.append("N" if is_number and last == "R" else "L" if is_number else _STRONG.get(kind, "-"))
    fixed = [-1, *(place for place, kind in enumerate(kinds) if kind != "-"), len(kinds)]
    for start, end in pairwise(fixed):
        before = base if start < 0 else kinds[start].replace("N", "R")
        after = base if end == len(kinds) else kinds[end].replace("N", "R")
        kinds[start + 1 : end] = [before if before == after else base] * (end - start - 1)
    return kinds


def _turn(signs: list[str], levels: list[int], depth: int) -> None:
    """Reverse every run whose level is at least `depth`; levels of a run stay within it, so they may follow."""
    start = 0
    while start < len(signs):
        end = start
        while end < len(signs) and levels[end] >= depth:
            end += 1
        signs[start:end], levels[start:end] = signs[start:end][::-1], levels[start:end][::-1]
        start = max(end, start + 1)
