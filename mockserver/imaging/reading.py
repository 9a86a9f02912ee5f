"""Bytes from a stranger, made into a picture or refused.

Whatever the bytes, only `UnreadablePicture` and `OversizedPicture` leave this module, no warning is emitted,
no global setting of Pillow is touched, and nothing is expanded before its size is known.
"""

import base64
import binascii
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mockserver.imaging.headers import read_header, read_orientation

KEPT_PX = 800  # the longest side of a copy that is kept
MAX_PIXELS: Final = 64_000_000  # below Pillow's own limit, so that Pillow never has to warn

# Pillow's classes are used directly: `Image.open` would warn of large pictures through a process-wide filter.
_FORMATS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WEBP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "AVIF": AvifImageFile,
}
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_OPAQUE: Final = 255
_DATA_URL_HEAD: Final = re.compile(r"\s*data:.*;\s*base64\s*", re.IGNORECASE | re.ASCII | re.DOTALL)


class UnreadablePicture(ValueError):  # noqa: N818 - it names the picture's fault, not ours
    """Not base64, not a picture, cut short, or of a kind that is not supported."""


class OversizedPicture(ValueError):  # noqa: N818
    """More pixels than `MAX_PIXELS`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is known to decode."""

    data: bytes  # the file as it came
    width: int  # pixels, as stored: before EXIF turns the picture
    height: int
    media_type: str


def decode_data_url(url: str) -> bytes:
    """The bytes of a base64 data URL, by the WHATWG's forgiving rules: white space ignored, padding optional.

    Raises UnreadablePicture.

    >>> decode_data_url("data:image/png;base64,aGVs bG8")
    b'hello'
    """
    head, comma, text = url.partition(",")
    if not comma or not _DATA_URL_HEAD.fullmatch(head):
        raise UnreadablePicture("this is not a base64 data URL")
    try:
        code = text.encode("ascii").translate(None, b"\t\n\f\r ")
        if len(code) % 4 == 0:
            code = code[:-2] + code[-2:].replace(b"==", b"").removesuffix(b"=")
        if b"=" in code[-2:]:
            raise UnreadablePicture("the base64 has padding in the wrong place")
        return binascii.a2b_base64(code + b"=" * (-len(code) % 4), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise UnreadablePicture("the data URL holds something that is not base64") from error


def open_picture(data: bytes) -> Picture:
    """Decode every pixel once, so that a cut or damaged file is noticed; of an animation, the first frame.

    Reads PNG, JPEG, WebP, GIF, BMP and AVIF. Raises UnreadablePicture and OversizedPicture.
    """
    image, _ = _open(data)
    with _refusing("the picture cannot be decoded"):
        image.load()
    return Picture(data, image.width, image.height, Image.MIME[image.format or ""])


def open_upright(data: bytes, longest_side_px: int) -> Image.Image:
    """The picture as RGB, or RGBA where something shows through, turned as its EXIF says and made no larger.

    Raises UnreadablePicture and OversizedPicture.
    """
    image: Image.Image
    image, turn = _open(data)
    with _refusing("the picture cannot be decoded"):
        image.draft(None, (longest_side_px, longest_side_px))
        image = _convert(image)
        image.thumbnail((longest_side_px, longest_side_px), reducing_gap=2.0)
        return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def shrink(picture: Picture, longest_side_px: int = KEPT_PX) -> str:
    """Base64 of a small upright copy, fit for `Inset.data`: WebP, or PNG where something shows through.

    Raises UnreadablePicture and OversizedPicture.
    """
    image, file = open_upright(picture.data, longest_side_px), BytesIO()
    if image.mode == "RGBA":
        image.save(file, "PNG", compress_level=2)
    else:
        image.save(file, "WEBP", quality=86, method=0)
    return base64.b64encode(file.getvalue()).decode("ascii")


def shrink_data_url(url: str) -> str:
    """Base64 of a small upright copy of the picture in a data URL.

    Raises UnreadablePicture and OversizedPicture.
    """
    return shrink(open_picture(decode_data_url(url)))


def _open(data: bytes) -> tuple[ImageFile.ImageFile, int]:
    """A picture of which only the header was read, and its EXIF orientation."""
    with _refusing("this is not a supported picture"):
        header = read_header(data)
    _refuse_oversized(*header.size)
    with _refusing(f"this is not a {header.format} that can be read"):
        image = _FORMATS[header.format](BytesIO(header.body))
    _refuse_oversized(*image.size)
    return image, read_orientation(header.exif or image.info.get("exif", b""))


@contextlib.contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Pillow and the libraries under it fail on hostile bytes in more ways than can be listed."""
    try:
        yield
    except Exception as error:
        raise UnreadablePicture(f"{what}: {error}") from error


def _refuse_oversized(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise UnreadablePicture("the picture has no pixels")
    if width * height > MAX_PIXELS:
        raise OversizedPicture(f"{width}×{height} pixels are more than {MAX_PIXELS:,}")  # noqa: RUF001


def _convert(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey: `convert` alone would clip all but the darkest 256
        image = image.point(lambda level: level * (1 / 256)).convert("L")
        image.info.pop("transparency", None)
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    lowest, _ = image.getchannel("A").getextrema()
    return image.convert("RGB") if lowest == _OPAQUE else image
