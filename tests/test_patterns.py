"""ECMA-262 patterns: exact verdicts of the validator, and a fast path that never differs from it."""

import functools
import itertools
import string
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mockserver.spec.catalog import load
from mockserver.spec.patterns import LINE_ENDS, SPACES, for_rust, matcher
from mockserver.spec.schema import Schema

PROMPT = "^(?!.*[Hh][Tt][Tt][Pp]).+$"
URL = r"^https://\S+$"
DATA_URL = "^data:image/[a-zA-Z0-9.+-]+;base64,"
NAME = r"^[a-zA-Z0-9\s\-_]+$"

# By hand from ECMA-262, chapter 22.2; Python's `re` is wrong on every line marked so.
VERDICTS = [
    (PROMPT, "abc", True),
    (PROMPT, "abc\n", False),  # re: True
    (PROMPT, "a\rb", False),  # re: True
    (PROMPT, "a\u2028b", False),  # re: True
    (PROMPT, "a\u2029b", False),  # re: True
    (PROMPT, "a\u0085b", True),
    (PROMPT, "\ud800", True),
    (PROMPT, "see HtTp", False),
    (PROMPT, "see\nhttp", False),
    (PROMPT, "", False),
    (URL, "https://x", True),
    (URL, "https://x\n", False),  # re: True
    (URL, "https://\x1c", True),  # re: False
    (URL, "https://\ufeff", False),  # re: True
    (URL, "https://\u0085", True),  # re: False
    (URL, "https://a b", False),
    (URL, "https://\ud800", True),
    (URL, "HTTPS://x", False),
    (NAME, "Creator Studio_1-2", True),
    (NAME, "\x1c", False),  # re: True
    (NAME, "\ufeff", True),  # re: False
    (NAME, "\u0085", False),  # re: True
    (NAME, "\u180e", False),
    (NAME, "é", False),
    (NAME, "٣", False),
    (DATA_URL, "data:image/svg+xml;base64,", True),
    (DATA_URL, "data:image/png;base64,\n", True),
    (DATA_URL, "x data:image/png;base64,", False),
    ("^.$", "😀", True),
    ("^..$", "😀", False),
    ("^.$", "\ud800", True),
    (r"^\d$", "٣", False),
    (r"^\w$", "é", False),
    ("a$", "a\n", False),
    ("b", "abc", True),
    ("^https://", "https://é\ud83d", True),
]


def patterns_in(schema: Any) -> set[str]:
    """Every pattern that stands in a schema."""
    if isinstance(schema, list):
        return {found for each in schema for found in patterns_in(each)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
    return own.union(*(patterns_in(each) for each in schema.values()))


BODIES = [
    schema.document
    for operation in load().operations
    if operation.body
    for schema in operation.body.schemas.values()
]
OWN_PATTERNS = sorted(patterns_in(BODIES))
ALL_SPACES = [
    char
    for char in map(chr, range(0x10000))
    if char.isspace() or char in SPACES or char in "\u180e\u200b\u2060"
]
UNSUPPORTED = [
    r"(?<year>a)", r"(?<=a)b", r"(?<!a)b", r"(a)\1", r"\bword\b", r"\Ba", r"\x41", r"\u0041",
    r"\u{41}", r"\p{L}", r"\cA", r"\0",
    r"[a-\d]", r"[\w-x]", r"[x\w-x]", "[a-",
    "[]", "[^]", "[a--b]", r"[\S]", r"[\D]", r"[^\W]", r"[\b]", r"[\x41]",
    "[a", "a{,3}", "a{b", "a}", "a]", "a\\",
]  # fmt: skip
REAL_WORLD = [
    r"^[\w-.]+$", r"^[\w-x]+$", r"[^\w-x]", r"^[a-\d]$", r"^[\w.%+-]+@[\w-]+\.[a-z]{2,}$",
    r"^\/[^\s/]+\/?$", r"^#[0-9a-f]{3,6}$", r"^[^\[\]{}()]*$", r"^[&&a]+$", r"^[a~~b]+$",
    r"^\$\d+\.\d{2}$", r"^(?:a|b)+?$", r"^(?=.*\d)(?!.*\s).{2,}$", "^[a^]$", r"^[!--]$", r"^\_\-$",
]  # fmt: skip
TRAPS = [
    *ALL_SPACES,
    "\ud800",
    "\udfff",
    "😀",
    "\0",
    "\x1c",
    "`",
    "^",
    "_",
    "-",
    ".",
    "x",
    "a",
    "A",
    "1",
    "٣",
    "é",
    "[",
    "&",
    "~",
    "/",
]

texts = st.lists(st.sampled_from(TRAPS) | st.characters(codec=None), max_size=4).map("".join)


@functools.cache
def fast_path(pattern: str) -> Any:
    """The fast path's reader of a pattern; None where it does not read it."""
    rewritten = for_rust(pattern)
    return None if rewritten is None else jsonschema_rs.Draft202012Validator({"pattern": rewritten})


def fast_path_says(pattern: str, text: str) -> bool | None:
    """What the fast path makes of a text; None where it does not read the pattern or the text."""
    try:
        reader = fast_path(pattern)
        return None if reader is None else bool(reader.is_valid(text))
    except ValueError:
        return None  # a lone surrogate, which is left to the validator


@pytest.mark.parametrize(("pattern", "text", "is_match"), VERDICTS)
def test_the_validator_reads_patterns_as_ecmascript_does(pattern, text, is_match):
    assert matcher(pattern)(text) is is_match


@pytest.mark.parametrize(("pattern", "text", "is_match"), VERDICTS)
def test_a_schema_accepts_exactly_what_its_pattern_does(pattern, text, is_match):
    assert Schema({"type": "string", "pattern": pattern}, "here").accepts(text) is is_match


def test_the_traps_of_the_design_are_about_patterns_that_the_documents_hold():
    assert {PROMPT, URL, DATA_URL, NAME} <= set(OWN_PATTERNS)


@pytest.mark.parametrize("pattern", OWN_PATTERNS)
def test_the_fast_path_reads_every_pattern_of_the_bundled_documents(pattern):
    assert for_rust(pattern) is not None


@pytest.mark.parametrize(
    "pattern", [*OWN_PATTERNS, r"\s", r"\S", r"^.$", r"[\s]", r"[^\s]", r"\w", r"\W", r"\d", r"\D"]
)
def test_fast_path_and_validator_agree_on_every_white_space_and_every_neighbour_of_ascii(pattern):
    start = {URL: "https://", DATA_URL: "data:image/", PROMPT: "a"}.get(pattern, "")
    for char in [*ALL_SPACES, *map(chr, range(256))]:
        for text in (char, start + char, f"{start}{char}b", f"{start}b{char}"):
            assert fast_path_says(pattern, text) is matcher(pattern)(text), repr(text)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.sampled_from(OWN_PATTERNS),
    st.sampled_from(["", "https://", "data:image/png;base64,", "16:9", "a http"]),
    texts,
)
def test_fast_path_and_validator_agree_on_any_text(pattern, start, text):
    assert fast_path_says(pattern, start + text) in {None, matcher(pattern)(start + text)}


@pytest.mark.parametrize("pattern", REAL_WORLD)
def test_fast_path_and_validator_agree_on_patterns_as_people_write_them(pattern):
    matches = matcher(pattern)
    for chars in itertools.chain(*(itertools.product(string.printable, repeat=length) for length in (1, 2))):
        text = "".join(chars)
        assert fast_path_says(pattern, text) in {None, matches(text)}, repr(text)


atoms = st.sampled_from(
    [
        "a",
        "x",
        "-",
        "_",
        "/",
        "#",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\S",
        r"\W",
        r"\.",
        r"\-",
        r"\/",
        r"\n",
        r"\t",
        "^",
        "$",
        "é",
        "&",
        "~",
    ]
)
singles = st.sampled_from(
    ["a", "x", "-", "_", ".", "0", "9", r"\d", r"\w", r"\s", r"\-", r"\]", "[", "&", "~", "^"]
)
ranges = st.builds("{}-{}".format, singles, singles)
members = st.lists(singles | ranges, min_size=1, max_size=3)
classes = st.builds(lambda no, inner: f"[{no}{''.join(inner)}]", st.sampled_from(["", "^"]), members)
pieces = st.builds(
    lambda piece, count: piece + count,
    atoms | classes,
    st.sampled_from(["", "*", "+", "?", "{2}", "{1,2}", "+?"]),
)
groups = st.builds(
    lambda kind, inner: f"({kind}{''.join(inner)})",
    st.sampled_from(["", "?:", "?=", "?!"]),
    st.lists(pieces, max_size=3),
)
patterns = st.lists(pieces | groups | st.just("|"), min_size=1, max_size=4).map("".join)


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.soak)])
def test_fast_path_and_validator_agree_on_any_pattern(times):
    @settings(max_examples=500 * times, deadline=None, derandomize=True)
    @given(patterns, st.lists(texts, min_size=3, max_size=3))
    def agree(pattern, several):
        try:
            matches = matcher(pattern)
        except ValueError:
            assume(False)
        for text in several:
            assert fast_path_says(pattern, text) in {None, matches(text)}

    agree()


@pytest.mark.parametrize(
    ("pattern", "rewritten"),
    [
        (r"[\w-]x[a]", r"[A-Za-z0-9_-]x[a]"),
        (r"[-\w]x", r"[-A-Za-z0-9_]x"),
        (r"[^-\d]x", r"[^-0-9]x"),
        ("[a-]b", "[a-]b"),
        ("[a-c]", "[a-c]"),
        (r"[\-\]]b", r"[\-\]]b"),
        ("[&&[~]", r"[\&\&\[\~]"),
        (r"\t\n\/\-", "\t\n\\/\\-"),
        ("(?:a)(?=b)(?!c)(d)", "(?:a)(?=b)(?!c)(d)"),
        ("a{2}b{3,}c{4,5}d", "a{2}b{3,}c{4,5}d"),
        (r"\D", "[^0-9]"),
    ],
)
def test_a_pattern_is_rewritten_piece_by_piece(pattern, rewritten):
    assert for_rust(pattern) == rewritten


@pytest.mark.parametrize("pattern", UNSUPPORTED)
def test_what_the_fast_path_might_read_differently_is_not_handed_to_it(pattern):
    assert for_rust(pattern) is None


def test_a_schema_whose_pattern_the_fast_path_cannot_read_is_validated_all_the_same():
    schema = Schema({"type": "string", "pattern": r"^(?<first>.)\1$"}, "here")
    assert not schema.has_fast_path
    assert (schema.accepts("aa"), schema.accepts("ab")) == (True, False)


def test_a_pattern_that_is_no_ecmascript_is_an_error():
    for pattern in ("(", "[b-a]", "a**", "(?P<n>a)"):
        with pytest.raises(ValueError, match="no ECMA-262 pattern"):
            matcher(pattern)


def test_a_pattern_that_only_older_ecmascript_knows_is_read_without_the_unicode_flag():
    assert matcher(r"^\-$")("-")


def test_line_ends_are_spaces():
    assert set(LINE_ENDS) <= set(SPACES)
