"""A call of an operation that it accepts: with the documented example, or values made from its schemas.

What need not be sent is left out, but for a body that the document shows.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urlencode

from mockserver.behaviours.generate import make_value
from mockserver.jsontext import Json
from mockserver.pipeline.decode import SEPARATORS
from mockserver.seeded import Random
from mockserver.spec.model import Operation, Parameter, ResponseSpec


class Sample(NamedTuple):
    """What is sent, without a key."""

    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: str | None  # None: none is sent


def make_sample(operation: Operation) -> Sample | None:
    """Make a call; None where no values are found that obey the schemas."""
    random, path = Random.from_text(operation.name), operation.path
    pairs: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    for parameter in (each for each in operation.parameters if each.is_required):
        value = make_value(ResponseSpec("", parameter.schema), random.part(parameter.name))
        texts = list(_written(parameter, value)) if parameter.schema.accepts(value) else []
        if not all(
            text and ("/" not in text or parameter.location != "path") for _, text in texts or [("", "")]
        ):
            return None
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(texts[0][1], safe=""))
        else:
            (pairs if parameter.location == "query" else headers).extend(texts)
    body = None
    if operation.body and (operation.body.is_required or operation.body.example is not None):
        for media_type, schema in operation.body.schemas.items():
            shown = operation.body.example
            value = make_value(ResponseSpec("", schema), random) if shown is None else shown
            if schema.accepts(value):
                headers.append(("Content-Type", media_type))
                body = json.dumps(value)
                break
        else:
            return None
    return Sample(path, urlencode(pairs, quote_via=quote), tuple(headers), body)


def _written(parameter: Parameter, value: Json) -> Iterator[tuple[str, str]]:
    """Write a value as `decode` reads it, in pairs of names and texts; what cannot be sent is no text."""
    name = parameter.name
    if isinstance(value, dict):
        is_deep = parameter.style == "deepObject"
        yield from ((f"{name}[{key}]", _text(each) if is_deep else "") for key, each in value.items())
    elif not isinstance(value, list):
        yield name, _text(value)
    elif parameter.is_exploded and parameter.location == "query":
        yield from ((name, _text(each)) for each in value)
    else:
        yield name, SEPARATORS[parameter.style].join(map(_text, value))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else "" if isinstance(value, dict | list) else json.dumps(value)
