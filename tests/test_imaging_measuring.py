"""A better picture scores better."""

from dataclasses import astuple
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from mockserver import imaging
from mockserver.imaging.measuring import Measures, measure
from mockserver.imaging.reading import UnreadablePicture
from mockserver.imaging.rendering import render
from mockserver.imaging.scene import Scene

FONTS = Path(imaging.__file__).parent / "fonts"
SEEDS = ["00", "5a", "c3", "f1", "77", "e9"]


def measured(image: Image.Image) -> Measures:
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return measure(file.getvalue())


def drawn(seed: str = "5a") -> Image.Image:
    scene = Scene(1280, 720, "image/png", "P", "op", "Nine ways to cook an egg", seed)
    return Image.open(BytesIO(render(scene))).convert("RGB")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drawn_thumbnail_scores_well(seed: str) -> None:
    scores = astuple(measured(drawn(seed)))
    assert min(scores) > 0.3
    assert sum(score >= 0.5 for score in scores) >= 4


@pytest.mark.parametrize("shade", [0, 40, 128, 200, 255])
def test_a_flat_square_scores_low_on_everything(shade: int) -> None:
    assert max(astuple(measured(Image.new("RGB", (400, 400), (shade, shade, shade))))) < 0.1


def test_scores_lie_between_nought_and_one() -> None:
    for image in (drawn(), Image.effect_noise((300, 300), 200), Image.new("RGB", (1, 1), (255, 0, 255))):
        assert all(0 <= score <= 1 for score in astuple(measured(image)))


def test_the_more_blur_the_less_sharpness() -> None:
    scores = [
        measured(drawn().filter(ImageFilter.GaussianBlur(radius))).sharpness for radius in (0, 1, 2, 4, 8, 16)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < scores[0] / 2


def test_the_less_colour_the_less_colourfulness() -> None:
    scores = [
        measured(ImageEnhance.Color(drawn()).enhance(share)).colourfulness for share in (1, 0.7, 0.4, 0.1, 0)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.1


def test_the_less_contrast_the_less_contrast_is_measured() -> None:
    scores = [
        measured(ImageEnhance.Contrast(drawn()).enhance(share)).contrast for share in (1, 0.7, 0.4, 0.1)
    ]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("factors", [(1, 0.6, 0.3, 0.1), (1, 2, 3, 6)])
def test_too_dark_and_too_light_are_less_bright(factors: tuple[float, ...]) -> None:
    scores = [measured(ImageEnhance.Brightness(drawn()).enhance(factor)).brightness for factor in factors]
    assert scores == sorted(scores, reverse=True)


def test_a_subject_in_the_centre_is_composed_better_than_one_in_the_corner() -> None:
    def subject(left: int, top: int) -> Image.Image:
        image = Image.new("RGB", (640, 360), (30, 60, 120))
        draw = ImageDraw.Draw(image)
        for step in range(0, 100, 10):
            draw.rectangle(
                (left + step, top + step // 2, left + 120, top + 100), fill=(250, 200 - step, step)
            )
        return image

    assert measured(subject(260, 130)).composition > 2 * measured(subject(5, 5)).composition


def test_a_subject_is_composed_better_than_noise_all_over() -> None:
    assert measured(drawn()).composition > measured(Image.effect_noise((640, 360), 90)).composition


def printed(size: int) -> Image.Image:
    """A page full of words."""
    image, font = (
        Image.new("RGB", (1280, 720), "white"),
        ImageFont.truetype(FONTS / "DejaVuSans-Bold.ttf", size),
    )
    for row in range(0, 720, size + size // 4):
        ImageDraw.Draw(image).text((4, row), "All about it, and more of that " * 8, font=font, fill="black")
    return image


@pytest.mark.parametrize("size", [10, 20, 40])
def test_a_picture_full_of_words_is_less_calm_than_one_with_a_subject(size: int) -> None:
    clean = Image.new("RGB", (1280, 720), (20, 40, 90))
    ImageDraw.Draw(clean).ellipse((500, 150, 900, 550), fill=(250, 200, 40))
    full, poster, calm = (measured(each).calm for each in (printed(size), drawn(), clean))
    assert full < 0.2
    assert 0.5 < poster < calm


def test_transparency_is_seen_on_white() -> None:
    assert measured(Image.new("RGBA", (50, 50), (255, 0, 0, 0))).colourfulness < 0.1


def test_what_is_no_picture_cannot_be_measured() -> None:
    with pytest.raises(UnreadablePicture):
        measure(b"no picture")
