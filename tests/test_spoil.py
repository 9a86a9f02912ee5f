"""What an ordered fault makes of an answer's bytes, as values; on the wire: test_faults_on_the_wire.py."""

import json

import pytest

from mockserver.call import Override
from mockserver.messages import Fault, Response
from mockserver.pipeline.spoil import spoil
from mockserver.problems import EmulatorProblem

JSON = (("Content-Type", "application/json; charset=utf-8"),)


def spoiled(fault, body=b"{}", headers=JSON, delay_ms=0):
    return spoil(Override(fault=fault, delay_ms=delay_ms), Response(200, headers, body))


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"a": 1, "b": 2}', b'{"a": 1,'),
        (b"[1, 2]", b"[1,"),
        (b'"text"', b'"te'),
        (b"{}", b"{"),
        (b"12", b"12}"),
        (b"true", b"true}"),
    ],
)
def test_invalid_json_is_half_of_the_answer_or_what_half_would_not_make_invalid(body, left):
    assert spoiled("INVALID_JSON", body).body == left
    with pytest.raises(ValueError, match=r"line 1"):
        json.loads(left)


@pytest.mark.parametrize(
    ("body", "headers"), [(b"", JSON), (b"<a/>", (("Content-Type", "text/xml"),)), (b"{}", ())]
)
def test_what_is_no_json_cannot_be_invalid_json(body, headers):
    with pytest.raises(EmulatorProblem, match="INVALID_JSON"):
        spoiled("INVALID_JSON", body, headers)


def test_without_a_fault_an_answer_is_as_it_was():
    answer = Response(200, JSON, b"{}")
    assert spoil(Override(), answer) is answer


@pytest.mark.parametrize(("delay_ms", "lasts_s"), [(0, 5), (1_500, 1.5)])
def test_a_slow_body_takes_as_long_as_the_delay_and_five_seconds_where_there_is_none(delay_ms, lasts_s):
    assert spoiled("SLOW_BODY", delay_ms=delay_ms).fault == Fault("SLOW_BODY", lasts_s)
    assert spoiled("HANG", delay_ms=delay_ms).fault == Fault("HANG", 0)
