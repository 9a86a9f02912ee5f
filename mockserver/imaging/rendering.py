"""A scene made into a file: the one function the rest of the program calls for a picture.

Equal scenes give equal bytes; there is no state, so scenes may be rendered in as many threads as one likes.
"""

from typing import Final

from mockserver.imaging.drawing import draw_poster
from mockserver.imaging.encoding import encode_png, encode_webp
from mockserver.imaging.plain import draw_plain
from mockserver.imaging.scene import Scene

_STYLES: Final = {"poster": draw_poster, "plain": draw_plain}
_ENCODERS: Final = {"image/png": encode_png, "image/webp": encode_webp}


def render(scene: Scene) -> bytes:
    """The picture as a PNG or WebP file of exactly the scene's size, with its metadata inside.

    Raises ValueError for any other media type, for an unknown style, and for a size without pixels.
    """
    encode, draw = _ENCODERS.get(scene.media_type), _STYLES.get(scene.style)
    if encode is None:
        raise ValueError(f"{scene.media_type}: only {' and '.join(_ENCODERS)} can be drawn")
    if draw is None:
        raise ValueError(f"{scene.style}: a picture's style is {' or '.join(_STYLES)}")
    if scene.width < 1 or scene.height < 1:
        raise ValueError(f"{scene.width}×{scene.height}: a picture needs at least one pixel")  # noqa: RUF001
    return encode(draw(scene), scene.metadata)
