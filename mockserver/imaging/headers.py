"""What a picture file says of itself before a single pixel is expanded.

Only lengths and sizes are read here, with bounds checked: a hostile file costs no more than its own length.
The parts that merely describe a picture (text, profiles, animation, EXIF) are left out of `Header.body`:
compressed bombs hide there, and they make Pillow warn.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start-of-frame markers
_JPEG_DROPPED = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})  # all APPn but JFIF and Adobe, and comments
_MOST_PARTS = 100_000  # chunks or segments; a file of more is an attack on whoever counts them
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """The format (Pillow's name for it) and size of a picture, and the bytes worth decoding."""

    format: str
    width: int  # pixels, as stored: before EXIF turns the picture
    height: int
    body: bytes
    exif: bytes = b""


def read_header(data: bytes) -> Header:
    """Recognise PNG, JPEG, WebP, GIF, BMP and AVIF by their first bytes.

    Raises ValueError, IndexError or struct.error for anything else, and for a file that ends too soon.
    """
    return _reader(data)(data)


def orientation(exif: bytes) -> int:
    """The EXIF orientation 1 to 8; 1, upright, where there is none or it cannot be read."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1  # noqa: PLR2004 - the standard's eight
    except struct.error:
        pass
    return 1


def _reader(data: bytes) -> Callable[[bytes], Header]:
    if data.startswith(_PNG_SIGNATURE):
        return _png
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _gif
    if data.startswith(b"BM"):
        return _bmp
    if data[4:8] == b"ftyp" and b"avi" in data[8:64]:
        return _avif
    raise ValueError("neither PNG, JPEG, WebP, GIF, BMP nor AVIF")


def _png(data: bytes) -> Header:
    view, kept, exif, place = memoryview(data), [_PNG_SIGNATURE], b"", len(_PNG_SIGNATURE)
    for _ in range(_MOST_PARTS):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise ValueError("the PNG ends within a chunk")
        if kind in _PNG_KEPT:
            kept.append(bytes(view[place:end]))
        elif kind == b"eXIf":
            exif = bytes(view[place + 8 : end - 4])
        if kind == b"IEND":
            width, height = struct.unpack_from(">II", data, 16)
            return Header("PNG", width, height, b"".join(kept), exif)
        place = end
    raise ValueError("the PNG has too many chunks")


def _jpeg(data: bytes) -> Header:
    view, kept, exif, size, place = memoryview(data), [b"\xff\xd8"], b"", (0, 0), 2
    for _ in range(_MOST_PARTS):
        place = data.index(b"\xff", place)
        marker = data[place + 1]
        if marker == 0xFF or marker in _JPEG_WITHOUT_LENGTH or marker == 0:  # noqa: PLR2004
            place += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        if marker == 0xDA:  # noqa: PLR2004 - start of scan: the pixels follow
            kept.append(bytes(view[place:]))
            return Header("JPEG", *size, b"".join(kept), exif)
        (length,) = struct.unpack_from(">H", data, place + 2)
        end = place + 2 + length
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            size = (width, height)
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":  # noqa: PLR2004
            exif = bytes(view[place + 4 : end])
        if marker not in _JPEG_DROPPED:
            kept.append(bytes(view[place:end]))
        place = end
    raise ValueError("the JPEG has too many segments")


def _webp(data: bytes) -> Header:
    kind, start = data[12:16], 20
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise ValueError("the WebP ends too soon")
    if kind == b"VP8X":
        width = int.from_bytes(data[start + 4 : start + 7], "little") + 1
        height = int.from_bytes(data[start + 7 : start + 10], "little") + 1
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, start + 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        across, down = struct.unpack_from("<HH", data, start + 6)
        width, height = across & 0x3FFF, down & 0x3FFF
    else:
        raise ValueError("the WebP starts with an unknown chunk")
    return Header("WEBP", width, height, data)


def _gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    place = 13 + _gif_palette(flags)
    for _ in range(_MOST_PARTS):
        kind = data[place]
        if kind == 0x2C:  # noqa: PLR2004 - the first image; it may be larger than the announced screen
            left, top, across, down = struct.unpack_from("<HHHH", data, place + 1)
            return Header("GIF", max(width, left + across), max(height, top + down), data)
        place += 2 if kind == 0x21 else 1  # noqa: PLR2004 - an extension: skip its blocks
        while kind == 0x21 and data[place]:  # noqa: PLR2004
            place += 1 + data[place]
    raise ValueError("the GIF has no image")


def _gif_palette(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    old = size == 12  # noqa: PLR2004 - OS/2 1.x
    width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
    return Header("BMP", abs(width), abs(height), data)


def _avif(data: bytes) -> Header:
    sizes = [struct.unpack(">II", found) for found in re.findall(rb"ispe\0{4}(.{8})", data, re.DOTALL)]
    if not sizes:
        raise ValueError("the AVIF names no size")
    # Pillow parses an AVIF's EXIF while opening, with warnings; an item of an unknown kind it leaves alone.
    body = re.sub(rb"(infe[\x02\x03].{7,9}?)Exif", rb"\1none", data, flags=re.DOTALL)
    return Header("AVIF", max(width for width, _ in sizes), max(height for _, height in sizes), body)
