"""JSON is read as JavaScript's `JSON.parse` reads it, and written as `JSON.stringify` writes it."""

import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.jsontext import MAX_NESTING, MalformedJsonError, dump, parse

# What JSON.parse of V8 refuses.
MALFORMED = {
    "nothing": b"",
    "spaces alone": b" \n",
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "an overlong slash": b'"\xc0\xaf"',
    "a comma too many": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "a bare name": b"{a: 1}",
    "a leading zero": b"[01]",
    "a leading plus": b"[+1]",
    "a point without digits": b"[1.]",
    "a hexadecimal number": b"[0x10]",
    "an underscore in a number": b"[1_0]",
    "a raw line break in a string": b'"a\nb"',
    "a raw NUL in a string": b'"a\x00b"',
    "an unknown escape": rb'"\x41"',
    "half an escape": rb'"\u12"',
    "two values": b"{} {}",
    "a comment": b"{} // no",
    "a no-break space": "\u00a0{}".encode(),
    "a vertical tab": b"\x0b{}",
    "an open bracket": b"[1",
    "capital letters": b"True",
}
# What it accepts, and what it makes of it.
UNUSUAL = {
    rb'"\ud800"': "\ud800",
    rb'{"\udc00": 1}': {"\udc00": 1},
    rb'"\ud83d\ude00"': "😀",
    rb'"\u0000"': "\0",
    '"\u2028"'.encode(): "\u2028",
    b" \t\r\n1 ": 1,
    b"1e400": math.inf,
    b"-1E400": -math.inf,
    b"1e-400": 0.0,
    b"123456789012345678901234567890": 123456789012345678901234567890.0,
    b"9" * 5000: math.inf,
    b'{"__proto__": null}': {"__proto__": None},
    b'{"": 1}': {"": 1},
}
surrogates = st.characters(codec=None, categories=("Cs", "L", "P"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(surrogates),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(surrogates), inner),
)


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_what_json_parse_refuses_is_malformed(text):
    with pytest.raises(MalformedJsonError):
        parse(text)


@pytest.mark.parametrize(("text", "value"), UNUSUAL.items(), ids=[text[:20].decode() for text in UNUSUAL])
def test_what_json_parse_accepts_is_read(text, value):
    assert parse(text) == (value, ())


def test_a_whole_number_written_with_a_point_stays_a_float_and_true_no_number():
    assert [type(item) for item in parse(b"[1, 1.0, true]")[0]] == [int, float, bool]


def test_minus_zero_keeps_its_sign():
    assert math.copysign(1, parse(b"-0.0")[0]) == -1


def test_the_last_of_two_members_counts():
    assert parse(b'{"a": 1, "b": 0, "a": {"c": 2}}')[0] == {"a": {"c": 2}, "b": 0}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b'{"a": 1, "a": 2}', ("/a",)),
        (rb'{"a": 1, "\u0061": 2}', ("/a",)),
        (b'{"a": "x", "a": "x", "a": "x"}', ("/a",)),
        (b'{"a": {"b": 1}, "c": {"b": 1}}', ()),
        (b'[{"a/b": 1, "a/b": 2}, {"a": 1}]', ("/0/a~1b",)),
        (rb'{"say": "\"hi\""}', ()),
    ],
)
def test_a_member_that_stands_twice_is_noted_by_its_place(text, places):
    assert parse(text)[1] == places


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2,' + b",".join(b'"k%d":1' % number for number in range(25_000)) + b"}",
        b"[" + b",".join([b'{"a":1,"a":2}'] * 5_000) + b"]",
    ],
    ids=["one among many members", "one in each of many objects"],
)
def test_repeated_members_are_found_in_linear_time(text):
    started = time.thread_time()
    parse(text)
    assert time.thread_time() - started < 2  # linear: 0.05 s of work


def test_nesting_is_accepted_up_to_the_limit_and_refused_beyond():
    assert parse(b"[" * MAX_NESTING + b"]" * MAX_NESTING)[1] == ()
    with pytest.raises(MalformedJsonError, match=str(MAX_NESTING)):
        parse(b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1))


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"a":' * 100_000, b'["' + b"[{" * 10_000 + b'"', b'"' + rb"\"" * 99_999]
)
def test_absurd_nesting_is_refused_without_a_crash(text):
    with pytest.raises(MalformedJsonError):
        parse(text)


def test_brackets_in_strings_and_beside_each_other_nest_nothing():
    text = json.dumps({"a": "[" * 1000, 'b"[': "\\" * 3, "c": [[]] * 1000}).encode()
    assert parse(text)[0]["c"] == [[]] * 1000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": 1,\n "b" 2}', "line 2, column 6"),
        (b'{"a": "\xff"}', "byte 7"),
        (b'{"a": NaN}', "NaN is JavaScript but not JSON"),
    ],
)
def test_a_malformed_text_is_answered_with_the_place_and_the_reason(text, reason):
    with pytest.raises(MalformedJsonError, match=reason):
        parse(text)


@settings(deadline=None, derandomize=True)
@given(values)
def test_what_is_written_reads_back_the_same(value):
    assert parse(dump(value)) == (value, ())


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=20) | st.text('[]{}",:\\u0dn1.eE- ', max_size=20).map(str.encode))
def test_any_bytes_are_read_or_refused(text):
    try:
        value = parse(text)[0]
    except MalformedJsonError:
        return
    assert value == json.loads(text.decode())


def test_a_lone_surrogate_is_written_as_an_escape():
    assert dump(["\ud800", "é"]) == rb'["\ud800","\u00e9"]'


def test_a_number_without_end_is_written_as_null_whatever_stands_beside_it():
    assert dump([math.inf]) == b"[null]"
    assert parse(dump([math.inf, "\ud800"]))[0] == [None, "\ud800"]


def test_an_integer_beyond_64_bits_is_written_in_full():
    assert dump(10**30) == b"1" + b"0" * 30
