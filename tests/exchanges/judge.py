"""Compare an answer with what an exchange expects, and with what holds for every answer."""

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from PIL import Image

MISSING = object()


def content(answer: httpx.Response) -> Any:
    return json.loads(answer.content) if "json" in answer.headers.get("content-type", "") else answer.content


def found(document: Any, pointer: str) -> Any:
    """Follow a JSON Pointer; `MISSING` where it leads nowhere."""
    for part in pointer.split("/")[1:]:
        step = int(part) if isinstance(document, list) else part
        try:
            document = document[step]
        except (LookupError, TypeError):
            return MISSING
    return document


def differences(expected: Any, actual: Any, at: str = "") -> Iterator[str]:
    """Say where `actual` lacks something of `expected`."""
    if isinstance(expected, dict) and expected.keys() == {"contains"}:
        items = actual if isinstance(actual, list) else []
        yield from (
            f"{at} lacks {item}" for item in expected["contains"] if not any(fits(item, one) for one in items)
        )
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for name, item in expected.items():
            yield from differences(item, actual.get(name, MISSING), f"{at}/{name}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, pair in enumerate(zip(expected, actual, strict=True)):
            yield from differences(*pair, f"{at}/{index}")
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield f"{at} is {'missing' if actual is MISSING else repr(actual)}, not {expected!r}"


def fits(expected: Any, actual: Any) -> bool:
    return not any(differences(expected, actual))


def complaints(expected: Mapping[str, Any], answer: httpx.Response) -> Iterator[str]:
    """Say what of the expected answer is not there."""
    body = content(answer)
    yield from differences(expected.get("status", answer.status_code), answer.status_code, "status")
    yield from differences(expected.get("body", body), body, "body ")
    wanted = {name.lower(): value for name, value in expected.get("headers", {}).items()}
    yield from differences(wanted, dict(answer.headers), "headers ")
    yield from (f"{at} is there" for at in expected.get("absent", []) if found(body, at) is not MISSING)
    for at, pattern in expected.get("matches", {}).items():
        value = found(body, at) if at.startswith("/") else answer.headers.get(at, MISSING)
        if value is MISSING or not re.search(pattern, value if isinstance(value, str) else json.dumps(value)):
            yield f"{at} does not match {pattern}"
    yield from (
        f"{at} has not changed" for at, old in expected.get("differs", {}).items() if found(body, at) == old
    )
    violations = json.loads(answer.headers.get("mock-violations", "[]"))
    yield from differences({"contains": expected.get("violations", [])}, violations, "Mock-Violations")
    for at, facts in expected.get("pictures", {}).items():
        data = base64.b64decode(found(body, at).partition(",")[2]) if at else body
        with Image.open(io.BytesIO(data)) as picture:
            yield from differences(
                facts, {"format": picture.format, "size": list(picture.size)}, f"picture {at}"
            )


def broken_promises(answer: httpx.Response) -> Iterator[str]:
    """Say what holds for every answer and does not for this one."""
    body = content(answer)
    if (
        isinstance(body, dict)
        and "request_id" in body
        and body["request_id"] != answer.headers.get("x-request-id")
    ):
        yield "request_id is not the X-Request-Id"
    if "under any of the given schemas" in answer.text:
        yield "the message is JSON Schema's own"
    details = found(body, "/error/details")
    fields = [] if details is MISSING else [detail.get("field") for detail in details]
    if len(fields) != len(set(fields)):
        yield f"a field is complained about twice: {fields}"
    if answer.status_code >= 400 and answer.headers.get("content-type") == "application/json":
        header = answer.headers.get("mock-violations", "")
        if not (header.isascii() and 2 < len(header) <= 4096):
            yield f"Mock-Violations has {len(header)} characters or is no ASCII"
        elif any(
            one.keys() != {"location", "pointer", "rule", "message", "source"} for one in json.loads(header)
        ):
            yield "a violation lacks a member"
