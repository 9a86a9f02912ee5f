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

Metadata = tuple[tuple[str, str], ...]

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_DIFFERENCE_TO_ROW_ABOVE: Final = b"\x02"  # PNG's filter type "Up"
_LONGEST_KEYWORD: Final = 79  # bytes, by the PNG specification
_LAST_OF_LATIN_1: Final = "\xff"
_IMAGE_DESCRIPTION: Final = 0x010E
_SOFTWARE: Final = 0x0131
_EXIF_IFD: Final = 0x8769
_IMAGE_UNIQUE_ID: Final = 0xA420


def png(image: Image.Image, metadata: Metadata) -> bytes:
    """An RGB picture as PNG, with a text chunk for each pair of the metadata.

    Pillow tries five filters on each row, which takes longer than drawing the picture; "Up" on all of them
    makes files of the same size in half the time.
    """
    above = Image.new("RGB", image.size)
    above.paste(image, (0, 1))
    pixels, row = ImageChops.subtract_modulo(image, above).tobytes(), 3 * image.width
    rows = b"".join(
        [_DIFFERENCE_TO_ROW_ABOVE + pixels[start : start + row] for start in range(0, len(pixels), row)]
    )
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)  # 8 bits each of R, G and B
    chunks = [(b"IHDR", header), *_texts(metadata), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return _PNG_SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def webp(image: Image.Image, metadata: Metadata) -> bytes:
    """A picture as WebP, with the metadata as EXIF.

    All pairs are a JSON object in ImageDescription; "Software" is repeated in Software, and "Request-Id" in
    ImageUniqueID.
    """
    exif, file = Image.Exif(), BytesIO()
    if metadata:
        exif[_IMAGE_DESCRIPTION] = json.dumps(dict(metadata))  # ASCII, as EXIF wants it
    for key, value in metadata:
        if key.lower() == "software":
            exif[_SOFTWARE] = _ascii(value)
        elif key.lower() == "request-id":
            exif.get_ifd(_EXIF_IFD)[_IMAGE_UNIQUE_ID] = _ascii(value)
    image.save(file, "WEBP", method=0, quality=86, exif=exif.tobytes() if metadata else b"")
    return file.getvalue()


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


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii").replace("\0", "")
