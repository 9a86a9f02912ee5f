"""Questions to the journal in the words of WireMock's request matching; the only home of `jsonpath`.

A question is read whole before it is asked: an unknown word is refused with the nearest right one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import parse_qs

from mockserver.call import Exchange
from mockserver.journal.comparison import Leniency, differences
from mockserver.journal.keeping import shorten_texts
from mockserver.jsontext import Json, MalformedJsonError, dump, parse
from mockserver.messages import Request
from mockserver.spec.explain import nearest

Text = str | None  # None: what is asked about is not there
Matcher = Callable[[Text], bool]
Question = Callable[[Exchange], bool]
ANY = "ANY"


class _Word(NamedTuple):
    """One word for a matcher."""

    make: Callable[[Json, Mapping[str, Json]], Matcher]  # of what stands behind it, and of its options
    options: tuple[str, ...] = ()


def read_question(value: Json) -> Question:
    """Read a request pattern. Raises ValueError with what is wrong with it."""
    if not isinstance(value, dict):
        raise ValueError("a request pattern is a JSON object")  # noqa: TRY004 - its caller knows one error
    parts: list[Callable[[Request], bool]] = []
    for name, wanted in value.items():
        if name not in ATTRIBUTES:
            raise ValueError(f"there is no request attribute {name!r}; {_meant(name, ATTRIBUTES)}")
        parts.append(ATTRIBUTES[name](name, wanted))
    return lambda exchange: all(part(exchange.request) for part in parts)


def read_matcher(value: Json, place: str) -> Matcher:
    """Read one matcher, such as `{"contains": "cat"}`. Raises ValueError with what is wrong with it."""
    if not isinstance(value, dict):
        raise ValueError(f'{place}: a matcher is an object such as {{"equalTo": "value"}}')  # noqa: TRY004
    words = [name for name in value if name in WORDS]
    if len(words) != 1:
        unknown = next((name for name in value if name not in WORDS), None)
        if unknown is not None and not words:
            raise ValueError(f"{place}: there is no matcher {unknown!r}; {_meant(unknown, WORDS)}")
        raise ValueError(
            f"{place}: one matcher at a time, not {' and '.join(words) or 'none'}; `and` joins several"
        )
    word = WORDS[words[0]]
    for name in value:
        if name != words[0] and name not in word.options:
            known = [*word.options, *WORDS]
            raise ValueError(f"{place}: {words[0]} has no option {name!r}; {_meant(name, known)}")
        if name in word.options and not isinstance(value[name], bool):
            raise ValueError(f"{place}: {name}: must be true or false")
    try:
        return word.make(value[words[0]], value)
    except (ValueError, TypeError) as error:
        message = str(error)
        raise ValueError(
            message if message.startswith(place) else f"{place}: {words[0]}: {message}"
        ) from error


def _meant(name: str, known: Iterable[str]) -> str:
    """Suggest the right word: above all the one that differs in its capitals alone.

    >>> _meant("equalToJSON", ["equalTo", "equalToJson"])
    'did you mean equalToJson?'
    """
    known = list(known)
    return nearest(name, [each for each in known if each.lower() == name.lower()] or known)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"must be a string, not {dump(value).decode()}")
    return value


def _pattern(value: Json) -> re.Pattern[str]:
    try:
        return re.compile(_text(value))
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error


def _equal_to(value: Json, options: Mapping[str, Json]) -> Matcher:
    wanted = _text(value)
    if options.get("caseInsensitive"):
        return lambda text: text is not None and text.casefold() == wanted.casefold()
    return lambda text: text == wanted


def _contains(value: Json, _options: Mapping[str, Json]) -> Matcher:
    wanted = _text(value)
    return lambda text: text is not None and wanted in text


def _matches(value: Json, _options: Mapping[str, Json]) -> Matcher:
    pattern = _pattern(value)
    return lambda text: text is not None and pattern.fullmatch(text) is not None


def _absent(value: Json, _options: Mapping[str, Json]) -> Matcher:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return lambda text: (text is None) is value


def _equal_to_json(value: Json, options: Mapping[str, Json]) -> Matcher:
    wanted = parse(value.encode("utf-8", "surrogatepass"))[0] if isinstance(value, str) else value
    # The journal may have shortened what was sent; then it is held against the same shortening.
    accepted = [wanted, parse(shorten_texts(dump(wanted)))[0]]
    lenient = Leniency(bool(options.get("ignoreArrayOrder")), bool(options.get("ignoreExtraElements")))

    def match(text: Text) -> bool:
        sent = _read(text)
        return sent is not None and any(not any(differences(each, sent[0], lenient)) for each in accepted)

    return match


def _matches_json_path(value: Json, _options: Mapping[str, Json]) -> Matcher:
    from jsonpath import JSONPathError, compile  # noqa: A004, PLC0415 - only a question with a path needs it

    inner: Matcher | None = None
    if isinstance(value, dict):
        rest = {name: item for name, item in value.items() if name != "expression"}
        inner, value = (read_matcher(rest, "matchesJsonPath") if rest else None), value.get("expression")
    try:
        path = compile(_text(value))
    except JSONPathError as error:
        raise ValueError(f"{value!r} is no JSONPath: {error}") from error

    def match(text: Text) -> bool:
        sent = _read(text)
        found = path.findall(sent[0]) if sent is not None and isinstance(sent[0], dict | list) else []
        if inner is None:
            return any(each is not None and each not in ([], {}) for each in found)
        texts: list[Text] = [each if isinstance(each, str) else dump(each).decode() for each in found]
        return any(map(inner, texts or [None]))

    return match


def _joined(join: Callable[[list[bool]], bool]) -> Callable[[Json, Mapping[str, Json]], Matcher]:
    def make(value: Json, _options: Mapping[str, Json]) -> Matcher:
        if not isinstance(value, list):
            raise TypeError("must be a list of matchers")
        inner = [read_matcher(each, "matcher") for each in value]
        return lambda text: join([each(text) for each in inner])

    return make


def _opposite(
    make: Callable[[Json, Mapping[str, Json]], Matcher],
) -> Callable[[Json, Mapping[str, Json]], Matcher]:
    def negated(value: Json, options: Mapping[str, Json]) -> Matcher:
        inner = make(value, options)
        return lambda text: not inner(text)

    return negated


WORDS: Mapping[str, _Word] = {
    "equalTo": _Word(_equal_to, ("caseInsensitive",)),
    "contains": _Word(_contains),
    "doesNotContain": _Word(_opposite(_contains)),
    "matches": _Word(_matches),
    "doesNotMatch": _Word(_opposite(_matches)),
    "absent": _Word(_absent),
    "equalToJson": _Word(_equal_to_json, ("ignoreArrayOrder", "ignoreExtraElements")),
    "matchesJsonPath": _Word(_matches_json_path),
    "and": _Word(_joined(all)),
    "or": _Word(_joined(any)),
    "not": _Word(_opposite(lambda value, _options: read_matcher(value, "not"))),
}


def _read(text: Text) -> tuple[Json] | None:
    """Read a text as JSON; None where it is none."""
    try:
        return (parse((text or "").encode("utf-8", "surrogatepass"))[0],)
    except MalformedJsonError:
        return None


def _url(is_whole: bool, is_pattern: bool) -> Callable[[str, Json], Callable[[Request], bool]]:
    def make(name: str, value: Json) -> Callable[[Request], bool]:
        try:
            matcher = _matches(value, {}) if is_pattern else _equal_to(value, {})
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name}: {error}") from error

        def match(request: Request) -> bool:
            query = f"?{request.query}" if is_whole and request.query else ""
            path = request.path + query  # and below its namespace, as the journal shows it
            return matcher(path) or (bool(request.prefix) and matcher(request.prefix + path))

        return match

    return make


def _method(name: str, value: Json) -> Callable[[Request], bool]:
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be a string")  # noqa: TRY004 - its caller knows one error
    return lambda request: value.upper() in {ANY, request.method}


def _values(
    read: Callable[[Request, str], Sequence[Text]],
) -> Callable[[str, Json], Callable[[Request], bool]]:
    """Make the reader of an attribute that has matchers by name; of several values, one has to match."""

    def make(attribute: str, value: Json) -> Callable[[Request], bool]:
        if not isinstance(value, dict):
            raise ValueError(f"{attribute}: must be an object of matchers by name")  # noqa: TRY004
        matchers = {name: read_matcher(each, f"{attribute}.{name}") for name, each in value.items()}
        return lambda request: all(
            any(map(matcher, read(request, name) or [None])) for name, matcher in matchers.items()
        )

    return make


def _bodies(attribute: str, value: Json) -> Callable[[Request], bool]:
    if not isinstance(value, list):
        raise ValueError(f"{attribute}: must be a list of matchers")  # noqa: TRY004 - its caller knows one error
    matchers = [read_matcher(each, f"{attribute}[{index}]") for index, each in enumerate(value)]
    return lambda request: all(each(request.body.decode("utf-8", "replace") or None) for each in matchers)


def _header(request: Request, name: str) -> list[str]:
    value = request.headers.get(name.lower())
    return [] if value is None else [value]


def _cookie(request: Request, name: str) -> list[str]:
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return []
    return [cookies[name].value] if name in cookies else []


def _query(request: Request, name: str) -> list[str]:
    return parse_qs(request.query, keep_blank_values=True).get(name, [])


ATTRIBUTES: Mapping[str, Callable[[str, Json], Callable[[Request], bool]]] = {
    "method": _method,
    "url": _url(is_whole=True, is_pattern=False),
    "urlPattern": _url(is_whole=True, is_pattern=True),
    "urlPath": _url(is_whole=False, is_pattern=False),
    "urlPathPattern": _url(is_whole=False, is_pattern=True),
    "headers": _values(_header),
    "queryParameters": _values(_query),
    "cookies": _values(_cookie),
    "bodyPatterns": _bodies,
}
