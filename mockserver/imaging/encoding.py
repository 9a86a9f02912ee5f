"""Pixels and metadata made into the bytes of a file.

No time stamps and nothing of the machine goes in: equal pixels and metadata give equal bytes.
"""

import json
import struct
import zlib
from io import BytesIO
from typing import Final

from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo

from mockserver.imaging.vp8l import encode_vp8l

Metadata = tuple[tuple[str, str], ...]

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_DIFFERENCE_TO_ROW_ABOVE: Final = b"\x02"  # PNG's filter type "Up"
_TRUECOLOUR, _INDEXED = 2, 3  # PNG's colour types
_LONGEST_KEYWORD: Final = 79  # bytes, by the PNG specification
_LAST_OF_LATIN_1: Final = "\xff"
_HAS_EXIF: Final = 0x08  # among the flags of a WebP
_IMAGE_DESCRIPTION: Final = 0x010E
_SOFTWARE: Final = 0x0131
_EXIF_IFD: Final = 0x8769
_IMAGE_UNIQUE_ID: Final = 0xA420


def encode_png(image: Image.Image, metadata: Metadata) -> bytes:
    """A picture of RGB, or of four colours, as PNG, with a text chunk for each pair of the metadata.

    Pillow tries five filters on each row of RGB, which takes 10 ms and more; "Up" on all makes files of the
    same size in half the time. Four colours are best left as they are.
    """
    if image.mode == "P":
        bits, kind, filter_type, row, pixels = 2, _INDEXED, b"\0", -(-image.width // 4), _pack(image)
    else:
        above = Image.new("RGB", image.size)
        above.paste(image, (0, 1))
        pixels = ImageChops.subtract_modulo(image, above).tobytes()
        bits, kind, filter_type, row = 8, _TRUECOLOUR, _DIFFERENCE_TO_ROW_ABOVE, 3 * image.width
    rows = b"".join([filter_type + pixels[start : start + row] for start in range(0, len(pixels), row)])
    header = struct.pack(">IIBBBBB", image.width, image.height, bits, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), *_texts(metadata), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    if image.mode == "P":
        chunks.insert(1, (b"PLTE", bytes(image.getpalette() or ())[:12]))
    return _PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def encode_webp(image: Image.Image, metadata: Metadata) -> bytes:
    """A picture as WebP, with the metadata as EXIF: RGB with losses, or four colours without."""
    exif = _exif(metadata) if metadata else b""
    if image.mode != "P":
        file = BytesIO()
        image.save(file, "WEBP", method=0, quality=86, exif=exif)
        return file.getvalue()
    levels = image.getpalette() or []
    colours = [(levels[at], levels[at + 1], levels[at + 2]) for at in range(0, 12, 3)]
    chunks = [(b"VP8L", encode_vp8l(_pack(image), image.size, colours))]
    if exif:
        width, height = ((side - 1).to_bytes(3, "little") for side in image.size)
        flags = struct.pack("<I", _HAS_EXIF)
        chunks = [(b"VP8X", flags + width + height), *chunks, (b"EXIF", exif.removeprefix(b"Exif\0\0"))]
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _pack(image: Image.Image) -> bytes:
    """Four pixels a byte, the first in its highest bits; rows end with whole bytes."""
    return image.tobytes("raw", "P;2")


def _exif(metadata: Metadata) -> bytes:
    """All pairs as a JSON object in ImageDescription; "Software" and "Request-Id" also where they belong."""
    exif = Image.Exif()
    exif[_IMAGE_DESCRIPTION] = json.dumps(dict(metadata))  # ASCII, as EXIF wants it
    for key, value in metadata:
        text = value.encode("ascii", "replace").decode("ascii").replace("\0", "")
        if key.lower() == "software":
            exif[_SOFTWARE] = text
        elif key.lower() == "request-id":
            exif.get_ifd(_EXIF_IFD)[_IMAGE_UNIQUE_ID] = text
    return exif.tobytes()


def _texts(metadata: Metadata) -> list[tuple[bytes, bytes]]:
    info = PngInfo()
    for key, value in metadata:
        keyword = key.encode("latin-1", "replace").replace(b"\0", b"")[:_LONGEST_KEYWORD] or b"Comment"
        text = value.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
        if all(sign <= _LAST_OF_LATIN_1 for sign in text):
            info.add_text(keyword, text)  # tEXt can hold Latin-1 only
        else:
            info.add_itxt(keyword, text)
    return [(chunk[0], chunk[1]) for chunk in info.chunks]
