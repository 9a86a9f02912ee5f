"""Reads records again that `Record.as_json` has written: what a server elsewhere tells of its journal."""

import base64
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from mockserver.journal.records import VIOLATION, Record, SentRequest, SentResponse
from mockserver.problems import Violation
from mockserver.state.clock import moment_s


def read_record(said: Mapping[str, Any], lead: str = "") -> Record:
    """Read a record; `lead` is what stands before every path there: `/ns/NAME`.

    How long it took is not told: `duration_s` is nan.
    """
    request, response = said["request"], said["response"]
    parts = urlsplit(request["url"])
    path = parts.path.removeprefix(lead) if parts.path.startswith(f"{lead}/") else parts.path
    return Record(
        id=said["id"],
        at=datetime.fromtimestamp(moment_s(said["at"]), UTC),
        operation=said["operation"],
        account=said["account"],
        request=SentRequest(
            **_message(request),
            method=request["method"],
            url=request["url"],
            path=unquote(path),
            query=parts.query,
        ),
        response=response and SentResponse(**_message(response), status=response["status"]),
        violations=tuple(map(read_violation, said["violations"])),
        charge=said["charge"],
        error=said["error"],
        ordered=said["ordered"],
        duration_s=math.nan,
    )


def read_violation(said: Mapping[str, Any]) -> Violation:
    """Read a violation."""
    return Violation(**{name: said[name] for name in VIOLATION})


def _message(said: Mapping[str, Any]) -> dict[str, Any]:
    body = said["body"].encode() if "body" in said else base64.b64decode(said["bodyAsBase64"])
    return {"headers": said["headers"], "body": body, "size": said["bodySize"]}
