"""Shapes and sentences in tables, in which `$name` stands for a value."""

from collections.abc import Mapping
from string import Template

from mockserver.jsontext import Json


def fill(shape: Json, values: Mapping[str, Json]) -> Json:
    """Put values in the places of `$name`; a member that has no value is left out.

    >>> fill({"error": {"code": "$code", "message": "$message"}}, {"message": "No."})
    {'error': {'message': 'No.'}}
    >>> from types import MappingProxyType
    >>> fill(MappingProxyType({"error": None, "code": "$code"}), {"code": 7})
    {'error': None, 'code': 7}
    """
    if type(shape) is dict or isinstance(shape, Mapping):  # the first is quick, and almost always so
        filled = {key: fill(value, values) for key, value in shape.items()}
        return {key: value for key, value in filled.items() if value is not None or shape[key] is None}
    if isinstance(shape, str) and shape.startswith("$"):
        return values.get(shape[1:])
    return shape


def substitute(sentence: str, **values: str) -> str:
    """Put values into a sentence; what has none stays as it is.

    >>> substitute("$field is required, $other", field="title")
    'title is required, $other'
    """
    return Template(sentence).safe_substitute(values) if "$" in sentence else sentence
