"""Pictures that were handed out as links, and pictures that came in; how links look is `links`' business."""

from collections.abc import Mapping
from sys import getsizeof
from typing import Any

from mockserver.state.values import Time, Value

OUTPUT_BYTES, SCENE_WORD_BYTES, INSET_BYTES, PICTURE_BYTES = 2_000, 80, 900, 250


class Output(Value, frozen=True):
    """A picture behind a link: how to draw it, and until when."""

    id: str
    provider: str
    account: str
    created_at_s: Time
    expires_at_s: Time | None  # None: never
    media_type: str
    scene: Mapping[str, Any]  # what `imaging` draws; a picture in it is named by its key
    fails: str | None = (
        None  # a status, or "truncated": what a download was ordered to get; None: the picture
    )

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes: most of what its scene says stands in a table."""
        words = sum(SCENE_WORD_BYTES + len(each) for each in self.scene.get("notes", ()))
        insets = INSET_BYTES * len(self.scene.get("insets", ()))
        return OUTPUT_BYTES + getsizeof(self.account) + getsizeof(self.scene.get("headline")) + words + insets

    def is_over(self, now_s: float) -> bool:
        """Whether the link has expired."""
        return self.expires_at_s is not None and self.expires_at_s <= now_s


class StoredPicture(Value, frozen=True):
    """A picture that came in, kept small enough to be drawn into others."""

    key: str
    small: str  # base64 of the small copy

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes."""
        return PICTURE_BYTES + len(self.small)
