"""Whatever is asked for can be read, or is seen to be missing."""

import base64
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw

from mockserver.imaging.fitting import fit
from mockserver.imaging.layout import Place
from mockserver.imaging.lettering import MISSING, clean, count_missing, measure_width, reorder
from mockserver.imaging.masking import show_mask
from mockserver.imaging.overlay import draw_footer
from mockserver.imaging.palette import PALETTES, Palette, pick_palette
from mockserver.imaging.rendering import render
from mockserver.imaging.scene import Inset, Scene
from mockserver.seeded import Random

FOOTED = [(720, 1280), (720, 720), (1024, 1024), (1280, 720), (1200, 630)]
YELLOW = (255, 226, 60)
ACCENT = pick_palette(Random.from_text("5a")).accent


def drawn(**changes: Any) -> Image.Image:
    scene = Scene(640, 360, "image/png", "Pikzels v2", "Create from text", "Nine ways", "5a")
    return Image.open(BytesIO(render(replace(scene, **changes)))).convert("RGB")


def pixels(image: Image.Image) -> list[Any]:
    levels = image.tobytes()
    bands = [levels[band :: len(image.getbands())] for band in range(len(image.getbands()))]
    return list(levels) if len(bands) == 1 else list(zip(*bands, strict=True))


def encoded(image: Image.Image) -> str:
    file = BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> str:
    return encoded(Image.new("RGB", size, colour))


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return sum(pixel == colour for pixel in pixels(image))


def changed(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.difference(one, other).getbbox()
    assert box is not None
    return box


# 1: what the font lacks


def test_a_headline_in_another_script_is_drawn_as_tiles_and_not_as_the_operations_name() -> None:
    island = drawn(headline="我买了自己的岛")
    assert island.tobytes() != drawn(headline="Create from text").tobytes()
    words = island.crop((0, 60, 360, 330))
    assert count(words, ACCENT) > 0.04 * words.width * words.height


def test_more_missing_characters_are_more_tiles() -> None:
    def tiles(number: int) -> int:
        words = drawn(headline="火" * number, width=1280, height=720).crop((0, 120, 720, 660))
        wanted = count(words, ACCENT)
        mask = Image.new("L", words.size)
        mask.putdata([255 * (pixel == ACCENT) for pixel in pixels(words)])
        islands = 0
        while (box := mask.getbbox()) is not None:
            row = pixels(mask.crop((0, box[1] + 20, mask.width, box[1] + 21)))
            column = next(x for x, level in enumerate(row) if level)
            ImageDraw.floodfill(mask, (column, box[1] + 20), 0)
            islands += 1
        assert wanted
        return islands

    assert [tiles(number) for number in (1, 2, 3)] == [1, 2, 3]


def test_tiles_are_capped_and_the_count_is_not() -> None:
    assert clean("火" * 200, is_tiled=True).split() == [MISSING] * 12 + ["…"]
    assert count_missing("火" * 2000) == 2000


def test_a_chip_tells_how_many_characters_are_missing() -> None:
    six, seven = drawn(headline="Go" + " 岛" * 21), drawn(headline="Go" + " 岛" * 22)
    left, top, right, bottom = changed(six, seven)  # both have all their tiles, and differ in the number only
    assert right - left < 40
    assert bottom - top < 20
    assert left < 120


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("👩‍👩‍👧", 1),
        ("🏳️‍🌈", 1),
        ("🇩🇪", 1),
        ("🔥🔥", 2),
        ("👍🏽", 1),
        ("a\x00\u200b\ufffe\ud800", 0),
        ("\ue000", 1),
    ],
)
def test_what_looks_like_one_character_is_counted_once(text: str, number: int) -> None:
    assert count_missing(text) == number


def test_a_label_shows_a_gap_for_what_is_missing() -> None:
    assert clean("照片我.png") == f"{MISSING}.png"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("אב גד", "דג בא"),
        ("אב גד 2024", "2024 דג בא"),
        ("Learn אב גד now", "Learn דג בא now"),
        ("אב abc גד", "דג abc בא"),
        ("אב (גד)!", "!(דג) בא"),
        ("אב 1,000 גד", "דג 1,000 בא"),
        ("only Latin (1)", "only Latin (1)"),
        ("", ""),
    ],
)
def test_text_is_drawn_in_reorder(text: str, shown: str) -> None:
    assert reorder(text) == shown


def test_lines_of_hebrew_end_at_the_same_place() -> None:
    block = fit("אבגדהו ז ח א", (500, 300), 150, 40)
    assert block.is_from_right
    assert len(block.lines) > 1


# 2: the mask


@pytest.mark.parametrize("colour", [YELLOW, (0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 62, 150)])
@pytest.mark.parametrize("colours", PALETTES[:3])
def test_a_mask_is_seen_on_a_picture_of_any_colour(colour: tuple[int, int, int], colours: Palette) -> None:
    picture, mask = Image.new("RGB", (400, 300), colour), Image.new("L", (400, 300))
    mask.paste(255, (120, 80, 280, 220))
    show_mask(picture, mask, colours, 7)
    across = pixels(picture.crop((100, 150, 140, 151)))
    assert min(map(sum, across)) < 60
    assert max(map(sum, across)) > 705
    assert picture.crop((140, 100, 260, 200)).getcolors(4) != [(12_000, colour)]
    (outside,) = pixels(picture.crop((20, 20, 21, 21)))
    assert sum(outside) <= sum(colour) * 0.6 + 60


def test_a_mask_over_all_of_a_picture_has_an_outline_too() -> None:
    picture = Image.new("RGB", (400, 300), YELLOW)
    show_mask(picture, Image.new("L", (400, 300), 255), PALETTES[0], 7)
    assert min(map(sum, pixels(picture.crop((0, 150, 8, 151))))) < 60


# 3: the footer


@pytest.mark.parametrize("size", FOOTED)
@pytest.mark.parametrize(
    "names",
    [
        ("Pikzels v2", "Create from image", "pkz_4_"),
        ("FatThumb", "Generate thumbnail", "gemini-3-pro-image-previe"),
    ],
)
@pytest.mark.parametrize("logo", [(), (Inset("logo", "x", plain(YELLOW), corner="bottom-left", scale=0.3),)])
def test_the_end_of_every_name_is_seen(
    size: tuple[int, int], names: tuple[str, ...], logo: tuple[Inset, ...]
) -> None:
    ended = {f: f"{name}O" for f, name in zip(("provider", "operation", "model"), names, strict=True)}
    scene = {"width": size[0], "height": size[1], "insets": logo, **ended}
    before = drawn(**scene)
    for field, name in zip(ended, names, strict=True):
        left, top, right, _ = changed(before, drawn(**{**scene, field: f"{name}Q"}))
        assert top > size[1] * 0.9
        assert 0 < right - left < 80  # one letter and what stands behind it, not another cut


@pytest.mark.parametrize("size", FOOTED)
def test_nothing_of_the_footer_runs_into_the_logo(size: tuple[int, int]) -> None:
    across, tall = size[0], round(min(size) * 0.068)
    canvas = Image.new("RGB", (across, tall))
    names = ("FatThumb", "Generate thumbnail", "gemini-3-pro-image-preview", f"{size[0]}x{size[1]}")
    draw_footer(canvas, Place(0, 0, across, tall), names, PALETTES[0], (0, across // 3))
    beside = canvas.crop((across - across // 3, 0, across, tall))
    assert beside.getcolors(1) is not None


# 4: the labels of insets


def test_a_label_that_is_the_role_is_written_once() -> None:
    def one(label: str) -> bytes:
        return drawn(width=1280, height=720, insets=(Inset("reference", label, plain(YELLOW)),)).tobytes()

    assert one("reference") == one("Reference") == one("")
    assert one("reference") != one("uploaded")


def test_a_label_is_left_out_whole_before_it_is_cut() -> None:
    def many(label: str) -> bytes:
        insets = tuple(Inset("source", label, plain(YELLOW, (200, 400))) for _ in range(4))
        return drawn(width=1280, height=720, insets=insets).tobytes()

    assert many("uploaded from a very long address") == many("")


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_short_label_is_written_in_full(number: int) -> None:
    def many(label: str) -> Image.Image:
        insets = tuple(Inset("source", label, plain(YELLOW)) for _ in range(number))
        return drawn(width=1280, height=720, insets=insets)

    left, _, right, _ = changed(many("uploadeO"), many("uploadeQ"))
    assert right > left
    assert many("uploadeO").tobytes() != many("").tobytes()


# 5: lines that look lost


@pytest.mark.parametrize(
    "headline",
    [
        "I BOUGHT AN ISLAND",
        "I SURVIVED 100 DAYS",
        "A NEW WAY TO COOK EGGS AT HOME",
        "WE DID IT IN NY",
        "HOW TO GET TO LEVEL 99 IN A DAY OR SO",
    ],
)
@pytest.mark.parametrize("room", [(650, 560), (640, 400), (600, 600), (900, 500)])
def test_no_line_is_lost(headline: str, room: tuple[int, int]) -> None:
    block = fit(headline, room, 194, 45)
    assert " ".join(block.lines) == headline
    if len(block.lines) > 1:
        assert len(block.lines[0]) > 3
        assert len(block.lines[-1]) > 2
    assert max(measure_width(line, block.size) for line in block.lines) <= room[0] + 1
    assert block.height <= room[1]


def test_a_long_word_is_broken_into_even_pieces() -> None:
    lines = fit("W" * 31, (600, 500), 190, 45).lines
    assert len(lines[-1]) > len(lines[0]) // 2


def test_a_headline_begins_with_more_than_one_letter_in_the_picture() -> None:
    image = drawn(headline="I BOUGHT AN ISLAND", width=1280, height=720)
    words = image.crop((0, 60, 760, 660))
    first = next(
        y for y in range(words.height) if count(words.crop((0, y, 760, y + 1)), (255, 255, 255)) > 20
    )
    row = words.crop((200, first, 760, first + 40))
    assert count(row, (255, 255, 255)) > 500
