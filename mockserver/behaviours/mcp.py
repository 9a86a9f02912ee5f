"""The Model Context Protocol over one POST: JSON-RPC 2.0, one request and one answer, no session.

A tool is a door to an operation: its call goes through the emulator again as that operation's own request, so
that keys, plans, credits and limits are the same on both sides.
"""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Literal

from mockserver.call import EMPTY_BODY, Call, Referral, Result
from mockserver.jsontext import Json, parse
from mockserver.messages import VIOLATIONS, Response
from mockserver.spec.marks import AnyField, OperationName
from mockserver.spec.rows import Row

INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS = -32600, -32601, -32602  # JSON-RPC 2.0, section 5.1
REFUSED = -32001  # of the range that JSON-RPC leaves to servers
UNAUTHORIZED = 401
PASSED_ON = (VIOLATIONS, "Retry-After")  # the headers of a refusal
Refusing = Literal["http_error", "rpc_error", "tool_error"]


class Tool(Row, frozen=True, kw_only=True):
    """An operation as a tool."""

    name: str
    description: str
    operation: OperationName
    takes: tuple[AnyField, ...] = ()  # of the operation's fields; empty: all


class Settings(Row, frozen=True, kw_only=True):
    """What a table sets for `answer`."""

    version: str  # of the server
    protocol_versions: tuple[str, ...]  # newest first
    tools: tuple[Tool, ...]
    refuses_keys_by: Refusing = "http_error"
    refuses_calls_by: Refusing = "tool_error"
    has_structure: bool = True  # whether what a tool gives stands in the result as JSON, too


def answer(call: Call, *, settings: Settings) -> Referral | Result:
    """Answer one JSON-RPC message."""
    message = call.arguments.body
    is_ours = isinstance(message, dict) and message.get("jsonrpc") == "2.0"
    if is_ours and {"result", "error"} & message.keys():
        return Result(EMPTY_BODY, status=202)  # an answer to a question that this server never asks
    if not is_ours or not isinstance(message.get("method"), str):
        return _error(None, INVALID_REQUEST, "The body must be one JSON-RPC 2.0 request", status=400)
    if "id" not in message:
        return Result(EMPTY_BODY, status=202)  # a notification: nobody waits for an answer
    method = METHODS.get(message["method"])
    if method is None:
        return _error(message["id"], UNKNOWN_METHOD, f"Method not found: {message['method'][:100]}")
    params = message.get("params")
    return method(call, settings, message["id"], params if isinstance(params, dict) else {})


def _initialize(call: Call, settings: Settings, id_: Json, params: Mapping[str, Json]) -> Result:
    wanted, versions = params.get("protocolVersion"), settings.protocol_versions
    server = {"name": call.provider.name, "title": call.provider.title, "version": settings.version}
    version = wanted if wanted in versions else versions[0]
    capabilities = {"tools": {"listChanged": False}}
    return _result(id_, {"protocolVersion": version, "capabilities": capabilities, "serverInfo": server})


def _list_tools(call: Call, settings: Settings, id_: Json, _params: Mapping[str, Json]) -> Result:
    tools: list[Json] = []
    for tool in settings.tools:
        operation = call.provider.operations[tool.operation]
        schema = next(iter(operation.body.schemas.values())).whole if operation.body else {"type": "object"}
        shown = _taken(_without_remarks(schema), tool)
        tools.append({"name": tool.name, "description": tool.description, "inputSchema": shown})
    return _result(id_, {"tools": tools})


def _taken(schema: Json, tool: Tool) -> Json:
    """Give a schema with those fields alone that a tool takes."""
    if not tool.takes:
        return schema
    return {**schema, "properties": {name: schema["properties"][name] for name in tool.takes}}


def _without_remarks(schema: Json) -> Json:
    """Give a schema without its `x-` members, which are remarks for whoever reads our documents."""
    if isinstance(schema, Mapping):
        return {name: _without_remarks(value) for name, value in schema.items() if not name.startswith("x-")}
    return [_without_remarks(item) for item in schema] if isinstance(schema, list) else schema


def _call_tool(_call: Call, settings: Settings, id_: Json, params: Mapping[str, Json]) -> Referral | Result:
    tool = next((each for each in settings.tools if each.name == params.get("name")), None)
    conclude = functools.partial(_conclude, id_, settings)
    if tool is None:  # who calls is asked first, as by every tool
        unknown = _error(id_, INVALID_PARAMS, f"Unknown tool: {params.get('name')}")
        return Referral(settings.tools[0].operation, None, conclude, unknown) if settings.tools else unknown
    given = params.get("arguments") or {}
    if tool.takes and isinstance(given, dict):
        given = {name: value for name, value in given.items() if name in tool.takes}
    return Referral(tool.operation, given, conclude)


def _conclude(id_: Json, settings: Settings, response: Response) -> Result:
    said: Json = parse(response.read())[0]
    passed = tuple(each for each in response.headers if each[0] in PASSED_ON)
    reasons = tuple(each for each in passed if each[0] == VIOLATIONS)
    content = [{"type": "text", "text": json.dumps(said)}]
    if response.error is None:
        structure = {"structuredContent": said} if settings.has_structure else {}
        result = {"content": content, **structure, "isError": False}
        return _result(id_, result)._replace(headers=reasons)
    is_about_key = response.status == UNAUTHORIZED
    how = settings.refuses_keys_by if is_about_key else settings.refuses_calls_by
    if how == "tool_error":
        return _result(id_, {"content": content, "isError": True})._replace(headers=reasons)
    message = said.get("message") if isinstance(said, dict) else None
    status = response.status if how == "http_error" else 200
    refused = _error(id_, REFUSED, str(message or response.error), status=status, data=said)
    return refused._replace(headers=passed if how == "http_error" else reasons)


def _ping(_call: Call, _settings: Settings, id_: Json, _params: Mapping[str, Json]) -> Result:
    return _result(id_, {})


def _result(id_: Json, result: Json) -> Result:
    return Result({"jsonrpc": "2.0", "id": id_, "result": result})


def _error(id_: Json, code: int, message: str, *, status: int = 200, data: Json = None) -> Result:
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return Result({"jsonrpc": "2.0", "id": id_, "error": error}, status)


Method = Callable[[Call, Settings, Json, Mapping[str, Json]], Referral | Result]
METHODS: Mapping[str, Method] = {
    "initialize": _initialize,
    "ping": _ping,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}
