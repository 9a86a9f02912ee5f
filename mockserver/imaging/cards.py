"""The caller's pictures as framed cards, and a sticker where there are none.

What was only pointed to (no data), or cannot be decoded, is drawn as a placeholder with its label.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from mockserver.imaging.layout import Place, arrange_grid
from mockserver.imaging.lettering import clean, measure_width, shorten, write
from mockserver.imaging.masking import show_mask
from mockserver.imaging.palette import WHITE, Palette, mix
from mockserver.imaging.reading import open_upright
from mockserver.imaging.scene import Inset
from mockserver.imaging.shapes import Point, draw_mask, draw_shadow, mask_rounded, paste, scale
from mockserver.seeded import Random

_MOST_CARDS = 6
_FLATTEST, _TALLEST = 2.4, 0.5  # shapes (width over height) beyond which a picture is cropped
_PLACEHOLDER_SHAPE = 1.5
_LEAST_FOR_LABEL = 8  # pixels of letter height
_PEOPLE = frozenset({"face", "persona", "person", "avatar"})
_ICONS: tuple[tuple[Point, ...], ...] = (
    ((0.36, 0.29), (0.36, 0.71), (0.73, 0.5)),  # play
    ((0.57, 0.2), (0.33, 0.55), (0.48, 0.55), (0.42, 0.8), (0.68, 0.43), (0.53, 0.43)),  # lightning
    # star
    tuple(
        (0.5 + reach * math.sin(tip * math.pi / 5), 0.51 - reach * math.cos(tip * math.pi / 5))
        for tip, reach in enumerate((0.31, 0.135) * 5)
    ),
    # arrow
    ((0.5, 0.22), (0.74, 0.49), (0.59, 0.49), (0.59, 0.76), (0.41, 0.76), (0.41, 0.49), (0.26, 0.49)),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One of the caller's pictures, decoded."""

    inset: Inset
    picture: Image.Image | None  # None: a placeholder is drawn
    mask: Image.Image | None = None  # "L", white where the card is to be tinted

    @property
    def shape(self) -> float:
        """Width over height, within what looks well."""
        if self.picture is None:
            return _PLACEHOLDER_SHAPE
        return min(_FLATTEST, max(_TALLEST, self.picture.width / self.picture.height))


def decode_inset(inset: Inset, longest_side_px: int) -> Image.Image | None:
    """The inset's picture as RGB or RGBA; None when it has none that can be read."""
    if inset.data is None:
        return None
    try:
        return open_upright(base64.b64decode(inset.data), longest_side_px)
    except ValueError:
        return None


def draw_cards(canvas: Image.Image, area: Place, cards: Sequence[Card], look: tuple[Palette, float]) -> None:
    """The cards side by side or stacked, as large as the area allows.

    `look`: the colours, and a hundredth of the picture's shorter side in pixels.
    """
    colours, unit = look
    places = arrange_grid([card.shape for card in cards], area, round(unit * 3))
    for card, place in zip(cards, places, strict=True):
        frame = max(1, round(unit * 0.9))
        radius = min(unit * 3.2, place.width * 0.12, place.height * 0.12)
        outer = mask_rounded(place.width, place.height, radius)
        draw_shadow(canvas, (place.left, place.top + round(unit)), outer, max(2.0, unit * 2.4), 0.55)
        paste(canvas, WHITE, (place.left, place.top), outer)
        inner = (max(1, place.width - 2 * frame), max(1, place.height - 2 * frame))
        picture = _draw_face(card, inner, colours, unit)
        corners = mask_rounded(*inner, max(1.0, radius - frame))
        canvas.paste(picture, (place.left + frame, place.top + frame), corners)
        _draw_tag(canvas, card, place, colours, unit)


def draw_sticker(canvas: Image.Image, area: Place, colours: Palette, random: Random) -> None:
    """A burst with an icon, to give a picture without pictures something to look at."""
    side = round(min(area.width, area.height) * 0.92)
    points, turn = random.whole("sticker points", 14, 19), random.share("sticker turn")
    icon = random.pick("sticker icon", _ICONS)
    left, top = round(area.centre[0] - side / 2), round(area.centre[1] - side / 2)
    burst, full = _burst(points, turn, 0.5), side * 2
    outer = draw_mask(side, side, lambda draw, finer: draw.polygon(scale(burst, side * finer), fill=255))
    large = Image.new("RGB", (full, full), WHITE)
    draw = ImageDraw.Draw(large)
    draw.polygon(scale(_burst(points, turn, 0.455), full), fill=colours.accent)
    ring, pale = (full * 0.13, full * 0.13, full * 0.87, full * 0.87), mix(colours.accent, WHITE, 0.6)
    draw.ellipse(ring, outline=pale, width=max(1, round(full * 0.012)))
    draw.polygon(scale([(x + 0.012, y + 0.014) for x, y in icon], full), fill=pale)
    draw.polygon(scale(icon, full), fill=colours.rich)
    draw_shadow(canvas, (left, top + side // 40), outer, max(2.0, side * 0.04), 0.5)
    canvas.paste(large.reduce(2), (left, top), outer)


def _burst(points: int, turn: float, reach: float) -> list[Point]:
    corners = []
    for corner in range(2 * points):
        radius = reach * (1 if corner % 2 else 0.9)
        angle = (corner + turn) * math.pi / points
        corners.append((0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle)))
    return corners


def make_cards(insets: Sequence[Inset], longest_side_px: int) -> list[Card]:
    """One card for each of up to six insets; but a mask lies on the source, where there is one."""
    cards = [Card(inset, decode_inset(inset, longest_side_px)) for inset in insets[:_MOST_CARDS]]
    source = next((card for card in cards if card.inset.role == "source" and card.picture), None)
    mask = next((card for card in cards if card.inset.role == "mask" and card.picture), None)
    if source is None or source.picture is None or mask is None or mask.picture is None:
        return cards
    flat = _flatten(mask.picture, (0, 0, 0)).convert("L").resize(source.picture.size)
    covered = Card(source.inset, source.picture, flat)
    return [covered if card is source else card for card in cards if card is not mask]


def _flatten(picture: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    """The picture as RGB, over a colour where something shows through."""
    if picture.mode != "RGBA":
        return picture
    canvas = Image.new("RGB", picture.size, ground)
    canvas.paste(picture, (0, 0), picture)
    return canvas


def _draw_face(card: Card, size: tuple[int, int], colours: Palette, unit: float) -> Image.Image:
    if card.picture is None:
        return _draw_placeholder(card.inset, size, colours, unit)
    ground = mix(colours.bright, WHITE, 0.75)
    face = ImageOps.fit(_flatten(card.picture, ground), size, Image.Resampling.BICUBIC)
    if card.mask is not None:
        show_mask(face, ImageOps.fit(card.mask, size, Image.Resampling.BILINEAR), colours, unit)
    return face


def _draw_placeholder(inset: Inset, size: tuple[int, int], colours: Palette, unit: float) -> Image.Image:
    """A pale panel with an icon over the label."""
    pale, line = mix(colours.bright, WHITE, 0.84), mix(colours.rich, WHITE, 0.25)
    panel = Image.new("RGB", size, pale)
    letters = round(min(unit * 3.2, size[1] * 0.085))
    side = round(min(size[0], size[1]) * 0.46)
    left, top = (size[0] - side) // 2, round((size[1] - side) * 0.40 - letters * 0.4)
    paste(panel, line, (left, top), _draw_icon(side, is_person=inset.role in _PEOPLE))
    if letters >= _LEAST_FOR_LABEL and not _says_role(inset):
        label, letters = _fit_line([clean(inset.label, 200)], letters, size[0] * 0.88)
        write(panel, label, (size[0] / 2, top + side + letters * 1.5), letters, colours.ink)
    return panel


def _draw_icon(side: int, *, is_person: bool) -> Image.Image:
    """A head and shoulders, or a framed landscape."""

    def paint(draw: ImageDraw.ImageDraw, finer: int) -> None:
        full = side * finer
        if is_person:
            draw.ellipse((full * 0.3, full * 0.1, full * 0.7, full * 0.5), fill=255)
            draw.pieslice((full * 0.12, full * 0.56, full * 0.88, full * 1.32), 180, 360, fill=255)
            return
        frame = (full * 0.04, full * 0.12, full * 0.96, full * 0.88)
        draw.rounded_rectangle(frame, full * 0.1, outline=255, width=max(1, round(full * 0.055)))
        draw.ellipse((full * 0.22, full * 0.25, full * 0.38, full * 0.41), fill=255)
        ridge = ((0.14, 0.78), (0.36, 0.52), (0.48, 0.64), (0.66, 0.4), (0.86, 0.66), (0.86, 0.78))
        draw.polygon(scale(ridge, full), fill=255)

    return draw_mask(side, side, paint)


def _draw_tag(canvas: Image.Image, card: Card, place: Place, colours: Palette, unit: float) -> None:
    """What the picture is, on a pill over the card's upper left edge."""
    size = round(min(unit * 2.5, place.height * 0.09))
    if size < _LEAST_FOR_LABEL:
        return
    text, size = _fit_line(_write_captions(card), size, place.width - 4 * unit - 1.5 * size)
    if not text:
        return
    across, tall = round(measure_width(text, size) + size * 1.5), round(size * 1.8)
    left, top = place.left + round(unit * 2), place.bottom - tall - round(unit * 2)
    paste(canvas, colours.ink, (left, top), mask_rounded(across, tall, tall / 2, fill=225))
    write(canvas, text, (left + across / 2, top + tall / 2 + size * 0.36), size, WHITE)


def _write_captions(card: Card) -> list[str]:
    """What the card is and where it is from; then, for want of room, only what it is."""
    role, label = clean(card.inset.role, 60), clean(card.inset.label, 60) if card.picture else ""
    if _says_role(card.inset):
        role, label = (label or role), ""  # "saved face" rather than "face · saved face"
    names = [role, "mask" if card.mask else "", label]
    lines = [" · ".join(filter(None, names)), " · ".join(filter(None, names[:2]))]
    return [line[:1].upper() + line[1:] for line in lines]


def _says_role(inset: Inset) -> bool:
    """Whether the label already ends in the role, or is the role."""
    role = clean(inset.role, 60).casefold()
    return bool(role) and role in clean(inset.label, 60).casefold().split()[-1:]


def _fit_line(lines: Sequence[str], size: int, room: float) -> tuple[str, int]:
    """The first of the lines that fits, if need be with smaller letters; otherwise the last one, cut."""
    least = max(_LEAST_FOR_LABEL, round(size * 0.7))
    for line in lines:
        for smaller in range(size, least - 1, -1):
            if measure_width(line, smaller) <= room:
                return line, smaller
    return shorten(lines[-1], least, room), least
