"""The fast path's own account of what is wrong with a small value, in a tenth of the validator's time.

It is believed where both readers are certain to say the same; where they may not, the validator is asked.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.jsontext import Json
from mockserver.spec.explain import Broken

Way = tuple[str | int, ...]  # into a schema
# The same as numbers, by which errors are put in order. In brackets is what also goes down into the value; in
# empty ones, in the order of the value itself.
Steps = tuple[int | tuple[int] | tuple[()], ...]
# Keywords that both readers understand alike, and those whose value is a schema that both apply alike.
CERTAIN = frozenset({
    "type", "enum", "const", "pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "required", "additionalProperties",
    "oneOf", "anyOf", "not",
})  # fmt: skip
PLAIN = frozenset({"items", "additionalProperties"})
MOST_PLACES = 1_000  # that are kept
MOST_PARTS, MOST_ERRORS = 200, 50  # of a value that is small; a part is 64 characters at most
LARGEST = 2**53  # numbers that every reader holds exactly


class Place(NamedTuple):
    """A keyword that was broken: its path as the validator gives it, its value, its schema, the way."""

    path: Way
    keyword: str
    rule: Json
    schema: Json
    steps: Steps


class Report:
    """What the fast path of one schema says of wrong values."""

    __slots__ = ("_document", "_places", "_target")

    def __init__(self, document: Json, target: Callable[[str], Json]) -> None:
        self._document, self._target = document, target
        self._places: dict[Way, Place | None] = {}

    def broken(self, fast_path: Any, value: Json) -> list[Broken] | None:
        """Give what is wrong, in the validator's order; None: the validator must be asked."""
        if not is_small(value):
            return None
        found: list[tuple[tuple[int, ...], Broken]] = []
        try:
            errors = fast_path.iter_errors(value)
        except ValueError:  # a lone surrogate
            return None
        for error in errors:
            place, at = self._place(tuple(error.evaluation_path)), tuple(error.instance_path)
            if place is None or len(found) == MOST_ERRORS:
                return None
            path, keyword, rule, schema, steps = place
            turn, instance = _turn(steps, at, value)
            if keyword == "required":
                name = error.kind.value
                at, turn = (*at, name), (*turn, rule.index(name))
            found.append((turn, Broken(at, path, keyword, rule, instance, schema)))
        found.sort(key=operator.itemgetter(0))
        return [broken for _, broken in found]

    def _place(self, way: Way) -> Place | None:
        if way in self._places:
            return self._places[way]
        place = self._find(self._document, way)
        if len(self._places) < MOST_PLACES:  # a schema that refers to itself has any number
            self._places[way] = place
        return place

    def _find(self, schema: Json, way: Way, path: Way = (), steps: Steps = ()) -> Place | None:
        """Follow the way to a keyword; None: the readers may differ on what stands there."""
        keyword = way[0] if way else None
        if not isinstance(schema, Mapping) or keyword not in schema:
            return None
        rule, rest, steps = schema[keyword], way[1:], (*steps, list(schema).index(keyword))
        if keyword == "$ref":
            return self._find(self._target(rule), rest, path, steps)
        path = (*path, str(keyword))
        if keyword in CERTAIN and not rest:
            return Place(path, str(keyword), rule, schema, steps)
        if keyword in PLAIN and rest:
            return self._find(rule, rest, path, (*steps, ()))
        return self._find_below(rule, rest, path, steps) if keyword in {"properties", "allOf"} else None

    def _find_below(self, schemas: Json, way: Way, path: Way, steps: Steps) -> Place | None:
        """Go on in one of the schemas of `properties` or `allOf`."""
        inner = way[0]
        steps = (*steps, inner if isinstance(inner, int) else (list(schemas).index(inner),))
        if schemas[inner] is False:  # the validator finds what is forbidden at `properties`
            return Place(path, "false", False, False, steps)
        return self._find(schemas[inner], way[1:], (*path, inner), steps)


def _turn(steps: Steps, at: Way, value: Json) -> tuple[tuple[int, ...], Json]:
    """Give an error's turn among all, and the part of the value that is wrong."""
    turn, parts = list[int](), iter(at)
    for step in steps:
        if isinstance(step, int):
            turn.append(step)
            continue
        part = next(parts)
        if step:
            turn.append(step[0])
        else:
            turn.append(part if isinstance(part, int) else list(value).index(part))
        value = value[part]
    return tuple(turn), value


def is_small(value: Json) -> bool:
    """Whether a value has few parts, and no number or name that a reader may hold in its own way."""
    left, waiting = MOST_PARTS, [value]
    while waiting and left >= 0:
        part = waiting.pop()
        left -= 1
        if isinstance(part, str):
            left -= len(part) >> 6
        elif isinstance(part, dict | list):
            if isinstance(part, dict) and "" in part:
                return False  # the fast path leaves the empty name out of its paths
            left -= len(part)
            if left >= 0:
                waiting += part.values() if isinstance(part, dict) else part
        elif isinstance(part, int | float) and not -LARGEST < part < LARGEST:
            return False
    return left >= 0
