"""JSON text in and out, read as JavaScript's `JSON.parse` reads it; the only home of `orjson`.

`orjson` is the fast path: it accepts a part of what `JSON.parse` accepts, with the same values. What it
refuses is read by `json`, which knows lone surrogates and numbers beyond a double, and where the mistake is.
"""

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from mockserver import pointer

Json = Any
# Deeper than any real body, and less than what the validators take; JSON.parse itself has no such limit.
MAX_NESTING = 200
TOO_DEEP = f"the value is nested deeper than {MAX_NESTING} levels"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# An empty list takes three bytes of text and seventy of memory; of what is short, nobody need count.
MOST_VALUES, MOST_OF_A_WORLD, UNCOUNTED_BYTES = 500_000, 5_000_000, 1024 * 1024
LONGEST_INTEGER = 300  # digits; a longer one is read as a double, and so is infinite


class MalformedJsonError(ValueError):
    """The text is not JSON; the message says where and why."""


def parse(text: bytes, most_values: int = MOST_VALUES) -> tuple[Json, tuple[str, ...]]:
    """Read JSON; give the value and JSON Pointers to members that stand twice (the last one counts).

    Raises MalformedJsonError, also for a text of more than 1 MiB that holds more than `most_values` values.

    >>> parse(b'{"x": {"a": 1, "a": 2}}')
    ({'x': {'a': 2}}, ('/x/a',))
    """
    if len(text) > UNCOUNTED_BYTES and sum(map(text.count, (b",", b"[", b"{"))) > most_values:
        raise MalformedJsonError(f"it holds more than {most_values:,} values, more than this server takes")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:  # also of what is nested deeper than it likes
        found = _read_slowly(text)
        _strings(found[0])
        return found
    # Every string stands between two quotes, so fewer strings than pairs mean a member that was replaced
    # (or an escaped quote): only then is the slow reader asked.
    if text.count(b'"') != 2 * _strings(value):
        return value, _read_slowly(text)[1]
    return value, ()


def dump(value: Json) -> bytes:
    """Write JSON as UTF-8, dataclasses as objects; a lone surrogate becomes an escape, as in JavaScript."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(_plain(value), separators=(",", ":")).encode()


def _plain(value: Json) -> Json:
    """Make a value of what `json` writes as `orjson` does: dataclasses are objects, infinity is null."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _strings(value: Json, depth: int = 1) -> int:
    """Count the strings of a value, names too. Raises MalformedJsonError where it is nested too deep."""
    kind = type(value)
    if kind is str:
        return 1
    if kind is not dict and kind is not list:
        return 0
    if depth > MAX_NESTING:
        raise MalformedJsonError(TOO_DEEP)
    count = len(value) if kind is dict else 0
    for item in value.values() if kind is dict else value:
        inner = type(item)
        if inner is str:
            count += 1
        elif inner is dict or inner is list:
            count += _strings(item, depth + 1)
    return count


def _read_slowly(text: bytes) -> tuple[Json, tuple[str, ...]]:
    # By identity; the object itself is kept, so that none is reused.
    repeated: dict[int, tuple[Json, list[str]]] = {}

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(pairs)
        if len(made) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated[id(made)] = (made, [name for name, count in counts.items() if count > 1])
        return made

    if text.startswith(BYTE_ORDER_MARK):
        raise MalformedJsonError("the text begins with a byte order mark, which JSON must not")
    try:
        decoded = text.decode("utf-8")
        value = json.loads(decoded, object_pairs_hook=members, parse_constant=_not_json, parse_int=_whole)
    except UnicodeDecodeError as error:
        raise MalformedJsonError(f"the text is not UTF-8: byte {error.start} is wrong") from error
    except RecursionError as error:
        raise MalformedJsonError(TOO_DEEP) from error
    except json.JSONDecodeError as error:
        raise MalformedJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    return value, tuple(_places(value, repeated, "")) if repeated else ()


def _places(value: Json, repeated: Mapping[int, tuple[Json, list[str]]], place: str) -> Iterator[str]:
    """Find where in a value the repeated members stand; in an object that was itself replaced, nowhere."""
    if isinstance(value, dict):
        for name in repeated[id(value)][1] if id(value) in repeated else ():
            yield f"{place}{pointer.write((name,))}"
        for name, item in value.items():
            if isinstance(item, dict | list):
                yield from _places(item, repeated, f"{place}{pointer.write((name,))}")
    else:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict | list):
                yield from _places(item, repeated, f"{place}/{index}")


def _not_json(name: str) -> Json:
    raise MalformedJsonError(f"{name} is JavaScript but not JSON")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)
