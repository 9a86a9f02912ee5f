"""The words by which a key or a text orders something: `not_found`, `delay_800`, `job_failed` and so on.

Every row of a catalogue is one, every end of a job, a delay in milliseconds, and what becomes of a download.
Nothing is listed: a table that gains a row gains its word.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from mockserver.caches import KEYS
from mockserver.spec.jobrows import MANUAL, Jobs
from mockserver.spec.model import Provider
from mockserver.spec.nearness import Lookalikes, nearest_of
from mockserver.spec.rows import ErrorRow

LONGEST_DELAY_MS = 600_000
TRUNCATED = "truncated"
MISTYPED = "mistyped"  # the keyword of warnings of what orders nothing, and what they cite
CITATION = "mockserver, errors on demand"
LONGEST_KEPT = 200  # characters of a key
DELAY = re.compile(r"delay_([0-9]{1,6})")
DOWNLOAD = re.compile(rf"download_([45][0-9]{{2}}|{TRUNCATED})")
ENDING = re.compile(rf"_(delay_[0-9]{{1,6}}|{DOWNLOAD.pattern})$", re.IGNORECASE)
LIKE_DELAY = re.compile(r"([a-z]{4,6})[_=-]?([0-9]{1,9})(ms|s)?")
DOWNLOADS = ("404", "500", TRUNCATED)  # examples
EXAMPLES = tuple(f"download_{each}" for each in DOWNLOADS)
MOST_MARKS = 1_000  # words in brackets that are looked at in one text
MARK = re.compile(r"\[([^\[\]]{1,80})\]")


class Wish(NamedTuple):
    """What one word orders; all but one are left out."""

    error: str | None = None  # a row of the catalogue
    delay_ms: int | None = None
    job: str | None = None  # how the call's job ends, or MANUAL
    download: str | None = None  # the status of its pictures' downloads, or TRUNCATED


def ends_of(jobs: Jobs | None) -> tuple[str, ...]:
    """Give every end of a job that can be ordered."""
    return (*(jobs.outcomes if jobs else ()), MANUAL)


def key_endings(errors: Iterable[str], jobs: Jobs | None) -> dict[str, str]:
    """Give the words that a key may end in, the longest first, by the ending as it stands in a key."""
    words = [*errors, *(f"job_{end}" for end in ends_of(jobs) if jobs)]
    return {f"_{word.lower()}": word for word in sorted(words, key=len, reverse=True)}


def ordered_by(provider: Provider, key: str) -> tuple[str, str | None]:
    """Split a key into its owner's and the word that it orders something by; None where it orders nothing."""
    # On the path of every call whose key no fixture lists.
    return KEYS.ask(_split, provider, key) if len(key) <= LONGEST_KEPT else _split(provider, key)


def _split(provider: Provider, key: str) -> tuple[str, str | None]:
    lowered = key.lower()
    for ending, word in provider.key_endings.items():
        if lowered.endswith(ending):
            return key[: -len(ending)], word
    found = ENDING.search(key)
    if found and wish_of(provider, found[1]):
        return key[: found.start()], found[1].lower()
    return key, None


def wish_of(provider: Provider, word: str) -> Wish | None:
    """Read a word in any case; None where it orders nothing."""
    lowered = word.lower()
    name = provider.key_endings.get(f"_{lowered}")
    if name is not None:
        return Wish(error=name) if name in provider.errors else Wish(job=name.removeprefix("job_"))
    if (delay := DELAY.fullmatch(lowered)) and int(delay[1]) <= LONGEST_DELAY_MS:
        return Wish(delay_ms=int(delay[1]))
    download = DOWNLOAD.fullmatch(lowered)
    return Wish(download=download[1]) if download else None


def marks_in(provider: Provider, text: str) -> Iterator[tuple[str, Wish]]:
    """Give every word in brackets that orders something."""
    for mark in islice(MARK.finditer(text), MOST_MARKS):
        if wish := wish_of(provider, mark[1]):
            yield mark[1], wish


def near_row(provider: Provider, name: str) -> str | None:
    """Give the row that was most likely meant by what is no row's name; None where none is near."""
    if any(name.lower() == each.lower() for each in provider.errors):
        return None
    row = provider.find_error(name.lower())
    return row.name if row else nearest_of(name, provider.errors)


class Vocabulary:
    """What may be mistaken for a word of a provider: its own misspelt, other APIs', problems by their names.

    What belongs to another API counts where it has an underscore: a single word may be speech.
    """

    def __init__(self, provider: Provider, others: Iterable[Provider], problems: Iterable[str]) -> None:
        self._provider = provider
        self._own = {*(ending[1:] for ending in provider.key_endings), *EXAMPLES}
        rows = {row.name.lower(): row for each in others for row in each.errors.values() if "_" in row.name}
        found = {name: provider.find_error(name) for name in problems if "_" in name}
        self._theirs = rows | {name: row for name, row in found.items() if row}
        self._words = Lookalikes([*self._own, *self._theirs])

    def find_meant(self, text: str) -> str | None:
        """Give the provider's word that was most likely meant; None where nothing is near."""
        if delay := like_delay(text):
            return delay
        near = self._words.nearest(text)
        return (
            near
            if near is None or near in self._own
            else _counterpart(self._provider, near, self._theirs[near])
        )


def like_delay(text: str) -> str | None:
    """Give the delay that was most likely meant.

    >>> like_delay("dealy_800"), like_delay("delay_2s"), like_delay("delay800"), like_delay("part_2")
    ('delay_800', 'delay_2000', 'delay_800', None)
    """
    found = LIKE_DELAY.fullmatch(text.lower())
    if not found or nearest_of(found[1], ["delay"]) is None:
        return None
    wanted_ms = int(found[2]) * (1000 if found[3] == "s" else 1)
    return f"delay_{min(wanted_ms, LONGEST_DELAY_MS)}"


def _counterpart(provider: Provider, name: str, row: ErrorRow) -> str:
    """Give the word for what another API calls so: the row of that name or status that is most like it."""
    own = provider.find_error(name)
    names = [each.name.lower() for each in provider.errors.values()]
    same = [each.name.lower() for each in provider.errors.values() if each.status == row.status]
    near = difflib.get_close_matches(name, names) or difflib.get_close_matches(name, same or names, cutoff=0)
    return own.name.lower() if own else near[0]
