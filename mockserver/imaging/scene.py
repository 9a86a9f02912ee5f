"""What a drawn picture is to show, as plain values.

Nothing here imports PIL, and every value survives a trip through JSON unchanged, so that a job can keep its
picture as a few hundred bytes of description and have it drawn when somebody downloads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, cast


@dataclass(frozen=True, slots=True)
class Inset:
    """A picture within the picture: something the caller uploaded or pointed to."""

    role: str  # what it is to the picture: "source", "mask", "face", "photo", "logo", "persona", "style" …
    label: str  # short caption, e.g. "uploaded", or the address of a remote picture that is never fetched
    data: str | None = None  # base64 of an encoded picture; None: only the label is known
    corner: str = "bottom-right"  # of a logo: top-left, top-right, bottom-left, bottom-right
    scale: float = 0.15  # of a logo: its width as a share of the picture's width
    has_shadow: bool = True  # of a logo

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """The inset that `as_json` of a scene described; unknown members raise TypeError."""
        return cls(**value)  # type: ignore[arg-type]


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

    def as_json(self) -> dict[str, object]:
        """Dicts, lists, strings, numbers, booleans and None only.

        >>> scene = Scene(64, 64, "image/png", "P", "o", "h", "00", insets=(Inset("logo", "uploaded"),))
        >>> Scene.from_json(scene.as_json()) == scene
        True
        """
        # asdict copies every value deeply, which takes most of the time of a whole call.
        value: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        value["notes"] = list(self.notes)
        value["insets"] = [{name: getattr(inset, name) for name in inset.__slots__} for inset in self.insets]
        value["metadata"] = [list(pair) for pair in self.metadata]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """The scene that `as_json` described; unknown or missing members raise TypeError."""
        members = dict(value)
        notes = cast("Iterable[str]", members.pop("notes", ()))
        insets = cast("Iterable[Mapping[str, object]]", members.pop("insets", ()))
        metadata = cast("Iterable[tuple[str, str]]", members.pop("metadata", ()))
        return cls(
            **members,  # type: ignore[arg-type]
            notes=tuple(notes),
            insets=tuple(Inset.from_json(inset) for inset in insets),
            metadata=tuple((key, text) for key, text in metadata),
        )
