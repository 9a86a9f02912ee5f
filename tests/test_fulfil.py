"""What was ordered of a call and of the calls that it stood for: what of it came, and the longest delay."""

import pytest
from conftest import header, said

from mockserver import Request
from mockserver.call import Override
from mockserver.pipeline.fulfil import join
from mockserver.walk import pauses

TOOL = {"name": "generate_thumbnail", "arguments": {"prompt": "Focus"}}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": TOOL}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def waits(engine, body, **headers):
    """Give the pauses of one call of MCP, in seconds."""
    import orjson

    sent = {"content-type": "application/json", **headers}
    walk = pauses(engine.walk(Request("POST", "/api/mcp", sent, body=orjson.dumps(body))))
    return list(walk)


@pytest.mark.parametrize("message", [CALL, PING])
@pytest.mark.parametrize("name", ["authorization", "x-api-key"])
def test_a_delay_that_a_key_orders_holds_for_every_message_of_mcp(engine, message, name):
    key = "Bearer nsk_test_delay_800" if name == "authorization" else "nsk_test_delay_800"
    assert waits(engine, message, **{name: key}) == [0.8]


def test_a_delay_that_a_tools_prompt_orders_holds(engine):
    worded = {**TOOL, "arguments": {"prompt": "Focus [delay_300]"}}
    message = {**CALL, "params": worded}
    assert waits(engine, message, authorization="Bearer nsk_test") == [0.3]


def test_of_two_delays_the_header_wins_as_ever(engine):
    headers = {"authorization": "Bearer nsk_test_delay_800", "prefer": "delay=200"}
    assert waits(engine, CALL, **headers) == [0.2]


def test_an_error_that_a_key_orders_is_the_tools_own(ask):
    answer = ask("POST", "/api/mcp", CALL, authorization="Bearer nsk_test_rate_limited")
    assert said(answer)["result"]["isError"] is True
    assert said(ask("POST", "/api/mcp", PING, authorization="Bearer nsk_test_rate_limited"))["result"] == {}


def test_the_end_of_a_tools_job_is_applied(ask):
    answer = ask("POST", "/api/mcp", CALL, authorization="Bearer nsk_test", prefer="job=failed")
    assert header(answer, "preference-applied") == "job=failed"


LINKED = [
    ("/v2/thumbnail/text", {"prompt": "a", "model": "pkz_4", "format": "1:1"}, "x_api_key", "pkz_test"),
    ("/api/v1/generate", {"prompt": "a"}, "authorization", "Bearer nsk_test"),
    ("/v1/generate", {"title": "a", "format": "youtube"}, "x_api_key", "tb_test"),
]


@pytest.mark.parametrize(("path", "body", "name", "key"), LINKED, ids=[each[0] for each in LINKED])
def test_what_becomes_of_downloads_is_carried_out_where_links_are_handed_out(ask, path, body, name, key):
    answer = ask("POST", path, body, **{name: key, "prefer": "download=404"})
    assert header(answer, "preference-applied") == "download=404"
    assert header(answer, "mock-violations") is None


def test_warnings_of_a_tool_come_in_one_header(ask):
    answer = ask("POST", "/api/mcp", CALL, authorization="Bearer nsk_test", prefer="cod=402")
    assert [name for name, _ in answer.headers].count("Mock-Violations") == 1


def test_what_a_call_stands_for_makes_it_no_quicker(ask, heard):
    ask("POST", "/api/mcp", PING, authorization="Bearer nsk_test")
    part = heard[0]._replace(override=Override(delay_ms=100))
    assert [join(Override(delay_ms=own), [part]).delay_ms for own in (500, 50)] == [500, 100]
