"""Pixels of four colours written as lossless WebP (RFC 9649), in a fifth of the time that libwebp needs.

The trick is a prefix code in which every token takes whole bytes: four pixels take one, a copy of what is
above them two. So a file is made by translating bytes and by a search for what rows have in common.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple


class Field(NamedTuple):
    """A number, and how many bits it takes; the lowest is written first."""

    number: int
    bits: int


_LITERALS, _GREENS, _LONGEST_CODE = 256, 280, 15  # symbols for pixels; all of the first channel, with lengths
# Copies of 5 to 512 groups: a length with `own` bits after its symbol takes 16 if the symbol has 16 - own.
_COPIES: Final = {_LITERALS + 2 * own + 2 + odd: 16 - own for own in range(1, 8) for odd in (0, 1)}
_FEWEST, _MOST = 5, 512
# That leaves 254 codes of 8 bits for 256 groups of four pixels: two groups of stripes are drawn as others.
_STRIPES: Final = {0b10_00_10_00: 0b01_00_10_00, 0b00_10_00_10: 0b00_01_00_10}
_PIXELS: Final = {group: _LONGEST_CODE if group in _STRIPES else 8 for group in range(_LITERALS)}
_SIGNATURE, _INDEXED, _NO = Field(0x2F, 8), Field(0b111, 3), Field(0, 1)
_ONLY_ZERO: Final = Field(0b0001, 4)  # a prefix code of one symbol, which is 0 and takes no bits
_ORDER: Final = (17, 18, 0, 1, 2, 3, 4, 5, 16, *range(6, 16))  # in which the lengths of lengths are told
_NO_LENGTH: Final = 16  # and more: repetitions, which are not used here
_BAND_ROWS: Final = 32  # looked at in one go: what is small stays in the processor's cache
_SAME: Final = re.compile(rb"\0{%d,%d}" % (_FEWEST, _MOST))


def encode_vp8l(indices: bytes, size: tuple[int, int], colours: Sequence[tuple[int, int, int]]) -> bytes:
    """The content of a VP8L chunk; `indices`: rows of 2 bits a pixel, the first pixel in the highest ones."""
    sides = [Field(side - 1, 14) for side in size]
    table = [_INDEXED, Field(len(colours) - 1, 8), _NO, *_TABLE_CODES, *_differences(colours), _NO]
    head = _join([_SIGNATURE, *sides, Field(0, 4), *table, _NO, _NO, *_PIXEL_CODES])
    tokens = _tokens(indices, -(-size[0] // 4))
    whole = head.number | int.from_bytes(tokens, "little") << head.bits
    return whole.to_bytes(len(tokens) + head.bits // 8 + 1, "little")


def _tokens(indices: bytes, row: int) -> bytes:
    """Every group of pixels that is not as the one above it, and copies for all others."""
    literals = indices.translate(_TRANSLATION)
    tokens = bytearray(literals[:row])  # no list: thousands of small objects cost more than their bytes
    for top in range(row, len(literals), _BAND_ROWS * row):
        band = literals[top : top + _BAND_ROWS * row]
        above = literals[top - row : top - row + len(band)]
        differences = int.from_bytes(band, "big") ^ int.from_bytes(above, "big")
        place = 0
        for same in _SAME.finditer(differences.to_bytes(len(band), "big")):
            start, end = same.span()
            tokens += band[place:start]
            tokens += _COPY[end - start]
            place = end
        tokens += band[place:]
    return bytes(tokens)


def _differences(colours: Sequence[tuple[int, int, int]]) -> list[Field]:
    """The colours, each as what it adds to the one before: green, red, blue and alpha."""
    fields, before = [], (0, 0, 0, 0)
    for red, green, blue in colours:
        colour = (green, red, blue, 255)
        fields += [Field(_reverse(new - old & 255, 8), 8) for new, old in zip(colour, before, strict=True)]
        before = colour
    return fields


def _join(fields: Iterable[Field]) -> Field:
    number = place = 0
    for each, bits in fields:
        number |= each << place
        place += bits
    return Field(number, place)


def _reverse(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


def _declare(lengths: Mapping[int, int], count: int) -> Field:
    """A prefix code, given by the lengths of the codes of its `count` symbols, with 4 bits for each."""
    of_lengths = [Field(4 if length < _NO_LENGTH else 0, 3) for length in _ORDER]
    return _join(
        [_NO, Field(len(_ORDER) - 4, 4), *of_lengths, _NO]
        + [Field(_reverse(lengths.get(symbol, 0), 4), 4) for symbol in range(count)]
    )


def _assign(lengths: Mapping[int, int]) -> dict[int, Field]:
    """The canonical prefix code: symbols by length and number have codes that count upwards."""
    codes, code, last = {}, 0, 0
    for symbol, length in sorted(lengths.items(), key=lambda pair: pair[::-1]):
        code <<= length - last
        codes[symbol], code, last = Field(_reverse(code, length), length), code + 1, length
    return codes


def _translate(indices: int) -> int:
    """The byte for four pixels; they come with the first in the highest bits."""
    group = sum((indices >> 2 * place & 3) << 6 - 2 * place for place in range(4))
    return _CODES[_STRIPES.get(group, group)].number


def _copy(length: int) -> bytes:
    """The two bytes that copy so many groups from the row above."""
    top = (length - 1).bit_length() - 1
    symbol = _LITERALS + 2 * top + (length - 1 >> top - 1 & 1)
    own = Field(length - 1 & (1 << top - 1) - 1, top - 1)
    return _join([_CODES[symbol], own]).number.to_bytes(2, "little")


_CODES: Final = _assign({**_PIXELS, **_COPIES})
_TRANSLATION: Final = bytes(map(_translate, range(256)))
_COPY: Final = [_copy(length) if length >= _FEWEST else b"" for length in range(_MOST + 1)]
_PIXEL_CODES: Final = (_declare({**_PIXELS, **_COPIES}, _GREENS), *[_ONLY_ZERO] * 4)
_BYTES: Final = dict.fromkeys(range(256), 8)
_TABLE_CODES: Final = (_declare(_BYTES, _GREENS), *[_declare(_BYTES, 256)] * 3, _ONLY_ZERO)
