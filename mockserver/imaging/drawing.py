"""A scene drawn as a poster: START HERE to see in which order the parts are put on top of each other.

What is drawn depends on the scene and on nothing else.
"""

from PIL import Image

from mockserver.imaging.backdrop import draw_backdrop
from mockserver.imaging.cards import Card, draw_cards, draw_sticker, make_cards
from mockserver.imaging.headline import draw_words
from mockserver.imaging.layout import arrange
from mockserver.imaging.lettering import clean
from mockserver.imaging.overlay import draw_footer, draw_logos, draw_watermark, place_logo
from mockserver.imaging.palette import pick_palette
from mockserver.imaging.scene import Inset, Scene
from mockserver.seeded import Random

# Characters of a headline, and of its longest word, that leave room for a sticker.
_SHORT, _SHORT_WORD = 90, 16


def draw_poster(scene: Scene) -> Image.Image:
    """An RGB picture of exactly the scene's size."""
    random = Random.from_text(scene.seed)
    colours = pick_palette(random)
    logos = [inset for inset in scene.insets if inset.role == "logo"]
    insets = [inset for inset in scene.insets if inset.role != "logo"]
    headline = scene.headline if clean(scene.headline) else scene.operation  # never because the font lacks it
    cards = make_cards(insets, max(scene.width, scene.height))
    shape = _shape(cards, clean(headline, is_tiled=True))
    places = arrange(scene.width, scene.height, shape, _below_logos(scene, logos))
    canvas = draw_backdrop(scene.width, scene.height, places, colours, random)
    if places.pictures and cards:
        draw_cards(canvas, places.pictures, cards, (colours, places.unit))
    elif places.pictures:
        draw_sticker(canvas, places.pictures, colours, random)
    draw_words(canvas, places.words, places.unit, (headline, scene.notes), (colours, random))
    if scene.is_watermarked:
        draw_watermark(canvas, scene.provider)
    if places.footer:
        size = f"{scene.width}×{scene.height}"  # noqa: RUF001
        names = [scene.provider, scene.operation, scene.model or "", size]
        draw_footer(canvas, places.footer, names, colours, _beside_logos(scene, logos))
    draw_logos(canvas, logos, colours)
    return canvas


def _shape(cards: list[Card], headline: str) -> float | None:
    """Width over height of what goes beside the headline; None when the headline needs all the room."""
    if cards:
        return cards[0].shape if len(cards) == 1 else 1.0
    has_long_word = any(len(word) > _SHORT_WORD for word in headline.split())
    return None if has_long_word or len(headline) > _SHORT else 0.8


def _below_logos(scene: Scene, logos: list[Inset]) -> int:
    """Pixels at the top that logos cover, at most a quarter of the height."""
    tops = [place_logo(logo, scene.width, scene.height) for logo in logos if logo.corner.startswith("top")]
    return min(scene.height // 4, round(max((place.bottom for place in tops), default=0) * 1.1))


def _beside_logos(scene: Scene, logos: list[Inset]) -> tuple[int, int]:
    """Pixels at the left and right end of the footer that logos cover, at most a third of the width each."""
    lefts, rights = [0], [0]
    for logo in logos:
        if not logo.corner.startswith("top"):
            place = place_logo(logo, scene.width, scene.height)
            (lefts if logo.corner.endswith("left") else rights).append(place.width)
    return min(scene.width // 3, max(lefts)), min(scene.width // 3, max(rights))
