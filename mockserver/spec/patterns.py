r"""ECMA-262 regular expressions, matched exactly by `regress`, rewritten for the fast path where it is safe.

OpenAPI patterns are ECMA-262; Python's `re` and Rust's `regex` read `.`, `$` and `\s` differently.
"""

import functools
import re
from collections.abc import Callable

# What ECMA-262 calls WhiteSpace and LineTerminator; Rust's \s has U+0085 more and U+FEFF less.
LINE_ENDS = "\n\r\u2028\u2029"
SPACES = "\t\v\f \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff" + LINE_ENDS
CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": SPACES}
CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
CLASS = re.compile(r"\\[dws]")
QUANTIFIER = re.compile(r"\{\d+(,\d*)?\}")


@functools.cache
def matcher(pattern: str) -> Callable[[str], bool]:
    """Compile a pattern into a search over a string, with the Unicode flag as Ajv sets it.

    A lone surrogate is searched as U+FFFD, which no pattern tells apart from it. Raises
    `ValueError` where the pattern is not ECMA-262.
    """
    import regress  # noqa: PLC0415 - needed by refusals alone, so not at start-up

    try:
        compiled = regress.Regex(pattern, "u")
    except regress.RegressError:
        try:
            compiled = regress.Regex(pattern)
        except regress.RegressError as error:
            raise ValueError(f"{pattern!r} is no ECMA-262 pattern: {error}") from error
    return lambda text: compiled.find(LONE_SURROGATE.sub("\ufffd", text)) is not None


def for_rust(pattern: str) -> str | None:
    r"""Rewrite an ECMA-262 pattern so that Rust's engine reads it alike; None where that is not certain.

    >>> for_rust("^a+$")
    '^a+$'
    >>> for_rust(r"(?<name>a)\1") is None
    True
    """
    out: list[str] = []
    at = 0
    while at < len(pattern):
        piece, step = _atom(pattern, at)
        if piece is None:
            return None
        out.append(piece)
        at += step
    return "".join(out)


def _atom(pattern: str, at: int) -> tuple[str | None, int]:
    """Rewrite the piece that starts at `at`; give it with its length in the source."""
    char = pattern[at]
    if char == ".":
        return f"[^{LINE_ENDS}]", 1
    if char == "[":
        return _character_class(pattern, at)
    if char == "\\":
        return _escape(pattern, at, is_in_class=False)
    if char == "(" and pattern[at + 1 : at + 2] == "?":
        group = pattern[at : at + 3]
        return (group, 3) if group in {"(?:", "(?=", "(?!"} else (None, 0)
    if char == "{":
        quantifier = QUANTIFIER.match(pattern, at)
        return (quantifier[0], len(quantifier[0])) if quantifier else (None, 0)
    return (None, 0) if char in "]}" else (char, 1)


def _escape(pattern: str, at: int, *, is_in_class: bool) -> tuple[str | None, int]:
    """Rewrite an escape; classes become explicit ranges."""
    char = pattern[at + 1 : at + 2]
    if char in CLASSES:
        return (CLASSES[char] if is_in_class else f"[{CLASSES[char]}]"), 2
    if char and char in "DWS":
        return (None, 0) if is_in_class else (f"[^{CLASSES[char.lower()]}]", 2)
    if char in CONTROLS:
        return CONTROLS[char], 2
    if char and not char.isalnum() and char.isascii():
        return re.escape(char) if char not in "-/" else f"\\{char}", 2
    return None, 0


def _character_class(pattern: str, at: int) -> tuple[str | None, int]:
    """Rewrite `[…]`; what Rust gives a meaning of its own inside a class is escaped."""
    out = ["["]
    here = at + 1
    if pattern[here : here + 1] == "^":
        out.append("^")
        here += 1
    start, after_class = here, False
    while here < len(pattern) and pattern[here] != "]":
        piece: str | None = pattern[here]
        step = 1
        is_range = piece == "-" and here > start and pattern[here + 1 : here + 2] != "]"
        if is_range and (after_class or CLASS.match(pattern, here + 1)):
            return None, 0  # `\w-x` is no range, and not even allowed with the Unicode flag
        after_class = CLASS.match(pattern, here) is not None
        if piece == "\\":
            piece, step = _escape(pattern, here, is_in_class=True)
        elif piece in set("[&~"):
            piece = f"\\{piece}"
        if piece is None:
            return None, 0
        out.append(piece)
        here += step
    if here == start or here >= len(pattern) or "--" in pattern[start:here]:
        return None, 0  # ECMA-262 has empty classes, Rust has none; "--" is a set difference there
    return "".join([*out, "]"]), here - at + 1
