"""FatThumb's MCP endpoint, through the official client and by hand; its state is that of REST."""

import asyncio

import httpx2
import pytest
from conftest import header, said

KEY = {"Authorization": "Bearer nsk_test"}


def through_client(server, steps, **headers):
    """Run steps with a connected client; give what they return."""
    # Takes a second, which only the process that runs these tests shall pay.
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def run():
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{server.url}/api/mcp", http_client=http)) as client,
        ):
            return await steps(client)

    return asyncio.run(run())


def rpc(client, method, params=None, headers=None, **message):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, **({"params": params} if params else {}), **message}
    return client.post("/api/mcp", json=body, headers=headers or {})


def test_the_official_client_lists_the_tool_without_a_key(server):
    tools = through_client(server, lambda client: client.list_tools())
    assert [tool.name for tool in tools.tools] == ["generate_thumbnail"]
    assert "prompt" in tools.tools[0].input_schema["required"]


def test_a_generation_started_by_the_official_client_is_read_by_rest(server, client):
    arguments = {"prompt": "A focused developer", "count": 2}
    result = through_client(server, lambda mcp: mcp.call_tool("generate_thumbnail", arguments), **KEY)
    assert not result.is_error
    started = result.structured_content
    assert started["status"] == "processing"
    server.engine.world.clock.advance(2)
    read = client.get(f"/api/v1/generations/{started['generationId']}", headers=KEY).json()
    assert read["status"] == "succeeded"
    assert [thumbnail["id"] for thumbnail in read["thumbnails"]] == started["thumbnailIds"]


def test_what_rest_refuses_the_tool_refuses_with_the_same_words(server):
    result = through_client(
        server, lambda mcp: mcp.call_tool("generate_thumbnail", {"prompt": "a", "count": 9}), **KEY
    )
    assert result.is_error
    assert "validation_error" in result.content[0].text


def test_a_call_is_charged_as_by_rest(server, client):
    key = {"Authorization": "Bearer nsk_mcp_payer"}
    through_client(
        server,
        lambda mcp: mcp.call_tool("generate_thumbnail", {"prompt": "a", "model": "gpt-image-2"}),
        **key,
    )
    ledger = client.get("/__admin/accounts/fatthumb/nsk_mcp_payer").json()["ledger"]
    assert [entry["amount"] for entry in ledger] == [4]


def test_initialize_and_tools_list_ask_for_no_key(client):
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    answer = rpc(client, "initialize", params).json()
    assert answer["result"]["protocolVersion"] == "2025-06-18"
    assert answer["result"]["capabilities"] == {"tools": {"listChanged": False}}  # they are always the same
    assert rpc(client, "tools/list").json()["result"]["tools"][0]["name"] == "generate_thumbnail"


@pytest.mark.parametrize(
    ("wanted", "agreed"),
    [
        *((each, each) for each in ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")),
        *((each, "2025-11-25") for each in ("1999-01-01", "2025-11-26", "", None, ["2025-06-18"])),
    ],
)
def test_a_version_that_is_spoken_is_agreed_to_and_the_newest_offered_for_others(client, wanted, agreed):
    said = rpc(client, "initialize", {"protocolVersion": wanted, "capabilities": {}}).json()["result"]
    assert said["protocolVersion"] == agreed


def test_a_tool_call_without_a_key_is_401_with_a_json_rpc_error(client):
    answer = rpc(client, "tools/call", {"name": "generate_thumbnail", "arguments": {"prompt": "a"}})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] < 0
    assert answer.json()["id"] == 1


def test_the_key_may_come_in_the_other_header(client):
    call = {"name": "generate_thumbnail", "arguments": {"prompt": "a"}}
    answer = rpc(client, "tools/call", call, {"x-api-key": "nsk_test"}).json()
    assert answer["result"]["structuredContent"]["generationId"]


def test_a_notification_is_202_without_a_body(client):
    answer = client.post("/api/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (answer.status_code, answer.content) == (202, b"")


def test_get_is_405(client):
    answer = client.get("/api/mcp")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{nonsense", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"jsonrpc": "2.0"}', 400, -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', 400, -32600),
        (b'{"id": 1, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', 400, -32600),
        (b'{"id": 1, "result": {}}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}', 200, -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "draw"}}', 200, -32602),
    ],
)
def test_a_wrong_message_is_answered_with_a_json_rpc_error(client, body, status, code):
    headers = {"Content-Type": "application/json", "x-api-key": "nsk_test"}
    answer = client.post("/api/mcp", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["jsonrpc"] == "2.0"


@pytest.mark.parametrize("member", ["result", "error"])
def test_an_answer_to_a_question_that_was_never_asked_is_taken(client, member):
    answer = client.post("/api/mcp", json={"jsonrpc": "2.0", "id": 1, member: {}})
    assert (answer.status_code, answer.content) == (202, b"")


def test_what_is_unknown_is_named(client):
    unknown = rpc(client, "x" * 200).json()["error"]["message"]
    assert unknown == f"Method not found: {'x' * 100}"
    tool = rpc(client, "tools/call", {"name": "draw"}, {"x-api-key": "nsk_test"}).json()["error"]
    assert (tool["message"], "data" in tool) == ("Unknown tool: draw", False)


def test_parameters_that_are_no_object_are_none(client):
    assert rpc(client, "ping", ["a"]).json()["result"] == {}
    assert rpc(client, "initialize", ["a"]).json()["result"]["protocolVersion"] == "2025-11-25"


def test_ping_is_answered_with_nothing(client):
    assert rpc(client, "ping").json()["result"] == {}


@pytest.mark.parametrize(
    ("reading", "status", "waits"), [("rpc", 200, False), ("http", 429, True), ("tool", 200, False)]
)
def test_how_long_to_wait_is_told_in_a_header_where_the_status_is_that_of_rest(
    ask, engine, reading, status, waits
):
    engine.world.assume({"fatthumb.mcp_refused_call": reading})
    engine.world.clock.set(is_frozen=True)
    ask("PUT", "/__admin/accounts/fatthumb/nsk_test", {"enforce": ["limits"]})
    params = {"name": "generate_thumbnail", "arguments": {"prompt": "a"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    *_, last = (ask("POST", "/api/mcp", call, authorization="Bearer nsk_test") for _ in range(11))
    assert "too many" in str(said(last)).lower() or "rate" in str(said(last)).lower()
    if reading != "tool":
        error = said(last)["error"]
        assert error["message"] == error["data"]["message"] == "Rate limit exceeded. Retry after a moment."
    assert (last.status, header(last, "Retry-After") is not None) == (status, waits)
