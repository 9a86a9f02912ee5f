"""Secrets as they may be shown: what they begin with, and their last four characters.

A secret is what stands where some provider's document asks for a key, in whatever request; what stands in
`Authorization`; members of JSON that are named for it; and what begins as a key does, wherever it was put.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote_plus, urlencode

from mockserver.jsontext import Json, dump, parse
from mockserver.spec.model import Provider

LAST = 4  # characters of a secret that are shown
LEAST = 8  # characters behind the beginning of what is taken for a key where none is asked for
ALWAYS = ("authorization", "proxy-authorization")
HEAD = re.compile(r"[A-Za-z]{1,8}[_-]")  # of a key whose provider is not known: `sk-`, `whsec_`
MEMBER = re.compile(r'("[\w-]*(?:secret|api[_-]?key|password)"\s*:\s*")((?:[^"\\]|\\.)+)', re.IGNORECASE)
WORD = re.compile(r"(?:\w+ )?")  # `Bearer ` before a key


class Redaction(NamedTuple):
    """Where keys are sent, and how those of each provider begin."""

    headers: frozenset[str]
    query: frozenset[str]
    cookies: frozenset[str]
    prefixes: tuple[str, ...]

    def anywhere(self, text: str) -> str:
        """Shorten what begins as a key does and is as long as one, wherever it stands in a text.

        >>> NOWHERE._replace(prefixes=("pkz_",)).anywhere("/v2/pkz_0123456789?model=pkz_4")
        '/v2/pkz_...6789?model=pkz_4'
        """
        pattern = _keys(self.prefixes)
        return pattern.sub(lambda found: self.key(found[0]), text) if pattern else text

    def key(self, secret: str) -> str:
        """Shorten a secret.

        >>> NOWHERE.key("whsec_0123456789"), NOWHERE.key("0123456789"), NOWHERE.key("abc")
        ('whsec_...6789', '...6789', '...')
        """
        head = next((each for each in self.prefixes if secret.startswith(each)), None)
        if head is None:
            found = HEAD.match(secret)
            head = found[0] if found else ""
        rest = secret[len(head) :]
        return f"{head}...{rest[-LAST:] if len(rest) >= LAST else ''}"

    def header(self, name: str, value: str) -> str:
        """Give the value of a header, its name in lower case, as it may be shown."""
        if name == "cookie":
            return ";".join(self._cookie(each) for each in value.split(";"))
        if name not in self.headers or not value:
            return self.anywhere(value)
        found = WORD.match(value)
        head = found[0] if found else ""
        return head + self.key(value[len(head) :])

    def query_string(self, query: str) -> str:
        """Give a query, still encoded, as it may be shown; one without secrets stays as it was written."""
        if not any(unquote_plus(part.partition("=")[0]) in self.query for part in query.split("&")):
            return self.anywhere(query)
        pairs = parse_qsl(query, keep_blank_values=True)
        return self.anywhere(
            urlencode([(name, self.key(value) if name in self.query else value) for name, value in pairs])
        )

    def text(self, text: str) -> str:
        """Give a body, as text, as it may be shown."""
        return self.anywhere(MEMBER.sub(lambda found: found[1] + self.key(found[2]), text))

    def members(self, value: Json) -> Json:
        """Give JSON as it may be shown."""
        return parse(self.text(dump(value).decode()).encode())[0]

    def account(self, name: str) -> str:
        """Give the name of an account, with its provider or without, as it may be shown.

        >>> NOWHERE.account("pikzels/pkz_0123456789"), NOWHERE.account("pkz_0123456789")
        ('pikzels/pkz_...6789', 'pkz_...6789')
        """
        provider, slash, key = name.partition("/")
        return f"{provider}/{self.key(key)}" if slash else self.key(name)

    def _cookie(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        return name + equals + (self.key(value) if name.strip() in self.cookies else self.anywhere(value))


NOWHERE = Redaction(frozenset(ALWAYS), frozenset(), frozenset(), ())


@cache
def _keys(prefixes: tuple[str, ...]) -> re.Pattern[str] | None:
    begun = "|".join(map(re.escape, prefixes))
    return re.compile(rf"(?<![A-Za-z0-9_-])(?:{begun})[A-Za-z0-9_-]{{{LEAST},}}") if begun else None


class ShownFormatter(logging.Formatter):
    """Writes lines of a log, tracebacks included, as they may be shown."""

    def __init__(self, pattern: str, redaction: Redaction) -> None:
        super().__init__(pattern)
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and what belongs to it."""
        return self._redaction.anywhere(super().format(record))


def redaction_of(providers: Iterable[Provider]) -> Redaction:
    """Find where the documents of some providers ask for keys."""
    providers = list(providers)
    schemes = {
        scheme
        for provider in providers
        for operation in provider.operations.values()
        for requirement in operation.security
        for scheme in requirement
    }
    places: Mapping[str, frozenset[str]] = {
        place: frozenset(each.field for each in schemes if each.location == place)
        for place in ("header", "query", "cookie")
    }
    prefixes = tuple(each.keys.prefix for each in providers if each.keys.prefix)
    return Redaction(places["header"] | {*ALWAYS}, places["query"], places["cookie"], prefixes)
