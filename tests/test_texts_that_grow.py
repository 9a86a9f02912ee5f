"""Texts made to take long: whatever a stranger writes is read in a time that grows with its length alone."""

import importlib
import itertools
import pkgutil
import re
import time
from pathlib import Path
from re import _constants, _parser

import orjson
import pytest
from conftest import said

import mockserver
from mockserver import create_engine
from mockserver.jsontext import MalformedJsonError, dump, parse
from mockserver.links import read_link
from mockserver.spec.explain import MOST_VIOLATIONS

# Repetitions: eight times as many may take eight times as long, not 64 times.
FEW, SHORT, LONG = 20, 1_000, 8_000
ENOUGH_S = 0.02  # what no text of the long ones takes in a linear search, many times over
ENDS = ("", "!", "\x00", "\\")
PUMPED = {" ", "a", "0", "\\", '"', "/", "[", ".", '\\"'}
SEARCHING = ("search", "sub", "subn", "finditer", "findall", "split")
Looks = tuple[str, ...]  # the methods by which an expression is used


def expressions():
    """Give every expression that a module or an engine holds, and the methods by which it is used."""
    found: dict[tuple[str | bytes, int], tuple[re.Pattern[str], Looks]] = {}
    for module in pkgutil.walk_packages(mockserver.__path__, "mockserver."):
        if module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        source = Path(str(loaded.__file__)).read_text()
        for name, value in vars(loaded).items():
            if isinstance(value, re.Pattern):
                is_searched = any(f"{name}.{method}(" in source for method in SEARCHING)
                looks = ("fullmatch", "match", "search") if is_searched else ("fullmatch", "match")
                found[value.pattern, value.flags] = (value, looks)
    for value in patterns_within(create_engine(), set(), 0):
        found.setdefault((value.pattern, value.flags), (value, ("fullmatch", "search")))
    return sorted(found.values(), key=lambda each: str(each[0].pattern))


def patterns_within(value, known, depth):
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 6 and id(value) not in known:
        known.add(id(value))
        for each in members(value):
            yield from patterns_within(each, known, depth + 1)


def members(value):
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if not type(value).__module__.startswith("mockserver"):
        return []
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name in slots)]


def letters(parsed):
    """Give the letters that an expression names: what a text is pumped with."""
    for code, value in parsed:
        if code is _constants.LITERAL:
            yield chr(value)
        elif code is _constants.IN:
            yield from (
                chr(each if kind is _constants.LITERAL else each[0])
                for kind, each in value
                if kind in {_constants.LITERAL, _constants.RANGE}
            )
        else:
            yield from (letter for part in parts_of(value) for letter in letters(part))


def parts_of(value):
    if isinstance(value, _parser.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from parts_of(each)


def pumped(pattern):
    """Give beginnings and letters for one expression: where it goes on, and what goes on in it."""
    flags = 0 if isinstance(pattern.pattern, bytes) else pattern.flags & ~re.UNICODE
    found = list(dict.fromkeys(letters(_parser.parse(pattern.pattern, flags))))
    return itertools.product(("", "".join(found[:8]), "https://a"), sorted(PUMPED | set(found[:24])), ENDS)


def taken_s(pattern, looks, text):
    text = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    began = time.perf_counter()
    for look in looks:
        getattr(pattern, look)(text)
    return time.perf_counter() - began


def slow_s(pattern, looks, text):
    """Give the seconds that a text takes, 0 for few; measured again, since others use the processor."""
    if (first := taken_s(pattern, looks, text)) <= ENOUGH_S:
        return 0
    best = min(first, *(taken_s(pattern, looks, text) for _ in range(3)))
    return best if best > ENOUGH_S else 0


def slow_texts(pattern, looks):
    """Give texts for which an expression takes much more than eight times as long as for an eighth."""
    for head, letter, end in pumped(pattern):
        if slow_s(pattern, looks, head + letter * FEW + end):
            yield head, letter, end  # it doubles with every letter: a long one would never end
        elif long := slow_s(pattern, looks, head + letter * LONG + end):
            short = min(taken_s(pattern, looks, head + letter * SHORT + end) for _ in range(3))
            if long > 16 * short:
                yield head, letter, end, round(short, 4), round(long, 4)


@pytest.mark.parametrize(
    ("pattern", "looks"), expressions(), ids=lambda each: repr(getattr(each, "pattern", ""))[:50]
)
def test_every_expression_reads_in_linear_time(pattern, looks):
    assert list(slow_texts(pattern, looks)) == []


@pytest.mark.parametrize("text", [r"\s*x", r'"(?:[^"\\]|\\.)*"', r"(a+)*b"])
def test_one_that_does_not_would_be_noticed(text):
    assert next(slow_texts(re.compile(text), ("search",)), None)


def test_brackets_before_a_long_text_are_read_at_once():
    began = time.process_time()
    with pytest.raises(MalformedJsonError, match="nested deeper"):
        parse(b"[" * 201 + b'"' + b'\\"' * 200_000 + b'"' + b"]" * 201)
    with pytest.raises(MalformedJsonError):
        parse(b"[" * 201 + b'"' + b'\\"' * 200_000)
    with pytest.raises(MalformedJsonError):
        parse(b"[" * 1_000_000)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("depth", "is_read"), [(200, True), (201, False), (2_000, False), (200_000, False)])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_json_nests_200_levels_deep(depth, is_read, opening, closing):
    text = opening * depth + b"1" + closing * depth
    if is_read:
        assert parse(text)[0]
    else:
        with pytest.raises(MalformedJsonError):
            parse(text)


def test_a_link_of_many_cdns_is_read_at_once():
    began = time.process_time()
    read_link("https://a" + "/cdn/x" * 200_000)
    assert time.process_time() - began < 2


KEY = {"x_api_key": "pkz_test"}


def refused(ask, body, path="/v2/thumbnail/image"):
    began = time.process_time()
    answer = ask("POST", path, body, **KEY)
    assert time.process_time() - began < 4
    assert answer.status in {400, 413}
    assert len(dump(said(answer))) <= 64 * 1024
    assert len(orjson.loads(dict(answer.headers)["Mock-Violations"])) <= MOST_VIOLATIONS
    return said(answer)


def test_of_many_unknown_fields_some_are_told(ask):
    told = refused(ask, {f"made_up_{each}": 1 for each in range(200_000)}, "/v2/thumbnail/score")
    assert 1 < len(told["error"]["details"]) <= MOST_VIOLATIONS + 2


def test_of_many_wrong_items_some_are_told(ask):
    body = {"prompt": "x", "model": "pkz_4", "format": "16:9", "image_urls": [7] * 300_000}
    refused(ask, body, "/v2/pikzonality/persona")
    refused(
        ask, {"name": "x", "image_urls": [{"a": each} for each in range(100_000)]}, "/v2/pikzonality/persona"
    )


def test_a_long_name_is_shortened_wherever_it_is_told(ask):
    told = refused(ask, {"x" * 1_000_000: 1}, "/v2/thumbnail/score")
    assert "…" in told["error"]["details"][0]["field"]


def test_the_nearest_of_many_paths_is_found_quickly(engine, ask):
    began = time.process_time()
    for each in range(100):
        ask("GET", f"/v2/thumbnail/scor{'e' * 190}{each}")
    assert time.process_time() - began < 2
