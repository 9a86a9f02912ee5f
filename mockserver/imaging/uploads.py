"""A picture that was sent along, made small enough to be kept."""

from mockserver.imaging.reading import data_url_bytes, open_picture, shrink


def small_copy(url: str) -> str:
    """Base64 of a small upright copy of the picture in a data URL. Raises ValueError that says what is wrong with it."""
    return shrink(open_picture(data_url_bytes(url)))
