"""A broken keyword of a JSON Schema as a sentence that a person can act on, in our own words.

A provider's table may word it in its API's tone instead; nothing here knows a provider.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from mockserver import pointer
from mockserver.caches import FIELDS
from mockserver.jsontext import Json

WHOLE = "the request body"
LONGEST_NAME = 80  # characters of a name that a caller made up
MOST_VIOLATIONS, MOST_ITEMS = 100, 1_000  # that are told of one value, and that are looked at of one array
ARTICLES = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "an array",
    "object": "a JSON object",
    "null": "null",
}


class Broken(NamedTuple):
    """A keyword that a value breaks, as a reader of the schema found it."""

    path: tuple[str | int, ...]  # into the value
    schema_path: tuple[str | int, ...]  # of the keyword, in the schema
    keyword: str
    rule: Json  # its value
    instance: Json  # the part of the value that breaks it
    schema: Json  # in which it stands

    @classmethod
    def of(cls, error: Any) -> "Broken":
        """Read an error of `jsonschema`."""
        path, schema_path = tuple(error.absolute_path), tuple(error.absolute_schema_path)
        keyword = error.validator or "false"
        return cls(path, schema_path, keyword, error.validator_value, error.instance, error.schema)


Complaint = Callable[[Json, Broken], str]


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """One way in which a value breaks a keyword of its schema."""

    path: tuple[str | int, ...]  # into the value
    keyword: str
    schema_pointer: str  # JSON Pointer of the keyword in its schema
    message: str
    pattern: str | None = None  # the value of `pattern`, where that is the keyword
    fields: tuple[str, ...] = ()  # the top-level names that the keyword speaks of


def spoken(path: Sequence[str | int]) -> str:
    """Name a place in a value as a programmer would write it.

    >>> spoken(["image_urls", 1]), spoken(["data", "title"]), spoken([1])
    ('image_urls[1]', 'data.title', 'the request body[1]')
    """
    text = "" if path and isinstance(path[0], str) else WHOLE
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def located(document: Json, violation: SchemaViolation) -> str:
    """Say what is wrong in a file of ours, behind the place as its keys name it; an item goes by its name.

    >>> missing = SchemaViolation(("a", 0, "in"), "required", "", "a[0].in is required")
    >>> located({"a": [{"name": "page"}]}, missing)
    'a.page.in: in is required'
    """
    names, here = [], document
    for part in violation.path:
        is_item = isinstance(here, list) and isinstance(part, int)
        is_there = part in here if isinstance(here, Mapping) else is_item
        here = here[part] if is_there else None
        name = here.get("name") if isinstance(part, int) and isinstance(here, Mapping) else None
        names.append(name if isinstance(name, str) else str(part))
    where = spoken(violation.path)
    is_named = bool(names) and violation.message.startswith(f"{where} ")
    sentence = names[-1] + violation.message.removeprefix(where) if is_named else violation.message
    return f"{'.'.join(names) or 'the document'}: {sentence.replace('The request body', 'it')}"


def nearest(name: Any, known: Iterable[str]) -> str:
    """Suggest what was meant, or list what there is.

    >>> nearest("creditz", ["credits", "plan"]), nearest("x", ["credits", "plan"])
    ('did you mean credits?', 'known are: credits, plan')
    """
    near = difflib.get_close_matches(str(name), known := list(known), n=1)
    return f"did you mean {near[0]}?" if near else "known are: " + (", ".join(known) or "none")


def explain(error: Broken, base: tuple[str, ...] = ()) -> Iterator[SchemaViolation]:
    """Turn a broken keyword into violations: one for each field that is wrong, below `base`."""
    path = (*base, *(_shortened(part) for part in error.path))
    at, keyword = pointer.write(error.schema_path), error.keyword
    if keyword == "additionalProperties" and "patternProperties" not in error.schema:
        known = tuple(error.schema.get("properties", {}))
        unknown = (name for name in error.instance if name not in known)
        for name in islice(unknown, MOST_VIOLATIONS):
            yield SchemaViolation((*path, _shortened(name)), keyword, at, _unknown(name, known))
        return
    choice = _choice(keyword, error.rule, error.instance)
    if choice:
        names, sentence = choice
        yield SchemaViolation((*path, names[0]), keyword, at, sentence, fields=tuple(names))
        return
    pattern = error.rule if keyword == "pattern" else None
    complaint = COMPLAINTS.get(keyword, _unexplained)
    message = f"{spoken(path)} {complaint(error.rule, error)}"
    yield SchemaViolation(
        path, keyword, at, message[0].upper() + message[1:] if message.startswith(WHOLE) else message, pattern
    )


def _unexplained(_rule: Json, error: Broken) -> str:
    return f"breaks the rule “{error.keyword}” of its schema"


def _shortened(part: Any) -> Any:
    """Cut a name that a caller made up; an index is one already."""
    is_long = isinstance(part, str) and len(part) > LONGEST_NAME
    return part[:LONGEST_NAME] + "…" if is_long else part


def _unknown(name: Any, known: tuple[str, ...]) -> str:
    shown = _shortened(str(name))
    return f"{shown or 'the empty name'} is not a known field{FIELDS.ask(_meant, shown, known)}"


def _meant(shown: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(shown, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _choice(keyword: str, rule: Json, value: Json) -> tuple[list[str], str] | None:
    """Read `oneOf`, `anyOf` and `not` over required fields as the choice they mean; None: they mean more."""
    names = list(rule.get("required", ())) if keyword == "not" and isinstance(rule, Mapping) else []
    if len(names) == 2:  # noqa: PLR2004 - a pair
        return names, f"Provide either {names[0]} or {names[1]}, not both"
    if keyword not in {"oneOf", "anyOf"}:
        return None
    names = required_of(rule)
    if not names:
        return None
    if keyword == "anyOf":
        return names, f"Provide at least one of {_listed(names)}"
    if len(names) == 2:  # noqa: PLR2004 - a pair
        is_neither = isinstance(value, Mapping) and not value.keys() & set(names)
        said = f"Provide {_listed(names)}" if is_neither else f"Provide either {_listed(names)}, not both"
        return names, said
    return names, f"Provide exactly one of {_listed(names)}"


def required_of(branches: Sequence[Json]) -> list[str]:
    """Give the names that branches ask for, where each asks for just one; else none."""
    asked = [each.get("required", ()) if isinstance(each, Mapping) else () for each in branches]
    return [name for names in asked for name in names] if all(len(each) == 1 for each in asked) else []


def _listed(names: Sequence[str]) -> str:
    """Join names as in speech.

    >>> _listed(["a", "b", "c"])
    'a, b or c'
    """
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _type(rule: Json, _error: Any) -> str:
    names = [rule] if isinstance(rule, str) else rule
    return f"must be {_listed([ARTICLES.get(name, str(name)) for name in names])}"


def _items(bound: str) -> Complaint:
    def complaint(rule: Json, error: Any) -> str:
        is_exact = error.schema.get("minItems") == error.schema.get("maxItems")
        return f"must hold {'exactly' if is_exact else bound} {rule} items (it holds {len(error.instance)})"

    return complaint


# What to say of a broken keyword, to stand behind the name of the place.
COMPLAINTS: Mapping[str, Complaint] = {
    "false": lambda _rule, _error: "is not allowed",
    "required": lambda _rule, _error: "is required",
    "type": _type,
    "enum": lambda rule, _error: "must be one of: " + ", ".join(str(item) for item in rule),
    "const": lambda rule, _error: f"must be {rule}",
    "minLength": lambda rule, _error: (
        "must not be empty" if rule == 1 else f"must have at least {rule} characters"
    ),
    "maxLength": lambda rule, error: f"must have at most {rule} characters (it has {len(error.instance)})",
    "pattern": lambda rule, _error: f"must match the pattern {rule}",
    "minItems": _items("at least"),
    "maxItems": _items("at most"),
    "minimum": lambda rule, _error: f"must be at least {rule}",
    "maximum": lambda rule, _error: f"must be at most {rule}",
    "exclusiveMinimum": lambda rule, _error: f"must be more than {rule}",
    "exclusiveMaximum": lambda rule, _error: f"must be less than {rule}",
    "multipleOf": lambda rule, _error: f"must be a multiple of {rule}",
    "uniqueItems": lambda _rule, _error: "must not hold the same item twice",
}
