"""Pictures that were handed out as links, and pictures that came in; how a link looks is `links`' business."""

from typing import Any, NamedTuple


class Output(NamedTuple):
    """A picture behind a link: how to draw it, and until when."""

    id: str
    provider: str
    account: str
    created_at_s: float
    expires_at_s: float | None  # None: never
    media_type: str
    scene: dict[str, Any]  # what `imaging` draws; a picture in it is named by its key

    def is_over(self, now_s: float) -> bool:
        """Whether the link has expired."""
        return self.expires_at_s is not None and self.expires_at_s <= now_s


class StoredPicture(NamedTuple):
    """A picture that came in, kept small enough to be drawn into others."""

    key: str
    small: str  # base64 of the small copy
