"""How far apart two words are, and which of many is the one that was meant: bounded, and asked off the path.

A word is near another where few letters are missing, too many, wrong or swapped: one in a single word, which
may be speech, two in a long one with an underscore, which nobody writes by chance.
"""

from collections import defaultdict
from collections.abc import Iterable

SHORTEST, LONG, LONGEST = 5, 9, 60  # letters: of what is near to anything; of what may differ in two
FEW, MORE = 1, 2


class Lookalikes:
    """Words by their length, so that a text is held against few of them.

    >>> known = Lookalikes(["content_policy", "conflict"])
    >>> [known.nearest(text) for text in ("content-polcy", "confilct", "conflicted", "vlog")]
    ['content_policy', 'conflict', None, None]
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for word in sorted(self._words):
            self._by_length[len(word)].append(word)

    def nearest(self, text: str) -> str | None:
        """Give the nearest word; None where none is near."""
        if not SHORTEST <= len(text) <= LONGEST:
            return None
        folded = text.lower().replace("-", "_")
        if folded in self._words:
            return folded
        lengths = range(len(folded) - MORE, len(folded) + MORE + 1)
        near = [
            (found, word)
            for length in lengths
            for word in self._by_length.get(length, ())
            if (found := distance(folded, word, tolerance(word))) is not None
        ]
        return min(near)[1] if near else None


def tolerance(word: str) -> int:
    """Say how many letters may differ from a word.

    >>> [tolerance(word) for word in ("abc", "gone", "too_fast", "too_large", "forbidden")]
    [0, 1, 1, 2, 1]
    """
    if len(word) < SHORTEST - 1:
        return 0
    return MORE if len(word) >= LONG and "_" in word else FEW


def distance(text: str, word: str, most: int) -> int | None:
    """Count the letters that are missing, too many, wrong or swapped; None where those are more than `most`.

    >>> distance("polcy", "policy", 1), distance("poilcy", "policy", 1), distance("police", "policy", 0)
    (1, 1, None)
    """
    if abs(len(text) - len(word)) > most:
        return None
    far = most + 1
    older, above = [far] * (len(word) + 1), list(range(len(word) + 1))
    for row, letter in enumerate(text, start=1):
        here = [row] + [far] * len(word)
        for column in range(max(1, row - most), min(len(word), row + most) + 1):
            other = word[column - 1]
            least = min(above[column] + 1, here[column - 1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == word[column - 2] and text[row - 2] == other:
                least = min(least, older[column - 2] + 1)
            here[column] = least
        if min(here) > most:  # what comes can be no nearer
            return None
        older, above = above, here
    return above[-1] if above[-1] <= most else None


def nearest_of(text: str, known: Iterable[str]) -> str | None:
    """Give the one of a few words that a text is near to, short ones too; None where it is near to none.

    >>> nearest_of("Faild", ["done", "failed"]), nearest_of("over", ["done", "failed"])
    ('failed', None)
    """
    folded = text.lower().replace("-", "_")
    found = [
        (apart, each)
        for each in known
        if len(folded) <= LONGEST
        and (apart := distance(folded, each.lower(), max(FEW, tolerance(each)))) is not None
    ]
    return min(found)[1] if found else None
