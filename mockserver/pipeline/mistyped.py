"""A request → what in it is near to an order and is none: a key's ending, a word in brackets, a preference.

It is answered as it would be without that; the warnings tell. A key and a text are looked at once: what they
are near to is kept.
"""

import functools
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import islice

from mockserver import pointer
from mockserver.caches import ENDINGS, MARKS
from mockserver.call import Door, Exchange, Match
from mockserver.jsontext import Json
from mockserver.messages import Request
from mockserver.problems import NO_VIOLATIONS, ProblemType, Violation
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Provider, SecurityScheme
from mockserver.spec.nearness import LONGEST, nearest_of
from mockserver.spec.words import CITATION, MISTYPED, TRUNCATED, Vocabulary, ends_of, near_row, wish_of

MARK = re.compile(rf"\[([\w-]{{1,{LONGEST}}})\]", re.ASCII)
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?')
MOST_MARKS = 50  # in one text
LONGEST_KEY = 200  # characters: what is longer nobody types
MOST_PARTS = 5  # of a key, between underscores: as many as the longest word may have
NAMES = ("code", "example", "delay", "job", "download")
# What is said of calls to come is no preference of one call.
OF_FAULTS = {"count", "times", "after", "every", "probability", "fault", "stub", "scenario", "repeat"}
OTHER_NAMES = {"status": "code", "error": "example", "latency": "delay"}
REGISTERED = {"handling", "respond-async", "return", "safe", "wait"}  # by IANA, for servers of any kind


def may_order(request: Request, key_order: str | None) -> bool:
    """Whether a call may order anything, or nearly: by Prefer, key, or brackets, which an escape may hide."""
    body = request.body
    return key_order is not None or b"[" in body or b"\\" in body or bool(request.headers.get("prefer"))


class Mistyped:
    """Finds what is near to an order of any provider of a catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self._providers = catalog.providers
        self._vocabulary = functools.lru_cache(maxsize=64)(self._make)

    def of_key(self, provider: Provider, scheme: SecurityScheme, key: str) -> tuple[Violation, ...]:
        """Look at a key that nobody listed and that orders nothing."""
        found = ENDINGS.ask(self._find_ending, provider, key) if len(key) <= LONGEST_KEY else None
        if found is None:
            return NO_VIOLATIONS
        ending, meant = found
        where = "header" if scheme.location == "cookie" else scheme.location
        message = f"the key's ending _{ending} orders nothing; did you mean _{meant}?"
        return (Violation(where, pointer.write((scheme.field,)), MISTYPED, message, CITATION),)

    def of_call(
        self, match: Match, request: Request, preferences: Mapping[str, str], body: Json
    ) -> tuple[Violation, ...]:
        """Look at the preferences of a well-formed call, and at the texts that may order something."""
        header = request.headers.get("prefer")
        if not header and b"[" not in request.body:
            return NO_VIOLATIONS
        texts = body.items() if isinstance(body, dict) else ()
        marked = [(name, text) for name, text in texts if isinstance(text, str) and "[" in text]
        if not marked and not header:
            return NO_VIOLATIONS
        found = [*self._of_texts(match, marked), *(_of_header(match, preferences, header) if header else ())]
        return tuple(found)

    def _of_texts(self, match: Match, marked: list[tuple[str, str]]) -> Iterator[Violation]:
        fields = match.operation.row.order_fields
        for field, text in marked:
            for mark in dict.fromkeys(each[1] for each in islice(MARK.finditer(text), MOST_MARKS)):
                meant = mark if wish_of(match.provider, mark) else MARKS.ask(self._find, match.provider, mark)
                if meant is None or (meant == mark and field in fields):
                    continue
                way = f"did you mean [{meant}]?"
                if field not in fields:
                    other = (
                        f"write [{meant}] into {' or '.join(fields)}" if fields else "use the Prefer header"
                    )
                    way = f"no order is read there: {other}"
                what = f"{field}: [{mark}] orders nothing; {way}"
                yield Violation("body", pointer.write((field,)), MISTYPED, what, CITATION)

    def _make(self, provider: Provider) -> Vocabulary:
        others = (each for each in self._providers.values() if each.name != provider.name)
        return Vocabulary(provider, others, [each.value for each in ProblemType])

    def _find(self, provider: Provider, text: str) -> str | None:
        return self._vocabulary(provider).find_meant(text)

    def _find_ending(self, provider: Provider, key: str) -> tuple[str, str] | None:
        """Find an ending of a key that is near to a word, the longest first; the owner is not looked at."""
        parts = re.split("[_-]", key)
        for count in range(min(MOST_PARTS, len(parts) - 1), 0, -1):
            ending = "_".join(parts[-count:])
            if meant := self._find(provider, ending):
                return ending, meant
        return None


def odd_of(parts: Iterable[Exchange], known: Container[Violation]) -> tuple[Violation, ...]:
    """Give what was found so in the calls that another one stood for."""
    found = (each for part in parts for each in part.violations if each.keyword == MISTYPED)
    return tuple(each for each in found if each not in known)


def of_download(door: Door, preferences: Mapping[str, str]) -> tuple[Violation, ...]:
    """Look at the preferences of a download, of which only a delay can be ordered so."""
    if not preferences or door.subject is None:
        return NO_VIOLATIONS
    names = [name for name in NAMES if name in preferences and name != "delay"]
    way = "order it with the call that hands out the link, or at /__admin/faults"
    return tuple(
        _odd(f"{name}={preferences[name][:LONGEST]} orders nothing of a download; {way}") for name in names
    )


def _of_header(match: Match, preferences: Mapping[str, str], header: str) -> Iterator[Violation]:
    """Look at names of preferences, at ends of jobs and rows that they name, and at what cannot be read."""
    provider = match.provider
    for name, value in preferences.items():
        meant, what = None, f"{name}={value[:LONGEST]}"
        if name in OF_FAULTS:
            yield _odd(
                f"{name} is no preference: what happens to calls to come is ordered at /__admin/faults"
            )
        elif name == "example":
            row = near_row(provider, value)
            meant = row and f"example={row}"
        elif name == "job" and value not in ends_of(provider.jobs):
            end = nearest_of(value, ends_of(provider.jobs))
            meant = end and f"job={end}"
        elif name == "download" and wish_of(provider, f"download_{value}") is None:
            near = nearest_of(value, [TRUNCATED])
            meant = near and f"download={near}"
        elif name not in {*NAMES, *REGISTERED}:
            meant = OTHER_NAMES.get(name) or nearest_of(name, NAMES)
        if meant:
            yield _odd(f"{what} orders nothing; did you mean {meant}?")
    bare = QUOTED.sub("", header)
    for name in NAMES:
        if name not in preferences and re.search(rf"(?:^|[,;\s]){name}\s*[=:]", bare, re.IGNORECASE):
            yield _odd(f"{name} cannot be read in {header[:LONGEST]!r}; write Prefer: code=402, delay=800")


def _odd(message: str) -> Violation:
    return Violation("header", "/prefer", MISTYPED, message, CITATION)
