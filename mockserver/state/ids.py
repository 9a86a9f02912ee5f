"""Ids and random values that repeat on every run and every machine.

All come from a digest of the seed, the request and how often it came before; nothing is drawn from a global source.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
DIGEST_BYTES = 16


def digest_of(*parts: bytes) -> bytes:
    """Make one short digest of several parts; only the last may hold NUL, so that no two lists look alike."""
    return blake2b(b"\0".join(parts), digest_size=DIGEST_BYTES).digest()


class Chance:
    """A source of values for one request: the same digest and count give the same values."""

    __slots__ = ("root",)

    def __init__(self, digest: bytes, count: int = 0) -> None:
        self.root = b"%b%d" % (digest, count)

    @property
    def seed(self) -> str:
        """The source itself in hexadecimal digits, for whoever draws values of its own from it."""
        return self.root.hex()

    def hex(self, label: str, length: int = 2 * DIGEST_BYTES) -> str:
        """Give up to 128 lower-case hexadecimal digits."""
        return blake2b(label.encode(), digest_size=(length + 1) // 2, key=self.root).hexdigest()[:length]

    def uuid(self, label: str) -> str:
        """Give a UUID of version 4."""
        text = self.hex(label)
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def share(self, label: str) -> float:
        """Give a number from 0 up to, not including, 1."""
        return int(self.hex(label, 12), 16) / 16**12

    def whole(self, label: str, low: int, high: int) -> int:
        """Give a whole number from `low` to `high`, both included."""
        return low + int(self.share(label) * (high - low + 1))

    def shuffled(self, label: str, items: Sequence[T]) -> list[T]:
        """Give the items in an order that depends on the root."""
        return [item for _, item in sorted(enumerate(items), key=lambda pair: self.hex(f"{label}/{pair[0]}"))]
