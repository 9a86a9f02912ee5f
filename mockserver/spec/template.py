"""Shapes in tables: JSON in which `$name` stands for a value."""

from collections.abc import Mapping

from mockserver.jsontext import Json


def fill(shape: Json, values: Mapping[str, Json]) -> Json:
    """Put values in the places of `$name`; a member that has no value is left out.

    >>> fill({"error": {"code": "$code", "message": "$message"}}, {"message": "No."})
    {'error': {'message': 'No.'}}
    """
    if isinstance(shape, Mapping):
        filled = {key: fill(value, values) for key, value in shape.items()}
        return {key: value for key, value in filled.items() if value is not None or shape[key] is None}
    if isinstance(shape, str) and shape.startswith("$"):
        return values.get(shape[1:])
    return shape
