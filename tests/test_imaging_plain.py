"""A plain picture: the right size and format, words that can be read on a flat ground, the same each time."""

import json
import random
import struct
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops

from mockserver.imaging.rendering import render
from mockserver.imaging.scene import Inset, Scene
from mockserver.imaging.vp8l import encode_vp8l

MEDIA_TYPES = ["image/png", "image/webp"]
SIZES = [
    (1280, 720),
    (720, 1280),
    (1200, 627),
    (1024, 1024),
    (64, 64),
    (1, 1),
    (65, 67),
    (64, 4096),
    (333, 1999),
]
TEXTS = [
    "",
    " \n",
    "🔥🔥 win",
    "東京で",
    "שלום עולם 2024",
    "a\ud800b",
    "W" * 3000,
    "many words " * 300,
    "\ufdfa" * 500,
]
COLOURS = [(3, 10, 54), (18, 86, 232), (160, 187, 246), (255, 255, 255)]
WHITE = (255, 255, 255)


def a_scene(**changes: Any) -> Scene:
    scene = Scene(
        1280, 720, "image/png", "ThumbAPI", "Generate thumbnail", "My own island", "5a", style="plain"
    )
    return replace(scene, **changes)


def picture(**changes: Any) -> Image.Image:
    image = Image.open(BytesIO(render(a_scene(**changes))))
    image.load()
    return image


def colour_at(image: Image.Image, place: tuple[int, int]) -> tuple[int, int, int]:
    pixel: Any = image.getpixel(place)
    return tuple(pixel)


def counted(image: Image.Image) -> dict[Any, int]:
    return {colour: number for number, colour in image.getcolors(4) or ()}


def ground(seed: str) -> tuple[int, int, int]:
    return colour_at(picture(seed=seed).convert("RGB"), (5, 5))


def luminance(colour: tuple[int, int, int]) -> float:
    """The relative luminance of the Web Content Accessibility Guidelines."""
    linear = [
        level / 255 / 12.92 if level <= 10 else ((level / 255 + 0.055) / 1.055) ** 2.4 for level in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def changed(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox()
    assert box is not None
    return box


def as_webp(indices: list[int], size: tuple[int, int]) -> Image.Image:
    packed = Image.frombytes("P", size, bytes(indices)).tobytes("raw", "P;2")
    data = encode_vp8l(packed, size, COLOURS)
    chunk = b"WEBPVP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return Image.open(BytesIO(b"RIFF" + struct.pack("<I", len(chunk)) + chunk)).convert("RGB")


def as_rgb(indices: list[int], size: tuple[int, int]) -> bytes:
    return bytes(level for index in indices for level in COLOURS[index])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_plain_picture_has_the_size_and_format_asked_for(size: tuple[int, int], media_type: str) -> None:
    image = picture(width=size[0], height=size[1], media_type=media_type)
    assert image.size == size
    assert Image.MIME[image.format or ""] == media_type


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_equal_scenes_give_equal_bytes_and_few(media_type: str) -> None:
    data = render(a_scene(media_type=media_type))
    assert data == render(a_scene(media_type=media_type))
    assert len(data) < 30_000


def test_it_has_four_colours_in_png_and_in_webp_the_same() -> None:
    png, webp = (picture(media_type=media_type).convert("RGB") for media_type in MEDIA_TYPES)
    assert len(counted(png)) == 4
    assert png.tobytes() == webp.tobytes()


@pytest.mark.parametrize("seed", [f"{number:02x}" for number in range(40)])
def test_white_is_legible_on_every_ground(seed: str) -> None:
    assert 1.05 / (luminance(ground(seed)) + 0.05) > 4.5


def test_another_seed_gives_another_ground() -> None:
    assert len({ground(f"{number:02x}") for number in range(12)}) == 12


def test_the_title_stands_in_white_on_the_ground() -> None:
    image, empty = picture().convert("RGB"), picture(headline="…").convert("RGB")
    box = changed(image, empty)
    title = image.crop(box)
    counts = counted(title)
    assert box[2] - box[0] > 700
    assert box[3] - box[1] > 80
    assert 0.2 < counts[WHITE] / (title.width * title.height) < 0.7
    assert counts[WHITE] + counts[colour_at(image, (5, 5))] > 0.9 * title.width * title.height


def test_without_a_title_the_operations_name_stands_there() -> None:
    assert picture(headline=" ").tobytes() == picture(headline="Generate thumbnail").tobytes()


def test_hebrew_ends_at_the_right() -> None:
    assert changed(picture(headline="אב"), picture(headline="…"))[2] > 1200


@pytest.mark.parametrize("change", [{"provider": "X"}, {"operation": "X"}, {"model": "X"}])
def test_provider_operation_and_model_stand_at_the_foot(change: dict[str, object]) -> None:
    assert changed(picture(), picture(**change))[1] > 660


@pytest.mark.parametrize("role", ["source", "mask", "face", "logo"])
def test_the_labels_of_insets_are_seen(role: str) -> None:
    one, other = (picture(insets=(Inset(role, f"example.com/{end}"),)) for end in "OQ")
    left, top, right, bottom = changed(one, other)
    assert right - left < 40
    assert bottom - top < 40
    assert top > 400


@pytest.mark.parametrize(
    "change", [{"notes": ("style: bold",)}, {"is_watermarked": True}, {"headline": "火"}]
)
def test_notes_a_watermark_and_what_the_font_lacks_are_told(change: dict[str, object]) -> None:
    assert changed(picture(), picture(**change))[3] > 560


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [(1280, 720), (64, 64)])
def test_any_text_can_be_drawn_anywhere(text: str, size: tuple[int, int]) -> None:
    everywhere = dict.fromkeys(("headline", "provider", "operation", "model", "seed"), text)
    insets = (Inset(text, text), Inset("logo", text))
    assert picture(**everywhere, notes=(text,), insets=insets, width=size[0], height=size[1]).size == size


def test_a_png_carries_its_metadata_as_text() -> None:
    pairs = (("Request-Id", "req_1"), ("Software", "ThumbAPI"), ("Prompt", "naïve 東京"))
    assert picture(metadata=pairs).info == dict(pairs)


@pytest.mark.parametrize("size", [(1280, 720), (65, 67)])
def test_a_webp_carries_its_metadata_as_exif(size: tuple[int, int]) -> None:
    pairs = (("Request-Id", "req_1"), ("Software", "ThumbAPI"), ("Prompt", "naïve 東京"))
    image = picture(media_type="image/webp", metadata=pairs, width=size[0], height=size[1])
    exif = image.getexif()
    assert image.size == size
    assert exif.get_ifd(0x8769)[0xA420] == "req_1"
    assert exif[0x0131] == "ThumbAPI"
    assert json.loads(exif[0x010E]) == dict(pairs)


@pytest.mark.parametrize("size", [(1, 1), (3, 9), (4, 4), (1283, 70), (64, 500)])
@pytest.mark.parametrize("most", [1, 2, 200, 9_000])
def test_webp_keeps_every_pixel(size: tuple[int, int], most: int) -> None:
    """In runs of up to so many pixels, of three colours: all four can be stripes."""
    chance = random.Random(most)
    indices: list[int] = []
    while len(indices) < size[0] * size[1]:
        indices += [chance.choice((0, 1, 3))] * chance.randint(1, most)
    indices = indices[: size[0] * size[1]]
    assert as_webp(indices, size).tobytes() == as_rgb(indices, size)


@pytest.mark.parametrize("stripes", [(0, 2, 0, 2), (2, 0, 2, 0)])
def test_of_stripes_one_pixel_in_four_is_another(stripes: tuple[int, ...]) -> None:
    image = as_webp([*stripes] * 10, (40, 1))
    wanted = Image.frombytes("RGB", (40, 1), as_rgb([*stripes] * 10, (40, 1)))
    assert sum(image.getpixel((x, 0)) != wanted.getpixel((x, 0)) for x in range(40)) == 10


def test_the_style_is_poster_unless_it_is_said() -> None:
    described = {"width": 64, "height": 64, "media_type": "image/png", "provider": "P", "operation": "o"}
    described |= {"headline": "h", "seed": "5a"}
    poster, plain = Scene.from_json(described), Scene.from_json({**described, "style": "plain"})
    assert (poster.style, plain.style) == ("poster", "plain")
    assert render(poster) != render(plain)


def test_another_style_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="poster or plain"):
        render(a_scene(style="fancy"))
