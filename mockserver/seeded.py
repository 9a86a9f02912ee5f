"""Ids, random values and pictures' colours that repeat on every run and every machine.

All come from a digest of what they depend on and a label; nothing is drawn from a global source.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Self, TypeVar

T = TypeVar("T")
DIGEST_BYTES = 16


def digest_of(*parts: bytes) -> bytes:
    """Make one short digest of several parts; only the last may hold NUL, so that no two lists look alike."""
    return blake2b(b"\0".join(parts), digest_size=DIGEST_BYTES).digest()


class Random:
    """A source of values, each drawn by a label: the same digest, count and label give the same value."""

    __slots__ = ("root",)

    def __init__(self, digest: bytes, count: int = 0) -> None:
        self.root = b"%b%d" % (digest, count)

    @classmethod
    def from_text(cls, *parts: str) -> Self:
        """Give the source that belongs to these texts; as in `digest_of`, only the last may hold NUL."""
        return cls(digest_of(*(part.encode("utf-8", "surrogatepass") for part in parts)))

    @property
    def seed(self) -> str:
        """The source itself in hexadecimal digits, for whoever draws values of its own from it."""
        return self.root.hex()

    def hex(self, label: str, length: int = 2 * DIGEST_BYTES) -> str:
        """Give up to 128 lower-case hexadecimal digits."""
        return blake2b(label.encode(), digest_size=(length + 1) // 2, key=self.root).hexdigest()[:length]

    def uuid(self, label: str) -> str:
        """Give a UUID of version 4."""
        text = blake2b(label.encode(), digest_size=DIGEST_BYTES, key=self.root).hexdigest()
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

    def between(self, label: str, low: float, high: float) -> float:
        """Give a number from `low` up to, not including, `high`."""
        return low + (high - low) * self.share(label)

    def pick(self, label: str, choices: Sequence[T]) -> T:
        """Give one of the choices."""
        return choices[int(self.share(label) * len(choices))]

    def part(self, label: str) -> "Random":
        """Give another source, so that one part of a whole draws by labels of its own."""
        return Random(blake2b(label.encode(), digest_size=DIGEST_BYTES, key=self.root).digest())
