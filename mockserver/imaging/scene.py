"""What a drawn picture is to show, as plain values.

Nothing here imports PIL, so that a job can keep its picture as a few hundred bytes of JSON and have it drawn
when somebody downloads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Self, cast


@dataclass(frozen=True, slots=True)
class Inset:
    """A picture within the picture: something the caller uploaded or pointed to."""

    role: str  # what it is to the picture: "source", "mask", "face", "photo", "logo", "persona", "style" …
    label: str  # short caption, e.g. "uploaded", or the address of a remote picture that is never fetched
    data: str | None = None  # base64 of an encoded picture; None: only the label is known
    corner: str = "bottom-right"  # of a logo: top-left, top-right, bottom-left, bottom-right
    scale: float = 0.15  # of a logo: its width as a share of the picture's width
    has_shadow: bool = True  # of a logo


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a picture depends on: equal scenes are drawn as equal bytes."""

    width: int  # pixels
    height: int  # pixels
    media_type: str  # "image/png" or "image/webp"
    provider: str  # as printed, e.g. "Pikzels v2"
    operation: str  # as printed, e.g. "Create from text"
    headline: str  # the prompt or title, in full
    seed: str  # hex digest; picks colours and shapes
    model: str | None = None  # None: the operation has no choice of model
    notes: tuple[str, ...] = ()  # small lines, e.g. "style: Creator Studio"
    insets: tuple[Inset, ...] = ()
    is_watermarked: bool = False
    metadata: tuple[tuple[str, str], ...] = ()  # written into the file, e.g. (("Request-Id", "…"),)
    style: Literal["poster", "plain"] = "poster"  # "plain": words on a flat ground, in a tenth of the time

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """The scene that JSON describes member by member; unknown or missing members raise TypeError."""
        insets = cast("Iterable[Mapping[str, object]]", value.get("insets", ()))
        members = {
            **value,
            "notes": tuple(cast("Iterable[str]", value.get("notes", ()))),
            "insets": tuple(Inset(**inset) for inset in insets),  # type: ignore[arg-type]
            "metadata": tuple(map(tuple, cast("Iterable[Iterable[str]]", value.get("metadata", ())))),
        }
        return cls(**members)  # type: ignore[arg-type]
