"""Records for other tools: HAR 1.2, which a browser's network tab opens, and curl commands to paste."""

import base64
import shlex
from collections.abc import Iterable
from http.client import responses
from importlib.metadata import version
from urllib.parse import parse_qsl

from mockserver.journal.records import Message, Record, SentResponse
from mockserver.jsontext import Json
from mockserver.state.clock import isoformat

HTTP = "HTTP/1.1"
UNKNOWN = -1  # how HAR writes a size or a time that nobody knows
MADE_BY_CURL = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}


def har(records: Iterable[Record]) -> Json:
    """Write records as HAR 1.2; what it has no place for stands in members that begin with `_`."""
    creator = {"name": "mockserver", "version": version("mockserver")}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(each) for each in records]}}


def curl(record: Record) -> str:
    """Write a call as a command to paste; its secrets are shortened, and have to be put in again."""
    request = record.request
    parts = ["curl", "-X", request.method, request.url]
    for name, value in request.headers.items():
        parts += ["-H", f"{name}: {value}"] if name not in MADE_BY_CURL else []
    piped = ""
    if request.body:
        try:
            parts += ["--data-raw", request.body.decode()]
        except UnicodeDecodeError:
            piped = f"echo {base64.b64encode(request.body).decode()} | base64 -d | "
            parts += ["--data-binary", "@-"]
    note = f"# the journal has cut the body, which had {request.size} bytes\n" if request.is_cut else ""
    return note + piped + " ".join(shlex.quote(part) for part in parts)


def _entry(record: Record) -> Json:
    request, response, took_ms = record.request, record.response, round(record.duration_s * 1000, 3)
    # HAR has no word for an encoding here.
    posted: Json = {"mimeType": _type(request), **_content(request, "_encoding")}
    return {
        "startedDateTime": isoformat(record.at.timestamp()),
        "time": took_ms,
        "request": {
            "method": request.method,
            "url": request.url,
            "httpVersion": HTTP,
            "cookies": [],
            "headers": _pairs(request.headers.items()),
            "queryString": _pairs(parse_qsl(request.query, keep_blank_values=True)),
            "headersSize": UNKNOWN,
            "bodySize": request.size,
            **({"postData": posted} if request.size else {}),
        },
        "response": _answer(response),
        "cache": {},
        "timings": {"send": 0, "wait": took_ms, "receive": 0},
        "_id": record.id,
        "_operation": record.operation,
        "_charge": record.charge,
    }


def _answer(response: SentResponse | None) -> Json:
    """Write an answer; none has the status 0, as browsers write it."""
    headers = response.headers if response else {}
    size = response.size if response else 0
    content: Json = {"size": size, "mimeType": _type(response) if response else ""}
    status = response.status if response else 0
    return {
        "status": status,
        "statusText": responses.get(status, ""),
        "httpVersion": HTTP,
        "cookies": [],
        "headers": _pairs(headers.items()),
        "content": {**content, **(_content(response, "encoding") if response else {})},
        "redirectURL": headers.get("location", ""),
        "headersSize": UNKNOWN,
        "bodySize": size,
    }


def _content(message: Message, encoding: str) -> dict[str, Json]:
    comment = {"comment": f"the journal has cut it; it had {message.size} bytes"} if message.is_cut else {}
    try:
        return {"text": message.body.decode(), **comment}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(message.body).decode(), encoding: "base64", **comment}


def _type(message: Message) -> str:
    return message.headers.get("content-type", "application/octet-stream")


def _pairs(values: Iterable[tuple[str, str]]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in values]
