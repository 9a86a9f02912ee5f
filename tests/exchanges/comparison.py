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
VIOLATION = {"location", "pointer", "rule", "message", "source"}  # the members in Mock-Violations
LONGEST_HEADER = 4096  # bytes


def read_body(answer: httpx.Response) -> Any:
    """Give the value of a JSON body, the bytes of any other."""
    return json.loads(answer.content) if "json" in answer.headers.get("content-type", "") else answer.content


def look_up(document: Any, pointer: str) -> Any:
    """Follow a JSON Pointer; `MISSING` where it leads nowhere."""
    for part in pointer.split("/")[1:]:
        step = int(part) if isinstance(document, list) else part
        try:
            document = document[step]
        except (LookupError, TypeError):
            return MISSING
    return document


def find_differences(expected: Any, actual: Any, at: str = "") -> Iterator[str]:
    """Say where `actual` lacks something of `expected`."""
    if isinstance(expected, dict) and expected.keys() == {"contains"}:
        items = actual if isinstance(actual, list) else []
        yield from (
            f"{at} lacks {item}" for item in expected["contains"] if not any(fits(item, one) for one in items)
        )
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for name, item in expected.items():
            yield from find_differences(item, actual.get(name, MISSING), f"{at}/{name}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, pair in enumerate(zip(expected, actual, strict=True)):
            yield from find_differences(*pair, f"{at}/{index}")
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield f"{at} is {'missing' if actual is MISSING else repr(actual)}, not {expected!r}"


def fits(expected: Any, actual: Any) -> bool:
    return not any(find_differences(expected, actual))


def find_complaints(expected: Mapping[str, Any], answer: httpx.Response) -> Iterator[str]:
    """Say what of the expected answer is not there."""
    body = read_body(answer)
    headers = {name.lower(): value for name, value in expected.get("headers", {}).items()}
    yield from find_differences(expected.get("status", answer.status_code), answer.status_code, "status")
    yield from find_differences(expected.get("body", body), body, "body ")
    yield from find_differences(headers, dict(answer.headers), "headers ")
    for at in expected.get("absent", []):  # a header, or a place in the body
        if at in answer.headers if not at.startswith("/") else look_up(body, at) is not MISSING:
            yield f"{at} is there"
    yield from (f"{name} is there" for name in expected.get("lacks", []) if name in answer.headers)
    for at, pattern in expected.get("matches", {}).items():
        value = look_up(body, at) if at.startswith("/") else answer.headers.get(at, MISSING)
        if value is MISSING or not re.search(pattern, value if isinstance(value, str) else json.dumps(value)):
            yield f"{at} does not match {pattern}"
    yield from (
        f"{at} has not changed" for at, old in expected.get("differs", {}).items() if look_up(body, at) == old
    )
    violations = json.loads(answer.headers.get("mock-violations", "[]"))
    yield from find_differences({"contains": expected.get("violations", [])}, violations, "Mock-Violations")
    for at, size_and_format in expected.get("pictures", {}).items():
        data = base64.b64decode(look_up(body, at).partition(",")[2]) if at else body
        with Image.open(io.BytesIO(data)) as picture:
            shown = {"format": picture.format, "size": list(picture.size)}
            yield from find_differences(size_and_format, shown, f"picture {at}")


def find_broken_promises(answer: httpx.Response) -> Iterator[str]:
    """Say what holds for every answer and does not for this one."""
    body = read_body(answer)
    if look_up(body, "/request_id") not in (MISSING, answer.headers.get("x-request-id")):
        yield "request_id is not the X-Request-Id"
    if "under any of the given schemas" in answer.text:
        yield "the message is JSON Schema's own"
    details = look_up(body, "/error/details")
    said = [] if details is MISSING else [json.dumps(detail) for detail in details]
    if len(said) != len(set(said)):
        yield f"the same is said twice: {said}"
    if answer.status_code >= 400 and answer.headers.get("content-type") == "application/json":
        header = answer.headers.get("mock-violations", "")
        if not (header.isascii() and 2 < len(header) <= LONGEST_HEADER):
            yield f"Mock-Violations has {len(header)} characters or is no ASCII"
        elif any(violation.keys() != VIOLATION for violation in json.loads(header)):
            yield "a violation lacks a member"
