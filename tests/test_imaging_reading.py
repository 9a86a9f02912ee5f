"""Pictures from strangers are read or refused, and nothing else happens."""

import base64
import random
import struct
import subprocess
import sys
import warnings
import zlib
from io import BytesIO

import pytest
from PIL import Image

from mockserver.imaging.reading import (
    MAX_PIXELS,
    OversizedPicture,
    Picture,
    UnreadablePicture,
    decode_data_url,
    open_picture,
)

AVIF = b"\0\0\0 ftypavif"
FORMATS = ["PNG", "JPEG", "WEBP", "GIF"]


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def noise(width: int = 60, height: int = 40) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(7).randbytes(width * height * 3))


def shrunk(picture: Picture) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(picture.small)))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width: int, height: int, *more: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress((b"\0" + b"\xff\0\xff" * min(width, 9)) * min(height, 9)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + pixels + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_supported_format_is_read(file_format: str) -> None:
    picture = open_picture(encoded(noise(), file_format))
    assert (picture.width, picture.height) == (60, 40)
    assert picture.media_type == f"image/{file_format.lower()}"


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.9])
def test_a_file_cut_short_is_unreadable(file_format: str, share: float) -> None:
    data = encoded(noise(), file_format)
    with pytest.raises(UnreadablePicture):
        open_picture(data[: int(len(data) * share)])


@pytest.mark.parametrize("file_format", FORMATS)
def test_damaged_files_are_read_or_refused_without_a_warning(file_format: str) -> None:
    data, chance = encoded(noise(), file_format), random.Random(file_format)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(chance.choice((1, 3, 20))):
                damaged[chance.randrange(min(len(data), chance.choice((40, 200, len(data)))))] = (
                    chance.randrange(256)
                )
            try:
                open_picture(bytes(damaged))
            except (UnreadablePicture, OversizedPicture):
                continue


@pytest.mark.parametrize("file_format", ["TIFF", "ICO", "PPM", "TGA", "PCX", "EPS", "XBM", "BMP"])
def test_a_format_that_is_not_for_the_web_is_unreadable(file_format: str) -> None:
    image = Image.new("1" if file_format == "XBM" else "RGB", (32, 32))
    with pytest.raises(UnreadablePicture):
        open_picture(encoded(image, file_format))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello",
        b"<svg/>",
        b"GIF89a",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
        b"\xff\xd8\xff",
        b"\0\0\0 ftypavif",
    ],
)
def test_what_is_no_picture_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePicture):
        open_picture(data)


def test_a_png_bomb_is_refused_from_its_header() -> None:
    with pytest.raises(OversizedPicture):
        open_picture(png_of_size(60_000, 60_000))


def test_a_webp_bomb_is_refused_from_its_header() -> None:
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (16_382).to_bytes(3, "little") * 2
    with pytest.raises(OversizedPicture):
        open_picture(b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk)


def test_a_jpeg_bomb_is_refused_from_its_header() -> None:
    data = bytearray(encoded(noise(), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(OversizedPicture):
        open_picture(bytes(data))


def test_a_gif_bomb_is_refused_from_its_header() -> None:
    data = bytearray(encoded(noise(), "GIF"))
    data[6:10] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(OversizedPicture):
        open_picture(bytes(data))


def test_a_gif_whose_first_frame_is_larger_than_its_screen_is_measured_by_the_frame() -> None:
    data = bytearray(encoded(noise(), "GIF"))
    place = data.index(b"\x2c\0\0\0\0" + struct.pack("<HH", 60, 40))
    data[place + 5 : place + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(OversizedPicture):
        open_picture(bytes(data))


@pytest.mark.parametrize(("scans", "is_read"), [(64, True), (65, False), (1_000, False)])
def test_a_jpeg_of_many_passes_is_unreadable(scans: int, *, is_read: bool) -> None:
    data = encoded(noise(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    more = data[last:-2] * (scans - data.count(b"\xff\xda"))
    if is_read:
        assert open_picture(data[:-2] + more + data[-2:]).width == 60
    else:
        with pytest.raises(UnreadablePicture):
            open_picture(data[:-2] + more + data[-2:])


def test_a_large_picture_is_kept_small() -> None:
    picture = open_picture(encoded(Image.new("L", (6_000, 4_000)), "JPEG"))
    assert (picture.width, picture.height, shrunk(picture).size) == (6_000, 4_000, (800, 533))


def test_one_pixel_over_the_limit_is_oversized() -> None:
    with pytest.raises(OversizedPicture):
        open_picture(png_of_size(MAX_PIXELS + 1, 1))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_compressed_text_in_a_png_is_never_expanded(kind: bytes) -> None:
    packed = zlib.compress(b"A" * 20_000_000)
    text = b"Comment\0" + (b"\x01\0\0\0" if kind == b"iTXt" else b"\0") + packed
    assert open_picture(png_of_size(9, 9, png_chunk(kind, text))).width == 9


def test_a_false_animation_does_not_trouble_the_picture() -> None:
    assert open_picture(png_of_size(9, 9, png_chunk(b"acTL", b"\xff" * 8))).height == 9


def test_a_picture_of_one_pixel_is_a_picture() -> None:
    assert open_picture(encoded(Image.new("RGB", (1, 1)))).width == 1


def test_a_picture_without_rows_is_unreadable() -> None:
    with pytest.raises(UnreadablePicture):
        open_picture(png_of_size(5, 0))


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(file_format: str) -> None:
    red, blue = Image.new("RGB", (20, 20), (255, 0, 0)), Image.new("RGB", (20, 20), (0, 0, 255))
    data = encoded(red, file_format, save_all=True, append_images=[blue])
    red_level, _, blue_level = shrunk(open_picture(data)).convert("RGB").resize((1, 1)).tobytes()
    assert red_level > 200
    assert blue_level < 60


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_can_be_shrunk(mode: str) -> None:
    assert max(shrunk(open_picture(encoded(Image.new(mode, (1_000, 500))))).size) == 800


def test_sixteen_bits_of_grey_keep_their_brightness() -> None:
    half = Image.frombytes("I;16", (40, 40), struct.pack("<H", 0x8000) * 1600)
    (level,) = shrunk(open_picture(encoded(half))).convert("L").resize((1, 1)).tobytes()
    assert abs(level - 128) < 4


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    magenta = Image.new("CMYK", (40, 40), (0, 255, 0, 0))
    small = shrunk(open_picture(encoded(magenta, "JPEG")))
    red, green, blue = small.convert("RGB").resize((1, 1)).tobytes()
    assert min(red, blue) > 180
    assert green < 90


def test_a_palette_with_transparency_stays_transparent() -> None:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    small = shrunk(open_picture(encoded(image, transparency=bytes([255, 0]))))
    assert small.mode == "RGBA"
    assert small.getchannel("A").getextrema() == (0, 0)


def test_a_small_picture_is_not_enlarged() -> None:
    assert shrunk(open_picture(encoded(noise()))).size == (60, 40)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_turned_as_its_exif_says(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = open_picture(encoded(noise(), file_format, exif=exif.tobytes()))
    assert shrunk(picture).size == (40, 60)


@pytest.mark.parametrize(
    "exif", [b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40]
)
def test_a_hostile_exif_turns_nothing(exif: bytes) -> None:
    data = encoded(noise(), "JPEG", exif=b"Exif\0\0" + exif)
    assert shrunk(open_picture(data)).size == (60, 40)


def test_a_data_url_gives_its_bytes() -> None:
    assert (
        decode_data_url("data:image/png;base64," + base64.b64encode(b"\0\xff picture").decode())
        == b"\0\xff picture"
    )


@pytest.mark.parametrize("text", ["aGk=", "aGk", "a Gk\n=", "\taGk\r\f"])
def test_white_space_and_missing_padding_are_forgiven(text: str) -> None:
    assert decode_data_url("data:image/png;base64," + text) == b"hi"


@pytest.mark.parametrize(
    "text", ["aGk==", "a", "aGk=aGk=", "aG_k", "aG-k", "aG%3D", "=", "====", "aGkü", "a\xa0Gk", "a\ud800"]
)
def test_anything_else_in_base64_is_refused(text: str) -> None:
    with pytest.raises(UnreadablePicture):
        decode_data_url("data:image/png;base64," + text)


@pytest.mark.parametrize(
    "url", ["", "aGk=", "data:image/png,aGk=", "https://x/y.png", "data:base64,aGk=", "data:;base64"]
)
def test_only_a_base64_data_url_is_read(url: str) -> None:
    with pytest.raises(UnreadablePicture):
        decode_data_url(url)


def test_a_data_url_may_shout_and_have_parameters() -> None:
    assert decode_data_url("DATA:image/PNG;name=a.png;BASE64,aGk=") == b"hi"


GREEDY = """
import pathlib, re, sys, threading
from mockserver.imaging.reading import open_picture
data = sys.stdin.buffer.read()
def most_kib(): return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
before = most_kib()
threads = [threading.Thread(target=open_picture, args=(data,)) for _ in range(3)]
for each in threads: each.start()
for each in threads: each.join()
print((most_kib() - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what a process took at most is read from /proc")
@pytest.mark.parametrize(("file_format", "most"), [("WEBP", 14), ("PNG", 9), ("GIF", 14)])  # bytes a pixel
def test_three_large_pictures_at_once_take_the_memory_of_one(file_format, most):
    size = (4000, 2500)
    data = encoded(Image.new("RGB", size, "navy"), file_format)
    said = subprocess.run([sys.executable, "-c", GREEDY], input=data, capture_output=True, check=True).stdout
    assert int(said) < most * size[0] * size[1]
