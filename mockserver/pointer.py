"""JSON Pointer (RFC 6901): written, read and followed here and nowhere else."""

from collections.abc import Iterable, Mapping
from typing import Any


def write(path: Iterable[str | int]) -> str:
    """Write a path as a JSON Pointer.

    >>> write(["image_urls", 1, "a/b"])
    '/image_urls/1/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def read(pointer: str) -> list[str]:
    """Read a JSON Pointer as a path; an index stays a text.

    >>> read("/image_urls/1/a~1b"), read("")
    (['image_urls', '1', 'a/b'], [])
    """
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def follow(pointer: str, value: Any) -> Any:
    """Give what stands at a JSON Pointer in a value. Raises LookupError where nothing does.

    >>> follow("/a/1", {"a": [5, 6]})
    6
    """
    for name in read(pointer):
        if isinstance(value, Mapping):
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdecimal():
            value = value[int(name)]
        else:
            raise LookupError(pointer)
    return value
