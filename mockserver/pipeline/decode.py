"""Match and Request → Arguments: text and bytes become the values that schemas speak of.

Only the form is looked at here (media type, JSON); whether values are right is the next step's question.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from mockserver.call import EMPTY, Arguments, Match
from mockserver.jsontext import Json, MalformedJsonError, parse
from mockserver.messages import LARGEST_BODY, Request
from mockserver.problems import Location, Problem, ProblemType, Violation
from mockserver.spec.model import Parameter, RequestBody
from mockserver.spec.rows import OperationSection
from mockserver.spec.schema import Schema

INTEGER = re.compile(r"-?[0-9]{1,300}")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
TEXT = frozenset({"string"})  # what a value is that nothing is said of
SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
Body = tuple[Json, tuple[Violation, ...], str | None]
NO_BODY: Body = (None, (), None)
UTF8 = {"utf-8", "utf8", "us-ascii", ""}


def decode(match: Match, request: Request) -> Arguments:
    """Decode parameters and body. Raises a Problem for a body that is too large, or no JSON, and its type."""
    operation = match.operation
    if request.size > LARGEST_BODY:
        message = "The body is larger than this server takes"
        raise _problem(match, ProblemType.BODY_TOO_LARGE, "body", "", message)
    body, warnings, media_type = NO_BODY
    if operation.body is not None:
        section = operation.row.section
        takes_any = section.takes_any_content_type
        body, warnings, media_type = _body(match, operation.body, request, takes_any=takes_any)
        if (section.ignores or section.forgives) and isinstance(body, dict) and media_type:
            body = _sent(body, section, operation.body.schemas[media_type])
    if not operation.parameters:
        return Arguments(EMPTY, EMPTY, EMPTY, body, warnings, media_type)
    pairs = parse_qsl(request.query, keep_blank_values=True)
    found: dict[str, dict[str, Json]] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.parameters:
        value = _parameter(parameter, match.path_values, pairs, request.headers)
        if value is not None:
            found[parameter.location][parameter.name] = value
    return Arguments(found["path"], found["query"], found["header"], body, warnings, media_type)


def useful_size(match: Match, request: Request) -> int:
    """Say how many bytes of a body can matter, by its headers: none where no body, or no such, is taken."""
    operation = match.operation
    if operation.body is None:
        return 0
    sent, takes_any = request.headers.get("content-type", ""), operation.row.section.takes_any_content_type
    media_type = _expected_type(operation.body, sent, takes_any=takes_any)
    return LARGEST_BODY if media_type in operation.body.schemas else 0


def _body(match: Match, expected: RequestBody, request: Request, *, takes_any: bool) -> Body:
    """Decode the body; give it with what is odd about it and its media type."""
    if not expected.is_required and not request.size:
        return NO_BODY
    content_type = request.headers.get("content-type", "")
    media_type = _expected_type(expected, content_type, takes_any=takes_any)
    if media_type not in expected.schemas:
        wanted = " or ".join(expected.schemas)
        sent = f"not {content_type.strip()[:100]}" if content_type.strip() else "but it is missing"
        message, type_ = f"Content-Type must be {wanted}, {sent}", ProblemType.UNSUPPORTED_MEDIA_TYPE
        raise _problem(match, type_, "header", "/content-type", message)
    try:
        value, repeated = parse(request.body)
    except MalformedJsonError as error:
        reason = str(error) if request.body else "the body is empty"
        raise _problem(
            match, ProblemType.MALFORMED_BODY, "body", "", f"The body is not JSON: {reason}"
        ) from error
    return value, tuple(_repeated(place) for place in repeated) if repeated else (), media_type


def _sent(body: Mapping[str, Json], section: OperationSection, schema: Schema) -> Json:
    """Give the members of a body that count as sent."""
    ignored = [value for name, value in (("null", None), ("empty_text", "")) if name in section.ignores]
    return {
        name: value
        for name, value in body.items()
        if value not in ignored
        and (name not in section.forgives or schema.part(schema.member(name)).accepts(value))
    }


def _repeated(place: str) -> Violation:
    message = f"warning: {place[:80]} stands twice; the last one counts"
    return Violation("body", place, "duplicateKey", message, "RFC 8259")


def _expected_type(expected: RequestBody, content_type: str, *, takes_any: bool) -> str | None:
    media_type = content_type if content_type in expected.schemas else _media_type(content_type)
    if takes_any and media_type not in expected.schemas:
        return next(iter(expected.schemas), media_type)
    return media_type


def _media_type(content_type: str) -> str | None:
    """Give the media type of a Content-Type; None where its charset is not JSON's own.

    >>> _media_type("Application/JSON; charset=utf-8"), _media_type("application/json; charset=latin-1")
    ('application/json', None)
    """
    media_type, _, options = content_type.partition(";")
    charset = re.search(r'charset\s*=\s*"?([^";\s]*)', options, re.IGNORECASE)
    return media_type.strip().lower() if charset is None or charset[1].lower() in UTF8 else None


def _problem(match: Match, type_: ProblemType, location: Location, pointer: str, message: str) -> Problem:
    return Problem(type_, (Violation(location, pointer, type_.value, message, match.citation(type_)),))


def _parameter(
    parameter: Parameter, path: Mapping[str, str], pairs: list[tuple[str, str]], headers: Mapping[str, str]
) -> Json:
    """Decode one parameter; None where it was not sent."""
    name, schema = parameter.name, parameter.schema
    if parameter.style == "deepObject":
        own = [pair for pair in pairs if pair[0].startswith(f"{name}[") and pair[0].endswith("]")]
        parts = {key[len(name) + 1 : -1]: value for key, value in own}
        return {key: _typed(value, schema.types(schema.member(key))) for key, value in parts.items()} or None
    if parameter.location == "query":
        values = [value for key, value in pairs if key == name]
    elif parameter.location == "header":
        values = [headers[name.lower()]] if name.lower() in headers else []
    else:
        values = [path[name]] if name in path else []  # percent-decoded already
    if not values:
        return None
    types = schema.types(schema.document)
    if "array" in types:
        is_split = not (parameter.is_exploded and parameter.location == "query")
        items = values[-1].split(SEPARATORS[parameter.style]) if is_split else values
        item_types = schema.types(schema.items())
        return [_typed(item, item_types) for item in items]
    return _typed(values[-1], types)


def _typed(text: str, types: frozenset[str]) -> Json:
    """Read a text as the first of the types that fits; where none does it stays text, for schemas to refuse.

    >>> _typed("7", frozenset({"integer"})), _typed("x", frozenset({"integer"}))
    (7, 'x')
    """
    types = types or TEXT
    if "integer" in types and INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and NUMBER.fullmatch(text):
        return float(text)
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text
