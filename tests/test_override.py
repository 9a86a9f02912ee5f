"""The Prefer header (RFC 7240): what is read out of it, what is honoured, and what nobody can fulfil."""

import pytest
from conftest import header, said
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.pipeline.override import LONGEST_DELAY_MS, delay_ms, read_preferences

SCORE = {"image_url": "https://example.com/a.png"}
HEADERS = [
    ("code=402", {"code": "402"}),
    ("Code=402", {"code": "402"}),
    ('code="402"', {"code": "402"}),
    ("code = 402 ,delay =  8", {"code": "402", "delay": "8"}),
    ("code=402;example=NO_MONEY", {"code": "402", "example": "NO_MONEY"}),
    ("code=402, code=500", {"code": "402"}),
    ("respond-async, wait=10", {"respond-async": "", "wait": "10"}),
    ("code=", {"code": ""}),
    ('code=""', {"code": ""}),
    (",, ;code=402;", {"code": "402"}),
    ("", {}),
    ("=402", {}),
    ("code=4 02, delay=1", {"delay": "1"}),
    ('note="a, code=500, b", code=402', {"note": "a, code=500, b", "code": "402"}),
    ('note="a; code=500; b"', {"note": "a; code=500; b"}),
]
DELAYS = [
    ("800", 800),
    ("0", 0),
    ("600000", 600_000),
    ("600001", LONGEST_DELAY_MS),
    ("-1", 0),
    ("1.5", 0),
    ("²", 0),
    ("٣", 0),
    ("", 0),
    ("soon", 0),
    ("9" * 5000, LONGEST_DELAY_MS),
]
UNKNOWN = [
    "code=418", "code=204", "code=abc", "code=", "code=²", "code=" + "9" * 5000, "example=NOPE",
    "code=402, example=CONFLICT", "code=200, example=CONFLICT",
    "delay=-1", "delay=soon", "delay=600001", "delay=" + "9" * 5000, "delay=²",
]  # fmt: skip


@pytest.mark.parametrize(("header", "found"), HEADERS)
def test_preferences_are_read_as_rfc_7240_says(header, found):
    assert read_preferences({"prefer": header}) == found


@settings(derandomize=True)
@given(st.text(st.characters(max_codepoint=255)))
def test_any_header_is_read_somehow(header):
    assert all(name == name.lower() for name in read_preferences({"prefer": header}))


@pytest.mark.parametrize(("text", "wanted"), DELAYS)
def test_a_delay_is_a_number_of_milliseconds_up_to_ten_minutes(text, wanted):
    assert delay_ms({"delay": text}) == wanted


def test_without_a_preference_there_is_no_delay():
    assert delay_ms({}) == 0


HONOURED = [
    ("code=402", "code=402"),
    ("code=402, example=insufficient_credits, delay=5", "code=402, example=insufficient_credits, delay=5"),
    ("example=conflict, wait=10", "example=conflict"),
    ("code=200", "code=200"),
    ("delay=0", None),
    ("wait=10", None),
    ("job=failed", None),  # a score has no job
    ("", None),
]


@pytest.mark.parametrize(("prefer", "note"), HONOURED)
def test_only_what_was_honoured_is_said_to_be_applied(ask, prefer, note):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer=prefer)
    assert header(answer, "preference-applied") == note


def test_of_a_refused_call_only_the_delay_is_honoured(ask):
    answer = ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test", prefer="code=400, delay=1")
    assert (answer.status, header(answer, "preference-applied")) == (400, "delay=1")


def test_an_order_that_is_refused_waits_for_nothing(ask, heard):
    ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer="code=418, delay=60000")
    assert heard[0].override.delay_ms == 0


@pytest.mark.parametrize("prefer", UNKNOWN)
def test_an_order_that_nobody_can_fulfil_is_refused_in_our_own_voice(ask, prefer):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer=prefer)
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (400, "application/problem+json")
    assert said(answer)["title"] == "Unknown preference"


def test_a_refused_order_lists_what_there_is(ask):
    answer = said(ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer="code=418"))
    assert answer["available"]["200"] == []
    assert answer["available"]["402"] == ["INSUFFICIENT_CREDITS", "SMART_BALANCE_PAYMENT_FAILED"]


@pytest.mark.parametrize(
    ("prefer", "status", "error"),
    [
        ("code=402", 402, "INSUFFICIENT_CREDITS"),
        ("example=conflict", 409, "CONFLICT"),
        ("code=402, example=SMART_BALANCE_PAYMENT_FAILED", 402, "SMART_BALANCE_PAYMENT_FAILED"),
        ("code=200", 200, None),
        ("respond-async, wait=10", 200, None),
        ('note="a, code=402, b"', 200, None),
    ],
)
def test_an_order_is_fulfilled(ask, prefer, status, error):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer=prefer)
    assert (answer.status, answer.error) == (status, error)


def test_an_order_waits_behind_what_is_wrong_with_the_call(ask):
    answer = ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test", prefer="code=402")
    assert (answer.status, "Preference-Applied" in dict(answer.headers)) == (400, False)


def test_the_header_wins_over_the_key(ask):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test_conflict", prefer="code=402")
    assert answer.error == "INSUFFICIENT_CREDITS"


def test_a_delay_is_waited_for_by_whoever_asks(ask, heard):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer="delay=20")
    assert (answer.status, header(answer, "preference-applied")) == (200, "delay=20")
    assert (heard[0].override.delay_ms, heard[0].duration_s >= 0.02) == (20, True)
