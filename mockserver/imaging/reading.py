"""Bytes from a stranger, made into a picture or refused.

Whatever the bytes, only `UnreadablePicture` and `OversizedPicture` leave this module, no warning is emitted,
no global setting of Pillow is touched, and nothing is expanded before its size is known.
"""

import base64
import binascii
import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mockserver.imaging.headers import Header, read_header, read_orientation

KEPT_PX, KEPT_BYTES = 800, 768 * 1024  # the longest side of a copy that is kept, and what it takes
MAX_PIXELS: Final = 24_000_000  # below Pillow's own limit, so that Pillow never has to warn
AT_ONCE = 2  # pictures that are decoded at a time …
LARGE_PX = 6_000_000  # … but for one of more, which takes up to twelve bytes a pixel: that is alone


class _FirstOfWebP(WebPImageFile):
    """A WebP of which the first frame alone is wanted: the decoder's canvases go before there is another."""

    _decoder: Any

    def _get_next(self) -> Any:
        found = super()._get_next()
        self._decoder = None
        return found


# Pillow's classes are used directly: `Image.open` would warn of large pictures through a process-wide filter.
_FORMATS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WEBP": _FirstOfWebP,
    "GIF": GifImageFile,
}
_PLAIN_MODES: Final = {"L", "LA", "RGB", "RGBA"}  # that can be made smaller before they are converted
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

    width: int  # pixels, as stored: before EXIF turns the picture
    height: int
    media_type: str
    # Base64 of a small upright copy, fit for `Inset.data`: WebP, or PNG where something shows through.
    small: str


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
    """Decode a picture to its end, so that damage is noticed; of an animation, the first frame.

    Reads PNG, JPEG, WebP and GIF. Raises UnreadablePicture and OversizedPicture.
    """
    image, turn = _open(_read(data))
    (width, height), media_type = image.size, Image.MIME[image.format or ""]
    with _GATE.passed(AT_ONCE if width * height > LARGE_PX else 1):
        small = _upright(image, turn, KEPT_PX)
        image.close()
    return Picture(width, height, media_type, _encode(small))


def open_upright(data: bytes, longest_side_px: int) -> Image.Image:
    """The picture as RGB, or RGBA where something shows through, turned as its EXIF says and made no larger.

    Raises UnreadablePicture and OversizedPicture.
    """
    image, turn = _open(_read(data))
    return _upright(image, turn, longest_side_px)


def shrink_data_url(url: str) -> str:
    """Base64 of a small upright copy of the picture in a data URL.

    Raises UnreadablePicture and OversizedPicture.
    """
    return open_picture(decode_data_url(url)).small


def _read(data: bytes) -> Header:
    with _refusing("this is not a supported picture"):
        header = read_header(data)
    _refuse_oversized(*header.size)
    return header


def _open(header: Header) -> tuple[ImageFile.ImageFile, int]:
    """A picture of which only the header was read, and its EXIF orientation."""
    with _refusing(f"this is not a {header.format} that can be read"):
        image = _FORMATS[header.format](BytesIO(header.body))
    _refuse_oversized(*image.size)
    return image, read_orientation(header.exif or image.info.get("exif", b""))


class _Gate:
    """Lets so many pass at a time; who needs more room waits until there is enough."""

    def __init__(self, seats: int) -> None:
        self._free, self._changed = seats, threading.Condition()

    @contextlib.contextmanager
    def passed(self, seats: int) -> Iterator[None]:
        """Take seats, and give them back."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= seats)
            self._free -= seats
        try:
            yield
        finally:
            with self._changed:
                self._free += seats
                self._changed.notify_all()


_GATE: Final = _Gate(AT_ONCE)


def _upright(image: Image.Image, turn: int, longest_side_px: int) -> Image.Image:
    most = (longest_side_px, longest_side_px)
    with _refusing("the picture cannot be decoded"):
        image.draft(None, most)
        if image.mode in _PLAIN_MODES:
            image.thumbnail(most, reducing_gap=2.0)
        image = _convert(image)
        image.thumbnail(most, reducing_gap=2.0)
        return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def _encode(image: Image.Image) -> str:
    """Encode a copy that is kept; one that cannot be compressed is made smaller, so that all take little."""
    while True:
        file = BytesIO()
        if image.mode == "RGBA":
            image.save(file, "PNG", compress_level=2)
        else:
            image.save(file, "WEBP", quality=86, method=0)
        if file.tell() <= KEPT_BYTES:
            return base64.b64encode(file.getvalue()).decode("ascii")
        image = image.reduce(2)


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
