"""A first table for an OpenAPI document: complete enough to be served, with remarks on what to say next."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from mockserver.jsontext import Json
from mockserver.spec.documented import error_rows, listed_codes, write_yaml
from mockserver.spec.files import SPECS, SpecificationError, read_mapping, shown
from mockserver.spec.model import Operation, OperationRow
from mockserver.spec.openapi import Document
from mockserver.spec.schema import Schema
from mockserver.spec.template import fill

NAME = re.compile(r"[a-z][a-z0-9_-]*")
# What members of errors are called, and what stands in their places.
MEMBERS = {
    "$message": ("message", "detail", "error_description", "description", "msg", "reason", "title", "error"),
    "$code": ("code", "error_code", "errorcode", "type"),
    "$request_id": ("request_id", "requestid", "trace_id"),
}
SAMPLE = {"message": "No", "code": "E1", "request_id": "1"}
EMPTY: Mapping[str, Json] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "array": [],
    "null": None,
}
TABLE = """\
# What {title} does beyond its OpenAPI document. Every member is described in
# specs/behaviour.schema.json; `mockserver check {name}` holds this table against that and against {file}.

title: {title}
{hosts}
# keys: {{prefix: key_, sample: key_test}}    # how every key begins; left out: any key is good
{answers}
# The errors of this API. What is not listed has a usual one: 400, 401, 404, 405, 413, 415 and 500.
{errors}

operations:                  # generate: answers with the documented example, or a value made from the schema
{operations}
"""
WRONG = "The request is wrong"
DOCUMENTED = """\
citations: {document: the OpenAPI document}
defaults: {errors: {provenance: documented, citation: document}}
errors:                      # one for each documented status, which `Prefer: code=STATUS` orders
"""
UNDOCUMENTED = """\
# citations: {handbook: the page that says so}
# defaults: {errors: {provenance: documented, citation: handbook}}
# errors:
"""
SAMPLE_ROW = """\
#   wrong: {{status: {status}, message: {message}, cause: a parameter or the body breaks its schema}}
# problems:
#   invalid_request: {{error: wrong, message: $violation}}"""
NO_ERRORS = (
    "# errors: {}    # a row needs a status that the document has for every operation: add a `default`"
)
USUAL_SHAPE = {"message": "$message", "code": "$code"}
DEFAULT_SHAPE = {"error": USUAL_SHAPE}  # of a table that says nothing of it


def scaffold(name: str, source: Path, parent: Path) -> Path:
    """Write a new provider's folder into `parent`. Raises SpecificationError where it cannot be served."""
    folder = parent / name
    if not NAME.fullmatch(name):
        raise SpecificationError([f"{name} is no name for a folder; use lower-case letters, digits, - and _"])
    if folder.exists():
        raise SpecificationError([f"{shown(folder)} is there already; choose another name, or remove it"])
    content = read_mapping(source)
    file = f"openapi{'.json' if source.suffix == '.json' else '.yaml'}"
    shape = Schema(json.loads((SPECS / "openapi.schema.json").read_text("utf-8")), "openapi.schema.json")
    document = Document(content, shown(source), name, shape)
    row = OperationRow("generate", "", "")
    operations = list(document.operations(dict.fromkeys(document.ids, row)).values())
    if document.complaints or not operations:
        raise SpecificationError(document.complaints or [f"{shown(source)}: documents no operation"])
    info, shape = content.get("info"), _shape_of_errors(operations)
    table = TABLE.format(
        name=name,
        file=file,
        title=write_yaml(str(info.get("title") or name) if isinstance(info, Mapping) else name),
        hosts=_hosts(content),
        answers=_answers(operations, shape),
        errors=_errors(operations, shape),
        operations="\n".join(
            f"  {write_yaml(each.id)}: {{behaviour: generate}}    # {each.method} {each.path}"
            for each in operations
        ),
    )
    folder.mkdir(parents=True)
    (folder / file).write_bytes(source.read_bytes())
    (folder / "behaviour.yaml").write_text(table, "utf-8")
    return folder


def _hosts(content: Json) -> str:
    servers = content.get("servers", ())
    urls = [str(each.get("url")) for each in servers if isinstance(each, Mapping)]
    hosts = [host for host in dict.fromkeys(urlsplit(url).hostname for url in urls) if host and "." in host]
    public = [host for host in hosts if re.fullmatch(r"[a-z0-9.-]*[a-z][a-z0-9.-]*", host)]
    return f"hosts: [{', '.join(public)}]    # the Host headers that mean this API\n" if public else ""


def _errors(operations: list[Operation], shape: Json) -> str:
    """Write a row for each documented error, and the remark that shows how to write more."""
    rows = "".join(error_rows(operations, shape or DEFAULT_SHAPE))
    sample = _sample_row(operations, shape or USUAL_SHAPE)
    if rows:
        return f"{DOCUMENTED}{rows}{sample or ''}".rstrip()
    return f"{UNDOCUMENTED}{sample}" if sample else NO_ERRORS


def _sample_row(operations: list[Operation], shape: Json) -> str | None:
    """Write a row for wrong requests, with the usual status among those that every operation documents."""
    body = fill(shape, {**SAMPLE, "message": WRONG, "code": "wrong"})
    for status in (400, 422, *range(401, 500)):
        found = [each.response_for(status) for each in operations]
        if all(each and (each.schema is None or each.schema.accepts(body)) for each in found):
            return SAMPLE_ROW.format(status=status, message=WRONG)
    return None


def _answers(operations: list[Operation], shape: Json) -> str:
    if shape is None and any(_error_schemas(operations)):
        return "\n# answers: {}    # the body of errors: what the document shows of it could not be guessed\n"
    if shape is None:
        return f"\n# answers: {{error: {write_yaml(USUAL_SHAPE)}}}    # the body of errors\n"
    remark = "# the body of errors, as the document shows it"
    return f"\nanswers:                     {remark}\n  error: {write_yaml(shape)}\n"


def _shape_of_errors(operations: list[Operation]) -> Json:
    """Guess the shape of errors from the documented ones: what most of them accept; None: no guess."""
    schemas = list(_error_schemas(operations))
    shapes = {json.dumps(shape): shape for each in schemas if (shape := _shape(each, each.document))}
    fitting = {}
    for text, shape in shapes.items():
        codes = [SAMPLE["code"], *listed_codes(operations, shape)]
        bodies = [fill(shape, {**SAMPLE, "code": code}) for code in codes]
        fitting[text] = sum(any(map(each.accepts, bodies)) for each in schemas)
    best = max(fitting, key=lambda text: fitting[text], default="")
    return shapes[best] if best and fitting[best] else None


def _error_schemas(operations: list[Operation]) -> Iterator[Schema]:
    documented = (each for operation in operations for each in operation.responses.items())
    yield from (each.schema for status, each in documented if each.schema and status[0] not in "123")


def _shape(schema: Schema, part: Json) -> dict[str, Json]:
    """Give an object's members, with `$names` where they can stand."""
    part = schema.followed(part)
    properties = part.get("properties", {}) if isinstance(part, Mapping) else {}
    shape: dict[str, Json] = {}
    for name, each in properties.items():
        types, member = schema.types(each), schema.followed(each)
        value = next((value for value, names in MEMBERS.items() if name.lower() in names), None)
        if "object" in types:
            shape |= {name: inner} if (inner := _shape(schema, each)) else {}
        elif value is not None and _is_text(types, member) and value not in shape.values():
            shape[name] = value
        elif name in part.get("required", ()):
            listed = member.get("enum") if isinstance(member, Mapping) else None
            shape[name] = listed[0] if listed else EMPTY[next(iter(sorted(types)), "null")]
    return shape


def _is_text(types: frozenset[str], member: Json) -> bool:
    """Whether a member of an answer holds text, by its type or by the values that it can have."""
    listed = member.get("enum", ()) if isinstance(member, Mapping) else ()
    return "string" in types or bool(listed and all(isinstance(each, str) for each in listed))
