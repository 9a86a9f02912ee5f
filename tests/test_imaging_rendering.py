"""A scene becomes a file: the right size, the same each time, with everything in it that was asked for."""

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops

from mockserver.imaging.reading import open_picture
from mockserver.imaging.rendering import render
from mockserver.imaging.scene import Inset, Scene

MAGENTA, LIME = (255, 0, 255), (0, 255, 0)
SIZES = [(1280, 720), (720, 1280), (720, 720), (1200, 630), (1200, 627), (1200, 675), (1024, 1024), (64, 64)]
ODD_SIZES = [(1, 1), (64, 4096), (4096, 64), (65, 67), (199, 201), (333, 1999)]
TEXTS = {
    "empty": "",
    "spaces": " \n\t\r ",
    "emoji": "🔥🔥 epic 👩‍👩‍👧 win 🏳️‍🌈",
    "only emoji": "🔥🔥🔥",
    "Chinese": "東京で最高のラーメン",
    "Hebrew": "שלום עולם 2024",
    "Arabic": "مرحبا بالعالم",
    "mixed direction": "Learn עברית in 3 days",
    "lone surrogate": "a\ud800b\udfff",
    "control characters": "a\x00b\x07c\x1b[31m\x7f",
    "combining marks": "Z" + "\u0301\u0327\u0336" * 200 + "algo",
    "overrides": "\u202eabc\u2066def\ufeff",
    "expanding": "\ufdfa" * 500,
    "one long word": "W" * 3000,
    "long prompt": "A very long prompt, in many words. " * 86,
    "ligatures": "\ufb01ne \U0001d5d5\U0001d5fc\U0001d5f9\U0001d5f1 ½ ™",
}


def a_scene(**changes: Any) -> Scene:
    scene = Scene(640, 360, "image/png", "Pikzels v2", "Create from text", "Nine ways to cook an egg", "5a")
    return replace(scene, **changes)


def picture(scene: Scene) -> Image.Image:
    image = Image.open(BytesIO(render(scene)))
    image.load()
    return image


def upload(image: Image.Image) -> str:
    file = BytesIO()
    image.save(file, "PNG")
    return open_picture(file.getvalue()).small


def plain(colour: tuple[int, ...], size: tuple[int, int] = (200, 150)) -> str:
    return upload(Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour))


def share_of(colour: tuple[int, int, int], image: Image.Image, tolerance: int = 24) -> float:
    difference = ImageChops.difference(image.convert("RGB"), Image.new("RGB", image.size, colour))
    red, green, blue = difference.split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return sum(largest.histogram()[: tolerance + 1]) / (image.width * image.height)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_a_picture_has_the_size_and_format_asked_for(size: tuple[int, int], media_type: str) -> None:
    image = picture(a_scene(width=size[0], height=size[1], media_type=media_type))
    assert image.size == size
    assert Image.MIME[image.format or ""] == media_type
    assert image.mode == "RGB"


@pytest.mark.parametrize("size", ODD_SIZES)
def test_any_size_can_be_drawn_with_everything_in_it(size: tuple[int, int]) -> None:
    insets = tuple(Inset(role, "x", plain(MAGENTA)) for role in ("source", "mask", "face", "logo"))
    scene = a_scene(width=size[0], height=size[1], notes=("a", "b" * 99), is_watermarked=True, insets=insets)
    assert picture(scene).size == size


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_equal_scenes_give_equal_bytes(media_type: str) -> None:
    scene = a_scene(media_type=media_type, insets=(Inset("photo", "uploaded", plain(MAGENTA)),))
    assert render(scene) == render(replace(scene))


def test_pictures_drawn_in_many_threads_are_the_same() -> None:
    scenes = [a_scene(seed=f"{seed:02x}", headline=f"Number {seed}") for seed in range(6)] * 4
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(render, scenes)) == [render(scene) for scene in scenes]


def test_another_seed_gives_another_picture() -> None:
    assert len({render(a_scene(seed=f"{seed:02x}")) for seed in range(12)}) == 12


def test_another_headline_gives_another_picture() -> None:
    assert render(a_scene()) != render(a_scene(headline="Ten ways to cook an egg"))


@pytest.mark.parametrize("change", [{"provider": "X"}, {"operation": "X"}, {"model": "X"}, {"notes": ("X",)}])
def test_everything_written_is_seen(change: dict[str, object]) -> None:
    assert picture(a_scene()).tobytes() != picture(a_scene(**change)).tobytes()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text_can_be_drawn_anywhere(text: str) -> None:
    scene = a_scene(headline=text, provider=text, operation=text, model=text, notes=(text, text))
    scene = replace(scene, insets=(Inset(text, text), Inset("logo", text)), is_watermarked=True, seed=text)
    assert picture(scene).size == (640, 360)


def test_what_the_font_lacks_is_seen_to_be_missing() -> None:
    headlines = ("fire 🔥 and 火 ice", "fire 🔥 and ice", "fire and ice")
    assert len({render(a_scene(headline=headline)) for headline in headlines}) == 3


@pytest.mark.parametrize("role", ["source", "support", "face", "photo", "persona", "style", "reference"])
def test_the_callers_picture_is_seen(role: str) -> None:
    assert share_of(MAGENTA, picture(a_scene(insets=(Inset(role, "uploaded", plain(MAGENTA)),)))) > 0.1


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (360, 360)])
def test_several_pictures_are_all_seen(size: tuple[int, int]) -> None:
    insets = (Inset("source", "a", plain(MAGENTA)), Inset("face", "b", plain(LIME)))
    image = picture(a_scene(width=size[0], height=size[1], insets=insets))
    assert share_of(MAGENTA, image) > 0.03
    assert share_of(LIME, image) > 0.03


def test_six_pictures_are_seen_and_the_seventh_is_left_out() -> None:
    greys, colours = [plain((80, 80, 80))] * 5, [plain(MAGENTA), plain(LIME)]
    insets = tuple(Inset("reference", "uploaded", data) for data in (*greys, *colours))
    image = picture(a_scene(width=1280, height=720, insets=insets))
    assert share_of(MAGENTA, image) > 0.01
    assert share_of(LIME, image) < 0.001


def test_a_mask_tints_the_source_where_it_is_white() -> None:
    source, half = Inset("source", "a", plain(MAGENTA)), Image.new("L", (200, 150))
    half.paste(255, (0, 0, 200, 75))
    alone = share_of(MAGENTA, picture(a_scene(insets=(source,))))
    masked = share_of(MAGENTA, picture(a_scene(insets=(source, Inset("mask", "b", upload(half))))))
    assert alone * 0.3 < masked < alone * 0.65


def test_a_mask_without_a_source_has_its_own_card() -> None:
    assert share_of(MAGENTA, picture(a_scene(insets=(Inset("mask", "b", plain(MAGENTA)),)))) > 0.1


def test_a_remote_picture_is_a_card_with_its_address() -> None:
    one, other = (a_scene(insets=(Inset("source", f"example.com/{name}.jpg"),)) for name in "ab")
    assert len({render(a_scene()), render(one), render(other)}) == 3


@pytest.mark.parametrize("data", ["", "!!!", "aGVsbG8=", "\ud800", plain(MAGENTA)[:60]])
def test_an_unreadable_inset_is_drawn_as_a_placeholder(data: str) -> None:
    broken = a_scene(insets=(Inset("source", "x", data), Inset("logo", "x", data)))
    assert render(broken) == render(a_scene(insets=(Inset("source", "x"), Inset("logo", "x"))))


@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
def test_a_logo_sits_in_its_corner(corner: str) -> None:
    image = picture(a_scene(insets=(Inset("logo", "x", plain(MAGENTA), corner=corner, scale=0.2),)))
    left = 0 if corner.endswith("left") else 320
    top = 0 if corner.startswith("top") else 180
    quarter = image.crop((left, top, left + 320, top + 180))
    assert share_of(MAGENTA, quarter) > 0.15
    assert share_of(MAGENTA, quarter) == pytest.approx(4 * share_of(MAGENTA, image), rel=0.02)


@pytest.mark.parametrize("scale", [0.1, 0.25, 0.4])
def test_a_logo_is_as_wide_as_its_scale_says(scale: float) -> None:
    logo = Inset("logo", "x", plain(MAGENTA, (200, 100)), scale=scale, has_shadow=False)
    assert share_of(MAGENTA, picture(a_scene(insets=(logo,)))) == pytest.approx(
        (640 * scale) ** 2 / 2 / (640 * 360), rel=0.05
    )


@pytest.mark.parametrize("scale", [-1.0, 0.0, 9.0, float("nan"), float("inf")])
def test_an_absurd_scale_is_brought_within_the_picture(scale: float) -> None:
    assert picture(a_scene(insets=(Inset("logo", "x", plain(MAGENTA), scale=scale),))).size == (640, 360)


def test_the_clear_parts_of_a_logo_stay_clear() -> None:
    clear = Inset("logo", "x", plain((255, 0, 255, 0)), has_shadow=False)
    assert share_of(MAGENTA, picture(a_scene(insets=(clear,)))) == 0


def test_a_logos_shadow_can_be_left_out() -> None:
    logo = Inset("logo", "x", plain(MAGENTA))
    assert render(a_scene(insets=(logo,))) != render(a_scene(insets=(replace(logo, has_shadow=False),)))


def test_a_watermark_is_all_over_the_picture() -> None:
    clean, marked = picture(a_scene()), picture(a_scene(is_watermarked=True))
    for left in range(0, 640, 160):
        for top in range(0, 360, 120):
            box = (left, top, left + 160, top + 120)
            assert clean.crop(box).tobytes() != marked.crop(box).tobytes()


def test_a_png_carries_its_metadata_as_text() -> None:
    pairs = (("Request-Id", "req_1"), ("Software", "Pikzels"), ("Prompt", "naïve 東京"))
    assert picture(a_scene(metadata=pairs)).info == dict(pairs)


def test_a_webp_carries_its_metadata_as_exif() -> None:
    pairs = (("Request-Id", "req_1"), ("Software", "ThumbAPI"), ("Prompt", "naïve 東京"))
    exif = picture(a_scene(media_type="image/webp", metadata=pairs)).getexif()
    assert exif.get_ifd(0x8769)[0xA420] == "req_1"
    assert exif[0x0131] == "ThumbAPI"
    assert json.loads(exif[0x010E]) == dict(pairs)


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_hostile_metadata_is_made_harmless(media_type: str) -> None:
    pairs = (
        ("", "\ud800"),
        ("k" * 200, "a\0b"),
        ("東", "\n"),
        ("Software", "\ud800ü\0"),
        ("request-id", "東"),
    )
    assert picture(a_scene(media_type=media_type, metadata=pairs)).size == (640, 360)


def test_another_media_type_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="image/tiff"):
        render(a_scene(media_type="image/tiff"))


def test_a_picture_without_pixels_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        render(a_scene(width=0))


def test_a_scene_survives_json() -> None:
    logo = Inset(
        "logo", "x", base64.b64encode(b"x").decode(), corner="top-left", scale=0.31, has_shadow=False
    )
    scene = a_scene(
        model="m",
        notes=("a", "b"),
        insets=(Inset("face", "\ud800"), logo),
        is_watermarked=True,
        metadata=(("a", "b"),),
    )
    assert Scene.from_json(json.loads(json.dumps(asdict(scene)))) == scene


def test_a_scene_with_nothing_optional_survives_json() -> None:
    assert Scene.from_json(json.loads(json.dumps(asdict(a_scene())))) == a_scene()


def test_plain_values_do_not_load_the_drawing_library() -> None:
    script = "import sys, mockserver.imaging.scene; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
