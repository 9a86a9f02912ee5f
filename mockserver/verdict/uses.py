"""What a call used of its operation that it had better not: what no document names, what is deprecated."""

import functools
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from mockserver import pointer
from mockserver.call import Match
from mockserver.jsontext import MalformedJsonError, parse
from mockserver.messages import Request
from mockserver.problems import Violation
from mockserver.spec.openapi import bare_media_type
from mockserver.spec.schema import Schema
from mockserver.spec.usage import undocumented, usages

LARGEST_KEPT = 64 * 1024  # bytes of a body that is looked at once


def uses(match: Match, request: Request) -> Iterator[Violation]:
    """Give what a call used of its operation that is not documented, or deprecated."""
    operation = match.operation
    citation = operation.row.citation
    if operation.is_deprecated:
        yield Violation("path", "", "deprecated", f"{operation.name} is deprecated", citation)
    yield from _parameters(match, request)
    media_type = bare_media_type(request.headers.get("content-type", ""))
    schema = operation.body.schemas.get(media_type) if operation.body else None
    if schema is not None and request.body:
        read = _body if len(request.body) <= LARGEST_KEPT else _body.__wrapped__
        yield from read(schema, request.body, citation)


def _parameters(match: Match, request: Request) -> Iterator[Violation]:
    operation = match.operation
    citation = operation.row.citation
    sent = [name for name, _ in parse_qsl(request.query, keep_blank_values=True)]
    names = {"path": list(match.path_values), "query": sent, "header": list(request.headers)}
    known = {scheme.field for each in operation.security for scheme in each if scheme.location == "query"}
    for parameter in operation.parameters:
        name, location = parameter.name, parameter.location
        own = [each for each in names[location] if _is_of(each, name, location, parameter.style)]
        known |= set(own) if location == "query" else set()
        marked = parameter.schema.followed(parameter.schema.document)
        is_deprecated = isinstance(marked, Mapping) and marked.get("deprecated") is True
        if own and (parameter.is_deprecated or is_deprecated):
            what = f"the parameter {name} is deprecated"
            yield Violation(location, pointer.write((name,)), "deprecated", what, citation)
    for name in dict.fromkeys(each for each in sent if each not in known):
        documented = [each.name for each in operation.parameters if each.location == "query"]
        what = undocumented(f"the query parameter {name}", name, documented)
        yield Violation("query", pointer.write((name,)), "parameters", what, citation)


@functools.lru_cache(maxsize=64)  # most calls of a test are alike
def _body(schema: Schema, body: bytes, citation: str) -> tuple[Violation, ...]:
    try:
        value = parse(body)[0]
    except MalformedJsonError:  # refused for its sender before anybody read it, or cut by the journal
        return ()
    return tuple(
        Violation("body", pointer.write(each.path), each.keyword, each.message, citation)
        for each in usages(schema, value)
    )


def _is_of(sent: str, name: str, location: str, style: str) -> bool:
    """Whether a name that was sent is that of a parameter.

    >>> _is_of("x-a", "X-A", "header", "simple"), _is_of("filter[a]", "filter", "query", "deepObject")
    (True, True)
    """
    if style == "deepObject":
        return sent.startswith(f"{name}[")
    return sent == (name.lower() if location == "header" else name)
