"""The errors that an OpenAPI document shows, as rows of a first table.

A row is written only where the documented responses accept what it says, so that the table passes `check`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from http import HTTPStatus
from typing import NamedTuple

from mockserver.jsontext import Json
from mockserver.spec.fields import schemas_of
from mockserver.spec.files import SPECS
from mockserver.spec.model import Operation
from mockserver.spec.template import fill

PLAIN = re.compile(r"(?!(?:on|off|yes|no|true|false|null|y|n)$)[A-Za-z][\w.-]*|\$\w+", re.IGNORECASE)
CAUSE = "as the document shows it"


class _Said(NamedTuple):
    code: str | None  # None: any will do, or `has_none`
    message: str
    is_guess: bool  # whether the code is one of many that the document lists
    has_none: bool  # whether the examples show that there is no code


def error_rows(operations: Sequence[Operation], shape: Json) -> Iterator[str]:
    """Write a row for each documented status of an error; `shape` is that of the errors' bodies."""
    usual = {row["status"]: (name, row["message"]) for name, row in _usual_rows().items()}
    places = sorted({status for each in operations for status in each.responses if status[0] in "45"})
    for status in (int(each) for each in places if each.isdigit()):
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Error {status}"
        name, message = usual.get(status, (re.sub(r"\W+", "_", phrase.lower()), phrase))
        said = _said(operations, status, shape, name, message)
        if said is None:
            continue
        # A usual row stands for problems that any operation can meet: all have to document it.
        is_usual = status in usual and all(each.response_for(status) for each in operations)
        row: dict[str, Json] = {"status": status, "message": said.message, "cause": CAUSE}
        row |= {"code": said.code} if said.code is not None or said.has_none else {}
        row |= {} if is_usual or said.code is not None else {"only": "ordered"}
        remark = "    # a guess which of the documented codes it has" if said.is_guess else ""
        name = name if is_usual or status not in usual else f"{name}_{status}"
        yield f"  {name}: {write_yaml(row)}{remark}\n"


def write_yaml(value: Json) -> str:
    """Write JSON as YAML in one line, without quotes where none are needed.

    >>> write_yaml({"error": {"text": "$message", "on": 1}}), write_yaml("Pet shop")
    ('{error: {text: $message, "on": 1}}', '"Pet shop"')
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{write_yaml(key)}: {write_yaml(item)}" for key, item in value.items()) + "}"
    return value if isinstance(value, str) and PLAIN.fullmatch(value) else json.dumps(value)


def _usual_rows() -> Mapping[str, Json]:
    """Give the rows that stand in for what a table does not say, by name."""
    schema = json.loads((SPECS / "behaviour.schema.json").read_text("utf-8"))
    usual: Mapping[str, Json] = schema["properties"]["errors"]["default"]
    return usual


def _said(operations: Sequence[Operation], status: int, shape: Json, name: str, usual: str) -> _Said | None:
    """Find a code and a message that all responses for a status accept; None: there are none."""
    exact = [each.responses.get(str(status)) for each in operations]
    responses = [each for operation in operations if (each := operation.response_for(status))]
    examples = [each.example for each in exact if each is not None and each.example is not None]
    messages = [text for each in examples if (text := _find(each, shape, "$message")) and "$" not in text]
    listed = list(dict.fromkeys(listed_codes(operations, shape)))
    shown = [code for each in examples if (code := _find(each, shape, "$code"))]
    shown = [each for each in shown if not listed or each in listed]
    near = sorted(listed, key=lambda code: -SequenceMatcher(None, name, code.lower()).ratio())
    has_none = bool(examples) and not shown and not listed
    options: list[str | None] = [*shown, *near] or [None]
    for code in options:
        for message in [*messages, usual]:
            body = fill(
                shape, {"code": None if has_none else code or name, "message": message, "request_id": "1"}
            )
            if all(each.schema is None or each.schema.accepts(body) for each in responses):
                return _Said(
                    code, message, is_guess=code is not None and code not in shown, has_none=has_none
                )
    return None


def _find(example: Json, shape: Json, wanted: str) -> str | None:
    """Find in an example the text in whose place a shape has a `$name`."""
    if isinstance(shape, Mapping) and isinstance(example, Mapping):
        found = (_find(example[name], part, wanted) for name, part in shape.items() if name in example)
        return next((each for each in found if each), None)
    return example if shape == wanted and isinstance(example, str) else None


def listed_codes(operations: Sequence[Operation], shape: Json) -> Iterator[str]:
    """Give the codes that the document lists where a shape has `$code`."""
    names = set(re.findall(r'"([^"]*)": "\$code"', json.dumps(shape)))
    responses = (each for operation in operations for each in operation.responses.values())
    schemas = (each.schema for each in responses if each.schema and each.status[0] not in "123")
    for part in schemas_of(*schemas):
        properties = part.get("properties", {})
        for name in names & set(properties if isinstance(properties, Mapping) else ()):
            member = properties[name]
            yield from member.get("enum", ()) if isinstance(member, Mapping) else ()
