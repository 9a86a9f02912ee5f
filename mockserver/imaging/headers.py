"""What of a picture file is worth decoding, found before Pillow sees it.

Pillow tells a picture's size once it has opened it; here is only what it does too late or with warnings.
Text, profiles, animation and EXIF are cut out: compressed bombs hide there, and they make Pillow warn. WebP
and GIF tell their size here, because Pillow makes room for the whole picture while it opens one.
"""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_JPEG_WITHOUT_LENGTH: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
# All APPn but JFIF and Adobe, and comments.
_JPEG_DROPPED: Final = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
_FILL, _SCAN, _APP1 = 0xFF, 0xDA, 0xE1  # of a JPEG: what may stand before a marker, the pixels, EXIF
_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21
_MOST_PARTS: Final = 100_000  # chunks or segments; a file of more is an attack on whoever counts them
_MOST_SCANS: Final = 64  # of a JPEG: each is a pass over all its pixels, and encoders write ten
_ORIENTATION: Final = 0x0112


class Header(NamedTuple):
    """The format (Pillow's name for it) of a picture, and the bytes worth decoding."""

    format: str
    body: bytes
    exif: bytes = b""
    size: tuple[int, int] = (1, 1)  # pixels, where Pillow must not be asked


def read_header(data: bytes) -> Header:
    """Recognise PNG, JPEG, WebP and GIF by their first bytes.

    Raises ValueError, IndexError or struct.error for anything else, and for a file that ends too soon.
    """
    return _find_reader(data)(data)


def read_orientation(exif: bytes) -> int:
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
                return value if value in range(1, 9) else 1
    except struct.error:
        pass
    return 1


def _find_reader(data: bytes) -> Callable[[bytes], Header]:
    if data.startswith(_PNG_SIGNATURE):
        return _read_png
    if data.startswith(b"\xff\xd8\xff"):
        return _read_jpeg
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _read_webp
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _read_gif
    raise ValueError("neither PNG, JPEG, WebP nor GIF")


def _read_png(data: bytes) -> Header:
    kept, exif, place = [_PNG_SIGNATURE], b"", len(_PNG_SIGNATURE)
    for _ in range(_MOST_PARTS):
        length, kind = struct.unpack_from(">I4s", data, place)
        chunk = data[place : place + 12 + length]
        if len(chunk) < 12 + length:
            raise ValueError("the PNG ends within a chunk")
        if kind in _PNG_KEPT:
            kept.append(chunk)
        elif kind == b"eXIf":
            exif = chunk[8:-4]
        if kind == b"IEND":
            return Header("PNG", b"".join(kept), exif)
        place += len(chunk)
    raise ValueError("the PNG has too many chunks")


def _read_jpeg(data: bytes) -> Header:
    kept, exif, place = [b"\xff\xd8"], b"", 2
    for _ in range(_MOST_PARTS):
        place = data.index(b"\xff", place)
        marker = data[place + 1]
        if marker == _SCAN:
            if data.count(bytes((_FILL, _SCAN)), place) > _MOST_SCANS:
                raise ValueError("the JPEG has too many scans")
            return Header("JPEG", b"".join([*kept, data[place:]]), exif)
        if marker == _FILL or marker in _JPEG_WITHOUT_LENGTH:
            place += 1 if marker == _FILL else 2
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        segment = data[place : place + 2 + length]
        if marker == _APP1 and segment[4:10] == b"Exif\0\0":
            exif = segment[4:]
        if marker not in _JPEG_DROPPED:
            kept.append(segment)
        place += 2 + length
    raise ValueError("the JPEG has too many segments")


def _read_webp(data: bytes) -> Header:
    kind, start = data[12:16], 20
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise ValueError("the WebP ends too soon")
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (start + 4, start + 7))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, start + 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, start + 6))
    else:
        raise ValueError("the WebP starts with an unknown chunk")
    return Header("WEBP", data, size=(width, height))


def _read_gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    place = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)  # after the palette
    for _ in range(_MOST_PARTS):
        kind = data[place]
        if kind == _GIF_IMAGE:  # the first one; it may be larger than the announced screen
            left, top, across, down = struct.unpack_from("<HHHH", data, place + 1)
            return Header("GIF", data, size=(max(width, left + across), max(height, top + down)))
        place += 2 if kind == _GIF_EXTENSION else 1
        while kind == _GIF_EXTENSION and data[place]:
            place += 1 + data[place]
    raise ValueError("the GIF has no image")
